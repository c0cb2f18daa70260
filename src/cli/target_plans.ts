import type { PreparedTarget } from "../adc/target_options.ts";
import type { Io } from "./io.ts";
import { asAdcRunError, describeError } from "./report.ts";
import type { Reporter } from "./report.ts";
import { printPlan } from "./run_report.ts";
import type { RunCommand } from "./run_settings.ts";
import type { TargetStreams } from "./target_streams.ts";

/** Prints what would run for each target, and why it could not run for some. */
export function printPlans(
  prepared: readonly PreparedTarget[],
  { command: { options }, io, reporter, streams }: {
    readonly command: Pick<RunCommand, "options">;
    readonly io: Io;
    readonly reporter: Reporter;
    readonly streams: TargetStreams;
  },
): number {
  const failure = prepared.find(({ plan }) => plan === undefined);
  const exitCode = failure === undefined ? 0 : asAdcRunError(failure.error).exitCode;
  if (!options.json) {
    for (const { profile: { name }, plan, error } of prepared) {
      const own = streams.reporter(name);
      if (plan === undefined) own.fail(error);
      else printPlan(plan, { reporter: own, io, options });
    }
    return exitCode;
  }
  const targets = prepared.map(({ profile: { name }, plan, error }) => {
    const { warnings } = streams.reporter(name);
    let described: Record<string, unknown> = {};
    if (plan === undefined) described = { error: describeError(asAdcRunError(error)) };
    else {
      const print = (text: string) => {
        described = JSON.parse(text);
      };
      printPlan(plan, { reporter: { ...reporter, print }, io, options });
    }
    const outcome = plan === undefined ? "refused" : "planned";
    return { profile: name, outcome, ...described, ...(warnings.length > 0 && { warnings }) };
  });
  reporter.print(JSON.stringify({ targets, exitCode, warnings: reporter.warnings }));
  return exitCode;
}
