import { ADC_SETTINGS } from "../adc/settings.ts";
import { BACKEND_NAMES } from "../connection/backends.ts";
import { SOURCE_NAMES } from "../token/sources.ts";

export type Values = readonly string[] | "files" | "profiles";

export interface OptionSpec {
  readonly flags: string;
  readonly text: string;
  readonly variable?: string | undefined;
  readonly values?: Values | undefined;
  readonly closed?: true;
  readonly list?: true;
  readonly repeats?: true;
}

interface OptionNames {
  readonly short: string | undefined;
  readonly long: string;
  readonly key: string;
  readonly negated: boolean;
  readonly value: "required" | "inline" | undefined;
}

export function namesOf({ flags }: Pick<OptionSpec, "flags">): OptionNames {
  const [, short, long = "", sign] = /^(?:(-\w), )?(--[a-z0-9-]+)(\[=| )?/.exec(flags) ?? [];
  const name = long.replace(/^--(no-)?/, "");
  return {
    short,
    long,
    key: name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    negated: long.startsWith("--no-"),
    value: sign === undefined ? undefined : sign === " " ? "required" : "inline",
  };
}

type CamelCase<T extends string> = T extends `${infer A}-${infer B}`
  ? `${A}${Capitalize<CamelCase<B>>}`
  : T;

type LongName<T extends string> = T extends `${string}--no-${infer Name}` ? Name
  : T extends `${string}--${infer Name} ${string}` ? Name
  : T extends `${string}--${infer Name}[${string}` ? Name
  : T extends `${string}--${infer Name}` ? Name
  : never;

type KeyOf<T extends OptionSpec> = CamelCase<LongName<T["flags"]>>;

type ValueOf<T extends OptionSpec> = T["flags"] extends `${string}--${string} ${string}`
  ? T extends { readonly closed: true; readonly values: readonly (infer Value)[] } ? Value
  : T extends { readonly repeats: true } ? readonly string[]
  : string
  : boolean;

export type OptionsOf<T extends readonly OptionSpec[]> = {
  readonly [Each in T[number] as KeyOf<Each>]?: ValueOf<Each>;
};

interface OptionEntry extends OptionSpec {
  /** @default "switch", or "text" for an option with a value */
  readonly kind?: "count" | "lifetime";
  /** What it is for: all commands, those that connect somewhere, or runs of ADC alone, the default. */
  readonly scope?: "all" | "connections";
  /** Whether whoever uses the value asks for the variable himself. */
  readonly readElsewhere?: true;
}

/** Each has a variable: `ADC_RUN_` and its name, where it says nothing else. */
const TABLE = [
  {
    flags: "-p, --profile NAME[,NAME...]",
    text: "the profile to use; several for a run",
    scope: "connections",
    readElsewhere: true,
    values: "profiles",
    list: true,
  },
  { flags: "--no-profile", text: "use no profile, not even the default", scope: "connections" },
  {
    flags: "--parallel N",
    text: "with several profiles, run N at once (default: 1)",
    kind: "count",
  },
  { flags: "--keep-going", text: "with several profiles, continue when one fails" },
  {
    flags: "--source LIST",
    text: "look for a token in these sources, in this order",
    scope: "connections",
    values: SOURCE_NAMES,
    list: true,
  },
  {
    flags: "--env-file PATH",
    text: "read this file instead of .env",
    scope: "connections",
    values: "files",
  },
  {
    // A value without an equals sign would be the command after it.
    flags: "--ephemeral[=TTL]",
    text: "create a token for this run (1h), always revoke it",
    kind: "lifetime",
  },
  {
    flags: "--no-token",
    text: "send no token, for an APISIX that needs none (admin_key_required: false)",
  },
  { flags: "--adc PATH", text: "the ADC to run", readElsewhere: true, values: "files" },
  { flags: "--no-check", text: "skip the check", scope: "connections", variable: "ADC_RUN_CHECK" },
  { flags: "--no-mask", text: "do not mask the output", variable: "ADC_RUN_MASK" },
  { flags: "--tty", text: "run it in a pseudo-terminal, masked (default at a terminal for exec)" },
  {
    flags: "--no-tty",
    text: "run it with pipes instead of a pseudo-terminal",
    variable: undefined,
  },
  { flags: "--fail-on-leak", text: "exit with 65 if ADC succeeds but prints a secret" },
  {
    flags: "--fail-on-drift",
    text: "exit with 3 when diff succeeds and finds differences, and say how many",
  },
  { flags: "--dry-run", text: "check, show what would run, and run nothing" },
  { flags: "--json", text: "report as JSON; of a run, on standard error", scope: "all" },
  { flags: "--report FILE", text: "write the run's report to this file, as JSON", values: "files" },
  { flags: "-q, --quiet", text: "print only the answer, and what fails", scope: "all" },
  {
    flags: "-v, --verbose",
    text: "print more: every source, every check, the request",
    scope: "all",
  },
  { flags: "-V, --version", text: "show the version", scope: "all", variable: undefined },
  {
    flags: "-h, --help",
    text: "show help, or help for the command",
    scope: "all",
    variable: undefined,
  },
] as const satisfies readonly OptionEntry[];

export interface GlobalOption extends OptionSpec {
  readonly kind: "switch" | "text" | "list" | "count" | "lifetime";
  readonly scope: "all" | "connections" | "runs";
  readonly readElsewhere?: true;
}

export const GLOBAL_OPTIONS: readonly GlobalOption[] = TABLE.map((entry: OptionEntry) => {
  const { long, value } = namesOf(entry);
  return {
    variable: `ADC_RUN_${long.slice(2).replaceAll("-", "_").toUpperCase()}`,
    kind: entry.list ? "list" : value === undefined ? "switch" : "text",
    scope: "runs",
    ...entry,
  };
});

type GlobalValue<T extends OptionEntry> = T extends { readonly flags: "--no-profile" } ? false
  : T extends { readonly list: true } ? readonly string[]
  : T extends { readonly kind: "count" } ? number
  : ValueOf<T>;

/** The values of adc-run's own options; `profile` is `false` for `--no-profile`. */
export type GlobalOptions =
  & {
    readonly [Each in typeof TABLE[number] as KeyOf<Each>]?: GlobalValue<Each>;
  }
  & {
    readonly check: boolean;
    readonly mask: boolean;
    readonly ephemeralTtl?: string;
    /** Which of the others came from variables: one that has no meaning for a command is ignored. */
    readonly fromEnvironment: ReadonlySet<string>;
  };

const PLACEHOLDERS = {
  backend: " KIND",
  server: " URL",
  secret: " TOKEN",
  text: " NAME",
  duration: " DURATION",
  path: " PATH",
  boolean: "",
};

export const CONNECTION_FLAGS: readonly OptionSpec[] = Object.values(ADC_SETTINGS).map((
  { flag, variable, kind, hint },
) => ({
  flags: flag + PLACEHOLDERS[kind],
  text: kind === "backend" ? `${hint}: ${BACKEND_NAMES.join(", ")}` : hint,
  variable,
  values: kind === "path" ? "files" : kind === "backend" ? BACKEND_NAMES : undefined,
}));

export type ConnectionValues = {
  readonly [Key in keyof typeof ADC_SETTINGS]?: typeof ADC_SETTINGS[Key]["kind"] extends "boolean"
    ? boolean
    : string;
};
