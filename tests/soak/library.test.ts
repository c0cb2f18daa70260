import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { collect } from "../support/adc_run.ts";
import { testHomes } from "../support/homes.ts";
import { keychainSkip } from "../support/keychain_session.ts";
import { libraries } from "./libraries.ts";
import { report, RUNS } from "./load.ts";
import { openSoakScene } from "./scene.ts";
import type { Account } from "./scene.ts";
import { logIn, printed, tokenOf } from "./steps.ts";

/** What a process holds at one moment. */
interface Held {
  readonly descriptors: number;
  readonly heap: number;
  readonly resident: number;
  readonly threads: number;
  readonly children: number;
}

const MIB = 2 ** 20;

const PROGRAM = fileURLToPath(new URL("library_program.mjs", import.meta.url));

/** What the last quarter of the runs may hold, by what the second quarter held. */
const BOUNDS: Readonly<Record<keyof Held, (before: number) => number>> = {
  // A connection may be on its way out, or the keychain's in use.
  descriptors: (before) => before + 4,
  threads: (before) => before + 4,
  children: () => 0,
  heap: (before) => before * 1.25 + 4 * MIB,
  resident: (before) => before * 1.25 + 32 * MIB,
};

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const homes = await testHomes();

for (const { name, command, module } of await libraries()) {
  describe(`the library on ${name}`, { skip: keychainSkip() }, () => {
    it(`${RUNS} runs in one process hold no more at the end than at the start`, async () => {
      await using it = await openSoakScene(homes);
      const account: Account = { profile: undefined, key: it.sandbox.url, name: "soak" };
      await logIn(it, account, 0);
      const ended = await collect([...command, PROGRAM, module, String(RUNS)], {
        cwd: it.folder.path,
        env: {
          ...it.surroundings,
          SOAK_ADC: it.adc,
          SOAK_PRINTED: printed(tokenOf(it, account)!.value),
        },
      });
      assert.equal(ended.code, 0, ended.stderr);
      const { samples, listeners, warnings, milliseconds } = JSON.parse(ended.stdout);
      const all: readonly Held[] = samples;
      assert.equal(all.length, RUNS);
      const second = all.slice(Math.floor(RUNS / 4), Math.ceil(RUNS / 2));
      const last = all.slice(Math.floor(RUNS * 3 / 4));
      const numbers: string[] = [];
      for (const [what, bound] of Object.entries(BOUNDS)) {
        const key = what as keyof Held;
        const before = middle(second.map((each) => each[key]));
        const after = middle(last.map((each) => each[key]));
        numbers.push(`${what} ${before} and ${after}`);
        assert.ok(
          after <= bound(before),
          `${what}: ${before} in the second quarter, then ${after}`,
        );
      }
      assert.deepEqual(listeners, { signals: [], stdout: [], abort: 0 });
      assert.deepEqual(warnings, []);
      const seconds = (milliseconds / 1000).toFixed(0);
      report(`${RUNS} runs in one process on ${name} in ${seconds} s: ${numbers.join(", ")}`);
      await it.assertNothingLeft([account]);
    });
  });
}
