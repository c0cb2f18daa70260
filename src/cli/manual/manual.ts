import { UsageError } from "../../errors.ts";
import { nearest } from "../../system/nearest.ts";
import type { GlobalOptions, OptionSpec, Values } from "../global_options.ts";
import type { Io } from "../io.ts";
import { guessing } from "../options.ts";
import type { Reporter } from "../output/report.ts";
import { AUTH_COMMANDS } from "./auth_commands.ts";
import { OTHER_COMMANDS } from "./other_commands.ts";
import { PROFILE_COMMANDS } from "./profile_commands.ts";
import { TOPICS } from "./topics.ts";

export type TextBlock =
  | string
  | readonly string[]
  | { readonly rows: readonly (readonly [term: string, text: string])[] };

/** What a line does, in a few words, and the line as it is typed into a shell. */
export type ManualExample = readonly [text: string, line: string];

/** A command of adc-run: dispatch, parsing, refusals, help, the man page and completion are made from it. */
export interface CommandSpec {
  readonly name: string;
  readonly usage?: readonly string[];
  readonly summary: string;
  readonly description: readonly TextBlock[];
  readonly options?: readonly OptionSpec[];
  /** The options before the command, by their long names, that may stand behind it as well. */
  readonly shared?: readonly string[];
  /** Which of ADC's connection flags it takes: all, all but `--token`, or those that can be written down. */
  readonly connection?: "to connect" | "with the stored token" | "to keep";
  /** The backend where none is set: a command that only API7 Enterprise has needs no flag to say so. */
  readonly backend?: "api7ee";
  /** Whether it changes nothing, whatever a variable says of a dry run. */
  readonly readOnly?: true;
  /** The words that are no options: how many, what they are, and what they can be. */
  readonly operands?: {
    readonly least?: number;
    readonly most?: number;
    /** What there is too little or too much of; without it the command says so itself. */
    readonly what?: string;
    readonly values?: Values;
  };
  readonly examples: readonly ManualExample[];
  readonly seeAlso?: readonly string[];
  /** Loads what carries it out. Those without it are words of `main()` itself, or have subcommands. */
  readonly run?: () => Promise<(call: OwnCall<never>, io: Io) => Promise<number>>;
}

export interface OwnCall<T = object> {
  readonly spec: CommandSpec;
  /** adc-run's own options, from before and behind the command's name, and the command's. */
  readonly options: GlobalOptions & T;
  readonly operands: readonly string[];
  readonly connectionWords: readonly string[];
  readonly reporter: Reporter;
}

export interface ManualTopic {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly text: readonly TextBlock[];
  readonly examples?: readonly ManualExample[];
  readonly seeAlso?: readonly string[];
}

export const COMMANDS: readonly CommandSpec[] = [
  ...AUTH_COMMANDS,
  ...PROFILE_COMMANDS,
  ...OTHER_COMMANDS,
];

/** How adc-run is called: ADC's commands, its own in the order of their table, and any word to ADC. */
export const SYNOPSIS: readonly (readonly [usage: string, text: string])[] = [
  ["adc-run [options] <adc command> [adc options]", "run ADC with a checked token"],
  ...COMMANDS.filter(({ name }) => !name.includes(" ") && name !== "help").map(synopsisOf),
  ["adc-run [options] -- <words>", "pass everything to ADC"],
];

function synopsisOf({ name, usage = [], summary }: CommandSpec): readonly [string, string] {
  const names = subcommandNames(name);
  if (names.length > 0) return [`adc-run ${name} ${names.join("|")}`, ""];
  return [usage[0]!.replace(/ \[options\]$/, ""), summary.split(/[,;] /)[0]!];
}

export type Page =
  | { readonly kind: "command"; readonly command: CommandSpec }
  | { readonly kind: "adc"; readonly command: AdcCommand }
  | { readonly kind: "topic"; readonly topic: ManualTopic };

export function findPage(name: string): Page | undefined {
  const command = COMMANDS.find((each) => each.name === name);
  if (command) return { kind: "command", command };
  const topic = TOPICS.find((each) => each.name === name || each.aliases?.includes(name));
  if (topic) return { kind: "topic", topic };
  const adc = ADC_COMMANDS.find((each) => each.name === name);
  return adc && { kind: "adc", command: adc };
}

export function pageNames(): readonly string[] {
  return [
    ...COMMANDS.map(({ name }) => name),
    ...TOPICS.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...ADC_COMMANDS.map(({ name }) => name),
  ];
}

export function subcommandsOf(command: string): readonly Pick<CommandSpec, "name" | "summary">[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${command} `))
    .map(({ name, summary }) => ({ name: name.slice(command.length + 1), summary }));
}

function subcommandNames(command: string): readonly string[] {
  return subcommandsOf(command).map(({ name }) => name);
}

export function usageOf({ name, usage }: CommandSpec): readonly string[] {
  return usage ?? [`adc-run ${[name, subcommandNames(name).join("|")].join(" ").trim()} [options]`];
}

const USUAL_NAMES: Readonly<Record<string, string>> = {
  whoami: "auth status",
  version: "--version",
  config: "profile",
  "auth ls": "auth list",
  "auth rm": "auth revoke",
  "profile add": "profile set",
  "profile ls": "profile list",
  "profile rm": "profile remove",
};

/** Refuses a first word that is not a command. One of a newer ADC stands after `--`. */
export function refuseUnknownCommand(word: string): void {
  const ours = COMMANDS.map(({ name }) => name).filter((name) => !name.includes(" "));
  const adcs = ADC_COMMANDS.map(({ name }) => name);
  if ([...ours, ...adcs, ...HIDDEN_ADC_COMMANDS].includes(word) || word.startsWith("-")) return;
  if (word.trim() === "") {
    throw new UsageError("The command is empty", { suggestion: 'See "adc-run --help".' });
  }
  // "adc-run login" is "adc-run auth login" with a word left out.
  const subcommands = subcommandNames("auth");
  const near = nearest(word, [...ours, ...adcs, ...subcommands]);
  const meant = USUAL_NAMES[word] ??
    (near !== undefined && subcommands.includes(near) ? `auth ${near}` : near);
  const shown = shownWord(word);
  throw new UsageError(guessing(`Unknown command "${shown}"`, meant), {
    suggestion: `See "adc-run --help". To pass it to ADC: adc-run -- ${shown}`,
  });
}

/** A word that strayed here may be a secret. */
export function shownWord(word: string): string {
  return /^[a-z]+(-[a-z]+)*$/i.test(word) ? word : `${word.slice(0, 2)}…`;
}

export function unknownSubcommand(command: string, name: string): UsageError {
  const names = subcommandNames(command);
  const near = nearest(name, names);
  const meant = USUAL_NAMES[`${command} ${name}`] ?? (near && `${command} ${near}`);
  const found = guessing(`Unknown command "${command} ${shownWord(name)}"`, meant);
  const all = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
  return new UsageError(found, { suggestion: `Commands: ${command} ${all}.` });
}

export interface AdcCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  readonly connection: boolean;
  readonly operands?: Values;
}

const FILE: OptionSpec = {
  flags: "-f, --file PATH",
  text: "a file with the configuration",
  values: "files",
};
const OUTPUT: OptionSpec = {
  flags: "-o, --output PATH",
  text: "the file to write",
  values: "files",
};
const NO_LINT: OptionSpec = { flags: "--no-lint", text: "skip ADC's lint" };
const CONCURRENT: OptionSpec = {
  flags: "--request-concurrent N",
  text: "how many requests to send at once",
};
const WITH_ID: OptionSpec = { flags: "--with-id", text: "include the ids of the resources" };

const RESOURCE_TYPES =
  ("route service upstream ssl global_rule plugin_config plugin_metadata consumer consumer_group " +
    "consumer_credential stream_route").split(" ");

const FILTERS: readonly OptionSpec[] = [
  { flags: "--label-selector KEY=VALUE", text: "only resources with this label" },
  {
    flags: "--include-resource-type TYPE",
    text: "only resources of this type",
    values: RESOURCE_TYPES,
  },
  {
    flags: "--exclude-resource-type TYPE",
    text: "all resources except this type",
    values: RESOURCE_TYPES,
  },
  { flags: "--no-managed-by-label", text: "do not add the label managed-by=adc" },
];

const COMMON: readonly OptionSpec[] = [
  { flags: "--verbose LEVEL", text: "how much ADC prints", values: ["0", "1", "2"] },
  { flags: "-h, --help", text: "show ADC's help for the command" },
];

const ADC_TABLE:
  readonly (readonly [string, string, readonly OptionSpec[], Partial<AdcCommand>?])[] = [
    ["sync", "apply the local configuration to the gateway", [
      FILE,
      NO_LINT,
      CONCURRENT,
      ...FILTERS,
    ]],
    ["diff", "show what sync would change", [FILE, NO_LINT, ...FILTERS]],
    ["dump", "save the gateway's configuration to a file", [OUTPUT, WITH_ID, ...FILTERS]],
    ["validate", "validate the local configuration on the gateway", [FILE, NO_LINT, ...FILTERS]],
    ["ping", "check the connection to the gateway", []],
    ["lint", "check the local configuration; needs no token", [FILE], { connection: false }],
    [
      "convert",
      "create a configuration from an OpenAPI specification; needs no token",
      [FILE, OUTPUT],
      { connection: false, operands: ["openapi"] },
    ],
  ];

export const ADC_COMMANDS: readonly AdcCommand[] = ADC_TABLE.map(
  ([name, summary, options, more]) => ({
    name,
    summary,
    options: [...options, ...COMMON],
    connection: true,
    ...more,
  }),
);

/** ADC's commands that depend on its environment, and so are not offered. */
const HIDDEN_ADC_COMMANDS = ["help", "dev", "server", "ingress-server", "ingress-sync"];
