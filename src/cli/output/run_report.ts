import { BACKENDS } from "../../connection/backends.ts";
import { describeConnection } from "../../connection/connection.ts";
import { EXIT } from "../../errors.ts";
import { createMask } from "../../mask/mask.ts";
import { isReaderGone } from "../../run/child.ts";
import { secretsOf } from "../../run/environment.ts";
import type { RunPlan, RunResult } from "../../run/options.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions } from "../options.ts";
import { maskInRunner } from "./ci.ts";
import { describeRun, formatTrail, withoutPassword } from "./report.ts";
import type { Reporter } from "./report.ts";

/** Who says it, and where. */
export interface Surroundings {
  readonly reporter: Reporter;
  readonly io: Io;
  /** adc-run's own options. */
  readonly options: GlobalOptions;
}

/** The one line before a run: which token, from where, and for whom. */
export function announce(plan: RunPlan, surroundings: Surroundings): void {
  const { connection, resolved, checked } = plan;
  if (connection === undefined || resolved === undefined) return;
  maskInRunner({ connection, resolved }, surroundings);
  const { backend, server, gatewayGroup, profile } = connection;
  const group = BACKENDS[backend.value].hasGatewayGroups
    ? `, gateway group "${gatewayGroup.value}"`
    : "";
  surroundings.reporter.info(
    `token ${resolved.token} from ${resolved.source} (${resolved.detail}) for ` +
      `${backend.value} at ${server.value}${group}` +
      (profile === undefined
        ? ""
        : `, profile "${profile.name}"${profile.project ? " of adc-run.json" : ""}`) +
      (checked === undefined ? ", not checked" : ""),
  );
}

/** What a run comes to. */
export interface RunJudgement {
  /** What adc-run exits with. */
  readonly exitCode: number;
  /** Whether a secret was printed that should not have been, with `--fail-on-leak`. */
  readonly leaked: boolean;
  /** The system's code where output was lost; a reader that went away is no loss. */
  readonly lost: string | undefined;
}

/** Decides what a run comes to. */
export function judgeRun(
  { masked, exitCode, outputFailure }: RunResult,
  { failOnLeak }: Pick<GlobalOptions, "failOnLeak">,
): RunJudgement {
  const leaked = failOnLeak === true && masked > 0 && exitCode === 0;
  const lost = outputFailure !== undefined && !isReaderGone(outputFailure)
    ? outputFailure
    : undefined;
  const own = leaked ? EXIT.data : lost !== undefined ? EXIT.source : 0;
  return { exitCode: exitCode === 0 ? own : exitCode, leaked, lost };
}

/** A run that has ended, as data. */
export function describeEndedRun(
  result: RunResult,
  { leaked, lost }: RunJudgement,
): Record<string, unknown> {
  return { ...describeRun(result), leaked, ...(lost !== undefined && { outputFailure: lost }) };
}

/** Tells people what they should know of a run that has ended; nothing after a plain success. */
export function tellEnding(
  result: RunResult,
  { leaked, lost }: RunJudgement,
  reporter: Reporter,
): void {
  const { masked, afterwards } = result;
  if (masked > 0) reporter.info(`masked a secret ${masked === 1 ? "once" : `${masked} times`}`);
  if (isBrokenPing(result)) {
    reporter.info(
      "ADC 0.28 asks no server at ping with the backend apisix-standalone; adc-run's own check passed",
    );
  }
  if (afterwards !== undefined) {
    const { tried, found, suggestion } = afterwards;
    reporter.complain(
      `The check passed before the run and fails now: ${tried}: ${found}`,
      { suggestion },
    );
  }
  if (lost !== undefined) reporter.complain(`Cannot pass the output on: ${lost}`);
  if (leaked) reporter.complain("A secret was printed, and --fail-on-leak is set");
}

function isBrokenPing({ connection, checked, exitCode, words }: RunResult): boolean {
  return exitCode !== 0 && words[0] === "ping" && checked?.verdict === "valid" &&
    connection !== undefined && BACKENDS[connection.backend.value].failsOwnPing;
}

/** `--dry-run`: there is no child, so standard output is free for the answer. */
export function printPlan(plan: RunPlan, { reporter, io, options }: Surroundings): number {
  const { connection, resolved, checked, program } = plan;
  const mask = createMask(
    connection && resolved ? secretsOf(connection, resolved, { env: io.env }) : [],
  );
  const command = [program.file, ...program.prefix, ...plan.words]
    // A server's address may hold a password, also where it is not looked at.
    .map((word) => withoutPassword(mask.text(word)));
  if (options.json) {
    reporter.print(JSON.stringify({ command, ...describeRun(plan) }));
    return 0;
  }
  const lines = [["would run", command.map(quote).join(" "), ""]];
  if (connection !== undefined && resolved !== undefined) {
    for (const [name, { value, origin }] of Object.entries(describeConnection(connection))) {
      lines.push([name, value, origin]);
    }
    lines.push(["token", String(resolved.token), `${resolved.source}: ${resolved.detail}`]);
    lines.push(["check", checked?.verdict ?? "not made", checked?.tried ?? "--no-check"]);
  } else {
    lines.push(["token", "not needed", ""]);
  }
  const width = (column: number) =>
    Math.max(...lines.slice(1).map((line) => line[column]!.length), column === 0 ? 9 : 0);
  const [names, values] = [width(0), width(1)];
  const rows = lines.map(([name, value, origin]) =>
    `${name!.padEnd(names)}  ${value!.padEnd(values)}  ${origin}`.trimEnd()
  );
  const trail = formatTrail(resolved?.trail ?? []).map((line) => `source  ${line}`);
  reporter.print([...rows, ...trail].join("\n"));
  return 0;
}

function quote(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
