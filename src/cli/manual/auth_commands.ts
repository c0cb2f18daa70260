import type { ManualCommand } from "./manual.ts";

const PROFILE = ["-p, --profile", "--no-profile"];
const ASKING = [...PROFILE, "--source", "--env-file", "--json", "-q, --quiet"];

/** `auth` and its subcommands. */
export const AUTH_COMMANDS: readonly ManualCommand[] = [
  {
    name: "auth",
    usage: ["adc-run auth login|status|token|list|rotate|revoke|logout [options]"],
    summary: "get tokens, look at them, renew them, end them",
    description: [
      "API7's documentation asks for a token for each user and workflow, made by a user who is no Super Admin, revoked when nobody needs it, and renewed regularly. Each is one command.",
    ],
    examples: [
      { text: "The token that would be used here", line: "adc-run auth status" },
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
      "Logs in to API7 Enterprise, has a token made, tries it, and stores it in the system's keychain under the service \"adc-run\" and the server's origin, or PROFILE@ORIGIN with a profile. A token that adc-run stored there before is revoked. What is missing is asked for at a terminal. With --with-token a token on standard input is stored instead.",
      "Where the log-in needs a browser (OIDC, SAML, CAS), make a token in the Dashboard under Organization > Tokens, and use --with-token.",
    ],
    options: [
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
      {
        flags: "--storage STORE",
        text: "keychain, or file: one that only you can read (default: keychain)",
        values: ["keychain", "file"],
      },
      {
        flags: "--with-token",
        text: "read a token from standard input, or ask for it at a terminal",
      },
      { flags: "--yes", text: "send the password though .env alone names the server" },
    ],
    shared: [...PROFILE, "--source", "--env-file", "--no-check", "--json", "-q, --quiet"],
    connection: "to connect",
    examples: [
      {
        text: "Answer the questions",
        line: "adc-run auth login --server https://gateway.example.com:7443",
      },
      {
        text: "Without questions",
        line: "adc-run auth login --username ci-bot --password-stdin < password.txt",
      },
      {
        text: "Store an admin key of APISIX",
        line: "adc-run auth login --with-token --backend apisix < key.txt",
      },
      { text: "For a profile", line: "adc-run -p prod auth login" },
    ],
    seeAlso: ["auth status", "auth logout", "sources", "security"],
  },
  {
    name: "auth status",
    usage: ["adc-run auth status [options]"],
    summary: "every source, the winner, whether it works, whose it is and when it ends",
    description: [
      "Asks every source, checks the token that a run would take, and says whose it is. Exits with 0 only when it is valid.",
    ],
    shared: [...ASKING, "--no-check"],
    connection: "to connect",
    examples: [
      { text: "Here and now", line: "adc-run auth status" },
      { text: "For a script", line: "adc-run -p prod auth status --json" },
    ],
    seeAlso: ["doctor", "sources", "verdicts"],
  },
  {
    name: "auth token",
    usage: ["adc-run auth token [options]"],
    summary: "print the bare token on standard output",
    description: [
      'Prints the bare token that a run would take, unchecked, on standard output. None is made for it. For requests to the Admin API "adc-run api" is safer: the token stays out of argv.',
    ],
    shared: ASKING,
    connection: "to connect",
    examples: [
      { text: "Into a file of your own", line: "(umask 077; adc-run auth token > token.txt)" },
    ],
    seeAlso: ["api", "exec"],
  },
  {
    name: "auth list",
    usage: ["adc-run auth list [options]"],
    summary: "the user's tokens: expiry, last use, which one is in use here",
    description: [
      "Lists the tokens of the user whose token a run would take. An asterisk marks the one in use here; stale is one that was not used for 90 days.",
    ],
    shared: ASKING,
    connection: "to connect",
    examples: [{ text: "All of them", line: "adc-run auth list" }],
    seeAlso: ["auth revoke", "auth rotate"],
  },
  {
    name: "auth rotate",
    usage: ["adc-run auth rotate [options]"],
    summary: "a new token in the place of the stored one, then the old one revoked",
    description: [
      "Makes a new token with the stored one, tries it, stores it, and revokes the old one. Interrupted at any point it leaves a stored token that works; the next run clears up the rest.",
    ],
    options: [
      {
        flags: "--expires-in DURATION",
        text: "how long the new token lives (default: as long as the old one was to)",
      },
    ],
    shared: [...PROFILE, "--env-file", "--no-check", "--json", "-q, --quiet"],
    connection: "to connect",
    examples: [
      { text: "Renew it", line: "adc-run auth rotate" },
      { text: "For a profile, for 90 days", line: "adc-run -p prod auth rotate --expires-in 90d" },
    ],
    seeAlso: ["auth list", "auth login"],
  },
  {
    name: "auth revoke",
    usage: ["adc-run auth revoke ID|NAME... [options]"],
    summary: "end tokens on the server",
    description: [
      "Ends tokens of the user whose token a run would take. None is revoked unless all are found. One that is stored here is removed as well.",
    ],
    options: [{ flags: "-y, --yes", text: "do not ask" }],
    shared: ASKING,
    connection: "to connect",
    examples: [
      { text: "By name", line: 'adc-run auth revoke "adc-run dev@old-laptop"' },
      { text: "Without a question", line: "adc-run auth revoke --yes old-pipeline" },
    ],
    seeAlso: ["auth list", "auth logout"],
  },
  {
    name: "auth logout",
    usage: ["adc-run auth logout [options]"],
    summary: "revoke the stored token and remove it",
    description: ["Revokes the stored token and removes it from where it is stored."],
    options: [{ flags: "--keep", text: "leave it valid on the server" }],
    shared: [...PROFILE, "--env-file", "--json", "-q, --quiet"],
    connection: "to connect",
    examples: [
      { text: "For this server", line: "adc-run auth logout" },
      { text: "For a profile", line: "adc-run -p prod auth logout" },
    ],
    seeAlso: ["auth login", "auth revoke"],
  },
];
