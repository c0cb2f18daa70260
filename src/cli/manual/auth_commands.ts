import type { Storage } from "../../store/state.ts";
import type { OptionsOf, OptionSpec } from "../global_options.ts";
import type { CommandSpec } from "./manual.ts";

const SHARED = ["--profile", "--no-profile", "--env-file", "--json", "--quiet", "--verbose"];
const SHARED_WITH_SOURCE = [...SHARED, "--source"];

export const STORAGE_OPTION = {
  flags: "--storage STORE",
  text: "keychain, or file (one that only you can read); default: keychain",
  values: ["keychain", "file"] as const satisfies readonly Storage[],
  closed: true,
} as const satisfies OptionSpec;

const LOGIN_OPTIONS = [
  {
    flags: "--username NAME",
    text: "the user (default: the profile's)",
    variable: "API7_USERNAME",
  },
  {
    flags: "--password-stdin",
    text: "read the password from standard input",
    variable: "API7_PASSWORD",
  },
  {
    flags: "--login-option NAME",
    text: "log in with this LDAP login option",
    variable: "API7_LOGIN_OPTION",
  },
  {
    flags: "--name NAME",
    text: "the token's name, at most 40 characters (default: adc-run USER@HOST)",
  },
  {
    flags: "--expires-in DURATION",
    text: "the token's lifetime, such as 12h or 90d, or never (default: 30d)",
  },
  STORAGE_OPTION,
  {
    flags: "--with-token",
    text: "read a token from standard input, or prompt for one",
  },
  { flags: "--yes", text: "send the password or token even though only .env sets the server" },
] as const satisfies readonly OptionSpec[];

export type LoginOptions = OptionsOf<typeof LOGIN_OPTIONS>;

const ROTATE_OPTIONS = [
  {
    flags: "--expires-in DURATION",
    text: "the new token's lifetime (default: that of the old one)",
  },
] as const satisfies readonly OptionSpec[];

export type RotateOptions = OptionsOf<typeof ROTATE_OPTIONS>;

const REVOKE_OPTIONS = [{
  flags: "-y, --yes",
  text: "do not ask for confirmation",
}] as const satisfies readonly OptionSpec[];

export type RevokeOptions = OptionsOf<typeof REVOKE_OPTIONS>;

const LOGOUT_OPTIONS = [{
  flags: "--keep",
  text: "leave the token valid on the server",
}] as const satisfies readonly OptionSpec[];

export type LogoutOptions = OptionsOf<typeof LOGOUT_OPTIONS>;

export const TARGET_OPTIONS = [{
  flags: "--all",
  text: "every profile, a line each",
}] as const satisfies readonly OptionSpec[];

export type TargetOptions = OptionsOf<typeof TARGET_OPTIONS>;

const LIST_OPTIONS = [{
  flags: "--ids",
  text: "show the tokens' ids, and when they were created",
}] as const satisfies readonly OptionSpec[];

export type ListOptions = OptionsOf<typeof LIST_OPTIONS>;

export const AUTH_COMMANDS: readonly CommandSpec[] = [
  {
    name: "auth",
    summary: "get, inspect, renew and revoke tokens",
    description: [
      "API7 recommends a separate token for each user and workflow, created by a user who is not a Super Admin, renewed regularly, and revoked when no longer needed. Each of these is one command.",
    ],
    examples: [
      ["The token that would be used here", "adc-run auth status"],
    ],
    seeAlso: ["sources", "security"],
  },
  {
    name: "auth login",
    usage: [
      "adc-run auth login [options]",
      "adc-run auth login --with-token [options]",
    ],
    summary: "log in, create a token and store it; or store one you have",
    description: [
      'Logs in to API7 Enterprise, creates a token, checks it, and stores it in the system\'s keychain: service "adc-run", account ORIGIN, or PROFILE@ORIGIN with a profile. A token that adc-run stored there before is revoked. At a terminal, it prompts for whatever is missing. With --with-token, it stores the token on standard input instead.',
      "If login needs a browser (OIDC, SAML, CAS), create a token in the Dashboard (Organization > Tokens), and use --with-token.",
    ],
    options: LOGIN_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--no-check"],
    connection: "to connect",
    examples: [
      ["Interactively", "adc-run auth login --server https://gateway.example.com:7443"],
      ["Without prompts", "adc-run auth login --username ci-bot --password-stdin < password.txt"],
      [
        "Store an admin key of APISIX",
        "adc-run auth login --with-token --backend apisix < key.txt",
      ],
      ["For a profile", "adc-run -p prod auth login"],
    ],
    seeAlso: ["auth status", "auth logout", "sources", "security"],
    run: async () => (await import("../commands/auth_login.ts")).authLogin,
  },
  {
    name: "auth status",
    usage: ["adc-run auth status [options]"],
    summary: "the token in use: its source, validity, owner and expiry",
    description: [
      "Looks in every source, checks the token that a run would use, and shows its owner. Exits with 0 only if the token is valid.",
    ],
    options: TARGET_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--no-check"],
    connection: "to connect",
    readOnly: true,
    examples: [
      ["Here and now", "adc-run auth status"],
      ["Every profile", "adc-run auth status --all"],
      ["For a script", "adc-run -p prod auth status --json"],
    ],
    seeAlso: ["doctor", "sources", "verdicts"],
    run: async () => (await import("../commands/auth_status.ts")).authStatus,
  },
  {
    name: "auth token",
    usage: ["adc-run auth token [options]"],
    summary: "print only the token on standard output",
    description: [
      'Prints the token that a run would use on standard output, without checking it. It never creates one. For Admin API requests, "adc-run api" is safer: the token stays out of argv.',
    ],
    shared: SHARED_WITH_SOURCE,
    connection: "to connect",
    readOnly: true,
    examples: [
      ["Into a private file", "(umask 077; adc-run auth token > token.txt)"],
    ],
    seeAlso: ["api", "exec"],
    run: async () => (await import("../commands/auth_status.ts")).authToken,
  },
  {
    name: "auth list",
    usage: ["adc-run auth list [options]"],
    summary: "the user's tokens: expiry, last use, which one is used here",
    description: [
      "Lists the tokens of the user whose token a run would use. An asterisk marks the one used here; stale means not used for 90 days.",
    ],
    options: LIST_OPTIONS,
    shared: SHARED_WITH_SOURCE,
    connection: "to connect",
    backend: "api7ee",
    readOnly: true,
    examples: [["All of them", "adc-run auth list"]],
    seeAlso: ["auth revoke", "auth rotate"],
    run: async () => (await import("../commands/user_tokens.ts")).authList,
  },
  {
    name: "auth rotate",
    usage: ["adc-run auth rotate [options]"],
    summary: "replace the stored token with a new one, and revoke the old one",
    description: [
      "Uses the stored token to create a new one, checks it, stores it, and revokes the old one. Interrupted at any point, it leaves a working token stored; the next run cleans up.",
    ],
    options: ROTATE_OPTIONS,
    shared: [...SHARED, "--no-check"],
    connection: "with the stored token",
    backend: "api7ee",
    examples: [
      ["Renew it", "adc-run auth rotate"],
      ["For a profile, for 90 days", "adc-run -p prod auth rotate --expires-in 90d"],
    ],
    seeAlso: ["auth list", "auth login"],
    run: async () => (await import("../commands/stored_token.ts")).authRotate,
  },
  {
    name: "auth revoke",
    usage: ["adc-run auth revoke ID|NAME... [options]"],
    summary: "revoke tokens on the server",
    description: [
      "Revokes tokens of the user whose token a run would use. Either all of them are found, or none is revoked. One that is stored here is removed too.",
    ],
    options: REVOKE_OPTIONS,
    shared: SHARED_WITH_SOURCE,
    connection: "to connect",
    backend: "api7ee",
    operands: {},
    examples: [
      ["By name", 'adc-run auth revoke "adc-run dev@old-laptop"'],
      ["Without confirmation", "adc-run auth revoke --yes old-pipeline"],
    ],
    seeAlso: ["auth list", "auth logout"],
    run: async () => (await import("../commands/user_tokens.ts")).authRevoke,
  },
  {
    name: "auth logout",
    usage: ["adc-run auth logout [options]"],
    summary: "revoke the stored token and remove it",
    description: ["Revokes the stored token and removes it from the keychain or file."],
    options: LOGOUT_OPTIONS,
    shared: SHARED,
    connection: "with the stored token",
    examples: [
      ["For this server", "adc-run auth logout"],
      ["For a profile", "adc-run -p prod auth logout"],
    ],
    seeAlso: ["auth login", "auth revoke"],
    run: async () => (await import("../commands/stored_token.ts")).authLogout,
  },
];
