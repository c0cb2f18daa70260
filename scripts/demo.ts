/**
 * Shows adc-run at work on a machine with nothing but Node.js and npm: `deno task demo`.
 *
 * A sandbox Admin API is started over HTTPS, a user logs in, ADC syncs a configuration with the token that
 * was made, the token is renewed, a failing run shows what the mask does, and the user logs out. Nothing outside of this machine is asked, and
 * nothing stays behind.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findOnPath } from "../src/system/programs.ts";
import { systemKeychain } from "../src/token/keychain.ts";
import { startSandbox } from "../tests/sandbox/sandbox.ts";
import { DENO_PERMISSIONS } from "../tests/support/homes.ts";

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

function say(text: string): void {
  process.stdout.write(`\n# ${text}\n`);
}

/** Runs adc-run as its users do, and shows the command and what it prints. */
function adcRun(
  words: readonly string[],
  options: {
    readonly env: Record<string, string>;
    readonly cwd: string;
    readonly input?: string;
    /** Which lines of standard output are worth showing. */
    readonly only?: RegExp;
  },
): Promise<number | null> {
  const shown = words.map((word) => word.includes("/") ? word.split("/").at(-1) : word);
  process.stdout.write(`$ adc-run ${shown.join(" ")}${options.input ? " < password.txt" : ""}\n`);
  const args = [
    "run",
    "--quiet",
    "--no-prompt",
    `--config=${file("deno.json")}`,
    ...DENO_PERMISSIONS,
  ];
  const child = spawn(process.execPath, [...args, file("src/cli/bin.ts"), ...words], {
    cwd: options.cwd,
    env: { ...ownEnvironment(), ...options.env },
    stdio: ["pipe", options.only ? "pipe" : "inherit", "inherit"],
  });
  child.stdin!.end(options.input ?? "");
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => output += text);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const lines = output.split("\n").filter((line) => options.only?.test(line));
      if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
      resolve(code);
    });
  });
}

/** The environment without the tokens and servers that its owner works with. */
function ownEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ADC_|API_KEY$|API7_)/.test(name)),
  );
}

/** Whether this machine has a keychain that takes an entry. */
async function hasKeychain(): Promise<boolean> {
  try {
    await systemKeychain().get("https://adc-run.invalid");
    return true;
  } catch {
    return false;
  }
}

function expect(what: string, code: number | null, expected: number): void {
  if (code === expected) return;
  throw new Error(`${what} was to exit with ${expected}, and exited with ${code}`);
}

const PASSWORD = "demo-password";

const CONFIGURATION = `services:
  - name: httpbin
    upstream:
      name: default
      type: roundrobin
      nodes: [{ host: 127.0.0.1, port: 8080, weight: 1 }]
    routes:
      - name: anything
        uris: ["/anything/*"]
`;

async function demo(cwd: string): Promise<void> {
  const sandbox = await startSandbox({ https: true });
  try {
    sandbox.addUser({ username: "ci-bot", password: PASSWORD });
    await writeFile(join(cwd, "adc.yaml"), CONFIGURATION);
    const realAdc = findOnPath("adc", { env: ownEnvironment(), cwd });
    const env: Record<string, string> = {
      ADC_BACKEND: "api7ee",
      ADC_SERVER: sandbox.url,
      ADC_CA_CERT_FILE: sandbox.ca,
      ADC_RUN_CONFIG_DIR: join(cwd, "adc-run"),
      ...(realAdc === undefined && { ADC_RUN_ADC: file("tests/stand_ins/adc.mjs") }),
    };
    say(`A sandbox of API7 Enterprise's Admin API is running at ${sandbox.url}`);
    say(
      realAdc === undefined
        ? "adc is not on PATH: using a stand-in that sends the same first requests"
        : `ADC is ${realAdc}`,
    );
    const keychain = await hasKeychain();
    const storage = keychain ? [] : ["--storage", "file"];
    say(
      `A user who is not a Super Admin logs in. A token is created, checked, and stored in ${
        keychain ? "this machine's keychain" : "a file, as there is no keychain here"
      }`,
    );
    const login = ["auth", "login", "--username", "ci-bot", "--password-stdin", ...storage];
    expect("auth login", await adcRun(login, { env, cwd, input: PASSWORD }), 0);
    try {
      say("Where does the token come from, is it valid, who owns it, and when does it expire?");
      expect("auth status", await adcRun(["auth", "status"], { env, cwd }), 0);
      say("ADC runs with it");
      expect("sync", await adcRun(["sync", "-f", "adc.yaml"], { env, cwd }), 0);
      say("ADC runs with a token created for this run only, and revoked afterwards");
      expect("diff", await adcRun(["--ephemeral=5m", "diff", "-f", "adc.yaml"], { env, cwd }), 0);
      say(
        "The stored token is renewed: a new one is created, checked and stored, and the old one revoked",
      );
      expect("auth rotate", await adcRun(["auth", "rotate"], { env, cwd }), 0);
      say("The user's tokens");
      expect("auth list", await adcRun(["auth", "list"], { env, cwd }), 0);
      say("Somebody revokes the token. The check notices before ADC starts");
      const alive = sandbox.tokens.find(({ revoked }) => !revoked);
      if (alive === undefined) throw new Error("the sandbox has no live token");
      sandbox.revokeToken(alive.id);
      expect("diff", await adcRun(["diff", "-f", "adc.yaml"], { env, cwd }), 77);
      say(
        "Without the check, ADC fails, and --verbose 2 prints the token, which is masked (only those lines are shown)",
      );
      const verbose = ["--no-check", "sync", "-f", "adc.yaml", "--verbose", "2"];
      expect("sync", await adcRun(verbose, { env, cwd, only: /'X-API-KEY.*\*\*\*/ }), 1);
    } finally {
      say("The user logs out: the token is revoked and removed here");
      await adcRun(["auth", "logout"], { env, cwd });
    }
    const left = sandbox.tokens.filter(({ revoked }) => !revoked).length;
    if (left > 0) throw new Error(`${left} tokens are still alive`);
    say("No token is left on the server");
  } finally {
    await sandbox.close();
  }
}

const folder = await mkdtemp(join(tmpdir(), "adc-run-demo-"));
try {
  await demo(folder);
  say("That was adc-run");
} finally {
  await rm(folder, { recursive: true, force: true });
}
