import type { OptionSpec, Values } from "../global_options.ts";

export interface AdcCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  readonly connection: boolean;
  /** What its words can be, where they are no options. */
  readonly operands?: Values;
}

const FILE: OptionSpec = {
  flags: "-f, --file PATH",
  text: "a file with the configuration",
  values: "files",
};

const RESOURCE_TYPES = [
  "route",
  "service",
  "upstream",
  "ssl",
  "global_rule",
  "plugin_config",
  "plugin_metadata",
  "consumer",
  "consumer_group",
  "consumer_credential",
  "stream_route",
];

const FILTERS: readonly OptionSpec[] = [
  { flags: "--label-selector KEY=VALUE", text: "only what has these labels" },
  {
    flags: "--include-resource-type TYPE",
    text: "only resources of this type",
    values: RESOURCE_TYPES,
  },
  {
    flags: "--exclude-resource-type TYPE",
    text: "all but resources of this type",
    values: RESOURCE_TYPES,
  },
  { flags: "--no-managed-by-label", text: "leave the label managed-by=adc out" },
];

const VERBOSE: OptionSpec = {
  flags: "--verbose LEVEL",
  text: "how much ADC says",
  values: ["0", "1", "2"],
};

const HELP: OptionSpec = { flags: "-h, --help", text: "show ADC's help on the command" };

const NO_LINT: OptionSpec = { flags: "--no-lint", text: "skip ADC's lint" };

const CONCURRENT: OptionSpec = {
  flags: "--request-concurrent N",
  text: "how many requests at once",
};

export const ADC_COMMANDS: readonly AdcCommand[] = [
  {
    name: "sync",
    summary: "bring the gateway in line with the local configuration",
    options: [FILE, NO_LINT, CONCURRENT, ...FILTERS, VERBOSE, HELP],
    connection: true,
  },
  {
    name: "diff",
    summary: "show what sync would change",
    options: [FILE, NO_LINT, ...FILTERS, VERBOSE, HELP],
    connection: true,
  },
  {
    name: "dump",
    summary: "save the gateway's configuration to a file",
    options: [
      { flags: "-o, --output PATH", text: "the file to write", values: "files" },
      { flags: "--with-id", text: "with the ids of the resources" },
      ...FILTERS,
      VERBOSE,
      HELP,
    ],
    connection: true,
  },
  {
    name: "validate",
    summary: "have the gateway validate the local configuration",
    options: [FILE, NO_LINT, ...FILTERS, VERBOSE, HELP],
    connection: true,
  },
  {
    name: "ping",
    summary: "ask the gateway whether it is there",
    options: [VERBOSE, HELP],
    connection: true,
  },
  {
    name: "lint",
    summary: "check the local configuration; needs no token",
    options: [FILE, VERBOSE, HELP],
    connection: false,
  },
  {
    name: "convert",
    summary: "make a configuration from an OpenAPI specification; needs no token",
    options: [
      FILE,
      { flags: "-o, --output PATH", text: "the file to write", values: "files" },
      VERBOSE,
      HELP,
    ],
    connection: false,
    operands: ["openapi"],
  },
];

/** ADC's commands that depend on its environment, and so are not offered. */
export const HIDDEN_ADC_COMMANDS: readonly string[] = ["help", "dev", "server"];
