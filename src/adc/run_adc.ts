import { executeRun } from "./execute_run.ts";
import { prepareRun } from "./prepare_run.ts";
import type { RunOptions, RunResult } from "./run_options.ts";

/**
 * Finds a token, checks it against the server that ADC will talk to, and runs ADC with it.
 *
 * @param words ADC's command and its options, for example `["sync", "-f", "adc.yaml"]`.
 * @param options The environment, the working directory, and where ADC's output goes.
 * @returns How ADC ended. A failure of ADC is a result, not an error.
 * @throws {ConnectionError} A value that says how to connect cannot be used.
 * @throws {NoTokenError} No source has a token.
 * @throws {SourceError} A source is broken.
 * @throws {CheckError} The test call found that ADC would fail.
 * @throws {CommandError} ADC was not found or cannot be executed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import process from "node:process";
 * import { runAdc } from "@adc-run/adc-run";
 *
 * const { exitCode, masked } = await runAdc(["lint", "-f", "adc.yaml"], {
 *   env: process.env,
 *   cwd: process.cwd(),
 *   stdout: process.stdout,
 *   stderr: process.stderr,
 *   adc: "echo", // stands in for ADC here; without it the one on PATH is run
 * });
 * assert.deepEqual([exitCode, masked], [0, 0]);
 * ```
 */
export async function runAdc(words: readonly string[], options: RunOptions): Promise<RunResult> {
  return await executeRun(await prepareRun(words, options), options);
}
