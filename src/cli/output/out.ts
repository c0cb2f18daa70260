import {
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import type { Writable } from "node:stream";
import type { Environment } from "../../context.ts";
import {
  AdcRunError,
  type AdcRunErrorOptions,
  codeOf,
  EXIT,
  messageOf,
  reasonOf,
  UsageError,
} from "../../errors.ts";
import { createMask, type Mask } from "../../mask/mask.ts";
import { noteFailure } from "../../run/output.ts";
import { MIN_SECRET_LENGTH, Secret } from "../../secret.ts";
import { unlessAborted } from "../../system/deadline.ts";
import { columns, wrap } from "./layout.ts";

/**
 * The one way out: what adc-run says, on either stream and in any format, is written here and nowhere else. A
 * plain string is a value from elsewhere, and is cleaned as a whole; what {@linkcode line} or
 * {@linkcode fixed} was written with is adc-run's own and stays.
 *
 * What is data on purpose goes by: a token that `auth token` prints ({@linkcode writeToken}), the body that
 * `api` was asked for, and the output of the child, which both have the mask of the run.
 */
export type Text = string | Line;

/** Fixed text of adc-run's with values in between. */
export class Line {
  readonly fixed: readonly string[];
  readonly values: readonly Text[];

  constructor(fixed: readonly string[], values: readonly Text[]) {
    this.fixed = fixed;
    this.values = values;
  }
}

export function line(fixed: TemplateStringsArray, ...values: readonly unknown[]): Line {
  return new Line(fixed, values.map((each) => each instanceof Line ? each : String(each)));
}

export function fixed(text: string): Line {
  return new Line([text], []);
}

/** What adc-run writes with: `Io` is one. */
interface Out {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly secrets: KnownSecrets;
  readonly env?: Environment;
  /** What is drawn while adc-run waits; it makes room. */
  readonly sign?: { erase(): void } | undefined;
}

type StreamName = "stdout" | "stderr";

/** A line, or several; the line break at the end may be left out. Those of a terminal are broken between words. */
export function writeText(text: Text, out: Out, to: StreamName, width = Infinity): void {
  const rendered = withoutCommands(wrap(render(text, out), width));
  write(rendered.endsWith("\n") ? rendered : `${rendered}\n`, out, to);
}

export function writeJson(data: unknown, out: Out, to: StreamName): void {
  write(`${jsonOf(data, out)}\n`, out, to);
}

/** A line for the runner, which reads it and does not show it as it is: whoever makes it cleans its values. */
export function writeCommand(command: string, out: Out): void {
  write(`${command}\n`, out, "stderr");
}

export function writeToken(token: Secret, out: Out, beside?: object): void {
  const value = token.reveal();
  const text = beside === undefined
    ? value
    : `{${JSON.stringify("token")}:${JSON.stringify(value)},${jsonOf(beside, out).slice(1)}`;
  write(`${text}\n`, out, "stdout");
}

/**
 * What `auth create --print` is for: it fails where the token does not arrive. With `json` that is the start of
 * an object, which {@linkcode writeRest} ends.
 */
export async function handOutToken(
  token: Secret,
  out: Out,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const value = token.reveal();
  const text = json ? `{"token":${JSON.stringify(value)}` : `${value}\n`;
  out.sign?.erase();
  const arrived = new Promise<void>((resolve, reject) => {
    out.stdout.once("error", reject).write(text, (error) => error ? reject(error) : resolve());
  });
  try {
    await (signal === undefined ? arrived : unlessAborted(arrived, signal));
  } catch (error) {
    signal?.throwIfAborted();
    throw unwritten(reasonOf(codeOf(error) ?? messageOf(error)), { cause: error });
  }
}

/** Ends what {@linkcode handOutToken} began with `json`. */
export function writeRest(data: object, out: Out): void {
  write(`,${jsonOf(data, out).slice(1)}\n`, out, "stdout");
}

/** Refuses what a runtime puts in the place of a closed output, before there is a token to be lost in it. */
export function requireReader({ stdout }: Pick<Out, "stdout">): void {
  const { fd } = stdout as { readonly fd?: number };
  if (fd === undefined || process.platform === "win32") return;
  if (fstatSync(fd).rdev !== statSync("/dev/null").rdev) return;
  throw unwritten("it is closed, or /dev/null");
}

function unwritten(found: string, options: AdcRunErrorOptions = {}): AdcRunError {
  const message = `Cannot hand over the token on standard output: ${found}`;
  return new AdcRunError(message, EXIT.source, options);
}

export function drawOver(text: string, stderr: Writable): void {
  stderr.write(`\r\x1b[K${text}`);
}

/** A file that only its owner can read; opened before anything is done, and told if it cannot be. */
export function openReport(
  name: string,
  out: Out & { readonly cwd: string },
): (report: object) => void {
  if (name === "-") {
    throw new UsageError('Cannot use --report "-": expected a file', {
      suggestion: "--json writes the report to standard error.",
    });
  }
  const path = resolve(out.cwd, name);
  // A stream of this process: it may lead to a log.
  const isStream = /^\/(dev|proc)\//.test(path);
  const attempt = <T>(step: () => T): T => {
    try {
      return step();
    } catch (error) {
      throw cannotWriteReport(name, reasonOf(codeOf(error) ?? messageOf(error)), error);
    }
  };
  // One that came with a repository leads wherever it likes.
  if (!isStream && attempt(() => lstatSync(path, { throwIfNoEntry: false }))?.isSymbolicLink()) {
    throw cannotWriteReport(name, "it is a symbolic link");
  }
  const fd = attempt(() => openSync(path, "a", 0o600));
  const write = (text: string) =>
    attempt(() => {
      // The last one counts.
      if (!isStream && fstatSync(fd).isFile()) {
        fchmodSync(fd, 0o600);
        ftruncateSync(fd);
      }
      writeFileSync(fd, text);
    });
  write("");
  return (report) => write(`${jsonOf(report, out)}\n`);
}

function cannotWriteReport(name: string, found: string, cause?: unknown): AdcRunError {
  return new AdcRunError(`Cannot write the report to "${name}": ${found}`, EXIT.source, { cause });
}

function write(text: string, out: Out, to: StreamName): void {
  const stream = out[to];
  out.sign?.erase();
  try {
    stream.write(text);
  } catch (error) {
    // Deno throws where nobody reads, or a full disk takes no more. What adc-run says must not change what it does.
    if (to === "stdout" && codeOf(error) !== "EPIPE") throw error;
    noteFailure(stream);
  }
}

/** Waits until both have left: Node tells of a failed write a moment later, and a signal would cut them off. */
export async function written({ stdout, stderr }: Pick<Out, StreamName>): Promise<void> {
  await Promise.all([stdout, stderr].map((stream) =>
    new Promise<void>((resolve) => {
      // Deno leaves the call-back out once a write has failed.
      const limit = setTimeout(resolve, 2_000);
      const done = () => {
        clearTimeout(limit);
        resolve();
      };
      try {
        stream.write("", done);
      } catch {
        done();
      }
    })
  ));
}

export function render(text: Text, out: Pick<Out, "secrets" | "env">): string {
  return typeof text === "string" ? withShortHome(cell(text, out), out) : text.fixed.reduce(
    (before, part, index) => before + render(text.values[index - 1]!, out) + part,
  );
}

function withShortHome(text: string, { env = {} }: Pick<Out, "env">): string {
  const home = text.includes("/") ? env.HOME : undefined;
  if (!home || home.length < 3 || !text.includes(home)) return text;
  return text.replaceAll(home, (found, at: number) => {
    const [before = "", after = ""] = [text[at - 1], text[at + found.length]];
    return /[\w./-]/.test(before) || /[\w.-]/.test(after) ? found : "~";
  });
}

export function tableOf(
  rows: readonly (readonly Text[])[],
  out: Pick<Out, "secrets" | "env">,
  terms: { readonly indent?: string; readonly width?: number } = {},
): Line {
  return fixed(columns(rows.map((row) => row.map((each) => render(each, out))), terms));
}

/** Makes a value fit to be shown: on one line, nothing in it that draws, commands or is a secret. */
export function cell(value: string, { secrets }: Pick<Out, "secrets">): string {
  const masked = hidden(value, secrets);
  const plain = onOneLine(masked);
  // What stood in the middle of a secret is gone.
  return withoutCommands(plain === masked ? plain : hidden(plain, secrets));
}

/** What colors a text or moves the cursor, as a whole: what is left of it would be noise. */
// deno-lint-ignore no-control-regex
const SEQUENCES = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/g;

// deno-lint-ignore no-control-regex
const BREAKS = /[\0-\x1f\x7f-\x9f\u2028\u2029]+/g;

/**
 * What is not seen, and joins, hides or turns around what is: zero width, bidi controls, fillers. Not within a
 * literal: V8 looks each property up when it loads one, which takes 2 ms at every start.
 */
const UNSEEN = "\\p{Cf}\\p{Default_Ignorable_Code_Point}\\p{Co}";

const PLAIN = /^[\x20-\x7e]*$/;

function onOneLine(value: string): string {
  if (PLAIN.test(value)) return value;
  return value.replace(SEQUENCES, "").replace(BREAKS, " ")
    .replace(new RegExp(`[${UNSEEN}\\p{Cs}]`, "gu"), "");
}

/** A token that nobody has told of, by its prefix; and what stands before the `@` of an address. */
function hidden(value: string, secrets: KnownSecrets): string {
  return secrets.mask(value)
    .replace(/(a7(?:ee|adm)-)\w[^\s"'`,)]*/g, "$1***")
    .replace(/(\/\/)[^/?#\s"]*@/g, "$1***@");
}

/**
 * Keeps a text from being read by a CI system: GitHub's runner finds `::name::` at the start of a line and
 * `##[name]` anywhere, Azure's `##vso[name]`, GitLab's sections.
 */
function withoutCommands(text: string): string {
  return text.replace(/^(\s*):(?=:\D)/gm, "$1: ")
    .replace(/##(?=[\w.-]*\[)/g, "## ")
    .replace(/\b(section_)(?=(?:start|end):)/gi, "$1 ");
}

/** JSON of cleaned values, in one line; what draws or commands is spelled as `\uXXXX`. */
function jsonOf(data: unknown, { secrets }: Pick<Out, "secrets">): string {
  const clean = (value: string) => {
    const masked = hidden(value, secrets);
    const plain = onOneLine(masked);
    if (plain === masked) return masked;
    // Whoever reads it may take out what stands in the middle of a secret.
    const again = hidden(plain, secrets);
    return again === plain ? masked : again;
  };
  return JSON.stringify(data, (_, value: unknown) => {
    if (typeof value === "string") return clean(value);
    // A server can answer with a number.
    if (typeof value === "number") return clean(String(value)) === String(value) ? value : "***";
    return value;
  })
    .replace(new RegExp(`[\\x7f-\\x9f\\u2028\\u2029${UNSEEN}]`, "gu"), spelled)
    .replace(/##(?=[\w.-]*\[)/g, "#\\u0023")
    .replace(/\b(section)_(?=(?:start|end):)/gi, "$1\\u005f");
}

function spelled(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

const VARIABLES = ["ADC_TOKEN", "API_KEY", "API7_PASSWORD"];

/** The secrets of this process, as they become known. */
export class KnownSecrets {
  readonly #values = new Map<string, Secret>();
  readonly #holders: { readonly secrets: readonly Secret[] }[] = [];
  #mask: Mask | undefined;

  constructor(env: Environment = {}) {
    for (const name of VARIABLES) {
      try {
        this.add(new Secret(env[name] ?? ""));
      } catch {
        // Deno throws where a variable is not valid UTF-8. Such a value is in no text of ours.
      }
    }
  }

  /** What is shorter is more likely a word than a secret. */
  add(...secrets: readonly (Secret | undefined)[]): void {
    for (const value of secrets.map((each) => each?.reveal().trim() ?? "")) {
      for (const part of new Set([value, ...value.split(",").map((each) => each.trim())])) {
        if (part.length < MIN_SECRET_LENGTH || this.#values.has(part)) continue;
        this.#values.set(part, new Secret(part));
        this.#mask = undefined;
      }
    }
  }

  /** Asks for more each time: of a session, whose server sets cookies as it likes. */
  watch<T extends { readonly secrets: readonly Secret[] }>(holder: T): T {
    this.#holders.push(holder);
    return holder;
  }

  mask(text: string): string {
    for (const { secrets } of this.#holders) this.add(...secrets);
    if (this.#values.size === 0) return text;
    return (this.#mask ??= createMask(this.#values.values())).text(text);
  }
}
