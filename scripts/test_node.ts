/**
 * Runs the unit tests, the very files that `deno test` runs, under Node.js 24: `deno task test:node`.
 *
 * The end-to-end tests run adc-run in every home by themselves, and those of the docs run the samples under
 * Deno, so they are left out here.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { nodeRuntime } from "../tests/support/runtimes.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
const entries = await readdir(join(repository, "tests"), { recursive: true });
const files = entries
  .filter((name) =>
    name.endsWith(".test.ts") && !/^(docs|e2e|faults|package|security|soak)\//.test(name)
  )
  .map((name) => join("tests", name));
const node = await nodeRuntime(24);

/** Many files in one process: to strip the types of all that one imports takes longer than its tests. */
async function test(files: readonly string[]): Promise<boolean> {
  const words = ["--test", "--test-isolation=none", ...files];
  const [code] = await once(spawn(node, words, { cwd: repository, stdio: "inherit" }), "exit");
  return code === 0;
}

const processes = availableParallelism();
const passed = await Promise.all(
  Array.from(
    { length: processes },
    (_, rest) => test(files.filter((_, index) => index % processes === rest)),
  ),
);
process.exitCode = passed.every(Boolean) ? 0 : 1;
