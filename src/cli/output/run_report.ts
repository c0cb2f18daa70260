import { BACKENDS } from "../../connection/backends.ts";
import { describeConnection } from "../../connection/connection.ts";
import { EXIT } from "../../errors.ts";
import { createMask } from "../../mask/mask.ts";
import { isReaderGone } from "../../run/child.ts";
import type { Drift } from "../../run/drift.ts";
import type { RunPlan, RunResult } from "../../run/options.ts";
import { describeResolved } from "../../token/resolve.ts";
import { sentToken } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { maskInRunner, setOutputs } from "./ci.ts";
import { fixed, line, type Text } from "./out.ts";
import { describeRun, formatTrail, type Reporter } from "./report.ts";

export interface RunOutput {
  readonly reporter: Reporter;
  readonly io: Io;
  readonly options: GlobalOptions;
}

export function announce(plan: RunPlan, output: RunOutput): void {
  if (plan.kind === "offline") return;
  const { connection, resolved, checked, secrets } = plan;
  output.io.secrets.add(...secrets);
  maskInRunner({ connection, resolved }, output);
  const { backend, server, gatewayGroup, profile } = connection;
  const group = BACKENDS[backend.value].hasGatewayGroups
    ? line`, gateway group "${gatewayGroup.value}"`
    : fixed("");
  const named = profile === undefined
    ? fixed("")
    : line`, profile "${profile.name}"${fixed(profile.project ? " of adc-run.json" : "")}`;
  output.reporter.info(
    line`${describeResolved(resolved)} for ${
      fixed(backend.value)
    } at ${server.value}${group}${named}${fixed(checked === undefined ? ", not checked" : "")}`,
  );
}

export interface RunJudgement {
  readonly exitCode: number;
  /** Whether a secret was printed that should not have been, with `--fail-on-leak`. */
  readonly leaked: boolean;
  /** Whether `diff` found differences, with `--fail-on-drift`. */
  readonly drifted: boolean;
  /** The system's code where output was lost; a reader that went away is no loss. */
  readonly lost: string | undefined;
}

export function judgeRun(
  { masked, exitCode, outputFailure, drift, driftError }: RunResult,
  { failOnLeak }: Pick<GlobalOptions, "failOnLeak">,
): RunJudgement {
  const leaked = failOnLeak === true && masked > 0 && exitCode === 0;
  const lost = outputFailure !== undefined && !isReaderGone(outputFailure)
    ? outputFailure
    : undefined;
  const changes = drift === undefined ? 0 : changesOf(drift);
  const own = leaked ? EXIT.data : lost !== undefined ? EXIT.source : driftError?.exitCode ?? 0;
  const drifted = exitCode === 0 && own === 0 && changes > 0;
  return {
    exitCode: exitCode !== 0 ? exitCode : drifted ? EXIT.findings : own,
    leaked,
    drifted,
    lost,
  };
}

function changesOf({ created, updated, deleted }: Drift): number {
  return created + updated + deleted;
}

/** Sets the outputs of a step of a pipeline: of several targets, the sums. */
export function tellDrift(
  drifts: readonly Drift[],
  { io, reporter }: Pick<RunOutput, "io" | "reporter">,
): void {
  if (drifts.length === 0) return;
  const sum = (key: keyof Drift) => drifts.reduce((total, each) => total + each[key], 0);
  const [created, updated, deleted] = [sum("created"), sum("updated"), sum("deleted")];
  const drift = created + updated + deleted > 0;
  setOutputs({ drift, created, updated, deleted }, { io, reporter });
}

export function describeEndedRun(
  result: RunResult,
  { leaked, lost }: RunJudgement,
): Record<string, unknown> {
  return { ...describeRun(result), leaked, ...(lost !== undefined && { outputFailure: lost }) };
}

export function tellEnding(
  result: RunResult,
  { leaked, lost }: RunJudgement,
  reporter: Reporter,
): void {
  const { masked, checkAfter, drift, driftError } = result;
  if (masked > 0) {
    reporter.info(fixed(`masked a secret ${masked === 1 ? "once" : `${masked} times`}`));
  }
  if (isBrokenPing(result)) {
    reporter.info(
      fixed(
        "ADC 0.28's ping contacts no server with apisix-standalone; adc-run's own check passed",
      ),
    );
  }
  if (checkAfter !== undefined) {
    const { tried, found, suggestion } = checkAfter;
    reporter.complain(
      line`The check passed before the run and fails now: ${tried}: ${found}`,
      { suggestion },
    );
  }
  if (lost !== undefined) reporter.complain(line`Cannot pass the output on: ${lost}`);
  if (leaked) {
    reporter.complain(fixed("A secret was printed, and --fail-on-leak is set"));
  }
  if (driftError !== undefined) reporter.complain(driftError.message);
  if (drift === undefined) return;
  if (changesOf(drift) === 0) reporter.info(fixed("no drift"));
  else {
    const { created, updated, deleted } = drift;
    reporter.complain(
      fixed(`Drift: ${created} to create, ${updated} to update, ${deleted} to delete`),
    );
  }
}

function isBrokenPing(result: RunResult): boolean {
  return result.kind === "online" && result.exitCode !== 0 && result.words[0] === "ping" &&
    result.checked?.verdict === "valid" && BACKENDS[result.connection.backend.value].failsOwnPing;
}

/** The command as it would be started, without secrets. */
function commandOf({ program, words, secrets }: RunPlan): readonly string[] {
  const mask = createMask(secrets);
  return [program.file, ...program.prefix, ...words].map((word) => mask.text(word));
}

export function describePlan(plan: RunPlan): Record<string, unknown> {
  return { command: commandOf(plan), ...describeRun(plan) };
}

/** `--dry-run`: there is no child, so standard output is free for the answer. */
export function printPlan(plan: RunPlan, { reporter, io, options }: RunOutput): void {
  io.secrets.add(...plan.secrets);
  if (options.json) return reporter.printJson(describePlan(plan));
  const rows: [name: string, value: Text, origin: string][] = [];
  if (plan.kind === "online") {
    const { connection, resolved, checked } = plan;
    for (const [name, { value, origin }] of Object.entries(describeConnection(connection))) {
      rows.push([name, value, origin]);
    }
    const { token, source, detail } = resolved;
    rows.push(
      sentToken(token) === undefined
        ? ["token", source, detail]
        : ["token", String(token), `${source}: ${detail}`],
      ["check", fixed(checked?.verdict ?? "not made"), checked?.tried ?? "--no-check"],
    );
  } else {
    rows.push(["token", fixed("not needed"), ""]);
  }
  const width = Math.max(9, ...rows.map(([name]) => name.length));
  const column = (name: string) => fixed(name.padEnd(width));
  reporter.print(line`${column("would run")}  ${commandOf(plan).map(quote).join(" ")}`);
  reporter.table(rows.map(([name, ...row]) => [column(name), ...row]));
  if (plan.kind === "offline") return;
  for (const each of formatTrail(plan.resolved.trail)) reporter.print(line`source  ${each}`);
}

function quote(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
