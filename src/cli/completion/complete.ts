import { Buffer } from "node:buffer";
import type { Io } from "../io.ts";
import { cell, fixed, writeText } from "../output/out.ts";
import { type Candidate, completeWords, type Completion } from "./complete_words.ts";

/** A longer line is not completed. */
const MAX_LINE_LENGTH = 1 << 16;

/**
 * Prints what may stand at the end of a line.
 *
 * The words stand behind `--`; else they come on standard input, in the form that the script of the named
 * shell sends. Nothing that goes wrong is reported: it would land in the middle of what is being typed.
 */
export async function complete(line: readonly string[], io: Io): Promise<number> {
  try {
    const [first, ...rest] = line;
    const words = first === "--" ? rest : readWords(first, await readInput(io));
    const profiles = await profileCandidates(io);
    writeText(fixed(formatCompletion(completeWords(words, profiles))), io, "stdout");
  } catch {
    writeText(fixed(":none"), io, "stdout");
  }
  return 0;
}

function readWords(shell: string | undefined, input: string): readonly string[] {
  switch (shell) {
    case "bash":
      return splitLine(input).slice(1);
    case "powershell":
      return Buffer.from(input, "base64").toString("utf8").split("\0");
    default:
      return input.split("\0").slice(0, -1);
  }
}

async function readInput(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array | string>) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > MAX_LINE_LENGTH) throw new RangeError("The line is too long");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A shell may do something else with any other character, so no word with one is offered. */
const HARMLESS = /^[\w.,=@%+/-][\w.,:=@%+/-]*$/;

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f]+/g;

/**
 * Writes a completion down: a line for each word, with a tab and what it means, and a last line that starts
 * with a colon: `:none`, `:files`, `:files=` (behind the equals sign), or `:command N` (the words from number
 * N on are another command's).
 */
export function formatCompletion({ candidates, rest }: Completion): string {
  const lines = candidates.filter(({ value }) => HARMLESS.test(value)).map(describe);
  const last = typeof rest === "string" ? `:${rest}` : `:command ${rest.commandAt}`;
  return [...lines, last, ""].join("\n");
}

function describe({ value, text }: Candidate): string {
  return text === "" ? value : `${value}\t${text.replace(CONTROLS, " ")}`;
}

/** What a profile says about its target may be somebody else's work, and is shown in a terminal. */
const PRINTABLE = /^[\w.:/@-]{1,80}$/;

/** Reads the profiles' names. A file that cannot be read has none. */
async function profileCandidates(io: Io): Promise<readonly Candidate[]> {
  const { readProjectProfiles, readUserProfiles } = await import("../../profiles/profile_file.ts");
  const { env, cwd } = io;
  const files = await Promise.allSettled([readUserProfiles(env), readProjectProfiles(cwd)]);
  const found = new Map<string, Candidate>();
  for (const file of files) {
    if (file.status === "rejected") continue;
    for (const [name, { backend = "", server = "" }] of file.value.profiles) {
      if (found.has(name) || cell(name, io) !== name) continue;
      const known = [backend, server].filter((each) => PRINTABLE.test(each));
      const text = cell(known.join(" "), io);
      found.set(name, { value: name, text });
    }
  }
  return [...found.values()];
}

/**
 * Takes a line apart as bash does, without expanding anything: `$(…)`, variables, `~` and patterns stay
 * as they are written. A quote that is still open ends with the line.
 */
export function splitLine(line: string): readonly string[] {
  const words = [""];
  const add = (text: string) => words.push(words.pop()! + text);
  let quote = "";
  let begun = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index]!;
    const next = line[index + 1];
    if (quote !== "") {
      if (character === quote) quote = "";
      // Between double quotes a backslash is one, but before these.
      else if (quote === '"' && character === "\\" && next && '$`"\\'.includes(next)) {
        add(next);
        index++;
      } else add(character);
    } else if (character === "'" || character === '"') {
      quote = character;
      begun = true;
    } else if (character === "\\") {
      add(next ?? "");
      begun = true;
      index++;
    } else if (/\s/.test(character)) {
      if (words.at(-1) !== "" || begun) words.push("");
      begun = false;
    } else add(character);
  }
  return words;
}
