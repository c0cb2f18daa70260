import { executeRun } from "./execute_run.ts";
import { inParallel } from "./in_parallel.ts";
import { optionsFor, releaseTargets } from "./prepare_targets.ts";
import { listenForImpatience } from "./impatience.ts";
import { secretsOf } from "./secrets.ts";
import { shareSignals } from "./shared_signals.ts";
import type { SignalPort } from "./signals.ts";
import type { PreparedTarget, TargetResult, TargetsOptions } from "./target_options.ts";

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
