import { ADC_SETTINGS, type SettingKey } from "../adc/settings.ts";
import { BACKEND_NAMES } from "../connection/backends.ts";
import type { ProfileSettings } from "../connection/origin.ts";
import { AdcRunError, type AdcRunErrorOptions, EXIT } from "../errors.ts";
import { SOURCE_NAMES } from "../token/sources.ts";

/**
 * What a {@linkcode ProfileFileError} carries besides its message.
 * @category Errors
 */
export interface ProfileFileErrorOptions extends AdcRunErrorOptions {
  /** The file. */
  readonly path: string;
  /** The line, counted from 1, where one can be named. */
  readonly line?: number | undefined;
  /** The column, counted from 1, where one can be named. */
  readonly column?: number | undefined;
}

/**
 * A file of profiles cannot be read, or holds what it must not.
 * @category Errors
 */
export class ProfileFileError extends AdcRunError {
  /** `"ProfileFileError"`. */
  override readonly name = "ProfileFileError";
  /** The file. */
  readonly path: string;
  /** The line, counted from 1. */
  readonly line: number | undefined;
  /** The column, counted from 1. */
  readonly column: number | undefined;

  /**
   * Creates the error; its exit code is 65.
   *
   * @param found What was found, to follow a colon.
   * @param options The file, the place in it, the suggestion and the cause.
   */
  constructor(found: string, options: ProfileFileErrorOptions) {
    const { path, line, column } = options;
    const place = line === undefined ? "" : `line ${line}, column ${column}: `;
    super(`Cannot use the profiles in "${path}": ${place}${found}`, EXIT.data, options);
    this.path = path;
    this.line = line;
    this.column = column;
  }
}

export interface StoredProfile extends ProfileSettings {
  /** Another profile of the same file, whose values count where this one has none. */
  readonly use?: string;
}

export type SettingName = keyof StoredProfile;

export interface StoredWorkflow {
  readonly profile?: string;
  readonly expiresIn?: string;
  readonly toCommand?: string | readonly string[];
  readonly toFile?: string;
}

/** The version of the files that this adc-run writes, and the newest that it reads. */
export const FILE_VERSION = 1;

/**
 * Patterns, in the dialect that JSON Schema and JavaScript share. Each is for the `u` flag, and takes no
 * longer than in proportion to the text: a project's file is somebody else's.
 *
 * `token` is what a token of API7 Enterprise starts with: a profile never holds a secret. A host's name
 * may look like one, so of a server's address only the path is held against it.
 */
export const PATTERNS = {
  name: "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
  server:
    "^[Hh][Tt][Tt][Pp][Ss]?://[^\\s@?#,\\\\]+(\\s*,\\s*[Hh][Tt][Tt][Pp][Ss]?://[^\\s@?#,\\\\]+)*$",
  /** Of a workflow, whose token has it: 40 characters is what the server takes. */
  workflow: "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,40}$",
  lifetime: "^(never|(\\d{1,6} ?(s|m|h|d|w) ?){1,8})$",
  duration: "^(\\d{1,9}|(\\d{1,9}(\\.\\d{1,3})?(ms|s|m|h|d)){1,16})$",
  plain: "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
  blank: "^\\s*$",
  token: "[Aa]7([Ee]{2}|[Aa][Dd][Mm])-\\w",
  tokenInPath: "^[A-Za-z]+://[^/]*/.*[Aa]7([Ee]{2}|[Aa][Dd][Mm])-\\w",
} as const;

export type SettingKind =
  | typeof CONNECTION_SETTINGS[keyof typeof CONNECTION_SETTINGS]["kind"]
  | "command"
  | "commands"
  | "lifetime"
  | "sources"
  | "name";

const { token: _, ...CONNECTION_SETTINGS } = ADC_SETTINGS;

export const SETTINGS: Readonly<
  Record<SettingName, { readonly kind: SettingKind; readonly hint: string }>
> = {
  use: { kind: "name", hint: "another profile in this file, to inherit missing settings from" },
  ...CONNECTION_SETTINGS,
  username: { kind: "text", hint: "the user who logs in, unless API7_USERNAME is set" },
  tokenCommand: {
    kind: "command",
    hint: "a command that prints the token: an array of words, or a string split without a shell",
  },
  sources: { kind: "sources", hint: "the token sources to use, in this order" },
  allow: {
    kind: "commands",
    hint: "the only commands that may run with this profile, as a guard against slips",
  },
};

/** The settings of a workflow, which has exactly one of the last two. */
export const WORKFLOW_SETTINGS: Readonly<
  Record<keyof StoredWorkflow, { readonly kind: SettingKind; readonly hint: string }>
> = {
  profile: { kind: "name", hint: "the profile of this file that its token is created for" },
  expiresIn: { kind: "lifetime", hint: "how long its token lives, such as 90d, or never" },
  toCommand: {
    kind: "command",
    hint: "the command that reads the token from standard input and stores it",
  },
  toFile: { kind: "path", hint: "the file that the token is written to" },
};

/** What a profile can allow: ADC's commands that talk to a server, and adc-run's own that hand a token out. */
export const ALLOWED_WORDS = [
  "ping",
  "dump",
  "diff",
  "sync",
  "validate",
  "exec",
  "token",
  "api",
] as const;

const NOTES: Readonly<Partial<Record<SettingKind, string>>> = {
  server: " It must not contain a user name or password. The profile pins it.",
  path: " Relative paths start from this file's folder; ~/ is the home folder.",
  command: " Only in the user's own file.",
};

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

export const PATH_SETTINGS = SETTING_NAMES.filter((name) =>
  SETTINGS[name].kind === "path"
) as readonly PathSetting[];

type PathSetting = {
  [K in SettingKey]: typeof ADC_SETTINGS[K]["kind"] extends "path" ? K : never;
}[SettingKey];

export function isProfileName(name: string): boolean {
  return new RegExp(PATTERNS.name, "u").test(name) && !new RegExp(PATTERNS.token, "u").test(name);
}

export const NAME_RULE =
  "Names have up to 63 letters, digits, dots, dashes and underscores, and start with a letter or digit.";

type JsonSchema = Readonly<Record<string, unknown>>;

const NO_TOKEN = { not: { pattern: PATTERNS.token } };

const KINDS: Readonly<Record<SettingKind, JsonSchema>> = {
  backend: { enum: BACKEND_NAMES },
  server: { type: "string", pattern: PATTERNS.server, not: { pattern: PATTERNS.tokenInPath } },
  duration: { type: "string", pattern: PATTERNS.duration },
  text: {
    type: "string",
    pattern: PATTERNS.plain,
    not: { anyOf: [{ pattern: PATTERNS.token }, { pattern: PATTERNS.blank }] },
  },
  path: { type: "string", pattern: PATTERNS.plain },
  boolean: { type: "boolean" },
  command: {
    oneOf: [
      { type: "string", pattern: "\\S", ...NO_TOKEN },
      { type: "array", minItems: 1, items: { type: "string", ...NO_TOKEN } },
    ],
  },
  commands: { type: "array", minItems: 1, uniqueItems: true, items: { enum: ALLOWED_WORDS } },
  lifetime: { type: "string", pattern: PATTERNS.lifetime },
  sources: { type: "array", minItems: 1, uniqueItems: true, items: { enum: SOURCE_NAMES } },
  name: { type: "string", pattern: PATTERNS.name, ...NO_TOKEN },
};

/**
 * The schema of `config.json` and `adc-run.json`, draft 2020-12.
 *
 * adc-run itself checks more than a schema can say: that `use` leads somewhere and in no circle, that no
 * key stands twice, and that a project's file has neither `use` nor `workflows` at the top nor `tokenCommand`.
 */
export const PROFILE_SCHEMA: JsonSchema & { readonly $id: string } = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://raw.githubusercontent.com/adc-run/adc-run/main/schema.json",
  title: "adc-run profiles",
  description:
    "Named targets for adc-run: config.json in the configuration folder, or adc-run.json " +
    "next to adc.yaml. A profile never holds a secret.",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: { type: "string", description: "The URL of this schema." },
    version: { const: FILE_VERSION, description: "The version of the file format." },
    use: { ...KINDS.name, description: "The default profile. Only in the user's own file." },
    profiles: {
      type: "object",
      description: "The profiles, by name.",
      propertyNames: { pattern: PATTERNS.name, ...NO_TOKEN },
      additionalProperties: { $ref: "#/$defs/profile" },
    },
    workflows: {
      type: "object",
      description:
        "Workflows that have a token of their own, by its name. Only in the user's own file.",
      propertyNames: {
        pattern: PATTERNS.workflow,
        not: { anyOf: [{ pattern: PATTERNS.token }, { pattern: PATTERNS.blank }] },
      },
      additionalProperties: { $ref: "#/$defs/workflow" },
    },
  },
  $defs: {
    profile: { type: "object", additionalProperties: false, properties: schemaOf(SETTINGS) },
    workflow: {
      type: "object",
      additionalProperties: false,
      oneOf: ["toCommand", "toFile"].map((key) => ({ properties: { [key]: {} }, required: [key] })),
      properties: schemaOf(WORKFLOW_SETTINGS),
    },
  },
};

function schemaOf(settings: typeof SETTINGS | typeof WORKFLOW_SETTINGS): JsonSchema {
  return Object.fromEntries(
    Object.entries(settings).map(([name, { kind, hint }]) => [name, {
      ...KINDS[kind],
      description: `${hint[0]!.toUpperCase()}${hint.slice(1)}.${NOTES[kind] ?? ""}`,
    }]),
  );
}

interface InheritedSetting<T> {
  readonly value: T;
  readonly profile: string;
}

type InheritedSettings = {
  readonly [K in keyof ProfileSettings]: InheritedSetting<NonNullable<ProfileSettings[K]>>;
};

/** Far more than anybody needs, and few enough to follow for each of thousands of profiles. */
export const MAX_STEPS = 32;

interface FollowedUse {
  readonly settings: InheritedSettings;
  /** The profile's name, and those of the profiles that it uses; no more than `MAX_STEPS` of them. */
  readonly chain: readonly string[];
  /** Whether the chain comes back to where it was; its last name is then the one that came twice. */
  readonly circle: boolean;
}

export function followUse(name: string, profiles: ReadonlyMap<string, StoredProfile>): FollowedUse {
  const chain: string[] = [];
  const settings: Record<string, InheritedSetting<unknown>> = {};
  for (let next: string | undefined = name; next !== undefined && chain.length <= MAX_STEPS;) {
    const circle = chain.includes(next);
    chain.push(next);
    if (circle) return { settings, chain, circle };
    const { use, ...own }: StoredProfile = profiles.get(next) ?? {};
    for (const [key, value] of Object.entries(own)) settings[key] ??= { value, profile: next };
    next = use;
  }
  return { settings, chain, circle: false };
}
