/**
 * A session with adc-run in a real terminal, for the README's picture.
 *
 * The program is the one in `src/`, the server is the sandbox over HTTPS, the keychain is a real Secret
 * Service in a folder of its own. In place of ADC runs its stand-in, which prints what ADC 0.28.0 prints.
 *
 * @module
 */

import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Secret } from "../../src/secret.ts";
import { startSandbox } from "../../tests/sandbox/sandbox.ts";
import type { Sandbox } from "../../tests/sandbox/sandbox.ts";
import { traces } from "../../tests/support/fixture.ts";
import { HOMES } from "../../tests/support/homes.ts";
import { inTerminal, shellWords } from "../../tests/support/in_terminal.ts";
import { startKeychainSession } from "../../tests/support/keychain_session.ts";
import { temporaryFolder } from "../../tests/support/temporary_folder.ts";

const PASSWORD = "correct-horse-battery";

/** Each is shown behind a prompt, and then run by the shell as it stands there. */
const COMMANDS = [
  "adc-run auth login --username dev --password-stdin < password.txt",
  "adc-run auth status",
  "adc-run ping",
  "ADC_TOKEN_FILE=revoked.txt adc-run sync -f adc.yaml; echo $?",
  'ADC_TOKEN_FILE=revoked.txt adc-run --no-check sync -f adc.yaml --verbose 2 | grep "\'X-API"',
];

const CONFIGURATION = `services:
  - name: httpbin
    routes:
      - { name: anything, uris: ["/anything/*"] }
`;

const repository = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Runs the session.
 *
 * @param columns How wide the terminal is.
 * @returns What the terminal got, with examples in the place of what differs from run to run.
 * @throws {Error} A program is missing, a command went wrong, or a secret is in what came out.
 */
export async function runSession(columns: number): Promise<string> {
  await using keychain = await startKeychainSession();
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: PASSWORD });
  const revoked = sandbox.addToken({ user: "dev" });
  sandbox.revokeToken(revoked.id);
  await using folder = await temporaryFolder({
    "gateway/adc.yaml": CONFIGURATION,
    "gateway/password.txt": PASSWORD,
    "gateway/revoked.txt": revoked.value,
    "session.sh": script(columns),
  });
  const cwd = join(folder.path, "gateway");
  await chmod(join(cwd, "revoked.txt"), 0o600);
  const command = inTerminal(["sh", join(folder.path, "session.sh")]);
  const { stdout, stderr, code } = await keychain.run(["env", "-u", "NO_COLOR", ...command], {
    cwd,
    env: {
      PATH: `${await programs(folder.path)}:${keychain.env.PATH}`,
      TERM: "xterm-256color",
      ADC_BACKEND: "api7ee",
      ADC_SERVER: sandbox.url,
      ADC_CA_CERT_FILE: sandbox.ca,
      ADC_RUN_CONFIG_DIR: join(folder.path, ".config/adc-run"),
    },
  });
  if (code !== 0) throw new Error(`The session ended with ${code}: ${stderr}${stdout}`);
  const secrets = [...sandbox.secrets, PASSWORD].flatMap(traces);
  if (secrets.some((secret) => stdout.includes(secret))) {
    throw new Error("A secret is in what the session printed");
  }
  return withExamples(stdout, sandbox, folder.path);
}

/** What the shell reads. The prompt is the script's, for a shell that reads a file shows none. */
function script(columns: number): string {
  return `stty cols ${columns} rows 60
first=1
for command in ${shellWords(COMMANDS)}; do
  if [ -z "$first" ]; then echo; fi
  first=
  printf '\\033[90m$\\033[39m \\033[1m%s\\033[22m\\n' "$command"
  eval "$command" || exit 1
done
`;
}

/** Makes a folder in which adc-run and ADC are found by name. */
async function programs(home: string): Promise<string> {
  const folder = join(home, "bin");
  await mkdir(folder);
  const { command } = await HOMES.deno();
  const text = `#!/bin/sh\nexec ${shellWords(command)} "$@"\n`;
  await writeFile(join(folder, "adc-run"), text, { mode: 0o755 });
  await symlink(`${repository}tests/stand_ins/adc.mjs`, join(folder, "adc"));
  return folder;
}

/**
 * Puts examples in the place of what differs from run to run, and of what nobody has: the sandbox's
 * address, this machine's name and folders, fingerprints, dates. All other words are the programs' own.
 */
function withExamples(output: string, sandbox: Sandbox, home: string): string {
  const [revoked, stored] = sandbox.tokens;
  if (revoked === undefined || stored === undefined) throw new Error("No token was made");
  const examples: readonly [string | RegExp, string][] = [
    [sandbox.url, "https://gateway.example.com:7443"],
    [home, "/home/dev"],
    [stored.name, "adc-run dev@laptop"],
    [new Secret(stored.value).fingerprint, "5434030a"],
    [new Secret(revoked.value).fingerprint, "0c9b5f1e"],
    [/\b20\d\d-\d\d-\d\d\b/g, "2026-12-24"],
  ];
  return examples.reduce((text, [from, to]) => text.replaceAll(from, to), output);
}
