import { needsBackend, readAdcArguments } from "../../adc/arguments.ts";
import type { RunResult } from "../../run/options.ts";
import { executeRun, prepareRun, releaseToken } from "../../run/run.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { createReporter } from "../output/report.ts";
import {
  announce,
  describeEndedRun,
  judgeRun,
  printPlan,
  tellEnding,
} from "../output/run_report.ts";
import type { Surroundings } from "../output/run_report.ts";
import { runOptionsOf } from "../run_settings.ts";
import type { RunCommand } from "../run_settings.ts";
import { namedEnvFile, profilesOf } from "../settings.ts";

/** Runs ADC, or another program, with a token that was checked. */
export async function run({ words, exec, options }: RunCommand, io: Io): Promise<number> {
  const reporter = createReporter(io, options);
  // A command that asks no server is the same for all profiles, and a default that is malformed or gone is
  // nothing to it; one that was named for this run is.
  const online = exec || await asksServer(words, io);
  const profiles = online || options.profile ? await profilesOf(io, { options, reporter }) : [];
  if (profiles.length > 1 && online) {
    const { runMany } = await import("./run_many.ts");
    return await runMany({ words, exec, options, profiles }, io);
  }
  const interrupt = abortOnInterrupt(io.signals);
  try {
    const { stdout, stderr } = io;
    const runOptions = {
      ...await runOptionsOf({ words, exec, options }, { io, reporter }),
      envFile: online ? await namedEnvFile(io, options, interrupt.signal) : undefined,
      profile: profiles[0],
      stdin: "inherit" as const,
      stdout,
      stderr,
      onWarning: reporter.warn,
    };
    const plan = await prepareRun(words, { ...runOptions, signal: interrupt.signal });
    try {
      // Whoever gave up meanwhile does not want it to begin.
      interrupt.signal.throwIfAborted();
      if (options.dryRun) return printPlan(plan, { reporter, io, options });
      announce(plan, { reporter, io, options });
      const running = executeRun(plan, runOptions);
      // The child's own signal handling is in place by now.
      interrupt.release();
      return conclude(await running, { reporter, io, options });
    } finally {
      if (plan.resolved !== undefined) await releaseToken(plan.resolved, runOptions);
    }
  } finally {
    interrupt.release();
  }
}

async function asksServer(words: readonly string[], { env }: Io): Promise<boolean> {
  return needsBackend(await readAdcArguments(words), env.ADC_RUNNING_MODE);
}

function conclude(result: RunResult, { reporter, io, options }: Surroundings): number {
  const judgement = judgeRun(result, options);
  if (options.json) {
    const { warnings } = reporter;
    reporter.say(JSON.stringify({ ...describeEndedRun(result, judgement), warnings }));
  } else {
    tellEnding(result, judgement, reporter);
  }
  // A leak is told of runs that succeeded, so this takes no code away.
  if (result.signal !== null) io.endedBy?.(result.signal);
  return judgement.exitCode;
}
