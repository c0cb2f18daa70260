/**
 * The help texts.
 *
 * @module
 */

const MAIN = `Usage:
  adc-run [options] <adc command> [adc options]    run ADC with a token that was found and checked
  adc-run [options] exec -- <command> [args]       run another program with ADC_TOKEN set
  adc-run auth login | status | token              get a token and store it, look at it, print it
  adc-run auth list | rotate | revoke | logout     look after tokens on the server
  adc-run [options] -- <words>                     every word to ADC, whatever it is

ADC's commands: ping dump diff sync validate lint convert. From the command on, every word is ADC's.

Options, before the command:
  --source LIST       ask these sources in this order:
                      flag,env,file,dotenv,command,store,keychain,admin-api
  --env-file PATH     read this file instead of .env
  --ephemeral[=TTL]   make a token for this run alone (1h), and revoke it on every way out
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
  adc-run auth login --server https://gateway.example.com:7443
  adc-run --ephemeral=10m sync -f adc.yaml
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
  "auth": `Usage: adc-run auth login|status|token|list|rotate|revoke|logout [options]

  login    log in to API7 Enterprise, have a token made, and store it; or store one you have
  status   every source, the winner, whether it works, whose it is and when it ends
  token    print the bare token on standard output
  list     the user's tokens: expiry, last use, which one is in use here
  rotate   store a new token in the place of the stored one, then revoke the old
  revoke   end tokens on the server
  logout   revoke the stored token and remove it

See "adc-run auth login --help" and so on. ${CONNECTION}`,
  "auth login": `Usage: adc-run auth login [options]
       adc-run auth login --with-token [options]

Logs in to API7 Enterprise, has a token made, tries it, and stores it in the system's keychain under the
service "adc-run" and the server's origin. A token that adc-run stored there before is revoked. What is
missing is asked for at a terminal. With --with-token a token on standard input is stored instead.

  --username NAME       the user; else API7_USERNAME
  --password-stdin      read the password from standard input; else API7_PASSWORD
  --login-option NAME   log in through this LDAP login option; else API7_LOGIN_OPTION
  --name NAME           the token's name, at most 40 characters (default: adc-run USER@HOST)
  --expires-in TIME     how long the token lives, such as 12h or 90d, or never (default: 30d)
  --storage STORE       keychain, or file: a file that only you can read (default: keychain)
  --with-token          read a token from standard input, or ask for it at a terminal
  --yes                 send the password though .env alone names the server
  --no-check            store the token without the test call
  --json                report as JSON on standard output

${CONNECTION}
Examples:
  adc-run auth login --server https://gateway.example.com:7443
  adc-run auth login --username ci-bot --password-stdin < password.txt
  adc-run auth login --with-token --backend apisix < key.txt
`,
  "auth status": `Usage: adc-run auth status [options]

Asks every source, checks the token that a run would take, and says whose it is. Exits with 0 only when
it is valid.

  --source LIST  --env-file PATH  --no-check  --json

${CONNECTION}`,
  "auth token": `Usage: adc-run auth token [options]

Prints the bare token that a run would take, unchecked, on standard output. None is made for it.

  --source LIST  --env-file PATH  --json

${CONNECTION}
Example:
  curl -H "X-API-KEY: $(adc-run auth token)" https://gateway.example.com:7443/api/users
`,
  "auth list": `Usage: adc-run auth list [options]

Lists the tokens of the user whose token a run would take. An asterisk marks the one in use here; stale
is one that was not used for 90 days.

  --json   report as JSON on standard output

${CONNECTION}`,
  "auth rotate": `Usage: adc-run auth rotate [options]

Makes a new token with the stored one, tries it, stores it, and revokes the old one. Interrupted at any
point it leaves a stored token that works; the next run clears up the rest.

  --expires-in TIME   how long the new token lives (default: as long as the old one was to)
  --no-check          without the test call
  --json              report as JSON on standard output

${CONNECTION}`,
  "auth revoke": `Usage: adc-run auth revoke ID|NAME... [options]

Ends tokens of the user whose token a run would take. None is revoked unless all are found. One that is
stored here is removed as well.

  -y, --yes   do not ask
  --json      report as JSON on standard output

${CONNECTION}`,
  "auth logout": `Usage: adc-run auth logout [options]

Revokes the stored token and removes it.

  --keep   leave it valid on the server
  --json   report as JSON on standard output

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
