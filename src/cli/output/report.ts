import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import { CheckError, type CheckResult } from "../../check/verdict.ts";
import { describeConnection } from "../../connection/connection.ts";
import type { Environment } from "../../context.ts";
import { AdcRunError, codeOf, EXIT } from "../../errors.ts";
import type { RunPlan, RunResult } from "../../run/options.ts";
import { NoTokenError, type ResolvedToken, type SourceReport } from "../../token/resolve.ts";
import { sentToken } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { type CiRunner, ciRunner } from "./ci.ts";
import {
  fixed,
  Line,
  line,
  render,
  tableOf,
  type Text,
  writeCommand,
  writeJson,
  writeText,
} from "./out.ts";

interface Complaint {
  readonly suggestion?: string | undefined;
  readonly details?: readonly Text[];
}

export interface Reporter {
  /** A line for people, on standard error; not with `--quiet` or `--json`. */
  info(text: Text): void;
  /** A warning on standard error; with `--json` it is kept for `Reporter.warnings`. */
  warn(line: string): void;
  /** An error on standard error, also with `--quiet`; gives its exit code. */
  fail(error: unknown): number;
  /** An error that was not thrown, on standard error, also with `--quiet`. */
  complain(message: Text, complaint?: Complaint): void;
  /** A report as data on standard error, with the warnings. */
  report(data: object): void;
  /** A line on standard error that a CI system reads and does not show. */
  tellRunner(command: string): void;
  /** A line, or several, that an own command was asked for, on standard output. */
  print(text: Text): void;
  /** Rows whose columns stand under each other; on standard error they are indented. */
  table(rows: readonly (readonly Text[])[], to?: "stdout" | "stderr"): void;
  printJson(data: object): void;
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
  const runner = ciRunner(io);
  const own = (text: Text) => writeText(line`adc-run: ${text}`, io, "stderr");
  // The runner shows an annotation in the log as well, so that nothing is said twice.
  const annotate = (
    { annotation }: CiRunner,
    level: "error" | "warning",
    texts: readonly (Text | undefined)[],
  ) => {
    const said = texts.filter((text) => text !== undefined).map((text) => render(text, io));
    writeCommand(annotation(level, said.join("\n")), io);
  };
  const complain = (message: Text, { suggestion, details = [] }: Complaint = {}) => {
    if (runner) annotate(runner, "error", [message, suggestion]);
    else own(line`${inColour("error", 31, io, "stderr")}: ${afterLabel(message)}`);
    for (const detail of details) writeText(line`  ${detail}`, io, "stderr");
    if (!runner && suggestion !== undefined) own(suggestion);
  };
  const printJson = (data: object) => writeJson(data, io, "stdout");
  const report = (data: object) => writeJson({ ...data, warnings }, io, "stderr");
  return {
    warnings,
    report,
    tellRunner: (command) => writeCommand(command, io),
    print: (text) => writeText(text, io, "stdout"),
    table: (rows, to = "stdout") =>
      writeText(tableOf(rows, io, to === "stderr" ? "  " : ""), io, to),
    printJson,
    answer: (data) => {
      printJson({ ...data, warnings });
      return 0;
    },
    info: (text) => {
      if (!options.quiet && !options.json) own(text);
    },
    warn: (text) => {
      warnings.push(text);
      if (options.quiet || options.json) return;
      if (runner) annotate(runner, "warning", [text]);
      else own(line`${inColour("warning", 33, io, "stderr")}: ${text}`);
    },
    complain,
    fail: (thrown) => {
      const error = asAdcRunError(thrown);
      if (options.json) report({ error: describeError(error) });
      else if (error.exitCode === EXIT.interrupted) own(error.message);
      else {
        const details = error instanceof NoTokenError ? formatTrail(error.trail) : [];
        complain(error.message, { suggestion: error.suggestion, details });
      }
      return error.exitCode;
    },
  };
}

/** A sentence goes on after a label; a name, such as `GET`, stays as it is. */
function afterLabel(message: Text): Text {
  const lower = (text = "") => text.replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase());
  if (typeof message === "string") return lower(message);
  const [first, ...more] = message.fixed;
  return new Line([lower(first), ...more], message.values);
}

/** The system's codes for an output that takes no more. */
const NOT_WRITTEN = ["ENOSPC", "EDQUOT", "EIO", "EFBIG", "EBADF"];

/**
 * Anything that adc-run did not throw on purpose is an internal error, or a permission that Deno withheld.
 */
export function asAdcRunError(thrown: unknown): AdcRunError {
  if (thrown instanceof AdcRunError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error.name === "NotCapable") {
    return new AdcRunError(`Missing Deno permission: ${error.message}`, EXIT.config, {
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
        suggestion: "Check ADC_TOKEN and API_KEY first.",
      },
    );
  }
  const code = codeOf(error);
  if (code !== undefined && NOT_WRITTEN.includes(code)) {
    return new AdcRunError(`Cannot write the output: ${code}`, EXIT.source, { cause: thrown });
  }
  return new AdcRunError(`Internal error: ${error.name}: ${error.message}`, EXIT.software, {
    suggestion:
      "Please report it, with the command that you ran: https://github.com/adc-run/adc-run/issues",
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

export function formatTrail(trail: readonly SourceReport[]): readonly Line[] {
  const width = Math.max(...trail.map(({ source }) => source.length));
  return trail.map(({ source, status, detail }) =>
    line`${fixed(`${source.padEnd(width)}  ${status.padEnd(9)}`)}  ${detail}`
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
      checkAfter: plan.checkAfter,
    }),
  };
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

/** A word in a colour, where the stream shows colours. */
export function inColour(
  text: string,
  colour: number,
  { env, terminals }: Io,
  to: "stdout" | "stderr",
): Line {
  return fixed(isColourful(env, terminals[to]) ? `\x1b[${colour}m${text}\x1b[39m` : text);
}
