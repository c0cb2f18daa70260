import { ADC_COMMANDS } from "./adc_commands.ts";
import { AUTH_COMMANDS } from "./auth_commands.ts";
import { OTHER_COMMANDS } from "./other_commands.ts";
import { PROFILE_COMMANDS } from "./profile_commands.ts";
import { TOPICS } from "./topics.ts";

/** What stands for an option's or an operand's value, as far as completion can tell. */
export type Values = readonly string[] | "files" | "profiles";

/** A paragraph, a block that keeps its line breaks, or a table of two columns. */
export type TextBlock =
  | string
  | readonly string[]
  | { readonly rows: readonly (readonly [term: string, text: string])[] };

export interface ManualOption {
  /** How it is written, as in `-p, --profile NAME[,NAME...]`. */
  readonly flags: string;
  /** What it does, in one sentence without a period. */
  readonly text: string;
  readonly variable?: string | undefined;
  /** What its value can be. */
  readonly values?: Values | undefined;
  /** Whether several values may stand there, with commas between them. */
  readonly list?: boolean;
}

/** A line to try, and what it is for. */
export interface ManualExample {
  /** What it does, in a few words. */
  readonly text: string;
  /** The line, as it is typed into a shell. */
  readonly line: string;
}

/** A command of adc-run. */
export interface ManualCommand {
  /** Its words, such as `auth login`. */
  readonly name: string;
  /** How it is called, one form a line. */
  readonly usage: readonly string[];
  /** What it does, in one line without a period. */
  readonly summary: string;
  /** What it does, in full. */
  readonly description: readonly TextBlock[];
  readonly options?: readonly ManualOption[];
  /** Which of the options before the command may stand behind it as well. */
  readonly shared?: readonly string[];
  /** Whether it takes ADC's connection flags: to connect, or to write them down. */
  readonly connection?: "to connect" | "to keep";
  /** What its words can be, where they are no options. */
  readonly operands?: Values;
  /** Lines to try. */
  readonly examples: readonly ManualExample[];
  /** Commands and topics that belong to it. */
  readonly seeAlso?: readonly string[];
}

/** Something that more than one command is about. */
export interface ManualTopic {
  /** The word behind `adc-run help`. */
  readonly name: string;
  /** Other words for it. */
  readonly aliases?: readonly string[];
  /** What it is about, in one line without a period. */
  readonly summary: string;
  readonly text: readonly TextBlock[];
  /** Lines to try. */
  readonly examples?: readonly ManualExample[];
  /** Commands and topics that belong to it. */
  readonly seeAlso?: readonly string[];
}

/** A command of ADC, as far as adc-run helps with it. */
export interface AdcManualCommand {
  readonly name: string;
  /** What it does, in one line without a period. */
  readonly summary: string;
  /** Its options, apart from those that say how to connect. */
  readonly options: readonly ManualOption[];
  /** Whether it takes the options that say how to connect. */
  readonly connection: boolean;
  /** What its words can be, where they are no options. */
  readonly operands?: Values;
}

/** How adc-run is called, and what for. */
export const SYNOPSIS: readonly (readonly [usage: string, text: string])[] = [
  ["adc-run [options] <adc command> [adc options]", "run ADC with a checked token"],
  ["adc-run [options] exec -- <command> [args]", "run another program with it"],
  ["adc-run [options] api [METHOD] <path>", "one request to the Admin API"],
  ["adc-run auth login|status|token|list|rotate|revoke|logout", ""],
  ["adc-run profile list|show|set|remove|use|import|schema", ""],
  ["adc-run doctor", "look for what is wrong"],
  ["adc-run completion bash|zsh|fish|powershell", "complete words in a shell"],
  ["adc-run [options] -- <words>", "every word to ADC"],
];

/** adc-run's own commands, subcommands included. */
export const COMMANDS: readonly ManualCommand[] = [
  ...AUTH_COMMANDS,
  ...PROFILE_COMMANDS,
  ...OTHER_COMMANDS,
];

/** A page of the manual. */
export type Page =
  | { readonly kind: "command"; readonly command: ManualCommand }
  | { readonly kind: "adc"; readonly command: AdcManualCommand }
  | { readonly kind: "topic"; readonly topic: ManualTopic };

/** Finds a page. A command comes before a topic, and adc-run's own before ADC's. */
export function findPage(name: string): Page | undefined {
  const command = COMMANDS.find((each) => each.name === name);
  if (command) return { kind: "command", command };
  const topic = TOPICS.find((each) => each.name === name || each.aliases?.includes(name));
  if (topic) return { kind: "topic", topic };
  const adc = ADC_COMMANDS.find((each) => each.name === name);
  return adc && { kind: "adc", command: adc };
}

/** Every name that `findPage` knows. */
export function pageNames(): readonly string[] {
  return [
    ...COMMANDS.map(({ name }) => name),
    ...TOPICS.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...ADC_COMMANDS.map(({ name }) => name),
  ];
}

/** The subcommands of a command. */
export function subcommandsOf(name: string): readonly string[] {
  return COMMANDS.filter((each) => each.name.startsWith(`${name} `))
    .map((each) => each.name.slice(name.length + 1));
}
