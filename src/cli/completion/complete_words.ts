import {
  CONNECTION_FLAGS,
  GLOBAL_OPTIONS,
  namesOf,
  type OptionSpec,
  type Values,
} from "../global_options.ts";
import { ADC_COMMANDS } from "../manual/adc_commands.ts";
import { connectionFlags, sharedOptions } from "../manual/help.ts";
import { COMMANDS, subcommandsOf } from "../manual/manual.ts";
import { TOPICS } from "../manual/topics.ts";

const HELP: OptionSpec = { flags: "-h, --help", text: "show help for the command" };

export function completeWords(
  words: readonly string[],
  profiles: readonly Candidate[],
): Completion {
  const current = words.at(-1) ?? "";
  const read = readOptions(words, { from: 0, options: GLOBAL_OPTIONS });
  if (read.option) return completeValue(current, { ...read.option, profiles });
  const { at } = read;
  if (words[at - 1] === "--" && at === words.length - 1) return pick(current, adcCandidates());
  if (at === words.length - 1) {
    if (current.startsWith("-")) {
      return completeOption(current, { options: GLOBAL_OPTIONS, profiles });
    }
    return pick(current, [...topLevel(), ...adcCandidates()]);
  }
  const command = words[at]!;
  if (words[at - 1] === "--") return completeAdc(words, { at, profiles });
  if (command === "exec") return completeExec(words, at);
  if (command === "help") return completeHelp(words.slice(at + 1));
  const names = subcommandsOf(command);
  if (names.length > 0) {
    if (at + 1 === words.length - 1) return pick(current, candidatesOf(names));
    return completeOwn(words, { at: at + 1, name: `${command} ${words[at + 1]}`, profiles });
  }
  return COMMANDS.some(({ name }) => name === command)
    ? completeOwn(words, { at, name: command, profiles })
    : completeAdc(words, { at, profiles });
}

function completeOwn(
  words: readonly string[],
  own: { readonly at: number; readonly name: string; readonly profiles: readonly Candidate[] },
): Completion {
  const command = COMMANDS.find(({ name }) => name === own.name);
  if (command === undefined) return NOTHING;
  const options = [
    ...(command.options ?? []),
    ...sharedOptions(command),
    ...connectionFlags(command),
    HELP,
  ];
  const operands = command.operands?.values;
  return completeBehind(words, { from: own.at + 1, options, operands, profiles: own.profiles });
}

/** A command of a newer ADC may take files, and nothing else is known about it. */
function completeAdc(
  words: readonly string[],
  adc: { readonly at: number; readonly profiles: readonly Candidate[] },
): Completion {
  const command = ADC_COMMANDS.find(({ name }) => name === words[adc.at]);
  if (command === undefined) return FILES;
  const { operands, connection } = command;
  const options = [...command.options, ...(connection ? CONNECTION_FLAGS : [])];
  return completeBehind(words, { from: adc.at + 1, options, operands, profiles: adc.profiles });
}

function completeExec(words: readonly string[], at: number): Completion {
  const first = at + 1;
  const current = words.at(-1)!;
  if (words[first] === "--" && words.length - 1 > first) return command(first + 1);
  if (first < words.length - 1) return words[first]!.startsWith("-") ? NOTHING : command(first);
  return pick(current, [{ value: "--", text: "the command follows" }]);
}

/** Program names count from 1 here: the first word is the program itself. */
const command = (at: number): Completion => ({ candidates: [], rest: { commandAt: at + 1 } });

function completeHelp(words: readonly string[]): Completion {
  const current = words.at(-1)!;
  if (words.length === 2) return pick(current, candidatesOf(subcommandsOf(words[0]!)));
  if (words.length > 2) return NOTHING;
  return pick(current, [...topLevel(), ...candidatesOf(TOPICS), ...adcCandidates()]);
}

function completeBehind(
  words: readonly string[],
  behind: {
    readonly from: number;
    readonly options: readonly OptionSpec[];
    readonly operands: Values | undefined;
    readonly profiles: readonly Candidate[];
  },
): Completion {
  const current = words.at(-1)!;
  const { options, profiles } = behind;
  let { from } = behind;
  for (;;) {
    const read = readOptions(words, { from, options });
    if (read.option) return completeValue(current, { ...read.option, profiles });
    if (words[read.at - 1] === "--" && read.at > from) break;
    if (read.at >= words.length - 1) {
      if (current.startsWith("-")) return completeOption(current, { options, profiles });
      break;
    }
    from = read.at + 1;
  }
  return completeValue(current, { values: behind.operands, profiles });
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

export interface Candidate {
  readonly value: string;
  readonly text: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /**
   * What else: nothing; a file; a file behind the equals sign; or the words of another command, the first
   * of which has this index, adc-run itself being number 0.
   */
  readonly rest: "none" | "files" | "files=" | { readonly commandAt: number };
}

const NOTHING: Completion = { candidates: [], rest: "none" };

const FILES: Completion = { candidates: [], rest: "files" };

function readOptions(
  words: readonly string[],
  { from, options }: { readonly from: number; readonly options: readonly OptionSpec[] },
): { readonly at: number; readonly option?: OptionSpec } {
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

function completeOption(
  current: string,
  { options, profiles }: {
    readonly options: readonly OptionSpec[];
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
    offered.map((option) => ({ value: namesOf(option).long, text: option.text })),
  );
}

function completeValue(
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

function pick(current: string, all: readonly Candidate[]): Completion {
  return { candidates: all.filter(({ value }) => value.startsWith(current)), rest: "none" };
}

function findOption(
  word: string,
  options: readonly OptionSpec[],
): OptionSpec | undefined {
  return options.find((option) => {
    const { short, long } = namesOf(option);
    return word === short || word === long;
  });
}

function takesValue(option: OptionSpec): boolean {
  return namesOf(option).value === "required";
}
