import { ADC_SETTINGS } from "../../adc/settings.ts";
import { BACKEND_NAMES } from "../../connection/backends.ts";
import { SOURCE_NAMES } from "../../token/sources.ts";
import type { ManualOption } from "./manual.ts";

/** adc-run's own options, which stand before the command. */
export const GLOBAL_OPTIONS: readonly ManualOption[] = [
  {
    flags: "-p, --profile NAME[,NAME...]",
    text: "the target to use; for a run also several, one after another",
    variable: "ADC_RUN_PROFILE",
    values: "profiles",
    list: true,
  },
  {
    flags: "--no-profile",
    text: "use no profile, not even the default one",
    variable: "ADC_RUN_NO_PROFILE",
  },
  {
    flags: "--parallel N",
    text: "with several profiles, run this many at once (default: 1)",
    variable: "ADC_RUN_PARALLEL",
  },
  {
    flags: "--keep-going",
    text: "with several profiles, go on with the others when one fails",
    variable: "ADC_RUN_KEEP_GOING",
  },
  {
    flags: "--source LIST",
    text: "ask these sources for a token, in this order",
    variable: "ADC_RUN_SOURCE",
    values: SOURCE_NAMES,
    list: true,
  },
  {
    flags: "--env-file PATH",
    text: "read this file instead of .env",
    variable: "ADC_RUN_ENV_FILE",
    values: "files",
  },
  {
    flags: "--ephemeral[=TTL]",
    text: "make a token for this run alone (1h), and revoke it on every way out",
    variable: "ADC_RUN_EPHEMERAL",
  },
  {
    flags: "--adc PATH",
    text: "the ADC to run",
    variable: "ADC_RUN_ADC",
    values: "files",
  },
  { flags: "--no-check", text: "skip the test call", variable: "ADC_RUN_CHECK" },
  { flags: "--no-mask", text: "let the output through untouched", variable: "ADC_RUN_MASK" },
  {
    flags: "--fail-on-leak",
    text: "exit with 65 when ADC exits with 0 but printed a secret",
    variable: "ADC_RUN_FAIL_ON_LEAK",
  },
  {
    flags: "--dry-run",
    text: "resolve and check, show what would run, run nothing",
    variable: "ADC_RUN_DRY_RUN",
  },
  {
    flags: "--json",
    text:
      "report as one JSON object: of a run or a failure on standard error, else on standard output",
    variable: "ADC_RUN_JSON",
  },
  { flags: "-q, --quiet", text: "say nothing unless it fails", variable: "ADC_RUN_QUIET" },
  { flags: "-V, --version", text: "show the version" },
  { flags: "-h, --help", text: "show the help, or that of the command" },
];

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
export const CONNECTION_FLAGS: readonly ManualOption[] = Object.values(ADC_SETTINGS).map((
  { flag, variable, kind, hint },
) => ({
  flags: flag + PLACEHOLDERS[kind],
  text: kind === "backend" ? `${hint}: ${BACKEND_NAMES.join(", ")}` : hint,
  variable,
  values: kind === "path" ? "files" : kind === "backend" ? BACKEND_NAMES : undefined,
}));

/** A variable that adc-run reads. */
export interface ManualVariable {
  /** Its name, or several with commas. */
  readonly name: string;
  readonly text: string;
}

const SWITCHES = [
  "--no-check",
  "--no-mask",
  "--fail-on-leak",
  "--dry-run",
  "--keep-going",
  "--json",
  "--quiet",
];

/** Variables that stand for an option before the command. */
export const OPTION_VARIABLES: readonly ManualVariable[] = GLOBAL_OPTIONS
  .filter(({ variable }) => variable !== undefined)
  .map(({ flags, variable }) => {
    const long = /--[a-z-]+/.exec(flags)![0];
    if (variable === "ADC_RUN_EPHEMERAL") {
      return { name: variable, text: `${long}: true, or how long the token lives` };
    }
    if (variable === "ADC_RUN_NO_PROFILE") {
      return { name: variable, text: `${long}: true, unless ADC_RUN_PROFILE is set` };
    }
    if (!SWITCHES.includes(long)) return { name: variable!, text: long };
    return { name: variable!, text: `${long}: ${long.startsWith("--no-") ? "false" : "true"}` };
  });

/** Variables that say how to connect, in the environment or in `.env`. */
export const CONNECTION_VARIABLES: readonly ManualVariable[] = CONNECTION_FLAGS
  .filter(({ variable }) => variable !== undefined)
  .map(({ flags, variable }) => ({ name: variable!, text: flags.split(" ")[0]! }));

/** All other variables. */
export const OTHER_VARIABLES: readonly ManualVariable[] = [
  { name: "API_KEY", text: "the token, only if it starts with a7ee- or a7adm-" },
  { name: "ADC_TOKEN_FILE", text: "a file that holds the token" },
  { name: "ADC_TOKEN_COMMAND", text: "a command that prints the token; never taken from .env" },
  { name: "API7_USERNAME", text: "who logs in" },
  { name: "API7_PASSWORD", text: "the password for it" },
  { name: "API7_LOGIN_OPTION", text: "the LDAP login option to log in through" },
  {
    name: "ADC_RUN_ALLOWED_SERVERS",
    text: "origins, with commas between them; every other server is refused",
  },
  {
    name: "ADC_RUN_CONFIG_DIR",
    text: "the folder of config.json and of what adc-run remembers of its tokens",
  },
  {
    name: "HTTP_PROXY, HTTPS_PROXY, NO_PROXY",
    text: "proxies, for adc-run as for ADC",
  },
  { name: "CI", text: "where it is set nobody is asked anything" },
  { name: "GITHUB_ACTIONS", text: "where it is true the runner is told to mask the token" },
  { name: "NO_COLOR, FORCE_COLOR", text: "no colours; colours without a terminal" },
];
