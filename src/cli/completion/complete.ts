import { Buffer } from "node:buffer";
import {
  CONNECTION_FLAGS,
  GLOBAL_OPTIONS,
  namesOf,
  type OptionSpec,
  type Values,
} from "../global_options.ts";
import { type Io, readInput } from "../io.ts";
import { connectionFlags, sharedOptions } from "../manual/help.ts";
import { ADC_COMMANDS, COMMANDS, subcommandsOf } from "../manual/manual.ts";
import { TOPICS } from "../manual/topics.ts";
import { splitCommand } from "../../token/sources/command_source.ts";
import { cell, fixed, writeText } from "../output/out.ts";

const MAX_LINE_LENGTH = 1 << 16;

/** Says nothing of what goes wrong: it would land in the middle of what is being typed. */
export async function complete(line: readonly string[], io: Io): Promise<number> {
  try {
    const [first, ...rest] = line;
    const words = first === "--" ? rest : readWords(first, await readLine(io));
    const profiles = await profileCandidates(io);
    writeText(fixed(formatCompletion(completeWords(words, profiles))), io, "stdout");
  } catch {
    writeText(fixed(":none"), io, "stdout");
  }
  return 0;
}

/** In the form that the script of each shell sends. */
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

async function readLine(io: Io): Promise<string> {
  const tooLong = "Cannot complete the line: it is too long";
  return (await readInput(io.stdin, { max: MAX_LINE_LENGTH, tooLong })).toString("utf8");
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

/** Takes a line apart as a shell does, expanding nothing. A quote that is still open ends with the line. */
export function splitLine(line: string): readonly string[] {
  const whole = line.replace(/(?<!\\)((?:\\\\)*)\\$/, "$1");
  for (const end of [/(^|\s)$/.test(whole) ? "''" : "", "'", '"']) {
    try {
      return splitCommand(`${whole}${end}`, "linux");
    } catch {
      // It is another quote that is open.
    }
  }
  return [];
}

const HELP: OptionSpec = { flags: "-h, --help", text: "show help for the command" };

interface Candidate {
  readonly value: string;
  readonly text: string;
}

interface Completion {
  readonly candidates: readonly Candidate[];
  /** What else: nothing, a file (after the equals sign), or another command's words from this one on. */
  readonly rest: "none" | "files" | "files=" | { readonly commandAt: number };
}

const NOTHING: Completion = { candidates: [], rest: "none" };
const FILES: Completion = { candidates: [], rest: "files" };

/** What can be typed at a place of the line: a word or an option; and what comes after a word. */
interface Place extends Words {
  readonly options: readonly OptionSpec[];
  /** @default the same place */
  readonly after?: (word: string, at: number, words: readonly string[]) => Place | Completion;
  /** Where `--` leads; else only options end there. */
  readonly verbatim?: Place;
}

interface Words {
  readonly values?: Values | readonly Candidate[] | undefined;
  readonly list?: true;
}

export function completeWords(
  words: readonly string[],
  profiles: readonly Candidate[],
): Completion {
  const current = words.at(-1) ?? "";
  let place = topPlace();
  let mayBeOption = true;
  for (let at = 0; at < words.length - 1; at++) {
    const word = words[at]!;
    const canBeOption = mayBeOption && place.options.length > 0;
    if (canBeOption && word === "--") {
      mayBeOption = false;
      place = place.verbatim ?? place;
    } else if (canBeOption && word.startsWith("-")) {
      const option = word.includes("=") ? undefined : findOption(word, place.options);
      if (option === undefined || !takesValue(option)) continue;
      if (++at === words.length - 1) return completeValue(current, option, profiles);
    } else {
      const next = place.after?.(word, at, words) ?? place;
      if ("rest" in next) return next;
      if (next !== place) mayBeOption = true;
      place = next;
    }
  }
  return mayBeOption && current.startsWith("-")
    ? completeOption(current, place.options, profiles)
    : completeValue(current, place, profiles);
}

function topPlace(): Place {
  return {
    options: GLOBAL_OPTIONS,
    values: [...topLevel(), ...adcCandidates()],
    after: placeOfCommand,
    verbatim: { options: [], values: adcCandidates(), after: placeOfAdc },
  };
}

function placeOfCommand(word: string, at: number, words: readonly string[]): Place | Completion {
  if (word === "exec") return completeExec(words, at + 1);
  if (word === "help") {
    const pages = [...topLevel(), ...candidatesOf(TOPICS), ...adcCandidates()];
    const below = (page: string) => candidatesOf(subcommandsOf(page));
    const after = (page: string) => ({ options: [], values: below(page), after: () => NOTHING });
    return { options: [], values: pages, after };
  }
  const names = candidatesOf(subcommandsOf(word));
  if (names.length === 0) return placeOfOwn(word) ?? placeOfAdc(word);
  const after = (name: string) => placeOfOwn(`${word} ${name}`) ?? NOTHING;
  return { options: [], values: names, after };
}

function placeOfOwn(name: string): Place | undefined {
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) return undefined;
  const { options: own = [], operands } = command;
  const options = [...own, ...sharedOptions(command), ...connectionFlags(command), HELP];
  return { options, values: operands?.values };
}

/** A command of a newer ADC may take files, and nothing else is known about it. */
function placeOfAdc(name: string): Place | Completion {
  const command = ADC_COMMANDS.find((each) => each.name === name);
  if (command === undefined) return FILES;
  const { operands: values, connection } = command;
  return { options: [...command.options, ...(connection ? CONNECTION_FLAGS : [])], values };
}

/** Program names count from 1: the first word is adc-run itself. */
function completeExec(words: readonly string[], first: number): Completion {
  const last = words.length - 1;
  if (first === last) return pick(words[last]!, [{ value: "--", text: "the command follows" }]);
  if (words[first] === "--") return { candidates: [], rest: { commandAt: first + 2 } };
  return words[first]!.startsWith("-")
    ? NOTHING
    : { candidates: [], rest: { commandAt: first + 1 } };
}

function topLevel(): readonly Candidate[] {
  return candidatesOf(COMMANDS.filter(({ name }) => !name.includes(" ")));
}

function candidatesOf(
  named: readonly { readonly name: string; readonly summary: string }[],
): readonly Candidate[] {
  return named.map(({ name, summary }) => ({ value: name, text: summary }));
}

function adcCandidates(): readonly Candidate[] {
  return ADC_COMMANDS.map(({ name, summary }) => ({ value: name, text: `ADC: ${summary}` }));
}

function completeOption(
  current: string,
  options: readonly OptionSpec[],
  profiles: readonly Candidate[],
): Completion {
  const [name = "", ...values] = current.split("=");
  if (current.startsWith("--") && values.length > 0) {
    const option = findOption(name, options);
    if (option === undefined || !takesValue(option)) return NOTHING;
    const { candidates, rest } = completeValue(values.join("="), option, profiles);
    return {
      candidates: candidates.map((each) => ({ ...each, value: `${name}=${each.value}` })),
      rest: rest === "files" ? "files=" : "none",
    };
  }
  // A token on the command line can be read by every user of the machine.
  const offered = options.filter(({ flags }) => !flags.startsWith("--token "));
  return pick(current, offered.map((each) => ({ value: namesOf(each).long, text: each.text })));
}

function completeValue(
  current: string,
  { values, list }: Words,
  profiles: readonly Candidate[],
): Completion {
  if (values === undefined) return NOTHING;
  if (values === "files") return FILES;
  const all = values === "profiles"
    ? profiles
    : values.map((each) => typeof each === "string" ? { value: each, text: "" } : each);
  if (!list) return pick(current, all);
  const before = current.split(",").slice(0, -1);
  const head = before.map((each) => `${each},`).join("");
  const others = all.filter(({ value }) => !before.includes(value));
  return pick(current, others.map(({ value, text }) => ({ value: head + value, text })));
}

function pick(current: string, all: readonly Candidate[]): Completion {
  return { candidates: all.filter(({ value }) => value.startsWith(current)), rest: "none" };
}

function findOption(word: string, options: readonly OptionSpec[]): OptionSpec | undefined {
  return options.find((option) => {
    const { short, long } = namesOf(option);
    return word === short || word === long;
  });
}

function takesValue(option: OptionSpec): boolean {
  return namesOf(option).value === "required";
}
