/**
 * `bun build --compile`: the command as one file that needs no runtime.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { outputOf } from "../tests/support/run_command.ts";
import { bunRuntime } from "../tests/support/runtimes.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The name of the binary for this system. */
export const BINARY_NAME = process.platform === "win32" ? "adc-run.exe" : "adc-run";

/**
 * Compiles the command for this system, with the packages in `node_modules`.
 *
 * @param path Where the binary goes.
 * @throws {Error} There is no Bun for this machine, npm cannot be reached, or Bun fails.
 */
export async function compileBinary(path: string): Promise<void> {
  await outputOf([
    await bunRuntime(),
    "build",
    "--compile",
    "--bytecode",
    "--format=cjs",
    // Else `.env` would pass for the user's own environment, and code named by bunfig.toml would run.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    `--outfile=${path}`,
    join(root, "src/cli/bin.ts"),
  ], { cwd: root });
}
