import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import { TOKEN_REJECTED } from "../../check/response.ts";
import { CheckError, type CheckResult } from "../../check/verdict.ts";
import { type Connection, describeConnection } from "../../connection/connection.ts";
import { adcRunCommand, describeOrigin } from "../../connection/origin.ts";
import { AdcRunError, codeOf, EXIT, reasonOf } from "../../errors.ts";
import type { RunPlan, RunResult } from "../../run/options.ts";
import {
  isNarrowed,
  NoTokenError,
  type ResolvedToken,
  type SourceReport,
} from "../../token/resolve.ts";
import { sentToken } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { type CiRunner, ciRunner } from "./ci.ts";
import { hasSymbols, isColorful, widthOf } from "./layout.ts";
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

export type Row = readonly [label: string, text: Text];

/** The version of what `--json` writes; it grows where a field changes its meaning or goes. */
export const SCHEMA_VERSION = 1;

type To = "stdout" | "stderr";

export interface Reporter {
  /** A line for people, on standard error; not with `--quiet` or `--json`. */
  info(text: Text): void;
  /** A warning on standard error; with `--json` it is kept for `Reporter.warnings`. */
  warn(line: string): void;
  /** An error on standard error, also with `--quiet`; gives its exit code. */
  fail(error: unknown): number;
  /** An error that was not thrown, on standard error, also with `--quiet`. */
  complain(message: Text, rows?: readonly Row[]): void;
  /** A report as data, with the warnings: with `--json` on standard error, and in the file of `--report`. */
  report(data: object, to?: To): void;
  /** A line on standard error that a CI system reads and does not show. */
  tellRunner(command: string): void;
  /** A line, or several, that an own command was asked for, on standard output. */
  print(text: Text, to?: To): void;
  /** Rows whose columns stand under each other; on standard error they are indented. */
  table(rows: readonly (readonly Text[])[], to?: To, indent?: string): void;
  printJson(data: object): void;
  /** What an own command was asked for as data, and the warnings; gives the exit code 0. */
  answer(data: object): number;
  /** The warnings so far, those of other reporters for the same process among them. */
  readonly warnings: readonly string[];
}

export function createReporter(
  io: Io,
  options: Pick<GlobalOptions, "json" | "quiet" | "verbose">,
): Reporter {
  const { warnings } = io;
  const runner = ciRunner(io);
  if (options.json || options.quiet) io.sign?.disable();
  const write = (text: Text, to: To) => writeText(text, io, to, widthOf(io, to));
  const own = (text: Text) => write(line`adc-run: ${text}`, "stderr");
  // The runner shows an annotation in the log as well, so that nothing is said twice.
  const annotate = (
    { annotation }: CiRunner,
    level: "error" | "warning",
    texts: readonly Text[],
  ) => writeCommand(annotation(level, texts.map((text) => render(text, io)).join("\n")), io);
  const complain = (message: Text, rows: readonly Row[] = []) => {
    io.sign?.hide();
    if (runner) {
      const details = rows.map(([label, text]) => label === "fix" ? text : line`${label} ${text}`);
      return annotate(runner, "error", [message, ...details]);
    }
    own(line`${inColor("error", 31, io, "stderr")}: ${afterLabel(message)}`);
    for (const each of labelled(rows)) write(line`  ${each}`, "stderr");
  };
  const versioned = (data: object) => ({ schemaVersion: SCHEMA_VERSION, ...data });
  const printJson = (data: object) => writeJson(versioned(data), io, "stdout");
  const report = (data: object, to: To = "stderr") => {
    const full = versioned({ ...data, warnings });
    try {
      io.reportFile?.(full);
    } catch (error) {
      // How the child ended is worth more.
      io.reportFailure ??= asAdcRunError(error);
    }
    if (options.json) writeJson(full, io, to);
  };
  return {
    warnings,
    report,
    tellRunner: (command) => writeCommand(command, io),
    print: (text, to = "stdout") => {
      io.sign?.hide();
      write(text, to);
    },
    table: (rows, to = "stdout", indent = to === "stderr" ? "  " : "") => {
      io.sign?.hide();
      writeText(tableOf(rows, io, { indent, width: widthOf(io, to) }), io, to);
    },
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
      else own(line`${inColor("warning", 33, io, "stderr")}: ${text}`);
    },
    complain,
    fail: (thrown) => {
      const error = asAdcRunError(thrown);
      report({ exitCode: error.exitCode, error: describeError(error) });
      if (options.json) return error.exitCode;
      if (error.exitCode === EXIT.interrupted) own(fixed("Cancelled"));
      else complain(headlineOf(error), detailsOf(error, options));
      return error.exitCode;
    },
  };
}

export function headlineOf(error: AdcRunError): string {
  const { cause } = error;
  if (cause instanceof AdminApiError && HTTP_REQUEST.test(cause.request)) {
    return error.message.replace(`${cause.request}: `, "");
  }
  return error instanceof CheckError
    ? error.result.reason.replace(
      /^the server answered 401: /,
      "the server refused the token: 401 ",
    )
    : error instanceof AdminApiError && HTTP_REQUEST.test(error.request)
    ? error.reason
    : error.message;
}

/** What the line before it says. */
const SAID = new RegExp(`^${TOKEN_REJECTED} (?=\\S)`);

const HTTP_REQUEST = /^[A-Z]+ (https?:\/\/[^/]+)/;

/** The token, the server and what to do; the request and what each source said with `--verbose`. */
export function detailsOf(
  error: AdcRunError,
  { verbose }: Pick<GlobalOptions, "verbose">,
): readonly Row[] {
  const resolved = error instanceof CheckError ? error.resolved : undefined;
  const tried = error instanceof CheckError
    ? error.result.request
    : [error, error.cause].find((each) => each instanceof AdminApiError)?.request ?? "";
  const [, server] = HTTP_REQUEST.exec(tried) ?? [];
  const missing = error instanceof NoTokenError && error.trail.length > 0 ? error : undefined;
  const listed = verbose || isNarrowed(missing?.trail ?? []);
  return [
    resolved && ["token", tokenText(resolved)],
    server !== undefined && ["server", server],
    error.suggestion !== undefined && ["fix", error.suggestion.replace(SAID, "")],
    verbose && server !== undefined && ["request", tried],
    missing && !listed && [
      "searched",
      line`${count(missing.trail.length, "source")}: ${
        adcRunCommand("auth status -v", missing.connection)
      }`,
    ],
    ...(listed ? trailRows(missing?.trail ?? resolved?.trail ?? []) : []),
  ].filter((each): each is Row => Array.isArray(each));
}

export function count(number: number, noun: string): Line {
  return fixed(`${number} ${noun}${number === 1 ? "" : "s"}`);
}

/** `2 ok, 1 failed`; what there is none of is not said. */
export function tally(...counts: readonly (readonly [number: number, what: string])[]): string {
  return counts.filter(([number]) => number > 0).map((each) => each.join(" ")).join(", ");
}

export function labelled(rows: readonly Row[]): readonly Line[] {
  const width = Math.max(6, ...rows.map(([label]) => label.length));
  return rows.map(([label, text]) =>
    text === "" ? fixed(label) : line`${fixed(label.padEnd(width))}  ${text}`
  );
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

/** Anything that adc-run did not throw on purpose is an internal error, or a permission that Deno withheld. */
export function asAdcRunError(thrown: unknown): AdcRunError {
  if (thrown instanceof AdcRunError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error.name === "NotCapable") {
    return new AdcRunError(`Missing Deno permission: ${error.message}`, EXIT.config, {
      suggestion: "For what it needs, see https://github.com/adc-run/adc-run#install",
      cause: thrown,
    });
  }
  if (error.name === "InvalidData") {
    // Deno's words quote the variable's value, which may be the token.
    return new AdcRunError(
      "Cannot read the environment: a variable is not valid UTF-8",
      EXIT.data,
      { suggestion: "Check ADC_TOKEN and API_KEY first." },
    );
  }
  const code = codeOf(error);
  if (code === "EMFILE" || code === "ENFILE") {
    return new AdcRunError("Too many files are open", EXIT.config, {
      suggestion: 'Raise the limit: "ulimit -n" shows it.',
      cause: thrown,
    });
  }
  if (code !== undefined && NOT_WRITTEN.includes(code)) {
    const message = `Cannot write the output: ${reasonOf(code)}`;
    return new AdcRunError(message, EXIT.source, { cause: thrown });
  }
  return new AdcRunError(`Internal error: ${error.name}: ${error.message}`, EXIT.software, {
    suggestion:
      "Please report it, with the command that you ran: https://github.com/adc-run/adc-run/issues",
    cause: thrown,
  });
}

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
    check: checked && describeCheck(checked.result),
    token: checked?.resolved && describeToken(checked.resolved),
    sources: checked?.resolved?.trail ?? missing?.trail,
    failure: refused?.failure,
    request: refused?.request,
    httpStatus: refused?.httpStatus,
  };
}

export function settingRows(connection: Connection): readonly Row[] {
  return Object.entries(describeConnection(connection)).map(([name, { value, origin }]) => {
    const [label, unit] = name === "timeoutMs" ? ["timeout", " ms"] : [name, ""];
    const from = origin.kind === "file" ? origin.name : describeOrigin(origin);
    return [label, line`${value}${fixed(unit)}  ${from}`];
  });
}

export function trailRows(trail: readonly SourceReport[]): readonly Row[] {
  const width = Math.max(0, ...trail.map(({ source }) => source.length));
  return trail.map(({ source, status, detail }) => [
    "source",
    line`${fixed(`${source.padEnd(width)}  ${status.padEnd(9)}`)}  ${detail}`,
  ]);
}

export function placeOf({ source, detail }: Pick<ResolvedToken, "source" | "detail">): Text {
  if (source === "keychain") return fixed("the keychain");
  if (source === "store") return fixed("the file store");
  return source === "admin-api" ? fixed("a login") : detail;
}

export function tokenText(resolved: ResolvedToken): Line {
  const { token } = resolved;
  return sentToken(token) === undefined
    ? line`none (${resolved.detail})`
    : line`${fixed(token.fingerprint)} from ${placeOf(resolved)}`;
}

export function describeToken({ token, source, detail }: ResolvedToken): Record<string, string> {
  if (sentToken(token) === undefined) return { source, detail };
  return { source, detail, redacted: token.redacted, fingerprint: token.fingerprint };
}

export function describeCheck(result: CheckResult | undefined): Record<string, unknown> {
  return { ...result ?? { verdict: "not-checked" } };
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
      checkAfter: plan.checkAfter && describeCheck(plan.checkAfter),
    }),
  };
}

function inColor(text: string, color: number, { env, terminals }: Io, to: To): Line {
  return fixed(isColorful(env, terminals[to]) ? `\x1b[${color}m${text}\x1b[39m` : text);
}

const MARKS = { ok: ["✓", 32], warning: ["!", 33], failed: ["✗", 31], skipped: ["-", 90] } as const;

/** A symbol at a terminal; elsewhere a word, or nothing where the words beside it say the same. */
export function mark(name: keyof typeof MARKS, io: Io, to: To, word = ""): Line {
  const [symbol, color] = MARKS[name];
  const text = hasSymbols(io, to) ? `${symbol} ` : word;
  return text === "" ? fixed("") : inColor(text, color, io, to);
}
