import { BACKEND_NAMES, BACKENDS, DEFAULT_BACKEND, isBackend } from "../connection/backends.ts";
import { messageOf } from "../errors.ts";
import { didYouMean } from "../system/nearest.ts";
import { SOURCE_NAMES } from "../token/sources.ts";
import { splitCommand } from "../token/sources/command_source.ts";
import {
  ALLOWED_WORDS,
  FILE_VERSION,
  followUse,
  isProfileName,
  MAX_STEPS,
  NAME_RULE,
  PATTERNS,
  SETTING_NAMES,
  type SettingKind,
  type SettingName,
  SETTINGS,
  type StoredProfile,
  WORKFLOW_SETTINGS,
} from "./profile_settings.ts";

export interface Issue {
  readonly path: readonly (string | number)[];
  readonly at: "key" | "value";
  readonly found: string;
  readonly suggestion?: string | undefined;
}

const FILE_KEYS = ["$schema", "version", "use", "profiles", "workflows"];

const NOT_IN_PROJECTS = {
  use: "it would choose for everyone who clones the project",
  tokenCommand: "it would let a cloned project run programs",
  workflows: "it would let a cloned project run programs and write files",
} as const;

export function validateProfiles(
  value: unknown,
  { project }: { readonly project: boolean },
): Issue | undefined {
  if (!isRecord(value)) return at([], { found: "it is not a JSON object" });
  const { version, profiles = {} } = value;
  // Before anything else: what a newer file may hold is not known here.
  if (Number.isInteger(version) && (version as number) > FILE_VERSION) {
    const suggestion = "Use that version of adc-run.";
    return at(["version"], { found: "a newer adc-run wrote it", suggestion });
  }
  const stray = Object.keys(value).find((key) => !FILE_KEYS.includes(key));
  if (stray !== undefined) return atKey([stray], unknownKey(stray, FILE_KEYS));
  for (const key of ["use", "workflows"] as const) {
    if (project && key in value) return atKey([key], notInProjects(key));
  }
  if ("$schema" in value && typeof value.$schema !== "string") {
    return at(["$schema"], { found: '"$schema" is not a string' });
  }
  if ("version" in value && version !== FILE_VERSION) {
    return at(["version"], { found: `"version" is not ${FILE_VERSION}` });
  }
  if ("use" in value) {
    const issue = VALIDATORS.name(value.use, "use");
    if (issue !== undefined) return at(["use"], issue);
  }
  if (!isRecord(profiles)) return at(["profiles"], { found: '"profiles" is not an object' });
  for (const [name, profile] of Object.entries(profiles)) {
    const issue = validateProfile(profile, { name, project });
    if (issue !== undefined) return { ...issue, path: ["profiles", name, ...issue.path] };
  }
  return validateUse(new Map(Object.entries(profiles as Record<string, StoredProfile>))) ??
    validateWorkflows(value.workflows, Object.keys(profiles));
}

function validateWorkflows(workflows: unknown, profiles: readonly string[]): Issue | undefined {
  if (workflows === undefined) return undefined;
  if (!isRecord(workflows)) return at(["workflows"], { found: '"workflows" is not an object' });
  for (const [name, workflow] of Object.entries(workflows)) {
    const issue = validateWorkflow(workflow, name, profiles);
    if (issue !== undefined) return { ...issue, path: ["workflows", name, ...issue.path] };
  }
  return undefined;
}

function validateWorkflow(
  workflow: unknown,
  name: string,
  profiles: readonly string[],
): Issue | undefined {
  if (!matches(name, "workflow") || matches(name, "blank") || matches(name, "token")) {
    return atKey([], {
      found: `"${shownKey(name)}" is not a workflow name`,
      suggestion: "At most 40 characters, no line break, and not a token itself.",
    });
  }
  if (!isRecord(workflow)) return at([], { found: `workflow "${name}" is not an object` });
  for (const [key, value] of Object.entries(workflow)) {
    if (!Object.hasOwn(WORKFLOW_SETTINGS, key)) {
      return atKey([key], unknownKey(key, Object.keys(WORKFLOW_SETTINGS)));
    }
    const { kind } = WORKFLOW_SETTINGS[key as keyof typeof WORKFLOW_SETTINGS];
    const issue = VALIDATORS[kind](value, key);
    if (issue !== undefined) return at([key], issue);
  }
  const { profile, toCommand, toFile } = workflow;
  if (typeof profile === "string" && !profiles.includes(profile)) {
    return at(["profile"], unknownProfile(profile, profiles));
  }
  return (toCommand === undefined) === (toFile === undefined)
    ? at([], { found: `workflow "${name}" needs either "toCommand" or "toFile"` })
    : undefined;
}

function unknownProfile(name: string, known: readonly string[]): ValueIssue {
  const found = `there is no profile "${name}" in this file`;
  return { found, suggestion: didYouMean(name, known) };
}

function validateProfile(
  profile: unknown,
  { name, project }: { readonly name: string; readonly project: boolean },
): Issue | undefined {
  if (!isProfileName(name)) {
    return atKey([], { found: `"${shownKey(name)}" is not a profile name`, suggestion: NAME_RULE });
  }
  if (!isRecord(profile)) return at([], { found: `profile "${name}" is not an object` });
  for (const [key, value] of Object.entries(profile)) {
    if (!isSetting(key)) return atKey([key], unknownKey(key, SETTING_NAMES));
    if (project && key === "tokenCommand") return atKey([key], notInProjects(key));
    const issue = VALIDATORS[SETTINGS[key].kind](value, key);
    if (issue === undefined) continue;
    return at(issue.index === undefined ? [key] : [key, issue.index], issue);
  }
  return undefined;
}

const LISTING = BACKEND_NAMES.filter((name) => BACKENDS[name].hasServerList).join(" or ");

function validateUse(profiles: ReadonlyMap<string, StoredProfile>): Issue | undefined {
  for (const [name, { use }] of profiles) {
    if (use === undefined || profiles.has(use)) continue;
    return at(["profiles", name, "use"], unknownProfile(use, [...profiles.keys()]));
  }
  for (const name of profiles.keys()) {
    const { chain, circle, settings } = followUse(name, profiles);
    const found = circle
      ? `the profiles inherit in a circle: ${chain.join(" → ")}`
      : chain.length > MAX_STEPS
      ? `profile "${name}" inherits through more than ${MAX_STEPS} others`
      : undefined;
    if (found !== undefined) return at(["profiles", name, "use"], { found });
    const { backend, server } = settings;
    if (server?.value.includes(",") && !BACKENDS[backend?.value ?? DEFAULT_BACKEND].hasServerList) {
      // Either may be inherited; what this profile says itself is where a person would look.
      const key = server.profile === name ? ["server"] : [];
      const found = `a list of servers is only for backend ${LISTING}`;
      return at(["profiles", name, ...key], { found });
    }
  }
  return undefined;
}

function notInProjects(key: keyof typeof NOT_IN_PROJECTS): ValueIssue {
  return {
    found: `a project's file must not have "${key}": ${NOT_IN_PROJECTS[key]}`,
    suggestion: `Remove it. Your own profiles may have it: see "adc-run profile".`,
  };
}

function unknownKey(key: string, known: readonly string[]): ValueIssue {
  const other = SECRET_KEY.test(key) ? NO_SECRETS : oneOf(known);
  return {
    found: `there is no setting "${shownKey(key)}"`,
    suggestion: didYouMean(key, known) ?? other,
  };
}

/** Where people would look for a place to put one. */
const SECRET_KEY = /^(adc_?)?(api_?)?(token|password|passwd|secret|key)$/i;

const NO_SECRETS =
  'A profile never holds a secret: "adc-run auth login" stores it in the keychain, and ' +
  '"tokenCommand" names a program that prints it.';

function isSetting(key: string): key is SettingName {
  return Object.hasOwn(SETTINGS, key);
}

/** A token that stands where a name should, as PATTERNS.token knows it, and what follows it. */
const TOKEN_IN_KEY = /([Aa]7(?:[Ee]{2}|[Aa][Dd][Mm])-)\w.*/s;

/** A project's file is somebody else's, and may hold a key of any length. */
function shownKey(key: string): string {
  const bare = key.replace(TOKEN_IN_KEY, "$1***");
  return bare.length <= 80 ? bare : `${bare.slice(0, 80)}…`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function at(path: Issue["path"], { found, suggestion }: ValueIssue): Issue {
  return { path, at: "value", found, suggestion };
}

function atKey(path: Issue["path"], issue: ValueIssue): Issue {
  return { ...at(path, issue), at: "key" };
}

interface ValueIssue {
  readonly found: string;
  readonly suggestion?: string | undefined;
  readonly index?: number;
}

/** For each kind of setting, what is wrong with a value; `undefined` where nothing is. */
const VALIDATORS: Readonly<
  Record<SettingKind, (value: unknown, key: string) => ValueIssue | undefined>
> = {
  name: (value, key) => {
    if (typeof value !== "string") return { found: `"${key}" is not a string` };
    return isProfileName(value)
      ? undefined
      : { found: `"${key}" is not a profile name`, suggestion: NAME_RULE };
  },
  backend: (value) => {
    if (isBackend(value)) return undefined;
    return { found: '"backend" is not a backend of ADC', suggestion: oneOf(BACKEND_NAMES) };
  },
  server: validateServer,
  duration: (value, key) =>
    typeof value === "string" && matches(value, "duration") ? undefined : {
      found: `"${key}" is not a duration`,
      suggestion: 'Use a value such as "30s" or "1h10m".',
    },
  text: (value, key) => {
    if (typeof value !== "string") return { found: `"${key}" is not a string` };
    if (!matches(value, "plain") || matches(value, "blank")) {
      return { found: `"${key}" is empty, or contains a control character` };
    }
    return secretIn(value, key);
  },
  path: (value, key) =>
    typeof value === "string" && matches(value, "plain")
      ? undefined
      : { found: `"${key}" is not a path` },
  boolean: (value, key) =>
    typeof value === "boolean" ? undefined : { found: `"${key}" is neither true nor false` },
  command: validateCommand,
  sources: (value, key) => validateList(value, key, { names: SOURCE_NAMES, what: "source" }),
  commands: (value, key) => validateList(value, key, { names: ALLOWED_WORDS, what: "command" }),
  lifetime: (value, key) =>
    typeof value === "string" && matches(value, "lifetime") ? undefined : {
      found: `"${key}" is not a lifetime`,
      suggestion: 'Use a value such as "90d", "12h" or "never".',
    },
};

function validateServer(value: unknown, key: string): ValueIssue | undefined {
  const suggestion = 'Use an address such as "https://gateway.example.com:7443".';
  if (typeof value !== "string") return { found: `"${key}" is not a string` };
  if (/\/\/[^/?#]*@/.test(value)) {
    return {
      found: `"${key}" contains a user name or password, and a profile never holds a secret`,
      suggestion: "Remove them. ADC authenticates with the token.",
    };
  }
  const parts = value.split(",").map((part) => part.trim());
  if (!matches(value, "server") || !parts.every((part) => URL.canParse(part))) {
    return { found: `"${key}" is not an http or https URL`, suggestion };
  }
  return matches(value, "tokenInPath") ? secretFound(key) : undefined;
}

function validateCommand(value: unknown, key: string): ValueIssue | undefined {
  const suggestion = 'Use a string such as "op read op://infra/adc/token", or an array of words.';
  let words: unknown = value;
  if (typeof value === "string") {
    try {
      words = splitCommand(value);
    } catch (error) {
      return { found: `"${key}" cannot be split into words: ${messageOf(error)}`, suggestion };
    }
  }
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) {
    return { found: `"${key}" is neither a string nor an array of strings`, suggestion };
  }
  if ((words[0] ?? "").trim() === "") return { found: `"${key}" names no program`, suggestion };
  if (words.some((word) => word.includes("\0"))) {
    return { found: `"${key}" contains a null character` };
  }
  return secretIn(words.join(" "), key);
}

function validateList(
  value: unknown,
  key: string,
  { names, what }: { readonly names: readonly string[]; readonly what: string },
): ValueIssue | undefined {
  if (!Array.isArray(value)) {
    return { found: `"${key}" is not an array`, suggestion: oneOf(names) };
  }
  if (value.length === 0) return { found: `"${key}" is empty` };
  for (const [index, each] of value.entries()) {
    if (!names.includes(each)) {
      return {
        found: `"${key}" lists something that is not a ${what}`,
        suggestion: (typeof each === "string" && didYouMean(each, names)) || oneOf(names),
        index,
      };
    }
    if (value.indexOf(each) !== index) return { found: `"${key}" lists "${each}" twice`, index };
  }
  return undefined;
}

function secretIn(value: string, key: string): ValueIssue | undefined {
  return matches(value, "token") ? secretFound(key) : undefined;
}

function secretFound(key: string): ValueIssue {
  return {
    found: `"${key}" seems to contain a token, and a profile never holds a secret`,
    suggestion: 'Store the token in the keychain with "adc-run auth login".',
  };
}

function oneOf(words: readonly string[]): string {
  return `Use one of ${words.join(", ")}.`;
}

function matches(value: string, pattern: keyof typeof PATTERNS): boolean {
  return new RegExp(PATTERNS[pattern], "u").test(value);
}
