import { ALLOWED_WORDS, SETTING_NAMES } from "../../profiles/profile_settings.ts";
import { SOURCE_NAMES } from "../../token/sources.ts";
import type { ConnectionValues, OptionsOf, OptionSpec } from "../global_options.ts";
import { STORAGE_OPTION } from "./auth_commands.ts";
import type { CommandSpec } from "./manual.ts";

const SHARED = ["--json", "--quiet"];

const SET_OPTIONS = [
  { flags: "--username NAME", text: "who logs in" },
  {
    flags: "--token-command TEXT",
    text: "a command that prints the token; split into words without a shell",
  },
  {
    flags: "--sources LIST",
    text: "the sources to ask for a token, in this order",
    values: SOURCE_NAMES,
    list: true,
  },
  {
    flags: "--allow LIST",
    text: "only these commands may run with it; a guard against slips",
    values: ALLOWED_WORDS,
    list: true,
  },
  {
    flags: "--use NAME",
    text: "take what is not set here from this other profile",
    values: "profiles",
  },
  {
    flags: "--unset KEY[,KEY...]",
    text: "take these settings out",
    values: SETTING_NAMES,
    list: true,
  },
] as const satisfies readonly OptionSpec[];

export type SetOptions = OptionsOf<typeof SET_OPTIONS> & ConnectionValues;

const USE_OPTIONS = [{
  flags: "--none",
  text: "have no default profile",
}] as const satisfies readonly OptionSpec[];

export type UseOptions = OptionsOf<typeof USE_OPTIONS>;

const IMPORT_OPTIONS = [
  {
    flags: "--file PATH",
    text: "read this file (default: ~/.config/a7/config.yaml)",
    values: "files",
  },
  { flags: "--overwrite", text: "replace profiles that are there already" },
  { flags: "--dry-run", text: "say what would be done, do nothing" },
  { flags: "-y, --yes", text: "do not ask" },
  STORAGE_OPTION,
] as const satisfies readonly OptionSpec[];

export type ImportOptions = OptionsOf<typeof IMPORT_OPTIONS>;

export const PROFILE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "profile",
    summary: "named targets: list, show, set, remove, use, import",
    description: [
      'A profile is a target with a name: backend, server, gateway group, TLS files, user name, token command, sources. It never holds a secret. "adc-run help profiles" says how they are used.',
    ],
    examples: [
      [
        "Make one",
        "adc-run profile set prod --backend api7ee --server https://gateway.example.com:7443 --gateway-group production",
      ],
      ["Use it", "adc-run -p prod diff -f adc.yaml"],
    ],
    seeAlso: ["profiles", "fan-out"],
  },
  {
    name: "profile list",
    usage: ["adc-run profile list [options]"],
    summary: "all profiles; an asterisk marks the one in use",
    description: [
      "Lists the profiles of your own config.json and of the project's adc-run.json: name, backend, server, gateway group, file.",
    ],
    shared: SHARED,
    readOnly: true,
    examples: [["For a script", "adc-run profile list --json"]],
    seeAlso: ["profile show", "profiles"],
    run: async () => (await import("../commands/profile_list.ts")).profileList,
  },
  {
    name: "profile show",
    usage: ["adc-run profile show [NAME] [options]"],
    summary: "a profile's settings, and where each comes from",
    description: [
      "Shows the settings of a profile, those that it takes from another one included. Without a name it is the one in use.",
    ],
    shared: SHARED,
    operands: { most: 1, what: "one name", values: "profiles" },
    readOnly: true,
    examples: [["One of them", "adc-run profile show prod"]],
    seeAlso: ["profile list", "profiles"],
    run: async () => (await import("../commands/profile_list.ts")).profileShow,
  },
  {
    name: "profile set",
    usage: ["adc-run profile set NAME [connection flags] [options]"],
    summary: "make a profile, or change one",
    description: [
      "Writes the settings into your own config.json and leaves what else is there as it is. Paths become absolute. A value that no run could use is refused, as is a token or a password in the server's address; a certificate file that is not there yet is warned of.",
    ],
    options: SET_OPTIONS,
    shared: SHARED,
    connection: "to keep",
    operands: { least: 1, most: 1, what: "one name", values: "profiles" },
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
      ["Take a setting out", "adc-run profile set prod --unset timeout,username"],
    ],
    seeAlso: ["profiles", "profile show", "auth login"],
    run: async () => (await import("../commands/profile_set.ts")).profileSet,
  },
  {
    name: "profile remove",
    usage: ["adc-run profile remove NAME... [options]"],
    summary: "remove profiles",
    description: [
      'Takes profiles out of your own config.json. A token that is stored for one stays where it is: "adc-run -p NAME auth logout" comes first. One that another profile uses is refused.',
    ],
    shared: SHARED,
    operands: { least: 1, what: "the names of profiles", values: "profiles" },
    examples: [["One of them", "adc-run profile remove staging"]],
    seeAlso: ["auth logout", "profiles"],
    run: async () => (await import("../commands/profile_set.ts")).profileRemove,
  },
  {
    name: "profile use",
    usage: ["adc-run profile use NAME [options]", "adc-run profile use --none"],
    summary: "the profile to use where none is named",
    description: [
      "Makes a profile the default one: it is in force where neither -p nor ADC_RUN_PROFILE names another.",
    ],
    options: USE_OPTIONS,
    shared: SHARED,
    operands: { most: 1, what: "one name", values: "profiles" },
    examples: [
      ["From now on", "adc-run profile use prod"],
      ["No more", "adc-run profile use --none"],
    ],
    seeAlso: ["profiles"],
    run: async () => (await import("../commands/profile_set.ts")).profileUse,
  },
  {
    name: "profile import",
    usage: ["adc-run profile import [options]"],
    summary: "take over the contexts of a7, their tokens into the keychain",
    description: [
      "Makes a profile of each context in a7's configuration and stores its token in the keychain. Profiles that are there already are ignored. a7's file is left as it was; take its tokens out when you no longer use it.",
    ],
    options: IMPORT_OPTIONS,
    shared: SHARED,
    examples: [
      ["Look first", "adc-run profile import --dry-run"],
      ["Then do it", "adc-run profile import --yes"],
    ],
    seeAlso: ["profiles", "security"],
    run: async () => (await import("../commands/profile_import.ts")).profileImport,
  },
  {
    name: "profile schema",
    usage: ["adc-run profile schema"],
    summary: "print the JSON Schema of config.json and adc-run.json",
    description: ["Prints the JSON Schema that editors and validators can use."],
    shared: SHARED,
    readOnly: true,
    examples: [["Into a file", "adc-run profile schema > adc-run.schema.json"]],
    seeAlso: ["profiles"],
    run: async () => (await import("../commands/profile_list.ts")).profileSchema,
  },
];
