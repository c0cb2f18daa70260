import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bareEnvironment, collect } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { libraries } from "./libraries.ts";
import { MAX_MEMORY, MEGABYTES, report } from "./load.ts";
import { blocksIn, Comparison, OCCURRENCES, period, repeat } from "./periodic.mjs";

/** The memory of a process is read from /proc. */
const skip = process.platform === "linux" ? false : "there is no /proc here";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What has to come out. */
function expected(token: string): { readonly length: number; readonly count: number } {
  const { text, masked } = period(token);
  const { block, times } = repeat(text);
  const periods = blocksIn(MEGABYTES, block) * times;
  return { length: periods * masked.length, count: periods * OCCURRENCES };
}

function tell(where: string, { peak, ms }: { readonly peak: number; readonly ms: number }): void {
  const megabytes = Math.round(peak / 2 ** 20);
  const speed = Math.round(MEGABYTES / ms * 1000);
  report(`${MEGABYTES} MiB ${where}: ${megabytes} MiB of memory at the most, ${speed} MiB/s`);
}

for (const { name, command, module } of await libraries()) {
  describe(`the mask on ${name}`, { skip }, () => {
    it(`${MEGABYTES} MiB through \`createMask()\` come out right, in little memory`, async () => {
      const words = [here("mask_program.mjs"), module, String(MEGABYTES)];
      const ended = await collect([...command, ...words], { cwd: here(".") });
      assert.equal(ended.code, 0, ended.stderr);
      const { length, wrongAt, count, peak, milliseconds } = JSON.parse(ended.stdout);
      // The program's own token is as long as every one of API7's.
      assert.deepEqual({ wrongAt, length, count }, { wrongAt: undefined, ...expected(TOKEN) });
      assert.ok(peak < MAX_MEMORY, `${peak} bytes at the most`);
      tell(`through createMask() on ${name}`, { peak, ms: milliseconds });
    });
  });
}

/** A token of the length that the sandbox and the program give theirs. */
const TOKEN = `a7ee-${"0".repeat(48)}`;

/** How a reader reads. */
const READERS = {
  fast: () => Promise.resolve(),
  // Slower than anybody who writes: the pipe is always full.
  slow: () => delay(1),
} as const;

for (const home of await testHomes("every engine")) {
  describe(`the mask of the command on ${home.name}`, { skip }, () => {
    for (const [kind, pause] of Object.entries(READERS)) {
      it(`${MEGABYTES} MiB reach a ${kind} reader right, in little memory`, async () => {
        await using it = await fixture();
        const { folder, token } = it;
        const memory = join(folder.path, "memory");
        const script = `node "$0" "$1" && grep VmHWM "/proc/$PPID/status" >${memory}`;
        const child = ["sh", "-c", script, here("flood.mjs"), String(MEGABYTES)];
        const [program = "", ...words] = [...home.command, "--json", "exec", "--", ...child];
        const start = performance.now();
        const running = spawn(program, words, {
          cwd: folder.path,
          env: { ...bareEnvironment(folder.path), ...it.env, ADC_TOKEN: token },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const closed = once(running, "close");
        let stderr = "";
        running.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
        const comparison = new Comparison(period(token).masked);
        for await (const chunk of running.stdout) {
          comparison.take(chunk);
          await pause();
        }
        const [code] = await closed;
        assert.equal(code, 0, stderr);
        const { wrongAt, length } = comparison;
        const { masked } = JSON.parse(stderr);
        assert.deepEqual(
          { wrongAt, length, count: masked },
          { wrongAt: undefined, ...expected(token) },
        );
        const [, kilobytes] = /VmHWM:\s*(\d+) kB/.exec(await readFile(memory, "utf8")) ?? [];
        const peak = Number(kilobytes) * 1024;
        assert.ok(peak < MAX_MEMORY, `${peak} bytes at the most`);
        tell(`through the command on ${home.name} to a ${kind} reader`, {
          peak,
          ms: performance.now() - start,
        });
      });
    }
  });
}
