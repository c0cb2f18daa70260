/**
 * Runs the unit tests, the very files that `deno test` runs, under Node.js 24: `deno task test:node`.
 *
 * The end-to-end tests run adc-run in every home by themselves, and those of the docs run the samples under
 * Deno, so they are left out here.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { nodeRuntime } from "../tests/package/runtimes.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
const entries = await readdir(join(repository, "tests"), { recursive: true });
const files = entries
  .filter((name) =>
    name.endsWith(".test.ts") && !/^(docs|e2e|faults|package|security|soak)\//.test(name)
  )
  .map((name) => join("tests", name));
const node = await nodeRuntime(24);
const child = spawn(node, ["--test", ...files], { cwd: repository, stdio: "inherit" });
process.exitCode = await new Promise<number>((resolve) => {
  child.once("exit", (code) => resolve(code ?? 1));
});
