import type { OptionsOf, OptionSpec } from "../global_options.ts";
import { SHARED_WITH_SOURCE, TARGET_OPTIONS } from "./auth_commands.ts";
import type { CommandSpec } from "./manual.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

const API_OPTIONS = [
  { flags: "-X, --method METHOD", text: "the method", values: METHODS },
  {
    flags: "-d, --data DATA",
    repeats: true,
    text: "the body: @FILE, @- or - for standard input, or the text itself",
  },
  {
    flags: "-H, --header HEADER",
    repeats: true,
    text: "a header, such as 'Accept: text/plain'; can be repeated",
  },
  { flags: "-i, --include", text: "print the response status and headers first" },
  { flags: "-f, --field KEY=VALUE", repeats: true, text: "a query parameter; can be repeated" },
  { flags: "--paginate", text: "fetch all pages of a list" },
  { flags: "--no-mask", text: "do not mask the token in the response" },
] as const satisfies readonly OptionSpec[];

export type ApiOptions = OptionsOf<typeof API_OPTIONS>;

export const OTHER_COMMANDS: readonly CommandSpec[] = [
  {
    name: "exec",
    usage: ["adc-run [options] exec -- COMMAND [args]"],
    summary: "run a program with the token",
    description: [
      "Runs any program with ADC_TOKEN and the connection's variables set, and masks its output. Options go before exec; everything after it is the program's.",
      "At a terminal the program gets a terminal of its own, so that shells, editors, prompts and colors work as usual (--no-tty: pipes). With --no-mask nothing stands in between.",
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
    summary: "send one Admin API request; the token stays out of argv",
    description: [
      "Sends one request with the token that a run would use, and prints the response: indented JSON at a terminal, unchanged in a pipe. The method defaults to GET, or POST with -d. PATH is on the connection's own server; redirects are not followed.",
      "There is no check first: the response is the check. A 4xx or 5xx response is printed too, and sets the exit code: 77 for 401 and 403, 78 for 404 and redirects, 65 for other 4xx, 69 for 408, 425, 429 and 5xx.",
    ],
    options: API_OPTIONS,
    shared: SHARED_WITH_SOURCE,
    connection: "to connect",
    operands: { values: METHODS },
    readOnly: true,
    examples: [
      ["The test call from API7's documentation", "adc-run api /api/users"],
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
    summary: "find problems, and suggest fixes",
    description: [
      "Checks ADC and its version, the configuration, .env, files that contain a token, the server, its certificate, the backend, the token and its owner, the gateway group, the keychain, the clock, proxies, and common ADC pitfalls. It changes nothing and does not log in.",
      "Exits with 0 if nothing failed (warnings do not count), otherwise with the code of the first failure.",
    ],
    options: TARGET_OPTIONS,
    shared: [...SHARED_WITH_SOURCE, "--adc"],
    connection: "to connect",
    readOnly: true,
    examples: [
      ["Here and now", "adc-run doctor"],
      ["Every profile", "adc-run doctor --all"],
      ["For a profile, as JSON", "adc-run -p prod doctor --json"],
    ],
    seeAlso: ["auth status", "verdicts"],
    run: async () => (await import("../commands/doctor.ts")).doctor,
  },
  {
    name: "completion",
    usage: ["adc-run completion bash|zsh|fish|powershell"],
    summary: "print a completion script",
    description: [
      "The script completes adc-run's commands and options, profile names, ADC's commands and options, and files. It calls adc-run at each TAB, so it stays up to date; it contacts no server and looks for no token.",
    ],
    operands: {
      least: 1,
      most: 1,
      what: "a shell: bash, zsh, fish or powershell",
      values: ["bash", "zsh", "fish", "powershell"],
    },
    readOnly: true,
    examples: [
      ["bash, in ~/.bashrc", 'eval "$(adc-run completion bash)"'],
      ["zsh, in ~/.zshrc, after compinit", 'eval "$(adc-run completion zsh)"'],
      ["fish, once", "adc-run completion fish > ~/.config/fish/completions/adc-run.fish"],
      ["PowerShell, in $PROFILE", "adc-run completion powershell | Out-String | Invoke-Expression"],
    ],
    seeAlso: ["options"],
    run: async () => (await import("../completion/scripts.ts")).completion,
  },
  {
    name: "help",
    usage: ["adc-run help [COMMAND|TOPIC]"],
    summary: "show help for a command or topic",
    description: ['Shows the same as "--help" after a command, and pages on topics.'],
    examples: [["A command", "adc-run help auth login"], ["A topic", "adc-run help sources"]],
  },
];
