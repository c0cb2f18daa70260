import { VERDICTS } from "../../check/verdict.ts";
import { EXIT, EXIT_MEANINGS } from "../../errors.ts";
import { SOURCES } from "../../token/sources.ts";
import { VERSION } from "../../version.ts";
import { CONNECTION_VARIABLES, OPTION_VARIABLES, OTHER_VARIABLES } from "./global_options.ts";
import type { ManualVariable } from "./global_options.ts";
import type { ManualTopic, TextBlock } from "./manual.ts";

const variables = (list: readonly ManualVariable[]): TextBlock => ({
  rows: list.map(({ name, text }) => [name, text]),
});

/** What more than one command is about. */
export const TOPICS: readonly ManualTopic[] = [
  {
    name: "sources",
    aliases: ["source"],
    summary: "where a token comes from",
    text: [
      'The first source that has a token wins, and its name is in every message. A source without a token is ignored; a source that is broken stops the search, because a locked keychain is not "no token".',
      {
        rows: Object.entries(SOURCES).map(([name, { summary }]) => [name, summary]),
      },
      "--source, ADC_RUN_SOURCE and a profile's sources say which of them are asked, and in which order. A token that is stored for one origin is never sent to another.",
    ],
    examples: [
      { text: "What every source says here", line: "adc-run auth status" },
      { text: "The keychain alone", line: "adc-run --source keychain sync -f adc.yaml" },
    ],
    seeAlso: ["auth login", "security"],
  },
  {
    name: "profiles",
    summary: "named targets, and the files that hold them",
    text: [
      'A profile is a target with a name. "-p NAME" or ADC_RUN_PROFILE chooses it; where neither does, the one that "adc-run profile use" has set. --no-profile uses none.',
      "Profiles lie in config.json in your configuration folder (~/.config/adc-run, on macOS ~/Library/Application Support/adc-run, on Windows %APPDATA%\\adc-run), and in adc-run.json beside adc.yaml, where a project brings some along. A project's file cannot have a tokenCommand, which would let a cloned repository run programs, and cannot say which profile to use. Of two profiles with one name your own wins.",
      [
        "{",
        '  "version": 1,',
        '  "use": "prod",',
        '  "profiles": {',
        '    "prod": {',
        '      "backend": "api7ee",',
        '      "server": "https://gateway.example.com:7443",',
        '      "gatewayGroup": "production"',
        "    },",
        '    "staging": { "use": "prod", "gatewayGroup": "staging" }',
        "  }",
        "}",
      ],
      "Flags come before the environment, that before .env, that before the profile, that before ADC's defaults. A profile pins its server, backend and gateway group: a .env file that says otherwise, or an environment that does while the profile was named, is an error that shows both.",
      "A profile never holds a secret. Its token lies in the keychain under PROFILE@ORIGIN.",
    ],
    examples: [
      {
        text: "Make one",
        line: "adc-run profile set prod --backend api7ee --server https://gateway.example.com:7443",
      },
      { text: "Log in there", line: "adc-run -p prod auth login" },
      { text: "Use it", line: "adc-run -p prod sync -f adc.yaml" },
    ],
    seeAlso: ["profile set", "fan-out", "sources"],
  },
  {
    name: "fan-out",
    aliases: ["targets"],
    summary: "one command over many targets",
    text: [
      "With several profiles ADC runs once for each, one after another or --parallel N at a time. The tokens of all are found and checked before the first ADC starts; when one is refused nothing runs, unless --keep-going is given. Without it the first failure stops the start of more.",
      "Every line of output starts with its target's name. A table of the results follows on standard error; with --json it is one object with a result for each target. Ctrl-C ends all.",
      "The exit code is 0 only when all of them are, else that of the first target, in the order given, that failed.",
    ],
    examples: [
      {
        text: "What would change, everywhere",
        line: "adc-run -p staging,prod-eu,prod-us diff -f adc.yaml",
      },
      {
        text: "Four at a time, whatever happens to one",
        line: "adc-run -p staging,prod-eu,prod-us --parallel 4 --keep-going sync -f adc.yaml",
      },
    ],
    seeAlso: ["profiles", "ci"],
  },
  {
    name: "verdicts",
    aliases: ["verdict", "exit-codes", "exit-code", "check"],
    summary: "what the check says, and the exit codes",
    text: [
      "Before ADC starts, adc-run makes the request that ADC itself will make first, on ADC's own terms.",
      {
        rows: Object.entries(VERDICTS).map(([name, { exit, summary }]) => [
          name,
          exit === 0 ? summary : `${exit}; ${summary}`,
        ]),
      },
      "Exit codes:",
      {
        rows: [
          ["ADC's own", "unchanged, whatever it is"],
          ...Object.entries(EXIT_MEANINGS).map(([name, meaning]) =>
            [String(EXIT[name as keyof typeof EXIT]), meaning] as const
          ),
          ["128+n", "ended by signal n, as ADC was"],
        ],
      },
    ],
    examples: [{ text: "Without ADC", line: "adc-run auth status" }],
    seeAlso: ["auth status", "doctor"],
  },
  {
    name: "environment",
    aliases: ["variables", "env"],
    summary: "the variables that are read",
    text: [
      "Each option before the command has a variable. The option wins; an empty variable counts as unset; none of them is taken from .env.",
      variables(OPTION_VARIABLES),
      "How to connect, in the environment or in .env, as for ADC:",
      variables(CONNECTION_VARIABLES),
      "And:",
      variables(OTHER_VARIABLES),
    ],
    examples: [
      {
        text: "A pipeline's settings without a command line",
        line: "ADC_RUN_PROFILE=prod ADC_RUN_FAIL_ON_LEAK=true adc-run sync -f adc.yaml",
      },
    ],
    seeAlso: ["sources", "ci"],
  },
  {
    name: "ci",
    aliases: ["github", "gitlab", "pipeline"],
    summary: "how adc-run behaves in pipelines",
    text: [
      "adc-run never prompts where CI is set. In GitHub Actions it has the runner mask the token, and errors and warnings become annotations. Every option has a variable.",
      "Give the token as a masked variable or as a mounted file (ADC_TOKEN_FILE). Without a long-lived token give API7_USERNAME and API7_PASSWORD: the token then lives for the run alone. --fail-on-leak fails a job whose output held a secret. ADC_RUN_ALLOWED_SERVERS, set where the pipeline's authors cannot change it, keeps the token from every other server.",
      [
        "# GitHub Actions",
        `- uses: adc-run/adc-run@v${VERSION}`,
        "  with:",
        "    args: sync -f adc.yaml",
        "    backend: api7ee",
        "    server: https://gateway.example.com:7443",
        "    token: ${{ secrets.ADC_TOKEN }}",
      ],
    ],
    examples: [
      { text: "In any pipeline", line: "adc-run --fail-on-leak sync -f adc.yaml" },
    ],
    seeAlso: ["environment", "security", "fan-out"],
  },
  {
    name: "security",
    aliases: ["secrets"],
    summary: "what adc-run does about secrets, and what it does not",
    text: [
      "The token is in no argv that adc-run makes: --token is lifted out into ADC's environment. ADC's output passes a mask that knows the token in every usual encoding. Messages name a token by its prefix and a fingerprint. Redirects are not followed.",
      "A stored token goes to the origin that it was stored for, and to no other. A password is sent to no server, and through no proxy, that .env alone names, unless you agree. From a cloned repository come .env, adc-run.json and adc.yaml: none of them can run a program through adc-run, and neither ADC_RUN_ variables nor token commands nor token files are taken from .env.",
      "A program that runs as you can read ADC's environment and your unlocked keychain. A .env file that names another server sends the token of the environment there, as it does with ADC alone: a named profile, or ADC_RUN_ALLOWED_SERVERS, prevents that.",
    ],
    examples: [
      {
        text: "A token for one run",
        line: "adc-run --ephemeral=10m sync -f adc.yaml",
      },
      { text: "Files with a token, and more", line: "adc-run doctor" },
    ],
    seeAlso: ["sources", "auth rotate", "doctor"],
  },
];
