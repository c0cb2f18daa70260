/**
 * The help texts.
 *
 * @module
 */

const MAIN = `Usage:
  adc-run [options] <adc command> [adc options]    run ADC with a token that was found and checked
  adc-run [options] exec -- <command> [args]       run another program with ADC_TOKEN set
  adc-run auth login --with-token                  check the token on standard input, then store it
  adc-run auth status | token | logout --keep      look at, print, or remove the stored token
  adc-run [options] -- <words>                     every word to ADC, whatever it is

ADC's commands: ping dump diff sync validate lint convert. From the command on, every word is ADC's.

Options, before the command:
  --source LIST       ask these sources in this order: flag,env,file,dotenv,command,keychain
  --env-file PATH     read this file instead of .env
  --adc PATH          the ADC to run; else ADC_RUN_ADC, adc on PATH, node_modules/.bin/adc
  --no-check          skip the test call
  --no-mask           let the output through untouched
  --fail-on-leak      exit with 65 when ADC exits with 0 but printed a secret
  --dry-run           resolve and check, show what would run, run nothing
  --json              report as one JSON object: a run's on standard error, else on standard output
  -q, --quiet         say nothing unless it fails
  -V, --version       show the version
  -h, --help          show this help

Exit codes: ADC's own; 64 usage; 65 bad data; 69 server unavailable; 70 a defect of adc-run;
74 a source is broken; 77 no token, or it is refused; 78 settings do not fit; 126, 127 ADC not
executable, not found; 130 given up at a prompt; 128+n ended by signal n.

Examples:
  adc-run sync -f adc.yaml
  adc-run --dry-run diff -f adc.yaml --backend api7ee --gateway-group production
  adc-run exec -- ./migrate.sh
  adc-run auth login --with-token --backend api7ee --server https://gateway.example.com:7443 < token.txt
`;

const CONNECTION = `Connection, as for ADC:
  --backend, --server, --gateway-group, --timeout, --ca-cert-file,
  --tls-client-cert-file, --tls-client-key-file, --tls-skip-verify
  and the variables ADC_BACKEND, ADC_SERVER, … in the environment and in .env
`;

const TOPICS: Readonly<Record<string, string>> = {
  "exec": `Usage: adc-run [options] exec -- <command> [args]

Runs any program with ADC_TOKEN and the connection's variables set, its output masked.

Example:
  adc-run exec -- sh -c 'curl -H "X-API-KEY: $ADC_TOKEN" "$ADC_SERVER/api/gateway_groups"'
`,
  "auth": `Usage: adc-run auth login|status|token|logout [options]

  login --with-token   check the token on standard input, then store it in the keychain
  status               every source, the winner, whether it works and whose it is
  token                print the bare token on standard output
  logout --keep        remove the token from the keychain and leave it valid

${CONNECTION}`,
  "auth login": `Usage: adc-run auth login --with-token [options]

Reads a token from standard input, checks it, and stores it in the system's keychain under the service
"adc-run" and the server's origin.

  --with-token   read the token from standard input, or ask for it at a terminal
  --no-check     store it without the test call
  --json         report as JSON on standard output

${CONNECTION}
Example:
  adc-run auth login --with-token --backend api7ee --server https://gateway.example.com:7443 < token.txt
`,
  "auth status": `Usage: adc-run auth status [options]

Asks every source, checks the token that a run would take, and says whose it is. Exits with 0 only when
it is valid.

  --source LIST  --env-file PATH  --no-check  --json

${CONNECTION}`,
  "auth token": `Usage: adc-run auth token [options]

Prints the bare token that a run would take, unchecked, on standard output.

  --source LIST  --env-file PATH  --json

${CONNECTION}
Example:
  curl -H "X-API-KEY: $(adc-run auth token)" https://gateway.example.com:7443/api/users
`,
  "auth logout": `Usage: adc-run auth logout --keep [options]

Removes the token from the keychain. It stays valid on the server.

${CONNECTION}`,
};

/**
 * The help on a topic.
 *
 * @param topic A command's name, such as `auth login`; anything else gives the main help.
 * @returns The text.
 */
export function helpText(topic = ""): string {
  return Object.hasOwn(TOPICS, topic) ? TOPICS[topic]! : MAIN;
}
