import { executeTargets } from "./execute_targets.ts";
import { prepareTargets } from "./prepare_targets.ts";
import type { TargetResult, TargetsOptions } from "./target_options.ts";

/**
 * Runs ADC once for each of several targets. The tokens of all are found and checked before the first ADC
 * starts.
 *
 * Unless `keepGoing` is set nothing runs when one of them cannot, and no more start after one that failed.
 * A child has `ADC_RUN_PROFILE` in its environment, with its target's name, and no standard input.
 *
 * @param words ADC's command and its options, for example `["sync", "-f", "adc.yaml"]`.
 * @param options The targets, the environment, the working directory, and where the output of each goes.
 * @returns What came of each target, in order. A token that is refused and a failure of ADC are results,
 * not errors.
 * @throws {RangeError} There is no target, two have one name, or `parallel` is no whole number from 1 on.
 * @throws {CommandError} ADC was not found or cannot be executed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import process from "node:process";
 * import { runTargets } from "@adc-run/adc-run";
 *
 * const target = { file: "", project: false, explicit: true };
 * const results = await runTargets(["lint", "-f", "adc.yaml"], {
 *   profiles: [{ ...target, name: "staging" }, { ...target, name: "prod" }],
 *   parallel: 2,
 *   env: process.env,
 *   cwd: process.cwd(),
 *   adc: "echo", // stands in for ADC here; without it the one on PATH is run
 * });
 * assert.deepEqual(results.map(({ result }) => result?.exitCode), [0, 0]);
 * ```
 */
export async function runTargets(
  words: readonly string[],
  options: TargetsOptions,
): Promise<readonly TargetResult[]> {
  return await executeTargets(await prepareTargets(words, options), options);
}
