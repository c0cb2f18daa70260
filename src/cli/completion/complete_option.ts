import type { ManualOption, Values } from "../manual/entry.ts";

/** A word that may stand there. */
export interface Candidate {
  readonly value: string;
  /** What it means. */
  readonly text: string;
}

/** What may stand there. */
export interface Completion {
  /** Words that start as the last word does. */
  readonly candidates: readonly Candidate[];
  /**
   * What else: nothing; a file; a file behind the equals sign; or the words of another command, the first
   * of which has this index, adc-run itself being number 0.
   */
  readonly rest: "none" | "files" | "files=" | { readonly commandAt: number };
}

/** Nothing may stand there. */
export const NOTHING: Completion = { candidates: [], rest: "none" };

/** A file may stand there. */
export const FILES: Completion = { candidates: [], rest: "files" };

/** Reads options up to the first word that is none, or the last. */
export function readOptions(
  words: readonly string[],
  { from, options }: { readonly from: number; readonly options: readonly ManualOption[] },
): { readonly at: number; readonly option?: ManualOption } {
  let at = from;
  while (at < words.length - 1) {
    const word = words[at]!;
    if (word === "--") return { at: at + 1 };
    if (!word.startsWith("-")) break;
    const option = word.includes("=") ? undefined : findOption(word, options);
    at++;
    if (option === undefined || !takesValue(option)) continue;
    if (at === words.length - 1) return { at, option };
    at++;
  }
  return { at };
}

/** Completes an option, or the value behind its equals sign. */
export function completeOption(
  current: string,
  { options, profiles }: {
    readonly options: readonly ManualOption[];
    readonly profiles: readonly Candidate[];
  },
): Completion {
  const [name, ...values] = current.split("=");
  if (current.startsWith("--") && values.length > 0) {
    const option = findOption(name!, options);
    if (option === undefined || !takesValue(option)) return NOTHING;
    const found = completeValue(values.join("="), { ...option, profiles });
    return {
      candidates: found.candidates.map((each) => ({ ...each, value: `${name}=${each.value}` })),
      rest: found.rest === "files" ? "files=" : "none",
    };
  }
  // A token on the command line can be read by every user of the machine.
  const offered = options.filter(({ flags }) => !flags.startsWith("--token "));
  return pick(
    current,
    offered.map(({ flags, text }) => ({ value: longName(flags), text })),
  );
}

/** Completes a value. */
export function completeValue(
  current: string,
  { values, list, profiles }: {
    readonly values?: Values | undefined;
    readonly list?: boolean;
    readonly profiles: readonly Candidate[];
  },
): Completion {
  if (values === undefined) return NOTHING;
  if (values === "files") return FILES;
  const all = values === "profiles" ? profiles : values.map((value) => ({ value, text: "" }));
  if (!list) return pick(current, all);
  const before = current.split(",").slice(0, -1);
  const head = before.map((each) => `${each},`).join("");
  return pick(
    current,
    all.filter(({ value }) => !before.includes(value))
      .map(({ value, text }) => ({ value: head + value, text })),
  );
}

/** Takes the candidates that start as the word does. */
export function pick(current: string, all: readonly Candidate[]): Completion {
  return { candidates: all.filter(({ value }) => value.startsWith(current)), rest: "none" };
}

function longName(flags: string): string {
  return /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags;
}

/** Finds an option by `-x` or `--long`. */
function findOption(
  word: string,
  options: readonly ManualOption[],
): ManualOption | undefined {
  return options.find(({ flags }) => flags.split(/[ ,[]+/).includes(word));
}

function takesValue({ flags }: ManualOption): boolean {
  return /--[a-z0-9-]+ \S/.test(flags);
}
