import { VERDICTS } from "../../check/verdict.ts";
import { EXIT, EXIT_MEANINGS } from "../../errors.ts";
import { SOURCES } from "../../token/sources.ts";
import { VERSION } from "../../version.ts";
import { CONNECTION_FLAGS, GLOBAL_OPTIONS, namesOf } from "../global_options.ts";
import type { ManualTopic, TextBlock } from "./manual.ts";

type VariableRow = readonly [name: string, text: string];

const OPTION_VARIABLES = GLOBAL_OPTIONS.flatMap((option): readonly VariableRow[] => {
  const { variable, kind } = option;
  const { long, negated } = namesOf(option);
  if (variable === undefined) return [];
  if (kind === "lifetime") return [[variable, `${long}: true, or the token's lifetime`]];
  if (long === "--no-profile") return [[variable, `${long}: true, unless ADC_RUN_PROFILE is set`]];
  if (long === "--tty") return [[variable, "--tty: true; --no-tty: false"]];
  const value = !negated || variable.includes("_NO_");
  return [[variable, kind === "switch" ? `${long}: ${value}` : long]];
});

const CONNECTION_VARIABLES = CONNECTION_FLAGS.flatMap((option): readonly VariableRow[] =>
  option.variable === undefined ? [] : [[option.variable, namesOf(option).long]]
);

const OTHER_VARIABLES: readonly VariableRow[] = [
  ["API_KEY", "the token, only if it starts with a7ee- or a7adm-"],
  ["ADC_TOKEN_FILE", "a file that contains the token"],
  ["ADC_TOKEN_COMMAND", "a command that prints the token; never taken from .env"],
  ["API7_USERNAME", "the user who logs in"],
  ["API7_PASSWORD", "the user's password"],
  ["API7_LOGIN_OPTION", "the LDAP login option to log in with"],
  ["ADC_RUN_ALLOWED_SERVERS", "comma-separated origins; every other server is refused"],
  ["ADC_RUN_CONFIG_DIR", "the folder of config.json and of the records of stored tokens"],
  ["ADC_RUN_STARTED_ADC", "set by adc-run for ADC, which must not be adc-run again"],
  ["HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "proxies, as for ADC"],
  ["CI", "if set, other than to 0 or false, adc-run never prompts"],
  ["GITHUB_ACTIONS", "if true, errors and warnings become annotations"],
  ["ADC_RUN_ACTION", "set by adc-run's GitHub action: the runner is told tokens to mask"],
  ["NO_COLOR, FORCE_COLOR", "turn colors off, or on without a terminal"],
];

export const EXIT_STATUS: TextBlock = {
  rows: [
    ["ADC's own", "passed on unchanged"],
    ...Object.entries(EXIT_MEANINGS).map(([name, meaning]) =>
      [String(EXIT[name as keyof typeof EXIT]), meaning] as const
    ),
    ["128+n", "ADC was ended by signal n"],
  ],
};

export const TOPICS: readonly ManualTopic[] = [
  {
    name: "options",
    aliases: ["option", "flags"],
    summary: "options before the command",
    text: [
      "adc-run [options] COMMAND [options of the command]. Everything after a command of ADC goes to ADC, its own --verbose LEVEL too; adc-run's own commands accept many of these after their name.",
      { rows: GLOBAL_OPTIONS.map(({ flags, text }) => [flags, text]) },
      "ADC's connection options, after the command:",
      { rows: CONNECTION_FLAGS.map(({ flags, text }) => [flags, text]) },
      "Each but --timeout has a variable: adc-run help environment.",
    ],
    examples: [["Check, and show what would run", "adc-run -p prod --dry-run sync -f adc.yaml"]],
    seeAlso: ["environment", "json"],
  },
  {
    name: "json",
    aliases: ["report"],
    summary: "the fields of --json and --report",
    text: [
      "One object: on standard error for runs and for failures, on standard output for what a command was asked for (doctor always). --report FILE writes a run's report to a file as well. Times are Unix seconds, durations have their unit in the name.",
      {
        rows: [
          ["schemaVersion", "1; it grows when a field changes its meaning; in every object"],
          ["warnings", "sentences; in every object but those of auth token and --version"],
          ["exitCode", "of a run, auth status, doctor, auth rotate of workflows, any failure"],
          ["error", "name, message, exitCode, suggestion, verdict, check, token, sources"],
        ],
      },
      "A run, --dry-run (with command) and auth status:",
      {
        rows: [
          ["connection", "each setting as { value, origin: { kind, name } }"],
          ["token", "source, detail, redacted, fingerprint; never the token"],
          ["sources", "a list of { source, status, detail, suggestion }"],
          ["check", "{ verdict, request, reason, suggestion, httpStatus }"],
          ["signal, masked, leaked, checkAfter", "of a run that has ended"],
          ["drifted, drift, driftError", "with --fail-on-drift; drift: created, updated, deleted"],
          ["owner", "{ id, username, roles, superAdmin } of auth status"],
          ["targets", "with several profiles, a list with one of these for each"],
        ],
      },
      "Own commands:",
      {
        rows: [
          ["auth list", "server, owner, tokens: id, name, createdAt, expiresAt, lastUsedAt, ..."],
          ["auth login, rotate", "stored, accounts, id, name, expiresAt, owner, revoked, ..."],
          ["auth create", "name, id, expiresAt, owner, handedTo, ...; token: --print"],
          ["auth rotate NAME", "workflows: name, outcome, expiresAt, handedTo, error"],
          ["auth revoke, logout", "revoked; removed, entries"],
          ["auth token", "token, source, detail, redacted, fingerprint"],
          ["profile list, show", "profiles, use; name, file, project, settings"],
          ["profile set, use", "profile, created, file, settings; use, before"],
          ["profile remove", "removed, use, tokens"],
          ["profile import", "file, imported, skipped, refused, dryRun"],
          ["doctor", "findings, summary, exitCode"],
          ["--version", "name, version"],
        ],
      },
      "Examples and the JSON Schema: https://github.com/adc-run/adc-run/blob/main/docs/json.md",
    ],
    examples: [
      ["The verdict alone", "adc-run auth status --json 2>&1 | jq -r .check.verdict"],
      ["A run's report, apart from ADC's output", "adc-run --report run.json sync -f adc.yaml"],
    ],
    seeAlso: ["options", "verdicts"],
  },
  {
    name: "sources",
    aliases: ["source"],
    summary: "where a token comes from",
    text: [
      'The first source that has a token wins, and every message names it. A source without a token is skipped. A source that fails stops the search: a locked keychain does not mean "no token".',
      { rows: Object.entries(SOURCES).map(([name, { summary }]) => [name, summary]) },
      "--source, ADC_RUN_SOURCE and a profile's sources set which sources are used, and in which order. A token stored for one origin is never sent to another.",
    ],
    examples: [
      ["What each source has", "adc-run auth status -v"],
      ["Only the keychain", "adc-run --source keychain sync -f adc.yaml"],
    ],
    seeAlso: ["auth login", "security"],
  },
  {
    name: "profiles",
    summary: "named targets, and the files that hold them",
    text: [
      'A profile is a named target. Choose it with "-p NAME" or ADC_RUN_PROFILE, or set a default with "adc-run profile use". --no-profile uses none.',
      "Your own profiles are in config.json in your configuration folder (~/.config/adc-run, on macOS ~/Library/Application Support/adc-run, on Windows %APPDATA%\\adc-run). A project can have its own in adc-run.json, next to adc.yaml; that file cannot set a tokenCommand, which would let a cloned repository run programs, or choose the profile to use. If two profiles have the same name, your own wins.",
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
      "Precedence: flags, environment, .env, profile, ADC's defaults. A profile pins its server, backend and gateway group: if .env names another one, or the environment does while you chose the profile yourself, that is an error that shows both.",
      "A profile never holds a secret. Its token is in the keychain, under PROFILE@ORIGIN; a profile that you name uses no other entry.",
    ],
    examples: [
      [
        "Create one",
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
    summary: "run one command against several targets",
    text: [
      "With several profiles, ADC runs once for each: one after another, or --parallel N at a time. All tokens are found and checked before the first ADC starts. If one is refused, nothing runs; after a failure, no more ADCs start. With --keep-going, the others run anyway.",
      "Every line of output starts with its target's name. A table of results follows on standard error, or one JSON object with --json. Ctrl-C ends all of them.",
      "The exit code is 0 only if all succeeded; otherwise it is that of the first target that failed, in the order given, or 3 if none failed and one has drifted (--fail-on-drift).",
    ],
    examples: [
      ["What would change, everywhere", "adc-run -p staging,prod-eu,prod-us diff -f adc.yaml"],
      [
        "Four at a time, continuing after failures",
        "adc-run -p staging,prod-eu,prod-us --parallel 4 --keep-going sync -f adc.yaml",
      ],
    ],
    seeAlso: ["profiles", "ci"],
  },
  {
    name: "verdicts",
    aliases: ["verdict", "exit-codes", "exit-code", "check"],
    summary: "the results of the check, and exit codes",
    text: [
      "Before ADC starts, adc-run sends the same request that ADC itself will send first.",
      {
        rows: Object.entries(VERDICTS).map(([name, { exit, summary }]) => [
          name,
          exit === 0 ? summary : `${summary} (exit ${exit})`,
        ]),
      },
      "Exit codes:",
      EXIT_STATUS,
    ],
    examples: [["Without ADC", "adc-run auth status"]],
    seeAlso: ["auth status", "doctor"],
  },
  {
    name: "environment",
    aliases: ["variables", "env"],
    summary: "environment variables",
    text: [
      "Each option before the command has a variable. The option wins; an empty variable counts as unset; none of these is read from .env.",
      { rows: OPTION_VARIABLES },
      "Connection, in the environment or in .env, as for ADC:",
      { rows: CONNECTION_VARIABLES },
      "Others:",
      { rows: OTHER_VARIABLES },
    ],
    examples: [
      [
        "Settings of a pipeline",
        "ADC_RUN_PROFILE=prod ADC_RUN_FAIL_ON_LEAK=true adc-run sync -f adc.yaml",
      ],
    ],
    seeAlso: ["sources", "ci"],
  },
  {
    name: "ci",
    aliases: ["github", "gitlab", "pipeline", "workflows"],
    summary: "how adc-run behaves in pipelines",
    text: [
      "adc-run never prompts if CI is set. In GitHub Actions, errors and warnings become annotations. Only adc-run's own action tells the runner which tokens to mask; in a run: step, do that yourself for a token you extract. Every option has a variable.",
      'Provide the token as a masked variable or a mounted file (ADC_TOKEN_FILE). To avoid long-lived tokens, set API7_USERNAME and API7_PASSWORD: each run then creates its own token. Or create one for the workflow with "adc-run auth create", and rotate it with "adc-run auth rotate". --fail-on-leak fails a job whose output contained a secret. ADC_RUN_ALLOWED_SERVERS, set where the pipeline\'s authors cannot change it, keeps the token from all other servers.',
      [
        "# GitHub Actions",
        `- uses: adc-run/adc-run@v${VERSION}`,
        "  with:",
        "    args: sync -f adc.yaml",
        "    adc-version: 0.28.0",
        '    adc-sha256: "<the SHA-256 of ADC\'s archive, which GitHub shows>"',
        "    backend: api7ee",
        "    server: https://gateway.example.com:7443",
        "    token: ${{ secrets.ADC_TOKEN }}",
      ],
    ],
    examples: [["In any pipeline", "adc-run --fail-on-leak sync -f adc.yaml"]],
    seeAlso: ["environment", "security", "fan-out"],
  },
  {
    name: "security",
    aliases: ["secrets"],
    summary: "how adc-run protects secrets, and its limits",
    text: [
      "adc-run never puts the token in argv: --token is moved to ADC's environment. ADC's output is masked, including the token in all usual encodings. Messages show only a token's prefix and a fingerprint. Redirects are not followed.",
      "A stored token is sent only to the origin it was stored for. A password is never sent to a server, or through a proxy, that only .env sets, unless you confirm. A cloned repository can bring .env, adc-run.json and adc.yaml: none of them can make adc-run start a program, and ADC_RUN_ variables, token commands and token files are not read from .env.",
      "A program that runs as you can read ADC's environment and your unlocked keychain. A .env file that sets another server gets the token from the environment sent there, as with ADC alone; a profile that you choose, or ADC_RUN_ALLOWED_SERVERS, prevents that.",
    ],
    examples: [
      ["A token for one run", "adc-run --ephemeral=10m sync -f adc.yaml"],
      ["Find files that contain a token", "adc-run doctor"],
    ],
    seeAlso: ["sources", "auth rotate", "doctor"],
  },
];
