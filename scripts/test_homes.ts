/**
 * Runs the end-to-end tests in the homes that `deno task test` leaves out: `deno task test:homes [HOMES]`.
 *
 * Without HOMES, apart by commas, all of them. `deno task matrix` shows what passed where.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { HOMES, USUAL_HOMES } from "../tests/e2e/homes.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function denoTest(homes: string, words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ["test", "-A", ...words], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ADC_RUN_TEST_HOMES: homes },
  });
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

const others = Object.keys(HOMES).filter((home) => !USUAL_HOMES.includes(home));
const homes = process.argv[2] ?? others.join(",");
const alone = "tests/e2e/parallel.test.ts";
process.exitCode = await denoTest(homes, [
  "--parallel",
  "--junit-path=test-results/homes.xml",
  `--ignore=${alone}`,
  "tests/e2e/",
  "tests/faults/",
]) || await denoTest(homes, ["--junit-path=test-results/homes_alone.xml", alone]);
