import { parseAdcArguments } from "../../adc/parse_arguments.ts";
import type { Profile } from "../../connection/profile.ts";
import { UsageError } from "../../errors.ts";
import { sameTargets } from "../../profiles/select_profiles.ts";
import type { PreparedTarget, TargetResult, TargetsOptions } from "../../run/options.ts";
import { executeTargets, prepareTargets, releaseTargets } from "../../run/targets.ts";
import { abortOnInterrupt, Interrupted } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { asAdcRunError, createReporter, describeError } from "../output/report.ts";
import type { Reporter } from "../output/report.ts";
import { announce, judgeRun, tellEnding } from "../output/run_report.ts";
import {
  describeTarget,
  exitCodeOfTargets,
  formatTargets,
  printPlans,
} from "../output/target_report.ts";
import { openTargetStreams } from "../output/target_streams.ts";
import type { TargetStreams } from "../output/target_streams.ts";
import { runOptionsOf } from "../run_settings.ts";
import type { RunCommand } from "../run_settings.ts";
import { namedEnvFile } from "../settings.ts";

/** What is run, and for whom. */
export interface RunManyCommand extends RunCommand {
  readonly profiles: readonly Profile[];
}

/** What the parts of this command share. */
interface Surroundings {
  readonly command: RunManyCommand;
  readonly io: Io;
  readonly reporter: Reporter;
  readonly streams: TargetStreams;
}

/** Runs ADC, or another program, for several targets, once the tokens of all were checked. */
export async function runMany(command: RunManyCommand, io: Io): Promise<number> {
  const { words, exec, options, profiles } = command;
  const reporter = createReporter(io, options);
  if (!exec) requireSense(words, { count: profiles.length, reporter });
  for (const names of sameTargets(profiles)) {
    const quoted = names.map((name) => `"${name}"`).join(", ");
    reporter.warn(`The profiles ${quoted} are for the same target, which is served for each.`);
  }
  const interrupt = abortOnInterrupt(io.signals);
  const streams = openTargetStreams(profiles, { io, options });
  const surroundings = { command, io, reporter, streams };
  try {
    const envFile = await namedEnvFile(io, options, interrupt.signal);
    const targets = { ...await targetsOf(surroundings), envFile };
    const prepared = await prepareTargets(words, { ...targets, signal: interrupt.signal });
    try {
      throwWhatAllHave(prepared, surroundings);
      if (options.dryRun) {
        const exitCode = printPlans(prepared, surroundings);
        await streams.settled();
        // For children this is a part of their results.
        if (exitCode === 0 && streams.failure !== undefined) throw streams.failure;
        return exitCode;
      }
      warnOfSharedToken(prepared, reporter);
      const results = await executeTargets(prepared, targets);
      await streams.settled();
      const { reason } = interrupt.signal;
      return conclude(results, surroundings, reason instanceof Interrupted ? reason : undefined);
    } finally {
      await releaseTargets(prepared, targets);
    }
  } finally {
    interrupt.release();
    streams.close();
  }
}

/** Words that name one target, or one file. */
function requireSense(
  words: readonly string[],
  { count, reporter }: { readonly count: number; readonly reporter: Reporter },
): void {
  const { command, flags, tokens } = parseAdcArguments(words);
  if (flags.server !== undefined) {
    throw new UsageError(`Cannot use --server with ${count} profiles: each has its own`);
  }
  if (tokens.length > 0) {
    throw new UsageError(`Cannot use --token with ${count} profiles: each server has its own`);
  }
  if (command === "dump") {
    throw new UsageError(
      `Cannot dump ${count} profiles: each would overwrite the last one's file`,
      {
        suggestion:
          `Write one file each: adc-run -p … exec -- sh -c 'adc dump -o "$ADC_RUN_PROFILE.yaml"'`,
      },
    );
  }
  if (command === "diff") {
    reporter.info("ADC writes diff.yaml for each of them: the one of the last to end stays");
  }
}

/** Where the command line's runs look, and where each target's output and warnings go. */
async function targetsOf(
  { command, io, reporter, streams }: Surroundings,
): Promise<TargetsOptions> {
  const { options, profiles } = command;
  const settings = await runOptionsOf(command, { io, reporter });
  const { stdout: _, stderr: __, stdin: ___, onWarning: ____, profile: _____, ...shared } =
    settings;
  const sources = new Map(
    await Promise.all(profiles.map(async ({ name }) => {
      const own = await runOptionsOf(command, { io, reporter: streams.reporter(name) });
      return [name, own.sources] as const;
    })),
  );
  return {
    ...shared,
    profiles,
    parallel: options.parallel,
    keepGoing: options.keepGoing,
    sources: (connection, { name }) => sources.get(name)!(connection),
    stdout: ({ name }) => streams.stdout(name),
    stderr: ({ name }) => streams.stderr(name),
    isFailure: (result) => judgeRun(result, options).exitCode !== 0,
    onWarning: (warning, { name }) => streams.reporter(name).warn(warning),
    onPlan: (plan, { name }) => announce(plan, { reporter: streams.reporter(name), io, options }),
    onEnd: (ended) => {
      streams.finish(ended.profile.name);
      if (!options.json) tellTarget(ended, { command, streams });
    },
  };
}

function tellTarget(
  { profile, outcome, result, error }: TargetResult,
  { command, streams }: Pick<Surroundings, "command" | "streams">,
): void {
  const reporter = streams.reporter(profile.name);
  if (outcome === "refused") reporter.fail(error);
  if (result !== undefined) tellEnding(result, judgeRun(result, command.options), reporter);
}

/** What stands in the way of all of them alike is said once. */
function throwWhatAllHave(
  prepared: readonly PreparedTarget[],
  { command }: Surroundings,
): void {
  if (command.options.json) return;
  const told = prepared.map(({ plan, error }) =>
    plan === undefined ? JSON.stringify(describeError(asAdcRunError(error))) : undefined
  );
  if (told[0] !== undefined && told.every((each) => each === told[0])) throw prepared[0]!.error;
}

/**
 * A token from the environment is for every target, and each server sees it, whether it takes it or not.
 */
function warnOfSharedToken(prepared: readonly PreparedTarget[], reporter: Reporter): void {
  const servers = new Map<string, Set<string>>();
  for (const { plan } of prepared) {
    if (plan?.resolved === undefined || plan.connection === undefined) continue;
    const { fingerprint } = plan.resolved.token;
    servers.set(
      fingerprint,
      (servers.get(fingerprint) ?? new Set()).add(plan.connection.server.value),
    );
  }
  for (const [fingerprint, { size }] of servers) {
    if (size === 1) continue;
    reporter.warn(`${size} servers get the same token (${fingerprint}).`);
  }
}

function conclude(
  results: readonly TargetResult[],
  { command, io, reporter, streams }: Surroundings,
  interruption: Interrupted | undefined,
): number {
  const { options } = command;
  const own = exitCodeOfTargets(results, options);
  // Where all succeeded all the same, there is nothing that the signal has ended.
  const ended = own === 0 ? undefined : interruption;
  const exitCode = ended?.exitCode ?? own;
  if (options.json) {
    const targets = results.map((each) => {
      const { warnings } = streams.reporter(each.profile.name);
      return { ...describeTarget(each, options), ...(warnings.length > 0 && { warnings }) };
    });
    reporter.say(JSON.stringify({ targets, exitCode, warnings: reporter.warnings }));
  } else if (isWorthATable(results, { options, exitCode, streams })) {
    for (const line of formatTargets(results, options)) reporter.say(`  ${line}`);
  }
  if (ended !== undefined) io.endedBy?.(ended.signal);
  return exitCode;
}

/**
 * A reader that went away, as in `| head`, ends all quietly; but what was never started is said.
 */
function isWorthATable(
  results: readonly TargetResult[],
  { options, exitCode, streams }: {
    readonly options: RunCommand["options"];
    readonly exitCode: number;
    readonly streams: TargetStreams;
  },
): boolean {
  if (streams.failure !== undefined && results.every(({ outcome }) => outcome !== "skipped")) {
    return false;
  }
  return !options.quiet || exitCode !== 0;
}
