import type { Storage } from "../../store/state.ts";
import type { OptionsOf, OptionSpec } from "../global_options.ts";
import type { CommandSpec } from "./manual.ts";

const SHARED = ["--profile", "--no-profile", "--env-file", "--json", "--quiet", "--verbose"];
/** What a command takes that looks for a token. */
export const SHARED_WITH_SOURCE = [...SHARED, "--source"];

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
  { flags: "--with-token", text: "read a token from standard input, or prompt for one" },
  { flags: "--replace", text: "replace a stored token of another name or user without asking" },
  { flags: "--yes", text: "send the password or token even though only .env sets the server" },
] as const satisfies readonly OptionSpec[];

export type LoginOptions = OptionsOf<typeof LOGIN_OPTIONS>;

const HAND_OVER_OPTIONS = [
  {
    flags: "--to-command CMD",
    text: "hand it to this command's standard input; split into words without a shell",
  },
  { flags: "--to-file PATH", text: "write it to this file, of mode 0600", values: "files" },
  { flags: "--print", text: "print it on standard output" },
] as const satisfies readonly OptionSpec[];

const CREATE_OPTIONS = [
  {
    flags: "--expires-in DURATION",
    text: "the token's lifetime, such as 12h or 90d, or never (default: 90d)",
  },
  ...HAND_OVER_OPTIONS,
  { flags: "--save", text: "save the workflow in config.json, for auth rotate" },
] as const satisfies readonly OptionSpec[];

export type CreateOptions = OptionsOf<typeof CREATE_OPTIONS>;

const ROTATE_OPTIONS = [
  {
    flags: "--expires-in DURATION",
    text: "the new token's lifetime (default: that of the old one)",
  },
  {
    flags: "--due DURATION",
    text: "the workflows whose token expires within this time, such as 14d",
  },
  { flags: "--all", text: "all workflows of config.json" },
  ...HAND_OVER_OPTIONS,
] as const satisfies readonly OptionSpec[];

export type RotateOptions = OptionsOf<typeof ROTATE_OPTIONS>;

const LIST_OPTIONS = [
  { flags: "--ids", text: "show the tokens' ids, and when they were created" },
  {
    flags: "--expiring DURATION",
    text: "those that expire within this time, such as 14d, or have expired",
  },
  { flags: "--unused DURATION", text: "those not used for this long, such as 90d" },
  { flags: "--user NAME", text: "another user's, if the server lets you see them" },
  { flags: "--fail", text: "exit with 3 if there are any, for a nightly job" },
] as const satisfies readonly OptionSpec[];

export type ListOptions = OptionsOf<typeof LIST_OPTIONS>;

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

export const AUTH_COMMANDS: readonly CommandSpec[] = [
  {
    name: "auth",
    usage: ["adc-run auth login|status|token|list|create|rotate|revoke|logout"],
    summary: "get, inspect, rotate and revoke tokens",
    description: [
      "API7 recommends a separate token for each user and workflow, created by a user who is not a Super Admin, rotated regularly, and revoked when no longer needed. Each of these is one command.",
    ],
    examples: [["The token that would be used here", "adc-run auth status"]],
    seeAlso: ["sources", "security"],
  },
  {
    name: "auth login",
    usage: ["adc-run auth login [options]", "adc-run auth login --with-token [options]"],
    summary: "log in, create a token and store it; or store one you have",
    description: [
      'Logs in to API7 Enterprise, creates a token, checks it, and stores it in the system\'s keychain: service "adc-run", account ORIGIN, or PROFILE@ORIGIN with a profile. The token of the same user and name that adc-run stored there before is revoked; before it replaces another one, it asks. At a terminal, it prompts for whatever is missing. With --with-token, it stores the token on standard input instead.',
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
    summary: "the token in use: its source, validity, owner and expiry",
    description: [
      "Checks the token that a run would use, and shows its source, owner and expiry; with -v, what each source has. Exits with 0 only if the token is valid.",
    ],
    options: TARGET_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--no-check"],
    connection: "to connect",
    readOnly: true,
    examples: [
      ["Here and now", "adc-run auth status"],
      ["What each source has", "adc-run auth status -v"],
      ["Every profile", "adc-run auth status --all"],
      ["For a script", "adc-run -p prod auth status --json"],
    ],
    seeAlso: ["doctor", "sources", "verdicts"],
    run: async () => (await import("../commands/auth_status.ts")).authStatus,
  },
  {
    name: "auth token",
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
    summary: "the user's tokens: expiry, last use, which one is used here",
    description: [
      "Lists the tokens of the user whose token a run would use. An asterisk marks the one used here; stale means not used for 90 days. With --expiring or --unused, it lists only tokens that match at least one of them.",
    ],
    options: LIST_OPTIONS,
    shared: SHARED_WITH_SOURCE,
    connection: "to connect",
    backend: "api7ee",
    readOnly: true,
    examples: [
      ["All of them", "adc-run auth list"],
      ["For a nightly job", "adc-run auth list --expiring 14d --unused 90d --fail"],
    ],
    seeAlso: ["auth revoke", "auth rotate"],
    run: async () => (await import("../commands/user_tokens.ts")).authList,
  },
  {
    name: "auth create",
    usage: ["adc-run auth create NAME [options]"],
    summary: "a token for a workflow that runs elsewhere, handed to it",
    description: [
      "Creates a token with this name for a workflow such as a pipeline, checks it, and hands it over: to a command's standard input, into a file that only you can read, or to standard output. It is created with the token that a run would use; with API7_USERNAME and API7_PASSWORD, adc-run logs in once. Nothing secret is stored here. If the hand-over fails, the token is revoked.",
      'The command has to read all of its input and exit with 0 within a minute. It sees none of adc-run\'s tokens, and its output is masked. A workflow of config.json ("workflows") needs no options; there a command starts in the folder of that file, wherever you are, so pass --repo to gh. To remove a saved workflow, delete its entry in "workflows" of config.json.',
    ],
    options: CREATE_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--no-check"],
    connection: "to connect",
    backend: "api7ee",
    operands: { least: 1, most: 1, what: "the name of a workflow" },
    examples: [
      [
        "For GitHub Actions",
        'adc-run auth create github-actions --to-command "gh secret set ADC_TOKEN --repo acme/gateway"',
      ],
      ["Into a file, and saved", "adc-run auth create cron --to-file /srv/cron/token --save"],
    ],
    seeAlso: ["auth rotate", "auth list", "ci"],
    run: async () => (await import("../commands/workflow_tokens.ts")).authCreate,
  },
  {
    name: "auth rotate",
    usage: [
      "adc-run auth rotate [options]",
      "adc-run auth rotate NAME... | --due DURATION | --all [options]",
    ],
    summary: "replace the stored token, or those of workflows, and revoke the old ones",
    description: [
      "Uses the stored token to create a new one, checks it, stores it, and revokes the old one. Interrupted at any point, it leaves a working token stored; the next run cleans up.",
      "With names, --due or --all it rotates the tokens of workflows: creates a new one, checks it, hands it over, then revokes the old one. Tokens are found on the server by name, so it works on a CI runner with nothing stored. Killed at any point, it leaves one working token that was handed over; the next run finishes, on any machine. It exits with 0 only if all went well.",
    ],
    options: ROTATE_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--no-check", "--dry-run"],
    connection: "with the stored token",
    backend: "api7ee",
    operands: {},
    examples: [
      ["The stored one", "adc-run auth rotate"],
      ["For a profile, for 90 days", "adc-run -p prod auth rotate --expires-in 90d"],
      ["Those that expire soon, each month", "adc-run auth rotate --due 35d"],
      ["What would be rotated", "adc-run auth rotate --all --dry-run"],
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
    summary: "revoke the stored token and remove it",
    description: [
      "Revokes the stored token and removes it from the keychain or file. If adc-run did not create the token and cannot tell which of the user's tokens it is, it only removes it.",
    ],
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
