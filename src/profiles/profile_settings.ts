import type { ProfileSettings } from "../connection/profile.ts";

/** A profile as it is written down. */
export interface StoredProfile extends ProfileSettings {
  /** Another profile of the same file, whose values count where this one has none. */
  readonly use?: string;
}

/** The name of a setting. */
export type SettingName = keyof StoredProfile;

/** The kinds of gateway. */
export const BACKENDS = ["apisix", "api7ee", "apisix-standalone"] as const;

/** The sources that a profile may name. */
export const SOURCES = [
  "flag",
  "env",
  "file",
  "dotenv",
  "command",
  "store",
  "keychain",
  "admin-api",
] as const;

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
  duration: "^(\\d{1,9}|(\\d{1,9}(\\.\\d{1,3})?(ms|s|m|h|d)){1,16})$",
  /** Of texts and paths. */
  plain: "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
  blank: "^\\s*$",
  token: "[Aa]7([Ee]{2}|[Aa][Dd][Mm])-\\w",
  tokenInPath: "^[A-Za-z]+://[^/]*/.*[Aa]7([Ee]{2}|[Aa][Dd][Mm])-\\w",
} as const;

/** How a setting's value is written. */
export type SettingKind =
  | "backend"
  | "server"
  | "duration"
  | "text"
  | "path"
  | "boolean"
  | "command"
  | "sources"
  | "name";

/** Every setting, with its kind and what a person is told about it. */
export const SETTINGS: Readonly<
  Record<SettingName, { readonly kind: SettingKind; readonly about: string }>
> = {
  use: {
    kind: "name",
    about: "Another profile of this file, whose values count where this one has none.",
  },
  backend: { kind: "backend", about: "The kind of gateway, as ADC's --backend." },
  server: {
    kind: "server",
    about:
      "The address of the Admin API, as ADC's --server, without user name and password. The profile pins it. For apisix-standalone a list, apart by commas.",
  },
  gatewayGroup: { kind: "text", about: "The gateway group's name, as ADC's --gateway-group." },
  timeout: { kind: "duration", about: 'The time limit of a request, such as "30s" or "1h10m".' },
  caCertFile: {
    kind: "path",
    about:
      "A PEM file with the CA of the server's certificate. Relative paths start from this file's folder, and ~/ is the home folder.",
  },
  tlsClientCertFile: { kind: "path", about: "A PEM file with the client certificate." },
  tlsClientKeyFile: { kind: "path", about: "A PEM file with the client certificate's key." },
  tlsSkipVerify: {
    kind: "boolean",
    about: "Turns the verification of the server's certificate off.",
  },
  username: { kind: "text", about: "Who logs in, where API7_USERNAME is not set." },
  tokenCommand: {
    kind: "command",
    about:
      "A command that prints the token: its words, or a text that is split without a shell. Only in the user's own file.",
  },
  sources: { kind: "sources", about: "The sources to ask for a token, in this order." },
};

/** The names of all settings, in the order in which they are written. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The settings that name a file. */
export const PATH_SETTINGS = ["caCertFile", "tlsClientCertFile", "tlsClientKeyFile"] as const;

/** Tells whether a text can be a profile's name. */
export function isProfileName(name: string): boolean {
  return new RegExp(PATTERNS.name, "u").test(name) && !new RegExp(PATTERNS.token, "u").test(name);
}

/** How a name is described where one is refused. */
export const NAME_RULE =
  "A name has at most 63 letters, digits, dots, dashes and underscores, and starts with a letter or digit.";
