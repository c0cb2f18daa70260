import { VERDICTS } from "../../check/verdict.ts";
import { EXIT, EXIT_MEANINGS } from "../../errors.ts";
import { SOURCES } from "../../token/sources.ts";
import { VERSION } from "../../version.ts";
import { CONNECTION_FLAGS, GLOBAL_OPTIONS, namesOf } from "../global_options.ts";
import type { ManualTopic } from "./manual.ts";

type VariableRow = readonly [name: string, text: string];

const OPTION_VARIABLES = GLOBAL_OPTIONS.flatMap((option): readonly VariableRow[] => {
  const { variable, kind } = option;
  const { long, negated } = namesOf(option);
  if (variable === undefined) return [];
  if (kind === "lifetime") return [[variable, `${long}: true, or how long the token lives`]];
  if (long === "--no-profile") return [[variable, `${long}: true, unless ADC_RUN_PROFILE is set`]];
  return [[variable, kind === "switch" ? `${long}: ${!negated}` : long]];
});

const CONNECTION_VARIABLES = CONNECTION_FLAGS.flatMap((option): readonly VariableRow[] =>
  option.variable === undefined ? [] : [[option.variable, namesOf(option).long]]
);

const OTHER_VARIABLES: readonly VariableRow[] = [
  ["API_KEY", "the token, only if it starts with a7ee- or a7adm-"],
  ["ADC_TOKEN_FILE", "a file that holds the token"],
  ["ADC_TOKEN_COMMAND", "a command that prints the token; never taken from .env"],
  ["API7_USERNAME", "who logs in"],
  ["API7_PASSWORD", "the password for it"],
  ["API7_LOGIN_OPTION", "the LDAP login option to log in through"],
  ["ADC_RUN_ALLOWED_SERVERS", "origins, with commas between them; every other server is refused"],
  ["ADC_RUN_CONFIG_DIR", "the folder of config.json and of what adc-run remembers of its tokens"],
  ["HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "proxies, for adc-run as for ADC"],
  ["CI", "where it is set nobody is asked anything"],
  ["GITHUB_ACTIONS", "where it is true errors and warnings become annotations"],
  ["ADC_RUN_ACTION", "set by adc-run's GitHub action: the runner is told tokens to mask"],
  ["NO_COLOR, FORCE_COLOR", "no colours; colours without a terminal"],
];

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
      ["What every source says here", "adc-run auth status"],
      ["The keychain alone", "adc-run --source keychain sync -f adc.yaml"],
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
      "A profile never holds a secret. Its token lies in the keychain under PROFILE@ORIGIN, and a profile that is named takes no other from there.",
    ],
    examples: [
      [
        "Make one",
        "adc-run profile set prod --backend api7ee --server https://gateway.example.com:7443",
      ],
      ["Log in there", "adc-run -p prod auth login"],
      ["Use it", "adc-run -p prod sync -f adc.yaml"],
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
      ["What would change, everywhere", "adc-run -p staging,prod-eu,prod-us diff -f adc.yaml"],
      [
        "Four at a time, whatever happens to one",
        "adc-run -p staging,prod-eu,prod-us --parallel 4 --keep-going sync -f adc.yaml",
      ],
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
    examples: [["Without ADC", "adc-run auth status"]],
    seeAlso: ["auth status", "doctor"],
  },
  {
    name: "environment",
    aliases: ["variables", "env"],
    summary: "the variables that are read",
    text: [
      "Each option before the command has a variable. The option wins; an empty variable counts as unset; none of them is taken from .env.",
      { rows: OPTION_VARIABLES },
      "How to connect, in the environment or in .env, as for ADC:",
      { rows: CONNECTION_VARIABLES },
      "And:",
      { rows: OTHER_VARIABLES },
    ],
    examples: [
      [
        "A pipeline's settings without a command line",
        "ADC_RUN_PROFILE=prod ADC_RUN_FAIL_ON_LEAK=true adc-run sync -f adc.yaml",
      ],
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
      ["In any pipeline", "adc-run --fail-on-leak sync -f adc.yaml"],
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
      ["A token for one run", "adc-run --ephemeral=10m sync -f adc.yaml"],
      ["Files with a token, and more", "adc-run doctor"],
    ],
    seeAlso: ["sources", "auth rotate", "doctor"],
  },
];
