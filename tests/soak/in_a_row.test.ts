import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { testHomes } from "../support/homes.ts";
import { keychainSkip } from "../support/keychain_session.ts";
import { report, RUNS } from "./load.ts";
import { openSoakScene } from "./scene.ts";
import type { Account } from "./scene.ts";
import * as steps from "./steps.ts";
import type { Step } from "./steps.ts";

/** Every kind of run; a log-out is followed by what there is to see after it, and by a login. */
const KINDS: readonly (readonly Step[])[] = [
  [steps.logIn],
  [steps.rotate],
  [steps.logOut, steps.without, steps.logIn],
  [steps.run],
  [steps.exec],
  [steps.ephemeral],
  [steps.fanOut],
  [steps.status],
  [steps.token],
  [steps.list],
  [steps.api],
  [steps.setProfile],
  [steps.refused],
];

describe("in a row", { skip: keychainSkip() }, () => {
  it(`${RUNS} runs of every kind and home answer right, lose nothing and leave nothing`, async () => {
    const homes = await testHomes();
    await using it = await openSoakScene(homes);
    const account: Account = { profile: undefined, key: it.sandbox.url, name: "soak" };
    const seed = randomInt(2 ** 31);
    const orders = fc.sample(
      fc.shuffledSubarray([...KINDS], { minLength: KINDS.length, maxLength: KINDS.length }),
      { seed, numRuns: Math.ceil(RUNS / KINDS.length) },
    );
    const start = performance.now();
    const set = new Map<string, string>();
    for (const name of steps.TWO) {
      const words = ["profile", "set", name, "--backend", "api7ee", "--server", it.sandbox.url];
      const ended = await it.run(words);
      assert.equal(ended.code, 0, ended.stderr);
    }
    await steps.logIn(it, account, 0);
    for (const step of orders.flat(2)) {
      if (it.runs >= RUNS && tokenStands(it.sandbox.liveTokens)) break;
      const number = it.runs;
      if (step === steps.setProfile) set.set(`setting-${number}`, `${number + 1}s`);
      try {
        await step(it, account, number);
      } catch (error) {
        throw new Error(`Run ${number}, in the order of seed ${seed}, went wrong`, {
          cause: error,
        });
      }
    }
    const seconds = (performance.now() - start) / 1000;
    report(
      `${it.runs} runs in a row in ${seconds.toFixed(0)} s on ${homes.map(({ name }) => name)}, ` +
        `${it.sandbox.requests.length} requests, ${it.sandbox.tokens.length} tokens, ` +
        `${it.repeated} times the keychain was too slow`,
    );

    const profiles = await it.profiles();
    assert.deepEqual(
      Object.fromEntries([...set.keys()].map((name) => [name, profiles[name]?.timeout])),
      Object.fromEntries(set),
      "no setting was lost",
    );
    await it.assertNothingLeft([account]);
    await it.assertDiscreet();

    function tokenStands(live: readonly { readonly name: string }[]): boolean {
      return live.some(({ name }) => name === account.name);
    }
  });
});
