import type { Profile } from "../connection/profile.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import { inParallel } from "./in_parallel.ts";
import { locateAdc, locateProgram } from "./locate.ts";
import { prepareRun } from "./prepare_run.ts";
import { releaseToken } from "./release_token.ts";
import type { RunOptions } from "./run_options.ts";
import { shareSignals } from "./shared_signals.ts";
import type { SignalPort } from "./signals.ts";
import type { PreparedTarget, TargetsOptions } from "./target_options.ts";

/** How many servers are asked at a time, and how many tokens given back. */
const MOST_AT_A_TIME = 8;

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
    }, { most: MOST_AT_A_TIME });
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
  }, { most: MOST_AT_A_TIME });
}

/** What the run for one target is told. */
export function optionsFor(
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
