/**
 * Runs the end-to-end tests in the homes that `deno task test` leaves out: `deno task test:homes [HOMES]`.
 *
 * Without HOMES, apart by commas, all of them; the binary only where `deno compile` can get at its runtime,
 * and its absence is said. `deno task matrix` shows what passed where.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { isRequired } from "../tests/required.ts";
import { fileURLToPath } from "node:url";
import { HOMES, USUAL_HOMES } from "../tests/e2e/homes.ts";
import { binary } from "../tests/package/binary.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function otherHomes(): Promise<readonly string[]> {
  const others = Object.keys(HOMES).filter((home) => !USUAL_HOMES.includes(home));
  try {
    await binary();
    return others;
  } catch (error) {
    if (isRequired("binary")) throw error;
    process.stderr.write("LEFT OUT: the binary, for deno compile cannot fetch its runtime here\n");
    return others.filter((home) => home !== "binary");
  }
}

async function denoTest(homes: string, words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ["test", "-A", ...words], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ADC_RUN_TEST_HOMES: homes },
  });
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

const homes = process.argv[2] ?? (await otherHomes()).join(",");
const alone = "tests/e2e/parallel.test.ts";
process.exitCode = await denoTest(homes, [
  "--parallel",
  "--junit-path=test-results/homes.xml",
  `--ignore=${alone}`,
  "tests/e2e/",
  "tests/faults/",
]) || await denoTest(homes, ["--junit-path=test-results/homes_alone.xml", alone]);
