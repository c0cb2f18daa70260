import type { Storage } from "../../store/state.ts";
import type { OptionsOf, OptionSpec } from "../global_options.ts";
import type { CommandSpec } from "./manual.ts";

const SHARED = ["--profile", "--no-profile", "--env-file", "--json", "--quiet"];
const SHARED_WITH_SOURCE = [...SHARED, "--source"];

export const STORAGE_OPTION = {
  flags: "--storage STORE",
  text: "keychain, or file: one that only you can read (default: keychain)",
  values: ["keychain", "file"] as const satisfies readonly Storage[],
  closed: true,
} as const satisfies OptionSpec;

const LOGIN_OPTIONS = [
  {
    flags: "--username NAME",
    text: "the user; else the profile's",
    variable: "API7_USERNAME",
  },
  {
    flags: "--password-stdin",
    text: "read the password from standard input",
    variable: "API7_PASSWORD",
  },
  {
    flags: "--login-option NAME",
    text: "log in through this LDAP login option",
    variable: "API7_LOGIN_OPTION",
  },
  {
    flags: "--name NAME",
    text: "the token's name, at most 40 characters (default: adc-run USER@HOST)",
  },
  {
    flags: "--expires-in DURATION",
    text: "how long the token lives, such as 12h or 90d, or never (default: 30d)",
  },
  STORAGE_OPTION,
  {
    flags: "--with-token",
    text: "read a token from standard input, or ask for it at a terminal",
  },
  { flags: "--replace", text: "replace a stored token of another name or user without asking" },
  { flags: "--yes", text: "send the password or the token though .env alone names the server" },
] as const satisfies readonly OptionSpec[];

export type LoginOptions = OptionsOf<typeof LOGIN_OPTIONS>;

const HAND_OVER_OPTIONS = [
  {
    flags: "--to-command CMD",
    text: "hand it to this command's standard input; split into words without a shell",
  },
  { flags: "--to-file PATH", text: "write it to this file, for you alone", values: "files" },
  { flags: "--print", text: "print it on standard output" },
] as const satisfies readonly OptionSpec[];

const CREATE_OPTIONS = [
  {
    flags: "--expires-in DURATION",
    text: "how long the token lives, such as 12h or 90d, or never (default: 90d)",
  },
  ...HAND_OVER_OPTIONS,
  { flags: "--save", text: "keep the workflow in config.json, for auth rotate" },
] as const satisfies readonly OptionSpec[];

export type CreateOptions = OptionsOf<typeof CREATE_OPTIONS>;

const ROTATE_OPTIONS = [
  {
    flags: "--expires-in DURATION",
    text: "how long the new token lives (default: as long as the old one was to)",
  },
  { flags: "--due DURATION", text: "the workflows whose token ends within this time, such as 14d" },
  { flags: "--all", text: "all workflows of config.json" },
  ...HAND_OVER_OPTIONS,
] as const satisfies readonly OptionSpec[];

export type RotateOptions = OptionsOf<typeof ROTATE_OPTIONS>;

const LIST_OPTIONS = [
  { flags: "--expiring DURATION", text: "those that end within this time, such as 14d, or have" },
  { flags: "--unused DURATION", text: "those that were not used for this long, such as 90d" },
  { flags: "--user NAME", text: "another user's, as far as the server shows them" },
  { flags: "--fail", text: "exit with 3 where there is one, for a nightly job" },
] as const satisfies readonly OptionSpec[];

export type ListOptions = OptionsOf<typeof LIST_OPTIONS>;

const REVOKE_OPTIONS = [{
  flags: "-y, --yes",
  text: "do not ask",
}] as const satisfies readonly OptionSpec[];

export type RevokeOptions = OptionsOf<typeof REVOKE_OPTIONS>;

const LOGOUT_OPTIONS = [{
  flags: "--keep",
  text: "leave it valid on the server",
}] as const satisfies readonly OptionSpec[];

export type LogoutOptions = OptionsOf<typeof LOGOUT_OPTIONS>;

export const AUTH_COMMANDS: readonly CommandSpec[] = [
  {
    name: "auth",
    usage: ["adc-run auth login|status|token|list|create|rotate|revoke|logout"],
    summary: "get tokens, look at them, renew them, end them",
    description: [
      "API7's documentation asks for a token for each user and workflow, made by a user who is no Super Admin, revoked when nobody needs it, and renewed regularly. Each is one command.",
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
    summary: "log in, have a token made, and store it; or store one you have",
    description: [
      "Logs in to API7 Enterprise, has a token made, tries it, and stores it in the system's keychain under the service \"adc-run\" and the server's origin, or PROFILE@ORIGIN with a profile. The token of the same user and name that adc-run stored there before is revoked; before another is replaced you are asked. What is missing is asked for at a terminal. With --with-token a token on standard input is stored instead.",
      "Where the log-in needs a browser (OIDC, SAML, CAS), make a token in the Dashboard under Organization > Tokens, and use --with-token.",
    ],
    options: LOGIN_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--no-check"],
    connection: "to connect",
    examples: [
      ["Answer the questions", "adc-run auth login --server https://gateway.example.com:7443"],
      ["Without questions", "adc-run auth login --username ci-bot --password-stdin < password.txt"],
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
    summary: "every source, the winner, whether it works, whose it is and when it ends",
    description: [
      "Asks every source, checks the token that a run would take, and says whose it is. Exits with 0 only when it is valid.",
    ],
    shared: [...SHARED_WITH_SOURCE, "--no-check"],
    connection: "to connect",
    readOnly: true,
    examples: [
      ["Here and now", "adc-run auth status"],
      ["For a script", "adc-run -p prod auth status --json"],
    ],
    seeAlso: ["doctor", "sources", "verdicts"],
    run: async () => (await import("../commands/auth_status.ts")).authStatus,
  },
  {
    name: "auth token",
    usage: ["adc-run auth token [options]"],
    summary: "print the bare token on standard output",
    description: [
      'Prints the bare token that a run would take, unchecked, on standard output. None is made for it. For requests to the Admin API "adc-run api" is safer: the token stays out of argv.',
    ],
    shared: SHARED_WITH_SOURCE,
    connection: "to connect",
    readOnly: true,
    examples: [
      ["Into a file of your own", "(umask 077; adc-run auth token > token.txt)"],
    ],
    seeAlso: ["api", "exec"],
    run: async () => (await import("../commands/auth_status.ts")).authToken,
  },
  {
    name: "auth list",
    usage: ["adc-run auth list [options]"],
    summary: "the user's tokens: expiry, last use, which one is in use here",
    description: [
      "Lists the tokens of the user whose token a run would take. An asterisk marks the one in use here; stale is one that was not used for 90 days. With --expiring and --unused only those that are either.",
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
    summary: "a token for a workflow that lives elsewhere, handed over to it",
    description: [
      "Makes a token of this name for a workflow such as a pipeline, tries it, and hands it over: to a command's standard input, into a file that only you can read, or onto standard output. It is made with the token that a run would take; with API7_USERNAME and API7_PASSWORD there is one log-in. Nothing that is secret is stored here. Where the hand-over fails the token is revoked.",
      'The command has to read all of its input and exit with 0 within a minute. It sees none of adc-run\'s tokens, and its output is masked. A workflow of config.json ("workflows") needs no options; there a command starts in the folder of that file, so that it cannot depend on where you are: let "gh" be told with --repo.',
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
      ["Into a file, and remembered", "adc-run auth create cron --to-file /srv/cron/token --save"],
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
    summary: "a new token in the place of the stored one, or of workflows'; the old one is revoked",
    description: [
      "Makes a new token with the stored one, tries it, stores it, and revokes the old one. Interrupted at any point it leaves a stored token that works; the next run clears up the rest.",
      "With names, --due or --all it renews the tokens of workflows: a new one is made, tried and handed over, then the old one is revoked. Tokens are found on the server by name, so that this works on a CI runner with nothing stored. Killed at any point, one token that was handed over works, and the next call finishes; it does not matter on which machine. Exits with 0 only when all went well.",
    ],
    options: ROTATE_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--no-check", "--dry-run"],
    connection: "with the stored token",
    backend: "api7ee",
    operands: {},
    examples: [
      ["Renew the stored one", "adc-run auth rotate"],
      ["For a profile, for 90 days", "adc-run -p prod auth rotate --expires-in 90d"],
      ["Those that end soon, each month", "adc-run auth rotate --due 35d"],
      ["What would be renewed", "adc-run auth rotate --all --dry-run"],
    ],
    seeAlso: ["auth list", "auth login"],
    run: async () => (await import("../commands/stored_token.ts")).authRotate,
  },
  {
    name: "auth revoke",
    usage: ["adc-run auth revoke ID|NAME... [options]"],
    summary: "end tokens on the server",
    description: [
      "Ends tokens of the user whose token a run would take. None is revoked unless all are found. One that is stored here is removed as well.",
    ],
    options: REVOKE_OPTIONS,
    shared: SHARED_WITH_SOURCE,
    connection: "to connect",
    backend: "api7ee",
    operands: {},
    examples: [
      ["By name", 'adc-run auth revoke "adc-run dev@old-laptop"'],
      ["Without a question", "adc-run auth revoke --yes old-pipeline"],
    ],
    seeAlso: ["auth list", "auth logout"],
    run: async () => (await import("../commands/user_tokens.ts")).authRevoke,
  },
  {
    name: "auth logout",
    usage: ["adc-run auth logout [options]"],
    summary: "revoke the stored token and remove it",
    description: [
      "Revokes the stored token and removes it from where it is stored. A token that was brought along is only removed where adc-run cannot tell which of the user's it is.",
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
