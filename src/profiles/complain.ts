import { messageOf } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { splitCommand } from "../token/sources/command_line.ts";
import { BACKENDS, isProfileName, NAME_RULE, PATTERNS, SOURCES } from "./profile_settings.ts";
import type { SettingKind } from "./profile_settings.ts";

/** A complaint about one value. */
export interface Complaint {
  /** What is wrong, to follow a colon. */
  readonly found: string;
  /** What to do about it. */
  readonly suggestion?: string | undefined;
  /** Which element of a list it is about. */
  readonly index?: number;
}

/** For each kind of setting, what is wrong with a value; `undefined` where nothing is. */
export const complain: Readonly<
  Record<SettingKind, (value: unknown, key: string) => Complaint | undefined>
> = {
  name: (value, key) => {
    if (typeof value !== "string") return { found: `"${key}" is no text` };
    return isProfileName(value)
      ? undefined
      : { found: `"${key}" is no profile name`, suggestion: NAME_RULE };
  },
  backend: (value) => {
    if (BACKENDS.some((each) => each === value)) return undefined;
    return { found: '"backend" is none that ADC knows', suggestion: oneOf(BACKENDS) };
  },
  server: complainOfServer,
  duration: (value, key) =>
    typeof value === "string" && matches(value, "duration") ? undefined : {
      found: `"${key}" is no duration`,
      suggestion: 'Write it in quotes, like "30s" or "1h10m".',
    },
  text: (value, key) => {
    if (typeof value !== "string") return { found: `"${key}" is no text` };
    if (!matches(value, "plain") || matches(value, "blank")) {
      return { found: `"${key}" is blank, or has a control character in it` };
    }
    return secretIn(value, key);
  },
  path: (value, key) =>
    typeof value === "string" && matches(value, "plain")
      ? undefined
      : { found: `"${key}" is no path` },
  boolean: (value, key) =>
    typeof value === "boolean" ? undefined : { found: `"${key}" is neither true nor false` },
  command: complainOfCommand,
  sources: complainOfSources,
};

function complainOfServer(value: unknown, key: string): Complaint | undefined {
  const suggestion = 'Write it like "https://gateway.example.com:7443".';
  if (typeof value !== "string") return { found: `"${key}" is no text` };
  if (/\/\/[^/?#]*@/.test(value)) {
    return {
      found: `"${key}" has a user name or a password in it, and a profile never holds a secret`,
      suggestion: "Leave them out. The token is what ADC shows to the server.",
    };
  }
  const parts = value.split(",").map((part) => part.trim());
  if (!matches(value, "server") || !parts.every((part) => URL.canParse(part))) {
    return { found: `"${key}" is no http or https URL`, suggestion };
  }
  return matches(value, "tokenInPath") ? secretFound(key) : undefined;
}

function complainOfCommand(value: unknown, key: string): Complaint | undefined {
  const suggestion = 'Write it like "op read op://infra/adc/token", or as an array of its words.';
  let words: unknown = value;
  if (typeof value === "string") {
    try {
      words = splitCommand(value);
    } catch (error) {
      return { found: `"${key}" cannot be split into words: ${messageOf(error)}`, suggestion };
    }
  }
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) {
    return { found: `"${key}" is neither a text nor an array of texts`, suggestion };
  }
  if ((words[0] ?? "").trim() === "") return { found: `"${key}" names no program`, suggestion };
  if (words.some((word) => word.includes("\0"))) {
    return { found: `"${key}" has a null character in it` };
  }
  return secretIn(words.join(" "), key);
}

function complainOfSources(value: unknown, key: string): Complaint | undefined {
  if (!Array.isArray(value)) return { found: `"${key}" is no array`, suggestion: oneOf(SOURCES) };
  if (value.length === 0) return { found: `"${key}" names no source` };
  for (const [index, each] of value.entries()) {
    if (!SOURCES.includes(each)) {
      const near = typeof each === "string" ? nearest(each, SOURCES) : undefined;
      return {
        found: `"${key}" names what is no source`,
        suggestion: near === undefined ? oneOf(SOURCES) : `Did you mean "${near}"?`,
        index,
      };
    }
    if (value.indexOf(each) !== index) return { found: `"${key}" names "${each}" twice`, index };
  }
  return undefined;
}

function secretIn(value: string, key: string): Complaint | undefined {
  return matches(value, "token") ? secretFound(key) : undefined;
}

function secretFound(key: string): Complaint {
  return {
    found: `"${key}" looks as if it had a token in it, and a profile never holds a secret`,
    suggestion: 'Keep the token in the keychain: "adc-run auth login" puts it there.',
  };
}

/** Lists what there is. */
export function oneOf(words: readonly string[]): string {
  return `There are ${words.join(", ")}.`;
}

function matches(value: string, pattern: keyof typeof PATTERNS): boolean {
  return new RegExp(PATTERNS[pattern], "u").test(value);
}
