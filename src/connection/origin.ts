import { ADC_SETTINGS, type AdcFlags, type SettingKey } from "../adc/settings.ts";
import { type Environment, variableIn, variableName } from "../context.ts";
import { type AdcRunErrorOptions, ConnectionError, EXIT, UsageError } from "../errors.ts";
import type { Backend } from "./backends.ts";
import type { Connection } from "./connection.ts";
import type { EnvFile } from "./env_file.ts";

/**
 * Where a value came from.
 * @category Connection
 */
export type Origin =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "env-file"; readonly name: string; readonly file: string }
  | {
    readonly kind: "profile";
    readonly name: string;
    readonly key: string;
    readonly project: boolean;
  }
  | { readonly kind: "default" };

/**
 * A value and where it came from.
 * @category Connection
 */
export interface Setting<T> {
  /** The value. */
  readonly value: T;
  /** Where it came from. */
  readonly origin: Origin;
}

export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
    case "environment":
      return origin.name;
    case "env-file":
      return `${origin.name} in ${origin.file}`;
    case "profile":
      return `"${origin.key}" of profile "${origin.name}"${
        origin.project ? " in adc-run.json" : ""
      }`;
    case "default":
      return "ADC's default";
  }
}

export type CallTerms = Partial<Pick<Connection, "profile" | "args" | "server" | "envFile">>;

/** A command of adc-run as it is typed for the same target: its profile, file and connection flags. */
export function adcRunCommand(
  words: string,
  { profile, args, server, envFile }: CallTerms,
): string {
  const before = [
    ...profile?.explicit ? [`-p ${profile.name}`] : [],
    ...envFile !== undefined && envFile.name !== ".env"
      ? [`--env-file ${shellWord(envFile.name)}`]
      : [],
  ];
  const flags = Object.entries(args?.flags ?? {}).map(([key, value]) => {
    const { flag } = ADC_SETTINGS[key as SettingKey];
    // Of an address what may be shown, which has no password.
    return value === true ? flag : `${flag} ${shellWord(key === "server" ? server!.value : value)}`;
  });
  const [command, input = ""] = words.split(/(?= < )/);
  return ["adc-run", ...before, command, ...flags].join(" ") + input;
}

export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Advice on the server or its group, with the place that sets it in this call. */
export function adviseOn<T extends string | undefined>(
  advice: T,
  connection: Pick<Connection, "server" | "gatewayGroup">,
): T {
  let text: string | undefined = advice;
  for (const key of ["server", "gatewayGroup"] as const) {
    const { origin } = connection[key];
    if (origin.kind === "default") continue;
    const { flag, variable } = ADC_SETTINGS[key];
    const command = origin.kind === "profile" && !origin.project
      ? ` (adc-run profile set ${origin.name} ${flag} ${key === "server" ? "URL" : "NAME"})`
      : "";
    text = text?.replace(`${flag} or ${variable}`, () => describeOrigin(origin) + command);
  }
  return text as T;
}

/**
 * Tells whether a value came along with the project, which may be a cloned repository of somebody else.
 */
export function isFromProject(origin: Origin): boolean {
  // A file that was named on the command line was meant.
  if (origin.kind === "env-file") return origin.file === ".env";
  return origin.kind === "profile" && origin.project;
}

export interface Layers {
  readonly flags?: AdcFlags | undefined;
  readonly env: Environment;
  readonly files: readonly EnvFile[];
  readonly profile?: Profile | undefined;
}

/**
 * Looks a variable up as ADC does: a variable that exists in the environment hides `.env`, even when it
 * is empty.
 */
export function lookUp(layers: Layers, name: string): Setting<string> | undefined {
  const value = variableIn(layers.env, name);
  if (value !== undefined) return { value, origin: { kind: "environment", name } };
  for (const file of layers.files) {
    const origin = { kind: "env-file", name, file: file.name } as const;
    requireUnambiguous(origin, file);
    const value = file.get(name);
    if (value !== undefined) return { value, origin };
  }
  return undefined;
}

/** What not every ADC finds in `.env` with the same value must not decide anything. */
export function requireUnambiguous(
  origin: Origin & { readonly name: string },
  file: EnvFile,
): void {
  const suggestion = file.ambiguous.get(variableName(origin.name));
  if (suggestion === undefined) return;
  throw wrongValue(origin, "not every ADC reads the same value", { suggestion });
}

type TextKey = {
  [K in SettingKey]-?: AdcFlags[K] extends string | undefined ? K : never;
}[SettingKey];

/** A setting as it was given: by the flag, else by the variable, else by the profile. */
export function readSetting(key: TextKey, layers: Layers): Setting<string> | undefined {
  const { flag, variable } = ADC_SETTINGS[key];
  const value = layers.flags?.[key];
  if (value !== undefined) return { value, origin: { kind: "flag", name: flag } };
  return (variable && lookUp(layers, variable)) ?? profileValue(layers.profile, key);
}

export function profileValue<K extends keyof ProfileSettings>(
  profile: Profile | undefined,
  key: K,
): Setting<NonNullable<ProfileSettings[K]>> | undefined {
  const value = profile?.[key];
  if (profile === undefined || value === undefined) return undefined;
  const { name, project } = profile;
  return { value, origin: { kind: "profile", name, key, project } };
}

/**
 * An error about a value, which names where the value came from and has the exit code that fits: 64 for
 * a flag, 78 for anything else.
 */
export function wrongValue(
  origin: Origin,
  found: string,
  options: AdcRunErrorOptions = {},
): ConnectionError {
  const exitCode = origin.kind === "flag" ? EXIT.usage : EXIT.config;
  return new ConnectionError(`Cannot use ${describeOrigin(origin)}: ${found}`, exitCode, options);
}

/** An error about what a value asks for, with the exit code that fits where it came from. */
export function misuse(
  origin: Origin,
  message: string,
  options: AdcRunErrorOptions = {},
): ConnectionError | UsageError {
  return origin.kind === "flag" || origin.kind === "default"
    ? new UsageError(message, options)
    : new ConnectionError(message, EXIT.config, options);
}

export function profilesOrigin(isFlag: boolean): Origin {
  return isFlag
    ? { kind: "flag", name: "--profile" }
    : { kind: "environment", name: "ADC_RUN_PROFILE" };
}

/**
 * What a profile may say: what ADC's connection flags say, and where its token comes from.
 * @category Profiles
 */
export interface ProfileSettings extends AdcFlags {
  /** The kind of gateway, as `--backend`. */
  readonly backend?: Backend;
  /** Who logs in, where `API7_USERNAME` is not set. */
  readonly username?: string;
  /** A command that prints the token: its words, or a text that is split without a shell. */
  readonly tokenCommand?: string | readonly string[];
  /** The sources to ask for a token, in this order. */
  readonly sources?: readonly string[];
  /** The commands that may run with it, and no others. */
  readonly allow?: readonly string[];
}

/**
 * A profile that was chosen; paths in it are absolute.
 * @category Profiles
 */
export interface Profile extends ProfileSettings {
  /** Its name. */
  readonly name: string;
  /** The file that holds it. */
  readonly file: string;
  /** Whether that file comes with the project, and may be somebody else's work. */
  readonly project: boolean;
  /** Whether it was named for this run, and is not merely the one that is used by default. */
  readonly explicit: boolean;
}

/**
 * Refuses what a profile does not allow, before any token is touched. It guards against slips: what its token may
 * do is the server's to say.
 */
export function requireAllowed(profile: Profile | undefined, word: string): void {
  if (profile?.allow === undefined || profile.allow.includes(word)) return;
  const { name, allow } = profile;
  const allowed = allow.length === 0 ? "nothing" : `only ${allow.join(", ")}`;
  throw new ConnectionError(
    `Cannot use "${word}" with profile "${name}": it allows ${allowed}`,
    EXIT.config,
    { suggestion: `Use another profile. "adc-run profile show ${name}" shows where that is set.` },
  );
}
