import type { ManualCommand } from "./manual.ts";

/** Commands without subcommands. */
export const OTHER_COMMANDS: readonly ManualCommand[] = [
  {
    name: "exec",
    usage: ["adc-run [options] exec -- COMMAND [args]"],
    summary: "run another program with ADC_TOKEN set",
    description: [
      "Runs any program with ADC_TOKEN and the connection's variables set, its output masked. Options stand before exec: from the command on every word is the program's.",
    ],
    examples: [
      { text: "A script that calls ADC", line: "adc-run exec -- ./migrate.sh" },
      {
        text: "The variables of a profile",
        line: "adc-run -p prod exec -- sh -c 'echo \"$ADC_SERVER\"'",
      },
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
    options: [
      {
        flags: "-X, --method METHOD",
        text: "the method",
        values: ["GET", "POST", "PUT", "PATCH", "DELETE"],
      },
      {
        flags: "-d, --data DATA",
        text: "the body: @FILE, @- or - for standard input, else the text itself",
      },
      {
        flags: "-H, --header HEADER",
        text: "a header, as in 'Accept: text/plain'; again for more",
      },
      { flags: "-i, --include", text: "print the status and the headers of the answer first" },
      { flags: "-f, --field KEY=VALUE", text: "a field of the query; again for more" },
      { flags: "--paginate", text: "fetch all pages of a list" },
      { flags: "--no-mask", text: "show the token where the answer repeats it" },
    ],
    shared: [
      "-p, --profile",
      "--no-profile",
      "--source",
      "--env-file",
      "--json",
      "-q, --quiet",
    ],
    connection: "to connect",
    operands: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    examples: [
      { text: "The documentation's test call", line: "adc-run api /api/users" },
      {
        text: "All routes of a gateway group, for jq",
        line: "adc-run api /apisix/admin/routes --gateway-group production --paginate | jq .list",
      },
      { text: "With a body", line: "adc-run api POST /api/gateway_groups -d @group.json" },
      {
        text: "With a query",
        line: "adc-run -p prod api /api/tokens -f search=ci -f page_size=50",
      },
    ],
    seeAlso: ["auth token", "verdicts", "sources"],
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
      "-p, --profile",
      "--no-profile",
      "--source",
      "--env-file",
      "--adc",
      "--json",
      "-q, --quiet",
    ],
    connection: "to connect",
    examples: [
      { text: "Here and now", line: "adc-run doctor" },
      { text: "For a profile, as data", line: "adc-run -p prod doctor --json" },
    ],
    seeAlso: ["auth status", "verdicts"],
  },
  {
    name: "completion",
    usage: ["adc-run completion bash|zsh|fish|powershell"],
    summary: "print the script that completes adc-run's words in a shell",
    description: [
      "The script completes adc-run's commands and options, profile names, ADC's commands and options, and files. It asks adc-run itself at each TAB, so it stays right when adc-run is updated; nothing is asked of a server, and no token is looked for.",
    ],
    operands: ["bash", "zsh", "fish", "powershell"],
    shared: [],
    examples: [
      { text: "bash, in ~/.bashrc", line: 'eval "$(adc-run completion bash)"' },
      { text: "zsh, in ~/.zshrc, behind compinit", line: 'eval "$(adc-run completion zsh)"' },
      {
        text: "fish, once",
        line: "adc-run completion fish > ~/.config/fish/completions/adc-run.fish",
      },
      {
        text: "PowerShell, in $PROFILE",
        line: "adc-run completion powershell | Out-String | Invoke-Expression",
      },
    ],
    seeAlso: ["help"],
  },
  {
    name: "help",
    usage: ["adc-run help [COMMAND|TOPIC]"],
    summary: "show the help on a command or a topic",
    description: ['Shows what "--help" behind a command shows, and pages on topics.'],
    shared: [],
    examples: [
      { text: "A command", line: "adc-run help auth login" },
      { text: "A topic", line: "adc-run help sources" },
    ],
  },
];
