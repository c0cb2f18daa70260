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

const VERBOSE: OptionSpec = {
  flags: "--verbose LEVEL",
  text: "how much ADC prints",
  values: ["0", "1", "2"],
};

const HELP: OptionSpec = { flags: "-h, --help", text: "show ADC's help for the command" };

const NO_LINT: OptionSpec = { flags: "--no-lint", text: "skip ADC's lint" };

const CONCURRENT: OptionSpec = {
  flags: "--request-concurrent N",
  text: "how many requests to send at once",
};

export const ADC_COMMANDS: readonly AdcCommand[] = [
  {
    name: "sync",
    summary: "apply the local configuration to the gateway",
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
      { flags: "--with-id", text: "include the ids of the resources" },
      ...FILTERS,
      VERBOSE,
      HELP,
    ],
    connection: true,
  },
  {
    name: "validate",
    summary: "validate the local configuration on the gateway",
    options: [FILE, NO_LINT, ...FILTERS, VERBOSE, HELP],
    connection: true,
  },
  {
    name: "ping",
    summary: "check the connection to the gateway",
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
    summary: "create a configuration from an OpenAPI specification; needs no token",
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
export const HIDDEN_ADC_COMMANDS: readonly string[] = [
  "help",
  "dev",
  "server",
  "ingress-server",
  "ingress-sync",
];
