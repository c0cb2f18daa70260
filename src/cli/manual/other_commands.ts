import type { OptionsOf, OptionSpec } from "../global_options.ts";
import type { CommandSpec } from "./manual.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

const API_OPTIONS = [
  {
    flags: "-X, --method METHOD",
    text: "the method",
    values: METHODS,
  },
  {
    flags: "-d, --data DATA",
    repeats: true,
    text: "the body: @FILE, @- or - for standard input, else the text itself",
  },
  {
    flags: "-H, --header HEADER",
    repeats: true,
    text: "a header, as in 'Accept: text/plain'; again for more",
  },
  { flags: "-i, --include", text: "print the status and the headers of the answer first" },
  { flags: "-f, --field KEY=VALUE", repeats: true, text: "a field of the query; again for more" },
  { flags: "--paginate", text: "fetch all pages of a list" },
  { flags: "--no-mask", text: "show the token where the answer repeats it" },
] as const satisfies readonly OptionSpec[];

export type ApiOptions = OptionsOf<typeof API_OPTIONS>;

export const OTHER_COMMANDS: readonly CommandSpec[] = [
  {
    name: "exec",
    usage: ["adc-run [options] exec -- COMMAND [args]"],
    summary: "run another program, with ADC_TOKEN set",
    description: [
      "Runs any program with ADC_TOKEN and the connection's variables set, its output masked. Options stand before exec: from the command on every word is the program's.",
      "The program writes to pipes, so that one that asks for a terminal, such as a shell or an editor, shows no prompt and no colours: run it with --no-mask.",
    ],
    examples: [
      ["A script that calls ADC", "adc-run exec -- ./migrate.sh"],
      ["A shell, whose output is not masked", "adc-run --no-mask exec -- bash"],
      ["The variables of a profile", "adc-run -p prod exec -- sh -c 'echo \"$ADC_SERVER\"'"],
    ],
    seeAlso: ["api", "security"],
  },
  {
    name: "api",
    usage: ["adc-run [options] api [METHOD] PATH [options]"],
    summary: "one request to the Admin API; the token stays out of argv",
    description: [
      "Sends one request with the token that a run would take, and prints the answer: as indented JSON at a terminal, as it came in a pipe. The method is GET, or POST with -d. PATH is one on the connection's own server; redirects are not followed.",
      "Nothing is checked first: the answer is the check. On 4xx and 5xx the answer is printed all the same, and the exit code says what was wrong: 77 for 401 and 403, 78 for 404 and redirects, 65 for other 4xx, 69 for 429 and 5xx.",
    ],
    options: API_OPTIONS,
    shared: [
      "--profile",
      "--no-profile",
      "--source",
      "--env-file",
      "--json",
      "--quiet",
    ],
    connection: "to connect",
    operands: { values: METHODS },
    readOnly: true,
    examples: [
      ["The documentation's test call", "adc-run api /api/users"],
      [
        "All routes of a gateway group, for jq",
        "adc-run api /apisix/admin/routes --gateway-group production --paginate | jq .list",
      ],
      ["With a body", "adc-run api POST /api/gateway_groups -d @group.json"],
      ["With a query", "adc-run -p prod api /api/tokens -f search=ci -f page_size=50"],
    ],
    seeAlso: ["auth token", "verdicts", "sources"],
    run: async () => (await import("../commands/api.ts")).api,
  },
  {
    name: "doctor",
    usage: ["adc-run [options] doctor [options]"],
    summary: "look for what is wrong, and say what to do",
    description: [
      "One line a check: ADC and its version, the configuration, .env, files with a token in them, the server, its certificate, the backend, the token and its owner, the gateway group, the keychain, the clock, proxies, and the traps of ADC. It changes nothing and logs in nowhere.",
      "Exits with 0 when nothing failed; warnings do not count. Else the exit code is that of the first failure.",
    ],
    shared: [
      "--profile",
      "--no-profile",
      "--source",
      "--env-file",
      "--adc",
      "--json",
      "--quiet",
    ],
    connection: "to connect",
    readOnly: true,
    examples: [
      ["Here and now", "adc-run doctor"],
      ["For a profile, as data", "adc-run -p prod doctor --json"],
    ],
    seeAlso: ["auth status", "verdicts"],
    run: async () => (await import("../commands/doctor.ts")).doctor,
  },
  {
    name: "completion",
    usage: ["adc-run completion bash|zsh|fish|powershell"],
    summary: "complete words in a shell",
    description: [
      "The script completes adc-run's commands and options, profile names, ADC's commands and options, and files. It asks adc-run itself at each TAB, so it stays right when adc-run is updated; nothing is asked of a server, and no token is looked for.",
    ],
    operands: {
      least: 1,
      most: 1,
      what: "one shell",
      values: ["bash", "zsh", "fish", "powershell"],
    },
    readOnly: true,
    examples: [
      ["bash, in ~/.bashrc", 'eval "$(adc-run completion bash)"'],
      ["zsh, in ~/.zshrc, behind compinit", 'eval "$(adc-run completion zsh)"'],
      ["fish, once", "adc-run completion fish > ~/.config/fish/completions/adc-run.fish"],
      ["PowerShell, in $PROFILE", "adc-run completion powershell | Out-String | Invoke-Expression"],
    ],
    seeAlso: ["help"],
    run: async () => (await import("../completion/scripts.ts")).completion,
  },
  {
    name: "help",
    usage: ["adc-run help [COMMAND|TOPIC]"],
    summary: "show the help on a command or a topic",
    description: ['Shows what "--help" behind a command shows, and pages on topics.'],
    examples: [
      ["A command", "adc-run help auth login"],
      ["A topic", "adc-run help sources"],
    ],
  },
];
