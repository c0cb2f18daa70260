import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { variableName } from "../context.ts";
import { codeOf, ConnectionError, EXIT, reasonOf, throwIfNotCapable } from "../errors.ts";
import { isAbsent, isUtf16, readAtMost } from "../system/files.ts";
import { type Origin, wrongValue } from "./origin.ts";

/**
 * What was found where an environment file was looked for. It prints no values.
 * @category Connection
 */
export class EnvFile {
  /** The path as it is named in messages: as the user gave it, or `.env`. */
  readonly name: string;
  /** Whether there is such a file. */
  readonly exists: boolean;
  /** Why the file could not be read, though it is there: a system code such as `EACCES`, or words. */
  readonly unreadable: string | undefined;
  /** The names that not every ADC finds with the same value, each with what to do about it. */
  readonly ambiguous: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, [string, string]>;
  readonly #platform: string;

  /**
   * Wraps what was read.
   *
   * @param name The path as it is named in messages.
   * @param values The file's variables; `undefined` where there is no file.
   * @param options Why a file that is there cannot be read; what another ADC finds in it;
   * and the platform, for on Windows names are the same in any case, and the first one counts.
   */
  constructor(
    name: string,
    values: Readonly<Record<string, string>> | undefined,
    { unreadable, others, platform = process.platform }: {
      readonly unreadable?: string;
      readonly others?: OtherReading | undefined;
      readonly platform?: string;
    } = {},
  ) {
    this.name = name;
    this.exists = values !== undefined || unreadable !== undefined;
    this.unreadable = unreadable;
    this.#platform = platform;
    const names = new Map<string, [string, string]>();
    for (const entry of Object.entries(values ?? {})) {
      const name = variableName(entry[0], platform);
      if (!names.has(name)) names.set(name, entry);
    }
    this.#values = names;
    this.ambiguous = differences(names, others, (name) => variableName(name, platform));
  }

  /**
   * Looks a variable up.
   *
   * @param name The variable's name.
   * @returns Its value, or `undefined`.
   */
  get(name: string): string | undefined {
    return this.#values.get(variableName(name, this.#platform))?.[1];
  }

  /**
   * All variables of the file, to be handed to a child.
   *
   * @returns Pairs of name and value.
   */
  entries(): IterableIterator<[string, string]> {
    return this.#values.values();
  }
}

/** Why a file of this kind cannot be read; ADC reads it as UTF-8, and finds nothing in it. */
export const UTF_16 = "it is UTF-16 text";

/** Far more than any environment holds. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads an environment file as ADC would.
 *
 * A directory of that name is no file: Python's virtual environments are often called `.env`, and ADC
 * passes over them as well.
 */
export async function readEnvFile(
  name: string,
  cwd: string,
  origin?: Origin,
): Promise<EnvFile> {
  let bytes: Uint8Array | undefined;
  try {
    const path = resolve(cwd, name);
    const stats = statSync(path);
    // ADC would wait forever for somebody to write into a pipe called ".env".
    if (name === ".env" && !stats.isFile()) return new EnvFile(name, undefined);
    // What is named may be a pipe that somebody has yet to write into, and signals are heard meanwhile.
    if (!stats.isFile()) bytes = await readAtMost(path, MAX_BYTES);
    else if (stats.size <= MAX_BYTES) bytes = readFileSync(path);
  } catch (error) {
    throwIfNotCapable(error);
    const code = codeOf(error) ?? "unknown error";
    // Windows answers EPERM where others answer EISDIR.
    const isFolder = code === "EISDIR" || (process.platform === "win32" && code === "EPERM");
    const absent = isAbsent(error) || isFolder;
    return new EnvFile(name, undefined, absent ? {} : { unreadable: code });
  }
  if (bytes === undefined) throw tooLarge(name, origin);
  if (isUtf16(bytes)) return new EnvFile(name, undefined, { unreadable: UTF_16 });
  const text = new TextDecoder().decode(bytes);
  // ADC loads `.env` by itself, and hears of any other file through adc-run alone.
  const others = name === ".env" ? readAsRustAdc(text) : undefined;
  return new EnvFile(name, await parseVariables(text), { others });
}

function tooLarge(name: string, origin: Origin | undefined): ConnectionError {
  const suggestion = "Keep only what ADC needs in it.";
  return origin === undefined
    ? new ConnectionError(`Cannot use ${name}: it is larger than 1 MiB`, EXIT.config, {
      suggestion,
    })
    : wrongValue(origin, `"${name}" is larger than 1 MiB`, { suggestion });
}

/**
 * The variables in a text, by the parser of ADC, without long runs of blank lines: its expression for a line
 * goes through the whole of such a run again from each of its lines, and 100,000 of them would take a minute.
 */
export async function parseVariables(text: string): Promise<Record<string, string>> {
  const { parse } = await import("dotenv");
  return parse(text.replace(
    /\s{64,}/g,
    // Unicode's separators start a line of an expression, and end none of the file's.
    (run) => (/[\r\n]/.exec(run) ?? /[\u2028\u2029]/.exec(run))?.[0] ?? run,
  ));
}

export async function readNamedFile(
  name: string,
  cwd: string,
  origin: Origin = { kind: "flag", name: "--env-file" },
): Promise<EnvFile> {
  const file = await readEnvFile(name, cwd, origin);
  if (file.exists && file.unreadable === undefined) return file;
  const found = file.exists
    ? `"${name}" cannot be read: ${reasonOf(file.unreadable)}`
    : `there is no file "${name}"`;
  throw wrongValue(origin, found, { suggestion: `Relative paths start from "${cwd}".` });
}

/** What another ADC finds in a file: pairs in their order, `undefined` for a value that it would expand. */
interface OtherReading {
  readonly pairs: readonly (readonly [name: string, value: string | undefined])[];
  /** The line that ends the reading, from 1. */
  readonly stoppedAt?: number;
  readonly isOpen?: boolean;
}

/** The first of two counts for the Rust ADC, and the last for the other. */
function differences(
  values: ReadonlyMap<string, readonly [string, string]>,
  others: OtherReading | undefined,
  nameOf: (name: string) => string,
): ReadonlyMap<string, string> {
  if (others === undefined) return new Map();
  const { pairs, stoppedAt, isOpen } = others;
  const found = new Map<string, string | undefined>();
  for (const [name, value] of pairs) {
    if (!found.has(nameOf(name))) found.set(nameOf(name), value);
  }
  const differing = new Map<string, string>();
  for (const name of new Set([...values.keys(), ...found.keys()])) {
    const value = values.get(name)?.[1];
    if (value !== undefined && value === found.get(name)) continue;
    differing.set(
      name,
      !found.has(name) && stoppedAt !== undefined
        ? `${
          isOpen ? "A quote is not closed: one" : "One"
        } ADC stops reading at line ${stoppedAt}. ` +
          "Write that line as NAME='value', with comments on lines of their own."
        : `Write it once, as ${name}='value', with comments on lines of their own.`,
    );
  }
  return differing;
}

const RUST_SPACE = "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const IS_SPACE = new RegExp(RUST_SPACE);
const LEADING_SPACE = new RegExp(`^${RUST_SPACE}+`);
const ASSIGNMENT = new RegExp(
  `^(?:export${RUST_SPACE}+(?!=))?([A-Za-z_][\\w.]*)${RUST_SPACE}*=${RUST_SPACE}*(.*)$`,
  "s",
);

/**
 * Reads a file as the Rust ADC does, by dotenvy: no multi-line backticks, no `NAME: value`, `$NAME` expanded,
 * and all that it cannot take apart ends the reading, an open quote in a comment after two blanks, too.
 */
function readAsRustAdc(text: string): OtherReading {
  const pairs: [string, string | undefined][] = [];
  const lines = text.split(/(?<=\n)/);
  for (let at = 0; at < lines.length;) {
    const stop = { pairs, stoppedAt: at + 1 };
    const { line, length } = joinLines(lines, at);
    const end = at + length;
    // Bytes that are no UTF-8 end the reading, in a comment as well.
    if (line === undefined) return { ...stop, isOpen: /["']/.test(lines[at]!) };
    if (lines.slice(at, end).some((each) => each.includes("\ufffd"))) {
      return stop;
    }
    at = end;
    const content = trimmed(line);
    if (content === "" || content.startsWith("#")) continue;
    const [, name, rest = ""] = ASSIGNMENT.exec(content) ?? [];
    if (name === undefined) return stop;
    const value = rest.startsWith("#") ? { text: "" } : readRustValue(rest);
    if (value === undefined) return stop;
    pairs.push([name, value.text]);
  }
  return { pairs };
}

/** By hand: an expression would go through a long run of blanks again from each of them. */
function trimmed(line: string): string {
  let end = line.length;
  while (end > 0 && IS_SPACE.test(line[end - 1]!)) end--;
  return line.slice(0, end).replace(LEADING_SPACE, "");
}

/** One line, and those that a quote or a backslash at its end adds; `undefined` where the file ends in one. */
function joinLines(
  lines: readonly string[],
  start: number,
): { readonly line: string | undefined; readonly length: number } {
  if (lines[start]!.replace(LEADING_SPACE, "").startsWith("#")) return { line: "", length: 1 };
  let state: "plain" | "blank" | '"' | "'" = "plain";
  let isEscaped = false;
  for (let end = start; end < lines.length; end++) {
    const line = lines[end]!;
    const length = end - start + 1;
    for (let index = 0; index < line.length; index++) {
      const character = line[index]!;
      const isQuoted: boolean = state === '"' || state === "'";
      if (isEscaped) isEscaped = false;
      else if (character === "\\") [isEscaped, state] = [true, isQuoted ? state : "plain"];
      else if (isQuoted) state = character === state ? "plain" : state;
      else if (state === "blank" && character === "#") {
        const before = [...lines.slice(start, end), line.slice(0, index)];
        return { line: before.join(""), length };
      } else if (character === '"' || character === "'") state = character;
      // A second blank is no longer one: what follows it is no comment yet.
      else if (state === "plain" && IS_SPACE.test(character) && !/[\r\n]/.test(character)) {
        state = "blank";
      } else state = "plain";
    }
    if (state !== "plain" || isEscaped) continue;
    return { line: lines.slice(start, end + 1).join("").replace(/\r?\n$/, ""), length };
  }
  return { line: undefined, length: lines.length - start };
}

/** The value without its quotes, no text where it is expanded; nothing where it cannot be taken apart. */
function readRustValue(rest: string): { readonly text: string | undefined } | undefined {
  let text = "";
  let quote = "";
  let [isEscaped, isOver, isExpanded] = [false, false, false];
  /** What a `$` began, which is taken as it is, a quote too; all of it is not kept. */
  let name: "" | "{" | "letters" | undefined;
  for (const character of rest) {
    if (isOver) {
      if (character === "#") break;
      if (character !== " " && character !== "\t") return undefined;
    } else if (isEscaped) {
      if (!/[\\'"$ n]/.test(character)) return undefined;
      text += character === "n" ? "\n" : character;
      isEscaped = false;
    } else if (quote === "'") {
      if (character === "'") quote = "";
      else text += character;
    } else if (name === "{") name = character === "}" ? undefined : "{";
    // No literal: V8 would look its properties up at every start.
    else if (name !== undefined && new RegExp("[\\p{Alphabetic}\\p{N}]", "u").test(character)) {
      name = "letters";
    } else if (name === "" && character === "{") name = "{";
    else if (character === "$") [name, isExpanded] = ["", true];
    else if (name !== undefined) name = undefined;
    else if (character === "\\") isEscaped = true;
    else if (quote === '"') {
      if (character === '"') quote = "";
      else text += character;
    } else if (character === "'" || character === '"') quote = character;
    else if (character === " " || character === "\t") isOver = true;
    else text += character;
  }
  // With a NUL it cannot be set, and ADC ends.
  if (quote !== "" || name === "{" || text.includes("\0")) return undefined;
  return { text: isExpanded ? undefined : text };
}
