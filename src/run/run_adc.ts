import process from "node:process";
import type { RunOptions, RunResult, TargetResult, TargetsOptions } from "./options.ts";
import { readCall, run } from "./run.ts";
import { watchSignals } from "./signals.ts";
import { runForEach } from "./targets.ts";

/**
 * Finds a token, checks it against the server that ADC will talk to, and runs ADC with it.
 *
 * @category Run
 * @param args ADC's command and its options, for example `["sync", "-f", "adc.yaml"]`.
 * @param options What differs from this process: its environment, its working directory, its streams.
 * @returns How ADC ended. A failure of ADC is a result, not an error.
 * @throws {CommandError} ADC was not found or cannot be executed.
 * @throws {ConnectionError} A value that says how to connect cannot be used.
 * @throws {NoTokenError} No source has a token.
 * @throws {SourceError} A source is broken.
 * @throws {CheckError} The test call found that ADC would fail.
 * @throws {Interrupted} One of `options.signals` came before ADC was started.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { runAdc } from "@adc-run/adc-run";
 *
 * // `adc` stands in for ADC here; without it the one on PATH is run.
 * const { exitCode } = await runAdc(["lint", "-f", "adc.yaml"], { adc: "echo" });
 * assert.equal(exitCode, 0);
 * ```
 */
export async function runAdc(
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { env = process.env, cwd = process.cwd(), signals } = options;
  const watch = watchSignals(signals);
  const { stdout = "inherit", stderr = "inherit" } = options;
  try {
    const call = await readCall(args, options.exec);
    const result = await run(call, {
      ...options,
      env,
      cwd,
      watch,
      stdin: options.stdin ?? "inherit",
      // The process' own are written to, not handed to the child: that would be past the mask.
      stdout: stdout === "inherit" ? process.stdout : stdout,
      stderr: stderr === "inherit" ? process.stderr : stderr,
    });
    // Nothing here says that it is not to be run.
    return result!;
  } finally {
    watch.stop();
  }
}

/**
 * Runs ADC once for each of several targets. The tokens of all are found and checked before the first ADC
 * starts.
 *
 * Unless `keepGoing` is set nothing runs when one of them cannot, and no more start after one that failed;
 * those under way end by themselves. A signal that ends adc-run, and an output that takes no more, stop the
 * start of more in any case. A child has `ADC_RUN_PROFILE` in its environment, with its target's name, and
 * no standard input.
 *
 * @category Run
 * @param args ADC's command and its options, for example `["sync", "-f", "adc.yaml"]`.
 * @param options The targets, and what differs from this process.
 * @returns The outcome for each target, in order. A token that is refused and a failure of ADC are results,
 * not errors.
 * @throws {RangeError} There is no target, two have one name, or `parallel` is not a whole number of at least 1.
 * @throws {CommandError} ADC was not found or cannot be executed.
 * @throws {AdcRunError} A question was cancelled (130).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { runTargets } from "@adc-run/adc-run";
 *
 * const target = { file: "", project: false, explicit: true };
 * const results = await runTargets(["lint", "-f", "adc.yaml"], {
 *   profiles: [{ ...target, name: "staging" }, { ...target, name: "prod" }],
 *   parallel: 2,
 *   adc: "echo", // stands in for ADC here; without it the one on PATH is run
 * });
 * assert.deepEqual(results.map(({ result }) => result?.exitCode), [0, 0]);
 * ```
 */
export async function runTargets(
  args: readonly string[],
  options: TargetsOptions,
): Promise<readonly TargetResult[]> {
  const { env = process.env, cwd = process.cwd() } = options;
  return await runForEach(await readCall(args, options.exec), { ...options, env, cwd });
}
