import { ALLOWED_WORDS, SETTING_NAMES } from "../../profiles/profile_settings.ts";
import { SOURCE_NAMES } from "../../token/sources.ts";
import type { ConnectionValues, OptionsOf, OptionSpec } from "../global_options.ts";
import { STORAGE_OPTION } from "./auth_commands.ts";
import type { CommandSpec } from "./manual.ts";

const SHARED = ["--json", "--quiet", "--verbose"];

const SET_OPTIONS = [
  { flags: "--username NAME", text: "the user who logs in" },
  { flags: "--token-command CMD", text: "a command that prints the token (run without a shell)" },
  {
    flags: "--sources LIST",
    text: "the token sources to use, in this order",
    values: SOURCE_NAMES,
    list: true,
  },
  {
    flags: "--allow LIST",
    text: "only these commands may run with it; a guard against slips",
    values: ALLOWED_WORDS,
    list: true,
  },
  { flags: "--use NAME", text: "inherit missing settings from this profile", values: "profiles" },
  {
    flags: "--unset KEY[,KEY...]",
    text: "remove these settings",
    values: SETTING_NAMES,
    list: true,
  },
] as const satisfies readonly OptionSpec[];

export type SetOptions = OptionsOf<typeof SET_OPTIONS> & ConnectionValues;

const USE_OPTIONS = [{
  flags: "--none",
  text: "use no default profile",
}] as const satisfies readonly OptionSpec[];

export type UseOptions = OptionsOf<typeof USE_OPTIONS>;

const IMPORT_OPTIONS = [
  {
    flags: "--file PATH",
    text: "read this file (default: ~/.config/a7/config.yaml)",
    values: "files",
  },
  { flags: "--overwrite", text: "replace existing profiles" },
  { flags: "--dry-run", text: "show what would be done, and do nothing" },
  { flags: "-y, --yes", text: "do not ask for confirmation" },
  STORAGE_OPTION,
] as const satisfies readonly OptionSpec[];

export type ImportOptions = OptionsOf<typeof IMPORT_OPTIONS>;

export const PROFILE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "profile",
    summary: "named targets: list, show, set, remove, use, import",
    description: [
      'A profile is a named target: backend, server, gateway group, TLS files, user name, token command, sources. It never holds a secret. See "adc-run help profiles" for how to use them.',
    ],
    examples: [
      [
        "Create one",
        "adc-run profile set prod --backend api7ee --server https://gateway.example.com:7443 --gateway-group production",
      ],
      ["Use it", "adc-run -p prod diff -f adc.yaml"],
    ],
    seeAlso: ["profiles", "fan-out"],
  },
  {
    name: "profile list",
    summary: "all profiles; an asterisk marks the one in use",
    description: [
      "Lists the profiles in your own config.json and in the project's adc-run.json: name, backend, server, gateway group, file.",
    ],
    shared: SHARED,
    readOnly: true,
    examples: [["For a script", "adc-run profile list --json"]],
    seeAlso: ["profile show", "profiles"],
    run: async () => (await import("../commands/profiles.ts")).profileList,
  },
  {
    name: "profile show",
    usage: ["adc-run profile show [NAME] [options]"],
    summary: "a profile's settings, and where each comes from",
    description: [
      "Shows a profile's settings, including inherited ones. Without a name, shows the profile in use.",
    ],
    shared: SHARED,
    operands: { most: 1, what: "a profile name", values: "profiles" },
    readOnly: true,
    examples: [["One of them", "adc-run profile show prod"]],
    seeAlso: ["profile list", "profiles"],
    run: async () => (await import("../commands/profiles.ts")).profileShow,
  },
  {
    name: "profile set",
    usage: ["adc-run profile set NAME [connection flags] [options]"],
    summary: "create or change a profile",
    description: [
      "Writes the settings to your own config.json and leaves everything else there unchanged. Paths become absolute. Values that no run could use are refused, and so is a token or password in the server's address. A missing certificate file only causes a warning.",
    ],
    options: SET_OPTIONS,
    shared: SHARED,
    connection: "to keep",
    operands: { least: 1, most: 1, what: "a profile name", values: "profiles" },
    examples: [
      [
        "A gateway group of API7 Enterprise",
        "adc-run profile set prod --backend api7ee --server https://gateway.example.com:7443 --gateway-group production",
      ],
      [
        "The same with another group",
        "adc-run profile set staging --use prod --gateway-group staging",
      ],
      [
        "The token from a password manager",
        "adc-run profile set prod --token-command 'op read op://infra/adc/token'",
      ],
      ["Remove a setting", "adc-run profile set prod --unset timeout,username"],
    ],
    seeAlso: ["profiles", "profile show", "auth login"],
    run: async () => (await import("../commands/profiles.ts")).profileSet,
  },
  {
    name: "profile remove",
    usage: ["adc-run profile remove NAME... [options]"],
    summary: "remove profiles",
    description: [
      'Removes profiles from your own config.json. Stored tokens stay: run "adc-run -p NAME auth logout" first. A profile that another one inherits from is refused.',
    ],
    shared: SHARED,
    operands: { least: 1, what: "one or more profile names", values: "profiles" },
    examples: [["One of them", "adc-run profile remove staging"]],
    seeAlso: ["auth logout", "profiles"],
    run: async () => (await import("../commands/profiles.ts")).profileRemove,
  },
  {
    name: "profile use",
    usage: ["adc-run profile use NAME [options]", "adc-run profile use --none"],
    summary: "set the default profile",
    description: ["Sets the default profile, used unless -p or ADC_RUN_PROFILE names another."],
    options: USE_OPTIONS,
    shared: SHARED,
    operands: { most: 1, what: "a profile name", values: "profiles" },
    examples: [
      ["From now on", "adc-run profile use prod"],
      ["No default any more", "adc-run profile use --none"],
    ],
    seeAlso: ["profiles"],
    run: async () => (await import("../commands/profiles.ts")).profileUse,
  },
  {
    name: "profile import",
    summary: "import a7's contexts, with their tokens",
    description: [
      "Creates a profile from each context in a7's configuration, and stores its token in the keychain. Existing profiles are skipped. a7's file is not changed; remove the tokens from it when you no longer use a7.",
    ],
    options: IMPORT_OPTIONS,
    shared: SHARED,
    examples: [
      ["Preview", "adc-run profile import --dry-run"],
      ["Import", "adc-run profile import --yes"],
    ],
    seeAlso: ["profiles", "security"],
    run: async () => (await import("../commands/profile_import.ts")).profileImport,
  },
  {
    name: "profile schema",
    usage: ["adc-run profile schema"],
    summary: "print the JSON Schema of config.json and adc-run.json",
    description: ["Prints the JSON Schema for editors and validators."],
    readOnly: true,
    examples: [["Into a file", "adc-run profile schema > adc-run.schema.json"]],
    seeAlso: ["profiles"],
    run: async () => (await import("../commands/profiles.ts")).profileSchema,
  },
];
