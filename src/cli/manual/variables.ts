import { CONNECTION_FLAGS, GLOBAL_OPTIONS } from "./global_options.ts";

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
