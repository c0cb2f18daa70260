import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import { CheckError, type CheckResult } from "../../check/verdict.ts";
import { describeConnection } from "../../connection/connection.ts";
import type { Environment } from "../../context.ts";
import { AdcRunError, codeOf, EXIT } from "../../errors.ts";
import { noteFailure } from "../../run/child.ts";
import type { RunPlan, RunResult } from "../../run/options.ts";
import { MIN_SECRET_LENGTH } from "../../secret.ts";
import { NoTokenError, type ResolvedToken, type SourceReport } from "../../token/resolve.ts";
import { sentToken } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { type CiRunner, ciRunner, withoutCommands } from "./ci.ts";

interface Complaint {
  readonly suggestion?: string | undefined;
  readonly details?: readonly string[];
}

export interface Reporter {
  /** A line for people, on standard error; not with `--quiet` or `--json`. */
  info(line: string): void;
  /** A warning on standard error; with `--json` it is kept for `Reporter.warnings`. */
  warn(line: string): void;
  /** An error on standard error, also with `--quiet`; gives its exit code. */
  fail(error: unknown): number;
  /** An error that was not thrown, on standard error, also with `--quiet`. */
  complain(message: string, complaint?: Complaint): void;
  /** A line on standard error that `--quiet` and `--json` do not hold back. */
  say(line: string): void;
  /** A line on standard error that a CI system reads and does not show, as it is. */
  tellRunner(line: string): void;
  /** What an own command was asked for, on standard output. */
  print(text: string): void;
  /** What an own command was asked for as data, and the warnings; gives the exit code 0. */
  answer(data: object): number;
  /** The warnings so far, those of other reporters for the same process among them. */
  readonly warnings: readonly string[];
}

export function createReporter(
  io: Io,
  options: Pick<GlobalOptions, "json" | "quiet">,
): Reporter {
  const { warnings } = io;
  const label = (text: string, colour: number) =>
    isColourful(io.env, io.terminals.stderr) ? `\x1b[${colour}m${text}\x1b[39m` : text;
  const tellRunner = (line: string) => {
    try {
      io.stderr.write(`${line}\n`);
    } catch {
      // Deno throws where a full disk takes no more. What adc-run says must not change what it does.
      noteFailure(io.stderr);
    }
  };
  const say = (line: string) => tellRunner(redact(line, io.env));
  const runner = ciRunner(io);
  const own = (line: string) => say(`adc-run: ${withoutCommands(line)}`);
  // The runner shows an annotation in the log as well, so that nothing is said twice.
  const annotate = (
    { annotation }: CiRunner,
    level: "error" | "warning",
    lines: readonly (string | undefined)[],
  ) => {
    const said = lines.filter((line) => line !== undefined).map(inOneLine).join("\n");
    tellRunner(annotation(level, redact(said, io.env)));
  };
  const complain = (message: string, { suggestion, details = [] }: Complaint = {}) => {
    if (runner) annotate(runner, "error", [message, suggestion]);
    else own(`${label("error", 31)}: ${inOneLine(message)}`);
    for (const line of details) say(`  ${withoutCommands(inOneLine(line))}`);
    if (!runner && suggestion !== undefined) own(inOneLine(suggestion));
  };
  const print = (text: string) => {
    io.stdout.write(`${inLines(redact(text, io.env))}\n`);
  };
  return {
    warnings,
    say,
    tellRunner,
    print,
    answer: (data) => {
      print(JSON.stringify({ ...data, warnings }));
      return 0;
    },
    info: (line) => {
      if (!options.quiet && !options.json) own(inOneLine(line));
    },
    warn: (line) => {
      warnings.push(line);
      if (options.quiet || options.json) return;
      if (runner) annotate(runner, "warning", [line]);
      else own(`${label("warning", 33)}: ${inOneLine(line)}`);
    },
    complain,
    fail: (thrown) => {
      const error = asAdcRunError(thrown);
      if (options.json) {
        say(inLines(JSON.stringify({ error: describeError(error), warnings })));
        return error.exitCode;
      }
      const details = error instanceof NoTokenError ? formatTrail(error.trail) : [];
      complain(error.message, { suggestion: error.suggestion, details });
      return error.exitCode;
    },
  };
}

/** The system's codes for an output that takes no more. */
const NOT_WRITTEN = ["ENOSPC", "EDQUOT", "EIO", "EFBIG", "EBADF"];

/**
 * Anything that adc-run did not throw on purpose is a defect of adc-run, or a permission that Deno withheld.
 */
export function asAdcRunError(thrown: unknown): AdcRunError {
  if (thrown instanceof AdcRunError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error.name === "NotCapable") {
    return new AdcRunError(`Cannot go on under Deno's permissions: ${error.message}`, EXIT.config, {
      suggestion: "The README lists the permissions that adc-run needs.",
      cause: thrown,
    });
  }
  if (error.name === "InvalidData") {
    // Deno's words quote the variable's value, which may be the token.
    return new AdcRunError(
      "Cannot read the environment: a variable is not valid UTF-8",
      EXIT.data,
      {
        suggestion: "Look at ADC_TOKEN and API_KEY first.",
      },
    );
  }
  const code = codeOf(error);
  if (code !== undefined && NOT_WRITTEN.includes(code)) {
    return new AdcRunError(`Cannot write the output: ${code}`, EXIT.source, { cause: thrown });
  }
  return new AdcRunError(`A defect of adc-run: ${error.name}: ${error.message}`, EXIT.software, {
    suggestion: "Please report it with what you did: https://github.com/adc-run/adc-run/issues",
    cause: thrown,
  });
}

/** An error as data, without secrets. */
export function describeError(error: AdcRunError): Record<string, unknown> {
  const checked = error instanceof CheckError ? error : undefined;
  const missing = error instanceof NoTokenError ? error : undefined;
  const refused = error instanceof AdminApiError ? error : undefined;
  return {
    name: error.name,
    message: error.message,
    exitCode: error.exitCode,
    suggestion: error.suggestion,
    verdict: checked?.result.verdict ?? (missing && "no-token"),
    check: checked?.result,
    token: checked?.resolved && describeToken(checked.resolved),
    sources: checked?.resolved?.trail ?? missing?.trail,
    failure: refused?.failure,
    status: refused?.status,
  };
}

export function formatTrail(trail: readonly SourceReport[]): readonly string[] {
  const width = Math.max(...trail.map(({ source }) => source.length));
  return trail.map(({ source, status, detail }) =>
    `${source.padEnd(width)}  ${status.padEnd(9)}  ${detail}`
  );
}

export function describeToken({ token, source, detail }: ResolvedToken): Record<string, string> {
  if (sentToken(token) === undefined) return { source, detail };
  return { source, detail, redacted: token.redacted, fingerprint: token.fingerprint };
}

export function describeCheck(result: CheckResult | undefined): CheckResult | { verdict: string } {
  return result ?? { verdict: "not-checked" };
}

export function describeRun(plan: RunPlan | RunResult): Record<string, unknown> {
  return {
    ...(plan.kind === "online" && {
      connection: describeConnection(plan.connection),
      token: describeToken(plan.resolved),
      sources: plan.resolved.trail,
      check: describeCheck(plan.checked),
    }),
    ...("exitCode" in plan && {
      exitCode: plan.exitCode,
      signal: plan.signal,
      masked: plan.masked,
      drift: plan.drift,
      driftError: plan.driftError && describeError(plan.driftError),
      checkAfter: plan.checkAfter,
    }),
  };
}

/**
 * Takes tokens out of a message that should not have any.
 *
 * No message is made with a token in it. People put tokens into the wrong variable, though, and the
 * message that says what is wrong with `ADC_SERVER` quotes its value.
 */
export function redact(text: string, env: Environment): string {
  const known = ["ADC_TOKEN", "API_KEY", "API7_PASSWORD"].map((name) => valueOf(name, env))
    .filter((value) => value !== undefined && value.length >= MIN_SECRET_LENGTH);
  return known
    .reduce<string>((masked, value) => masked.replaceAll(value!, "***"), text)
    .replace(/(a7(?:ee|adm)-)\w[^\s"'`,)]*/g, "$1***");
}

/** Takes the user and the password out of addresses that are shown. */
export function withoutPassword(text: string): string {
  return text.replace(/(\/\/)[^/@\s]*@/g, "$1***@");
}

/**
 * Deno throws where a variable is not valid UTF-8, with the value in its words. Such a value is in no
 * text of ours.
 */
function valueOf(name: string, env: Environment): string | undefined {
  try {
    return env[name];
  } catch {
    return undefined;
  }
}

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f]+/g;

// deno-lint-ignore no-control-regex
const BREAKS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g;

/** Takes out what draws on a terminal; lines are ours. */
export function inLines(text: string): string {
  return text.replace(CONTROLS, " ");
}

/** Takes out what would make up a line of its own, too. */
export function inOneLine(text: string): string {
  return text.replace(BREAKS, " ");
}

/**
 * Tells whether colours are wanted: `NO_COLOR`, then `FORCE_COLOR`, then whether a
 * terminal shows them.
 */
export function isColourful(env: Environment, terminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return terminal && env.TERM !== "dumb";
}

export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    widths.map((width, column) => (row[column] ?? "").padEnd(width)).join("  ").trimEnd()
  ).join("\n");
}
