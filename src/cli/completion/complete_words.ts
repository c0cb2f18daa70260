import { ADC_COMMANDS } from "../manual/adc_commands.ts";
import type { ManualOption, Values } from "../manual/entry.ts";
import { CONNECTION_FLAGS, GLOBAL_OPTIONS } from "../manual/global_options.ts";
import { COMMANDS, findPage, subcommandsOf } from "../manual/manual.ts";
import { connectionFlags, sharedOptions } from "../manual/render.ts";
import { TOPICS } from "../manual/topics.ts";
import {
  completeOption,
  completeValue,
  FILES,
  NOTHING,
  pick,
  readOptions,
} from "./complete_option.ts";
import type { Candidate, Completion } from "./complete_option.ts";

const HELP: ManualOption = { flags: "-h, --help", text: "show the help on the command" };

/** Completes the last word. */
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
    if (at + 1 === words.length - 1) return pick(current, subcommandCandidates(command));
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
  const { operands } = command;
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
  if (words.length === 2) return pick(current, subcommandCandidates(words[0]!));
  if (words.length > 2) return NOTHING;
  const topics = TOPICS.map(({ name, summary }) => ({ value: name, text: summary }));
  return pick(current, [...topLevel(), ...topics, ...adcCandidates()]);
}

function completeBehind(
  words: readonly string[],
  behind: {
    readonly from: number;
    readonly options: readonly ManualOption[];
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
  return COMMANDS.filter(({ name }) => !name.includes(" "))
    .map(({ name, summary }) => ({ value: name, text: summary }));
}

function subcommandCandidates(command: string): readonly Candidate[] {
  return subcommandsOf(command).map((name) => {
    const page = findPage(`${command} ${name}`);
    return { value: name, text: page?.kind === "command" ? page.command.summary : "" };
  });
}

function adcCandidates(): readonly Candidate[] {
  return ADC_COMMANDS.map(({ name, summary }) => ({ value: name, text: `ADC: ${summary}` }));
}
