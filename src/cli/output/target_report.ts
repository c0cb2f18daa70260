import { CheckError } from "../../check/verdict.ts";
import type { PreparedTarget, TargetResult } from "../../run/options.ts";
import { NoTokenError } from "../../token/resolve.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { fixed, line, type Text } from "./out.ts";
import { asAdcRunError, describeError, mark, type Reporter, tally } from "./report.ts";
import { changesOf, describeEndedRun, describePlan, judgeRun, printPlan } from "./run_report.ts";
import type { TargetStreams } from "./target_lines.ts";

type Judging = Pick<GlobalOptions, "failOnLeak">;

/** A reader went away before a target was started: what a shell has in `$?` for a program that meets that. */
const NOT_READ = 141;

function exitCodeOfTarget(
  { outcome, result, error }: TargetResult,
  options: Judging,
): number | undefined {
  if (outcome === "skipped") return undefined;
  return result === undefined ? asAdcRunError(error).exitCode : judgeRun(result, options).exitCode;
}

export function exitCodeOfTargets(results: readonly TargetResult[], options: Judging): number {
  const codes = results.map((each) => exitCodeOfTarget(each, options));
  // What failed comes before what was found.
  const failed = results.findIndex((each, index) =>
    ![0, undefined].includes(codes[index]) &&
    !(each.result !== undefined && judgeRun(each.result, options).drifted)
  );
  if (failed >= 0) return codes[failed]!;
  return codes.find((code) => code !== undefined && code !== 0) ??
    (codes.includes(undefined) ? NOT_READ : 0);
}

export function formatTargets(
  results: readonly TargetResult[],
  { options, io }: { readonly options: Judging; readonly io: Io },
): readonly (readonly Text[])[] {
  return results.map((each) => {
    const { profile: { name }, result, milliseconds } = each;
    const time = milliseconds < 1000
      ? `${milliseconds} ms`
      : `${(milliseconds / 1000).toFixed(1)} s`;
    const state = stateOf(each, options);
    return [
      line`${mark(state === "not started" ? "skipped" : state, io, "stderr")}${name}`,
      fixed(outcomeOf(each, options)),
      fixed(result ? time : ""),
      each.outcome === "refused" || result?.checkAfter ? line`adc-run -p ${name} doctor` : "",
    ];
  });
}

export function countTargets(results: readonly TargetResult[], options: Judging): string {
  const states = results.map((each) => stateOf(each, options));
  const number = (state: string) => states.filter((each) => each === state).length;
  return tally(...["ok", "failed", "not started"].map((each) => [number(each), each] as const));
}

function stateOf(target: TargetResult, options: Judging): "ok" | "failed" | "not started" {
  const exitCode = exitCodeOfTarget(target, options);
  return exitCode === undefined ? "not started" : exitCode === 0 ? "ok" : "failed";
}

export function describeTarget(target: TargetResult, options: Judging): Record<string, unknown> {
  const { profile, outcome, result, error, milliseconds } = target;
  return {
    profile: profile.name,
    outcome,
    ...(result && { ...describeEndedRun(result, judgeRun(result, options)), milliseconds }),
    // The run's own code may be 0 where a leak was found.
    ...(outcome !== "skipped" && { exitCode: exitCodeOfTarget(target, options) }),
    ...(outcome === "refused" && { error: describeError(asAdcRunError(error)) }),
  };
}

function outcomeOf({ outcome, result, error }: TargetResult, options: Judging): string {
  if (outcome === "skipped") return "not started";
  if (result === undefined) {
    if (error instanceof CheckError) {
      const { verdict, reason } = error.result;
      const [, limit] = /within ([\d.]+ s)/.exec(reason) ?? [];
      return verdict === "timeout" && limit !== undefined ? `timeout after ${limit}` : verdict;
    }
    return error instanceof NoTokenError ? "no-token" : "cannot run";
  }
  const { exitCode, leaked, lost } = judgeRun(result, options);
  if (leaked) return "printed a secret";
  if (result.signal !== null) return `ended by ${result.signal}`;
  if (lost !== undefined) return `output lost: ${lost}`;
  if (result.driftError !== undefined) return "drift unknown";
  if (result.drift !== undefined) {
    const { created, updated, deleted } = result.drift;
    const changes = changesOf(result.drift);
    if (changes === 0) return "no changes";
    const noun = changes === 1 ? "change" : "changes";
    return `${changes} ${noun} (+${created} ~${updated} -${deleted})`;
  }
  const later = result.checkAfter === undefined ? "" : `, now ${result.checkAfter.verdict}`;
  return exitCode === 0 ? "ok" : `exit ${exitCode}${later}`;
}

export function printPlans(
  prepared: readonly PreparedTarget[],
  { options, io, reporter, streams }: {
    readonly options: GlobalOptions;
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
    if (io.reportFile === undefined) return exitCode;
  }
  io.secrets.add(...prepared.flatMap(({ plan }) => plan?.secrets ?? []));
  const targets = prepared.map(({ profile: { name }, plan, error }) => {
    const { warnings } = streams.reporter(name);
    return {
      profile: name,
      ...(plan === undefined
        ? { outcome: "refused", error: describeError(asAdcRunError(error)) }
        : { outcome: "planned", ...describePlan(plan) }),
      ...(warnings.length > 0 && { warnings }),
    };
  });
  reporter.report({ targets, exitCode }, "stdout");
  return exitCode;
}
