import { SOURCE_NAMES } from "../../token/sources.ts";
import type { ManualCommand } from "./manual.ts";

const PLAIN = ["--json", "-q, --quiet"];

/** `profile` and its subcommands. */
export const PROFILE_COMMANDS: readonly ManualCommand[] = [
  {
    name: "profile",
    usage: ["adc-run profile list|show|set|remove|use|import|schema [options]"],
    summary: "named targets: list, show, set, remove, use, import",
    description: [
      'A profile is a target with a name: backend, server, gateway group, TLS files, user name, token command, sources. It never holds a secret. "adc-run help profiles" says how they are used.',
    ],
    examples: [
      {
        text: "Make one",
        line:
          "adc-run profile set prod --backend api7ee --server https://gateway.example.com:7443 --gateway-group production",
      },
      { text: "Use it", line: "adc-run -p prod diff -f adc.yaml" },
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
    shared: PLAIN,
    examples: [{ text: "For a script", line: "adc-run profile list --json" }],
    seeAlso: ["profile show", "profiles"],
  },
  {
    name: "profile show",
    usage: ["adc-run profile show [NAME] [options]"],
    summary: "a profile's settings, and where each comes from",
    description: [
      "Shows the settings of a profile, those that it takes from another one included. Without a name it is the one in use.",
    ],
    shared: PLAIN,
    operands: "profiles",
    examples: [{ text: "One of them", line: "adc-run profile show prod" }],
    seeAlso: ["profile list", "profiles"],
  },
  {
    name: "profile set",
    usage: ["adc-run profile set NAME [connection flags] [options]"],
    summary: "make a profile, or change one",
    description: [
      "Writes the settings into your own config.json and leaves what else is there as it is. Paths become absolute. A value that no run could use is refused, as is a token or a password in the server's address; a certificate file that is not there yet is warned of.",
    ],
    options: [
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
        flags: "--use NAME",
        text: "take what is not set here from this other profile",
        values: "profiles",
      },
      {
        flags: "--unset KEY[,KEY...]",
        text: "take these settings out",
        values: [
          "backend",
          "server",
          "gatewayGroup",
          "timeout",
          "caCertFile",
          "tlsClientCertFile",
          "tlsClientKeyFile",
          "tlsSkipVerify",
          "username",
          "tokenCommand",
          "sources",
          "use",
        ],
        list: true,
      },
    ],
    shared: PLAIN,
    connection: "to keep",
    operands: "profiles",
    examples: [
      {
        text: "A gateway group of API7 Enterprise",
        line:
          "adc-run profile set prod --backend api7ee --server https://gateway.example.com:7443 --gateway-group production",
      },
      {
        text: "The same with another group",
        line: "adc-run profile set staging --use prod --gateway-group staging",
      },
      {
        text: "The token from a password manager",
        line: "adc-run profile set prod --token-command 'op read op://infra/adc/token'",
      },
      { text: "Take a setting out", line: "adc-run profile set prod --unset timeout,username" },
    ],
    seeAlso: ["profiles", "profile show", "auth login"],
  },
  {
    name: "profile remove",
    usage: ["adc-run profile remove NAME... [options]"],
    summary: "remove profiles",
    description: [
      'Takes profiles out of your own config.json. A token that is stored for one stays where it is: "adc-run -p NAME auth logout" comes first. One that another profile uses is refused.',
    ],
    shared: PLAIN,
    operands: "profiles",
    examples: [{ text: "One of them", line: "adc-run profile remove staging" }],
    seeAlso: ["auth logout", "profiles"],
  },
  {
    name: "profile use",
    usage: ["adc-run profile use NAME [options]", "adc-run profile use --none"],
    summary: "the profile to use where none is named",
    description: [
      "Makes a profile the default one: it is in force where neither -p nor ADC_RUN_PROFILE names another.",
    ],
    options: [{ flags: "--none", text: "have no default profile" }],
    shared: PLAIN,
    operands: "profiles",
    examples: [
      { text: "From now on", line: "adc-run profile use prod" },
      { text: "No more", line: "adc-run profile use --none" },
    ],
    seeAlso: ["profiles"],
  },
  {
    name: "profile import",
    usage: ["adc-run profile import [options]"],
    summary: "take over the contexts of a7, their tokens into the keychain",
    description: [
      "Makes a profile of each context in a7's configuration and stores its token in the keychain. Profiles that are there already are ignored. a7's file is left as it was; take its tokens out when you no longer use it.",
    ],
    options: [
      {
        flags: "--file PATH",
        text: "read this file (default: ~/.config/a7/config.yaml)",
        values: "files",
      },
      { flags: "--overwrite", text: "replace profiles that are there already" },
      { flags: "--dry-run", text: "say what would be done, do nothing" },
      { flags: "-y, --yes", text: "do not ask" },
      {
        flags: "--storage STORE",
        text: "keychain, or file: one that only you can read (default: keychain)",
        values: ["keychain", "file"],
      },
    ],
    shared: PLAIN,
    examples: [
      { text: "Look first", line: "adc-run profile import --dry-run" },
      { text: "Then do it", line: "adc-run profile import --yes" },
    ],
    seeAlso: ["profiles", "security"],
  },
  {
    name: "profile schema",
    usage: ["adc-run profile schema"],
    summary: "print the JSON Schema of config.json and adc-run.json",
    description: ["Prints the JSON Schema that editors and validators can use."],
    shared: PLAIN,
    examples: [{ text: "Into a file", line: "adc-run profile schema > adc-run.schema.json" }],
    seeAlso: ["profiles"],
  },
];
