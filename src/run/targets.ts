import { setImmediate } from "node:timers";
import { needsBackend } from "../adc/arguments.ts";
import { type Profile, requireAllowed } from "../connection/origin.ts";
import type { Context } from "../context.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import { SessionPool } from "../lifecycle/open_session.ts";
import { firstOf } from "../system/deadline.ts";
import { PipeStock } from "../system/pipes.ts";
import { locateAdc, locateProgram } from "./locate.ts";
import type {
  PreparedTarget,
  RunPlan,
  RunResult,
  TargetResult,
  TargetsOptions,
} from "./options.ts";
import { type Call, type LateTerms, run, type RunTerms } from "./run.ts";
import { shareSignals, watchSignals } from "./signals.ts";

/** How many servers are asked at a time, and how many tokens given back. */
const MAX_AT_A_TIME = 8;

/**
 * Runs a call once for each target. All are made ready, side by side, before the first child starts: each
 * waits where its run would start the child.
 */
export async function runForEach(
  call: Call,
  options: TargetsOptions & Pick<Context, "env" | "cwd">,
): Promise<readonly TargetResult[]> {
  requireTargets(options);
  const { profiles, keepGoing = false, parallel = 1, signal, onPrepared, onEnd } = options;
  const { isFailure = ({ exitCode }) => exitCode !== 0 } = options;
  const { env, cwd, adc } = options;
  // One message says it for all of them, and no server needs to be asked before.
  if (call.program === undefined) locateAdc({ env, cwd, adc });
  else locateProgram(call.program, { env, cwd });
  if (!keepGoing && (call.program !== undefined || needsBackend(call.args))) {
    for (const profile of profiles) requireAllowed(profile, call.args.command ?? "exec");
  }

  // ADC always writes ./diff.yaml, which the next one would replace.
  const keepsDiffs = call.program === undefined && call.args.command === "diff" &&
    profiles.length > 1;
  const signals = options.signals && shareSignals(options.signals);
  const watch = watchSignals(signals);
  const isCancelled = () => watch.interrupted.aborted || signal?.aborted === true;
  const cancel = new AbortController();
  const sessions = new SessionPool();
  const stock = new PipeStock({ env, cwd });
  const start = (profile: Profile) => {
    const { sources, onWarning } = options;
    return startRun(call, {
      ...options,
      // An adc-run in the child's own script is for the same target, not for all of them again.
      env: { ...env, ADC_RUN_PROFILE: profile.name },
      cwd,
      profile,
      watch: watchSignals(signals),
      sessions,
      stock,
      diffFile: keepsDiffs ? `diff.${profile.name}.yaml` : undefined,
      signal: firstOf(signal, cancel.signal),
      sources: sources && ((connection) => sources(connection, profile)),
      // Several children cannot share what a person types.
      stdin: "ignore",
      stdout: undefined,
      stderr: undefined,
      onWarning: (warning) => onWarning?.(warning, profile),
    });
  };
  const runs = new Map<string, TargetRun>();
  try {
    const prepared = await inParallel(profiles, async (profile): Promise<PreparedTarget> => {
      const target = start(profile);
      runs.set(profile.name, target);
      try {
        return { profile, plan: await target.plan };
      } catch (error) {
        // Whoever cancels at one question is not asked the next.
        if (error instanceof AdcRunError && error.exitCode === EXIT.interrupted) throw error;
        return { profile, error };
      }
    }, { most: MAX_AT_A_TIME });
    signal?.throwIfAborted();
    watch.interrupted.throwIfAborted();

    let stopped = onPrepared?.(prepared) === false ||
      (!keepGoing && prepared.some(({ plan }) => plan === undefined));
    // One target's child can reach what another's token is read from, too.
    const tokens = prepared.flatMap(({ plan }) => plan?.secrets ?? []);
    const secrets = [...options.secrets ?? [], ...tokens];
    return await inParallel(prepared, async (target) => {
      const ended = await endOf(target, runs.get(target.profile.name)!, {
        skipped: stopped || isCancelled(),
        isCancelled,
        late: (profile) => ({
          secrets,
          stdout: options.stdout?.(profile),
          stderr: options.stderr?.(profile),
        }),
      });
      // A terminal's Ctrl-C reaches the child and adc-run at once, and the child's end may be heard of first.
      await new Promise((resolve) => setImmediate(resolve));
      const { outcome, result } = ended;
      const failed = outcome === "refused" || (result !== undefined && isFailure(result));
      if ((failed && !keepGoing) || result?.outputFailure !== undefined) stopped = true;
      onEnd?.(ended);
      return ended;
    }, { most: keepsDiffs ? 1 : parallel });
  } finally {
    cancel.abort();
    // Those that were not started give back what was made for them.
    await inParallel([...runs.values()], (target) => target.skip(), { most: MAX_AT_A_TIME });
    stock.close();
    watch.stop();
  }
}

function requireTargets({ profiles, parallel = 1 }: TargetsOptions): void {
  if (profiles.length === 0) throw new RangeError("Cannot run for targets: the list is empty");
  const names = profiles.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new RangeError(`Cannot run for targets: "${twice}" is listed twice`);
  }
  if (!Number.isSafeInteger(parallel) || parallel < 1) {
    throw new RangeError(
      `Cannot run for targets: parallel must be a whole number from 1, not ${parallel}`,
    );
  }
}

/** A run that waits, before its child, for what becomes of the others. */
interface TargetRun {
  readonly plan: Promise<RunPlan>;
  start(late: LateTerms): Promise<RunResult | undefined>;
  skip(): Promise<void>;
}

function startRun(call: Call, terms: RunTerms): TargetRun {
  let decide!: (late: LateTerms | false) => void;
  const decision = new Promise<LateTerms | false>((resolve) => decide = resolve);
  let tell!: (plan: RunPlan) => void;
  const planned = new Promise<RunPlan>((resolve) => tell = resolve);
  const onPlan = (plan: RunPlan) => {
    tell(plan);
    return decision;
  };
  const ended = run(call, { ...terms, onPlan }).finally(terms.watch.stop);
  const failed = ended.then(() => planned);
  const settled = ended.then(() => {}, () => {});
  return {
    plan: Promise.race([planned, failed]),
    start: (late) => {
      decide(late);
      return ended;
    },
    skip: () => {
      decide(false);
      return settled;
    },
  };
}

async function endOf(
  { profile, plan, error }: PreparedTarget,
  target: TargetRun,
  { skipped, isCancelled, late }: {
    readonly skipped: boolean;
    readonly isCancelled: () => boolean;
    readonly late: (profile: Profile) => LateTerms;
  },
): Promise<TargetResult> {
  if (plan === undefined) return { profile, outcome: "refused", error, milliseconds: 0 };
  if (skipped) {
    await target.skip();
    return { profile, outcome: "skipped", milliseconds: 0 };
  }
  const begin = performance.now();
  const milliseconds = () => Math.round(performance.now() - begin);
  try {
    const result = await target.start(late(profile));
    return { profile, outcome: "done", result: result!, milliseconds: milliseconds() };
  } catch (error) {
    if (isCancelled()) return { profile, outcome: "skipped", milliseconds: 0 };
    return { profile, outcome: "refused", error, milliseconds: milliseconds() };
  }
}

/** Does something with each item, some of them at a time, and starts them in their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
  { most }: { readonly most: number },
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
