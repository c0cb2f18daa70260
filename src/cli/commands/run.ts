import { needsBackend } from "../../adc/arguments.ts";
import { isPipeline } from "../../context.ts";
import { UsageError } from "../../errors.ts";
import type { RunResult } from "../../run/options.ts";
import { type Call, readCall, run, type RunTerms } from "../../run/run.ts";
import { watchSignals } from "../../run/signals.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { line, openReport } from "../output/out.ts";
import { createReporter, type Reporter } from "../output/report.ts";
import {
  announce,
  describeEndedRun,
  judgeRun,
  printPlan,
  type RunOutput,
  tellDrift,
  tellEnding,
} from "../output/run_report.ts";
import { namedEnvFile, profilesOf, type RunCommand, runOptionsOf } from "../settings.ts";

export async function runCommand({ words, exec, options }: RunCommand, io: Io): Promise<number> {
  const reporter = createReporter(io, options);
  if (options.report !== undefined) io.reportFile = openReport(options.report, io);
  const output = { reporter, io, options };
  const call = await readCall(words, exec);
  rejectDrift(options, call);
  // A command that asks no server is the same for all profiles, and a default that is malformed or gone is
  // nothing to it; one that was named for this run is.
  const online = exec || needsBackend(call.args);
  const profiles = online || options.profile ? await profilesOf(io, { options, reporter }) : [];
  if (profiles.length > 1 && online) {
    const { runMany } = await import("./run_many.ts");
    return await runMany({ call, options, profiles }, io);
  }
  const settings = await runOptionsOf(options, { io, reporter });
  const watch = watchSignals(io.signals);
  try {
    const result = await run(call, {
      ...settings,
      envFile: online ? await namedEnvFile(io, options, watch.interrupted) : undefined,
      profile: profiles[0],
      watch,
      stdin: "inherit",
      stdout: io.stdout,
      stderr: io.stderr,
      pseudoTerminal: pseudoTerminalOf({ exec, options }, { io, reporter }),
      onWarning: reporter.warn,
      onPlan: (plan) => {
        if (options.dryRun) printPlan(plan, output);
        else announce(plan, output);
        return !options.dryRun && {};
      },
    });
    return result === undefined ? 0 : conclude(result, output);
  } finally {
    watch.stop();
  }
}

function rejectDrift(
  { failOnDrift, fromEnvironment }: GlobalOptions,
  { program, args }: Call,
): void {
  if (!failOnDrift || (program === undefined && args.command === "diff")) return;
  if (fromEnvironment.has("failOnDrift")) return;
  const command = program === undefined ? args.command : "exec";
  throw new UsageError(`Cannot use --fail-on-drift with "${command}": only diff reports drift`);
}

function conclude(result: RunResult, { reporter, io, options }: RunOutput): number {
  const judgement = judgeRun(result, options);
  if (result.drift !== undefined) tellDrift([result.drift], { io, reporter });
  reporter.report(describeEndedRun(result, judgement));
  if (!options.json) {
    tellEnding(result, judgement, { reporter, options });
  }
  // A leak is told of runs that succeeded, so this takes no code away.
  if (result.signal !== null) io.endedBy?.(result.signal);
  return judgement.exitCode;
}

/** The program of `exec` gets a terminal of its own where all three streams are one, unless in CI. */
function pseudoTerminalOf(
  { exec, options: { tty, verbose, fromEnvironment } }: Pick<RunCommand, "exec" | "options">,
  { io, reporter }: { readonly io: Io; readonly reporter: Reporter },
): RunTerms["pseudoTerminal"] {
  if (!(tty ?? (exec && !isPipeline(io.env)))) return undefined;
  const required = tty === true && !fromEnvironment.has("tty");
  if (Object.values(io.terminals).every((terminal) => terminal)) {
    const onMissing = (reason: string) => {
      if (verbose) reporter.info(line`no pseudo-terminal, so pipes: ${reason}`);
    };
    return {
      terminal: { input: io.stdin, output: io.stdout },
      onMissing: required ? undefined : onMissing,
    };
  }
  if (!required) return undefined;
  throw new UsageError("Cannot use --tty: standard input, output and error are not all a terminal");
}
