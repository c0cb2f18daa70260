import { BACKENDS } from "../../connection/backends.ts";
import { EXIT, reasonOf } from "../../errors.ts";
import { createMask } from "../../mask/mask.ts";
import type { Drift } from "../../run/drift.ts";
import type { RunPlan, RunResult } from "../../run/options.ts";
import { isReaderGone } from "../../run/output.ts";
import type { ResolvedToken } from "../../token/resolve.ts";
import { isSourceName, SOURCES } from "../../token/sources.ts";
import { sentToken } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { maskInRunner, setOutputs } from "./ci.ts";
import { fixed, type Line, line, type Text } from "./out.ts";
import {
  describeRun,
  labelled,
  placeOf,
  type Reporter,
  type Row,
  settingRows,
  trailRows,
} from "./report.ts";

export interface RunOutput {
  readonly reporter: Reporter;
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly named?: boolean;
}

export function announce(plan: RunPlan, output: RunOutput): void {
  if (plan.kind === "offline") return;
  const { connection, resolved, checked, secrets } = plan;
  const { io, reporter, options } = output;
  io.sign?.hide();
  io.secrets.add(...secrets);
  maskInRunner({ connection, ...resolved }, output);
  const { backend, server, gatewayGroup, profile } = connection;
  const parts = [
    profile && !output.named &&
    line`${profile.name}${fixed(profile.project ? " (adc-run.json)" : "")}`,
    server.value,
    BACKENDS[backend.value].hasGatewayGroups && !["default", ""].includes(gatewayGroup.value) &&
    line`group ${gatewayGroup.value}`,
    tokenPart(resolved),
    checked === undefined && fixed("not checked"),
  ].filter((part): part is Text => Boolean(part));
  reporter.info(parts.reduce((before, part) => line`${before} · ${part}`));
  if (!options.verbose || options.json || options.quiet) return;
  for (const each of planLines(plan)) reporter.print(line`  ${each}`, "stderr");
}

function tokenPart(resolved: ResolvedToken): Text {
  const { token, source, lease } = resolved;
  if (sentToken(token) === undefined) return fixed("no token");
  const short = isSourceName(source) ? SOURCES[source].place : undefined;
  const place = short ? fixed(short) : resolved.detail;
  // The token is none that is stored anywhere.
  const from = lease === undefined
    ? place
    : source === "admin-api"
    ? fixed("login, for this run")
    : line`for this run, from ${placeOf(resolved)}`;
  return line`token ${fixed(token.fingerprint)} (${from})`;
}

interface RunJudgement {
  readonly exitCode: number;
  /** Whether a secret was printed that should not have been, with `--fail-on-leak`. */
  readonly leaked: boolean;
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

export function changesOf({ created, updated, deleted }: Drift): number {
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
  const drift = { created, updated, deleted };
  setOutputs({ drift: changesOf(drift) > 0, ...drift }, { io, reporter });
}

export function describeEndedRun(
  result: RunResult,
  { exitCode, leaked, lost }: RunJudgement,
): Record<string, unknown> {
  return {
    ...describeRun(result),
    exitCode,
    leaked,
    ...(lost !== undefined && { outputFailure: lost }),
  };
}

export function tellEnding(
  result: RunResult,
  { leaked, lost }: RunJudgement,
  { reporter, options: { verbose } }: Pick<RunOutput, "reporter" | "options">,
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
    const { request, reason, suggestion } = checkAfter;
    reporter.complain(line`The check passed before the run and fails now: ${reason}`, [
      ...verbose ? [["request", request] as const] : [],
      ...suggestion === undefined ? [] : [["fix", suggestion] as const],
    ]);
  }
  if (lost !== undefined) reporter.complain(line`Cannot pass the output on: ${reasonOf(lost)}`);
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
  return result.kind === "online" && result.exitCode !== 0 && result.args[0] === "ping" &&
    result.checked?.verdict === "valid" && BACKENDS[result.connection.backend.value].failsOwnPing;
}

function commandOf({ program, args, secrets }: RunPlan): readonly string[] {
  const mask = createMask(secrets);
  return [program.file, ...program.prefix, ...args].map((arg) => mask.text(arg));
}

export function describePlan(plan: RunPlan): Record<string, unknown> {
  return { command: commandOf(plan), ...describeRun(plan) };
}

/** `--dry-run`: there is no child, so standard output is free for the answer. */
export function printPlan(plan: RunPlan, { reporter, io, options }: RunOutput): void {
  io.sign?.hide();
  io.secrets.add(...plan.secrets);
  reporter.report(describePlan(plan), "stdout");
  if (options.json) return;
  const command = commandOf(plan).map(quote).join(" ");
  for (const each of planLines(plan, ["would run", command])) reporter.print(each);
}

function planLines(plan: RunPlan, ...first: readonly Row[]): readonly Line[] {
  if (plan.kind === "offline") return labelled([...first, ["token", fixed("not needed")]]);
  const { connection, resolved, checked } = plan;
  const { token, source, detail, trail } = resolved;
  return labelled([
    ...first,
    ...settingRows(connection),
    [
      "token",
      sentToken(token) === undefined ? line`none  ${detail}` : line`${token}  ${source}: ${detail}`,
    ],
    ["check", line`${fixed(checked?.verdict ?? "not made")}  ${checked?.request ?? "--no-check"}`],
    ...trailRows(trail),
  ]);
}

function quote(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
