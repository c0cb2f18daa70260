import { ADC_SETTINGS } from "../adc/settings.ts";
import { BACKEND_NAMES } from "../connection/backends.ts";
import { SOURCE_NAMES } from "../token/sources.ts";

export type Values = readonly string[] | "files" | "profiles";

/** An option: parsing, help, the man page and completion are made from it. */
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

export interface GlobalOption extends OptionSpec {
  readonly kind: "switch" | "text" | "list" | "count" | "lifetime";
  /** What it is for: all commands, those that connect somewhere, or runs of ADC alone. */
  readonly scope: "all" | "connections" | "runs";
  /** Whether whoever uses the value asks for the variable himself. */
  readonly readElsewhere?: true;
}

const TABLE = [
  {
    flags: "-p, --profile NAME[,NAME...]",
    text: "the profile to use; several for a run",
    kind: "list",
    scope: "connections",
    variable: "ADC_RUN_PROFILE",
    readElsewhere: true,
    values: "profiles",
    list: true,
  },
  {
    flags: "--no-profile",
    text: "use no profile, not even the default",
    kind: "switch",
    scope: "connections",
    variable: "ADC_RUN_NO_PROFILE",
  },
  {
    flags: "--parallel N",
    text: "with several profiles, run N at once (default: 1)",
    kind: "count",
    scope: "runs",
    variable: "ADC_RUN_PARALLEL",
  },
  {
    flags: "--keep-going",
    text: "with several profiles, continue when one fails",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_KEEP_GOING",
  },
  {
    flags: "--source LIST",
    text: "look for a token in these sources, in this order",
    kind: "list",
    scope: "connections",
    variable: "ADC_RUN_SOURCE",
    values: SOURCE_NAMES,
    list: true,
  },
  {
    flags: "--env-file PATH",
    text: "read this file instead of .env",
    kind: "text",
    scope: "connections",
    variable: "ADC_RUN_ENV_FILE",
    values: "files",
  },
  {
    // A value without an equals sign would be the command behind it.
    flags: "--ephemeral[=TTL]",
    text: "create a token for this run (1h), always revoke it",
    kind: "lifetime",
    scope: "runs",
    variable: "ADC_RUN_EPHEMERAL",
  },
  {
    flags: "--no-token",
    text: "send no token, for an APISIX that needs none (admin_key_required: false)",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_NO_TOKEN",
  },
  {
    flags: "--adc PATH",
    text: "the ADC to run",
    kind: "text",
    scope: "runs",
    variable: "ADC_RUN_ADC",
    readElsewhere: true,
    values: "files",
  },
  {
    flags: "--no-check",
    text: "skip the check",
    kind: "switch",
    scope: "connections",
    variable: "ADC_RUN_CHECK",
  },
  {
    flags: "--no-mask",
    text: "do not mask the output",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_MASK",
  },
  {
    flags: "--tty",
    text: "run it in a pseudo-terminal, masked (default at a terminal for exec)",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_TTY",
  },
  {
    flags: "--no-tty",
    text: "run it with pipes instead of a pseudo-terminal",
    kind: "switch",
    scope: "runs",
  },
  {
    flags: "--fail-on-leak",
    text: "exit with 65 if ADC succeeds but prints a secret",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_FAIL_ON_LEAK",
  },
  {
    flags: "--fail-on-drift",
    text: "exit with 3 when diff succeeds and finds differences, and say how many",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_FAIL_ON_DRIFT",
  },
  {
    flags: "--dry-run",
    text: "check, show what would run, and run nothing",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_DRY_RUN",
  },
  {
    flags: "--json",
    text: "report as JSON; of a run, on standard error",
    kind: "switch",
    scope: "all",
    variable: "ADC_RUN_JSON",
  },
  {
    flags: "--report FILE",
    text: "write the run's report to this file, as JSON",
    kind: "text",
    scope: "runs",
    variable: "ADC_RUN_REPORT",
    values: "files",
  },
  {
    flags: "-q, --quiet",
    text: "print only the answer, and what fails",
    kind: "switch",
    scope: "all",
    variable: "ADC_RUN_QUIET",
  },
  {
    flags: "-v, --verbose",
    text: "print more: every source, every check, the request",
    kind: "switch",
    scope: "all",
    variable: "ADC_RUN_VERBOSE",
  },
  { flags: "-V, --version", text: "show the version", kind: "switch", scope: "all" },
  {
    flags: "-h, --help",
    text: "show help, or help for the command",
    kind: "switch",
    scope: "all",
  },
] as const satisfies readonly GlobalOption[];

export const GLOBAL_OPTIONS: readonly GlobalOption[] = TABLE;

interface ValueOfKind {
  readonly switch: boolean;
  readonly text: string;
  readonly list: readonly string[];
  readonly count: number;
  readonly lifetime: boolean;
}

type GlobalValue<T extends GlobalOption> = T extends { readonly flags: "--no-profile" } ? false
  : ValueOfKind[T["kind"]];

/** The values of adc-run's own options; `profile` is `false` for `--no-profile`. */
export type GlobalOptions =
  & {
    readonly [Each in typeof TABLE[number] as KeyOf<Each>]?: GlobalValue<Each>;
  }
  & {
    readonly check: boolean;
    readonly mask: boolean;
    readonly ephemeralTtl?: string;
    /**
     * Which of the others came from variables: one that has no meaning for a command is ignored.
     */
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

/** ADC's options that say how to connect; adc-run's own commands take them as well. */
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
