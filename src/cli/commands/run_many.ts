import type { AdcArguments } from "../../adc/arguments.ts";
import type { Profile } from "../../connection/origin.ts";
import { UsageError } from "../../errors.ts";
import { SessionPool } from "../../lifecycle/open_session.ts";
import { sameTargets } from "../../profiles/select_profiles.ts";
import type { PreparedTarget, TargetResult, TargetsOptions } from "../../run/options.ts";
import type { Call } from "../../run/run.ts";
import { abortOnInterrupt, Interrupted } from "../../run/signals.ts";
import { runForEach } from "../../run/targets.ts";
import { sentToken } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { fixed } from "../output/out.ts";
import { asAdcRunError, createReporter, describeError, type Reporter } from "../output/report.ts";
import { announce, judgeRun, tellDrift, tellEnding } from "../output/run_report.ts";
import {
  countTargets,
  describeTarget,
  exitCodeOfTargets,
  formatTargets,
  printPlans,
} from "../output/target_report.ts";
import { openTargetStreams, type TargetStreams } from "../output/target_lines.ts";
import { namedEnvFile, runOptionsOf } from "../settings.ts";

interface Output {
  readonly options: GlobalOptions;
  readonly io: Io;
  readonly reporter: Reporter;
  readonly streams: TargetStreams;
}

export async function runMany(
  { call, options, profiles }: {
    readonly call: Call;
    readonly options: GlobalOptions;
    readonly profiles: readonly Profile[];
  },
  io: Io,
): Promise<number> {
  const reporter = createReporter(io, options);
  if (call.program === undefined) {
    rejectForSeveralTargets(call.args, profiles.length);
  }
  for (const names of sameTargets(profiles)) {
    const quoted = names.map((name) => `"${name}"`).join(", ");
    reporter.warn(
      `Profiles ${quoted} have the same target; ${
        call.program === undefined ? "ADC" : "the command"
      } will run against it once for each.`,
    );
  }
  io.sign?.show(fixed(`checking ${profiles.length} targets`));
  const interrupt = abortOnInterrupt(io.signals);
  const streams = openTargetStreams(profiles, { io, options });
  const output = { options, io, reporter, streams };
  let planned: number | undefined;
  try {
    const results = await runForEach(call, {
      ...await runOptionsOf(options, { io, reporter }),
      profiles,
      parallel: options.parallel,
      keepGoing: options.keepGoing,
      signals: io.signals,
      envFile: await namedEnvFile(io, options, interrupt.signal),
      sources: await sourcesOfTargets(profiles, output),
      stdout: ({ name }) => streams.stdout(name),
      stderr: ({ name }) => streams.stderr(name),
      isFailure: (result) => {
        const { exitCode, drifted } = judgeRun(result, options);
        // Whoever looks for drift wants to hear of all of it.
        return exitCode !== 0 && !drifted;
      },
      onWarning: (warning, { name }) => streams.reporter(name).warn(warning),
      onPrepared: (prepared) => {
        throwWhatAllHave(prepared, options);
        if (options.dryRun) planned = printPlans(prepared, output);
        else announceAll(prepared, output);
        if (!options.dryRun && call.program === undefined && call.args.command === "diff") {
          reporter.info(
            fixed("diff takes turns: ADC always writes diff.yaml, which is kept as diff.NAME.yaml"),
          );
        }
        return !options.dryRun;
      },
      onEnd: (ended) => {
        streams.finish(ended.profile.name);
        if (planned === undefined && !options.json) tellTarget(ended, output);
      },
    });
    await streams.settled();
    if (planned === undefined) return conclude(results, output, interrupt.signal.reason);
    // For children this is a part of their results.
    if (planned === 0 && streams.failure !== undefined) throw streams.failure;
    return planned;
  } finally {
    interrupt.release();
    streams.close();
  }
}

/** Words that name one target, or one file. */
function rejectForSeveralTargets(
  { command, flags, tokens }: AdcArguments,
  count: number,
): void {
  if (flags.server !== undefined) {
    throw new UsageError(`Cannot use --server with ${count} profiles: each has its own`);
  }
  if (tokens.length > 0) {
    throw new UsageError(`Cannot use --token with ${count} profiles: each server has its own`);
  }
  if (command === "dump") {
    throw new UsageError(
      `Cannot dump ${count} profiles: each would overwrite the file of the last one`,
      {
        suggestion:
          `Write a file for each: adc-run -p … exec -- sh -c 'adc dump -o "$ADC_RUN_PROFILE.yaml"'`,
      },
    );
  }
}

async function sourcesOfTargets(
  profiles: readonly Profile[],
  { options, io, streams }: Output,
): Promise<NonNullable<TargetsOptions["sources"]>> {
  const sources = new Map(
    await Promise.all(profiles.map(async ({ name }) => {
      const own = await runOptionsOf(options, { io, reporter: streams.reporter(name) });
      return [name, own.sources] as const;
    })),
  );
  const sessions = new SessionPool();
  return (connection, { name }) => sources.get(name)!(connection, sessions);
}

function announceAll(
  prepared: readonly PreparedTarget[],
  { options, io, reporter, streams }: Output,
): void {
  io.sign?.hide();
  warnOfSharedToken(prepared, reporter);
  const refused = prepared.filter(({ plan }) => plan === undefined).length;
  const outcome = refused === 0 ? "ok" : `${refused} failed`;
  reporter.info(fixed(`checking ${prepared.length} targets… ${outcome}`));
  if (!options.keepGoing && prepared.some(({ plan }) => plan === undefined)) return;
  for (const { profile: { name }, plan } of prepared) {
    if (plan !== undefined) {
      announce(plan, { reporter: streams.reporter(name), io, options, named: true });
    }
  }
}

function tellTarget(
  { profile, outcome, result, error }: TargetResult,
  { options, streams }: Output,
): void {
  const reporter = streams.reporter(profile.name);
  if (outcome === "refused") reporter.fail(error);
  if (result !== undefined) tellEnding(result, judgeRun(result, options), { reporter, options });
}

/** What stands in the way of all of them alike is said once. */
function throwWhatAllHave(prepared: readonly PreparedTarget[], { json }: GlobalOptions): void {
  if (json) return;
  const told = prepared.map(({ plan, error }) =>
    plan === undefined ? JSON.stringify(describeError(asAdcRunError(error))) : undefined
  );
  if (told[0] !== undefined && told.every((each) => each === told[0])) throw prepared[0]!.error;
}

/** A token from the environment is for every target, and each server sees it, whether it takes it or not. */
function warnOfSharedToken(prepared: readonly PreparedTarget[], reporter: Reporter): void {
  const servers = new Map<string, Set<string>>();
  for (const { plan } of prepared) {
    if (plan?.kind !== "online" || sentToken(plan.resolved.token) === undefined) continue;
    const { fingerprint } = plan.resolved.token;
    servers.set(
      fingerprint,
      (servers.get(fingerprint) ?? new Set()).add(plan.connection.server.value),
    );
  }
  for (const [fingerprint, { size }] of servers) {
    if (size === 1) continue;
    reporter.warn(`The same token (${fingerprint}) is sent to ${size} servers.`);
  }
}

function conclude(
  results: readonly TargetResult[],
  { options, io, reporter, streams }: Output,
  reason: unknown,
): number {
  const own = exitCodeOfTargets(results, options);
  tellDrift(results.flatMap(({ result }) => result?.drift ?? []), { io, reporter });
  // Where all succeeded all the same, there is nothing that the signal has ended.
  const ended = own !== 0 && reason instanceof Interrupted ? reason : undefined;
  const exitCode = ended?.exitCode ?? own;
  if (options.json || io.reportFile) {
    const targets = results.map((each) => {
      const { warnings } = streams.reporter(each.profile.name);
      return { ...describeTarget(each, options), ...(warnings.length > 0 && { warnings }) };
    });
    reporter.report({ targets, exitCode });
  }
  // A reader that went away, as in `| head`, ends all quietly; but what was never started is said.
  const isRead = streams.failure === undefined ||
    results.some(({ outcome }) => outcome === "skipped");
  if (!options.json && isRead && (!options.quiet || exitCode !== 0)) {
    reporter.table(formatTargets(results, { options, io }), "stderr", "");
    reporter.print(fixed(countTargets(results, options)), "stderr");
  }
  if (ended !== undefined) io.endedBy?.(ended.signal);
  return exitCode;
}
