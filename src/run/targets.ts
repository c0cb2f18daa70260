import type { Profile } from "../connection/profile.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import { secretsOf } from "./environment.ts";
import { locateAdc, locateProgram } from "./locate.ts";
import type { PreparedTarget, RunOptions, TargetResult, TargetsOptions } from "./options.ts";
import { executeRun, prepareRun, releaseToken } from "./run.ts";
import { listenForImpatience, shareSignals } from "./signals.ts";
import type { SignalPort } from "./signals.ts";

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

/** How many servers are asked at a time, and how many tokens given back. */
const MAX_AT_ONCE = 8;

/** Finds and tries a token for each target, before anything runs for any of them. */
export async function prepareTargets(
  words: readonly string[],
  options: TargetsOptions,
): Promise<readonly PreparedTarget[]> {
  const { profiles, signal, exec = false, env, cwd, adc } = options;
  requireTargets(options);
  // One message says it for all of them, and no server needs to be asked before.
  if (exec) locateProgram(words[0] ?? "", { env, cwd });
  else locateAdc({ env, cwd, adc });
  const signals = options.signals && shareSignals(options.signals);
  const prepare = async (profile: Profile): Promise<PreparedTarget> => {
    try {
      const plan = await prepareRun(words, { ...optionsFor(profile, options, signals), exec });
      return { profile, plan };
    } catch (error) {
      // Whoever gives up at one question is not asked the next.
      if (error instanceof AdcRunError && error.exitCode === EXIT.interrupted) throw error;
      return { profile, error };
    }
  };
  const prepared: PreparedTarget[] = [];
  try {
    const inOrder = await inParallel(profiles, async (profile) => {
      const target = await prepare(profile);
      prepared.push(target);
      return target;
    }, { most: MAX_AT_ONCE });
    signal?.throwIfAborted();
    return inOrder;
  } catch (error) {
    await releaseTargets(prepared, options);
    throw error;
  }
}

/** Gives back the tokens that were made for targets, unless that has been done. */
export async function releaseTargets(
  prepared: readonly PreparedTarget[],
  options: TargetsOptions,
): Promise<void> {
  const signals = options.signals && shareSignals(options.signals);
  await inParallel(prepared, async ({ profile, plan }) => {
    if (plan?.resolved === undefined) return;
    await releaseToken(plan.resolved, optionsFor(profile, options, signals));
  }, { most: MAX_AT_ONCE });
}

/** What the run for one target is told. */
function optionsFor(
  profile: Profile,
  { sources, onWarning, stdout: _, stderr: __, ...options }: TargetsOptions,
  signals: SignalPort | undefined,
): RunOptions {
  return {
    ...options,
    profile,
    signals,
    sources: sources && ((connection) => sources(connection, profile)),
    onWarning: (warning) => onWarning?.(warning, profile),
  };
}

function requireTargets({ profiles, parallel = 1 }: TargetsOptions): void {
  if (profiles.length === 0) throw new RangeError("Cannot run for targets: there are none");
  const names = profiles.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new RangeError(`Cannot run for targets: "${twice}" is there twice`);
  }
  if (!Number.isSafeInteger(parallel) || parallel < 1) {
    throw new RangeError(
      `Cannot run for targets as parallel must be a whole number from 1 on: ${parallel}`,
    );
  }
}

/**
 * Runs what was prepared, and gives back tokens that were made for it.
 *
 * Unless `keepGoing` is set nothing runs when one of the targets cannot, and no more start after one that
 * failed; those under way end by themselves. A signal that ends adc-run, and an output that takes no more,
 * stop the start of more in any case.
 */
export async function executeTargets(
  prepared: readonly PreparedTarget[],
  options: TargetsOptions,
): Promise<readonly TargetResult[]> {
  const { keepGoing = false, parallel = 1, signal, onPlan, onEnd } = options;
  const { isFailure = ({ exitCode }) => exitCode !== 0 } = options;
  const signals = options.signals && shareSignals(options.signals);
  let stopped = !keepGoing && prepared.some(({ plan }) => plan === undefined);
  const ending = listenForImpatience(signals);
  ending.begin();
  // One target's child can reach what another's token is read from, too.
  const tokens = prepared.flatMap(({ plan }) =>
    plan?.connection && plan.resolved
      ? secretsOf(plan.connection, plan.resolved, { env: options.env })
      : []
  );
  const masking = { ...options, secrets: [...options.secrets ?? [], ...tokens] };
  try {
    if (!stopped) {
      for (const { plan, profile } of prepared) if (plan !== undefined) onPlan?.(plan, profile);
    }
    return await inParallel(prepared, async (target) => {
      const skipped = stopped || ending.signal.aborted || signal?.aborted === true;
      const ended = await endOf(target, { skipped, options: masking, signals });
      const { outcome, result } = ended;
      const failed = outcome === "refused" || (result !== undefined && isFailure(result));
      if ((failed && !keepGoing) || result?.outputFailure !== undefined) stopped = true;
      onEnd?.(ended);
      return ended;
    }, { most: parallel });
  } finally {
    await releaseTargets(prepared, options);
    ending.end();
  }
}

async function endOf(
  { profile, plan, error }: PreparedTarget,
  { skipped, options, signals }: {
    readonly skipped: boolean;
    readonly options: TargetsOptions;
    readonly signals: SignalPort | undefined;
  },
): Promise<TargetResult> {
  if (plan === undefined) return { profile, outcome: "refused", error, milliseconds: 0 };
  if (skipped) return { profile, outcome: "skipped", milliseconds: 0 };
  const { stdout, stderr, signal } = options;
  const begin = performance.now();
  const milliseconds = () => Math.round(performance.now() - begin);
  try {
    const result = await executeRun(plan, {
      ...optionsFor(profile, options, signals),
      // An adc-run in the child's own script is for the same target, not for all of them again.
      env: { ...options.env, ADC_RUN_PROFILE: profile.name },
      // Several children cannot share what a person types.
      stdin: "ignore",
      stdout: stdout?.(profile) ?? "ignore",
      stderr: stderr?.(profile) ?? "ignore",
    });
    return { profile, outcome: "done", result, milliseconds: milliseconds() };
  } catch (error) {
    if (signal?.aborted) return { profile, outcome: "skipped", milliseconds: 0 };
    return { profile, outcome: "refused", error, milliseconds: milliseconds() };
  }
}

/** How much is done at a time. */
interface InParallelOptions {
  /** The most that are under way at a time, 1 or more. */
  readonly most: number;
}

/** Does something with each item, some of them at a time, and starts them in their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
  { most }: InParallelOptions,
): Promise<R[]> {
  const results: R[] = [];
  const failures: { readonly error: unknown }[] = [];
  let next = 0;
  const work = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await run(items[index]!);
      } catch (error) {
        failures.push({ error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
  if (failures[0] !== undefined) throw failures[0].error;
  return results;
}
