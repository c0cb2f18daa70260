/**
 * Shows adc-run at work on a machine with nothing but Node.js and npm: `deno task demo`.
 *
 * A sandbox Admin API is started over HTTPS, a token is checked and stored, ADC syncs a configuration
 * with it, and a failing run shows what the mask does. Nothing outside of this machine is asked, and
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
import { findOnPath } from "../src/adc/locate.ts";
import { systemKeychain } from "../src/token/keychain.ts";
import { startSandbox } from "../tests/sandbox/sandbox.ts";

const PERMISSIONS = ["--allow-env", "--allow-read", "--allow-net", "--allow-run", "--allow-ffi"];

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
  process.stdout.write(`$ adc-run ${shown.join(" ")}${options.input ? " < token.txt" : ""}\n`);
  const args = ["run", "--quiet", "--no-prompt", `--config=${file("deno.json")}`, ...PERMISSIONS];
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
    sandbox.addUser({ username: "ci-bot", password: "demo-password" });
    const token = sandbox.addToken({ user: "ci-bot", name: "demo" }).value;
    await writeFile(join(cwd, "adc.yaml"), CONFIGURATION);
    const realAdc = findOnPath("adc", { env: ownEnvironment(), cwd });
    const env: Record<string, string> = {
      ADC_BACKEND: "api7ee",
      ADC_SERVER: sandbox.url,
      ADC_CA_CERT_FILE: sandbox.ca,
      ...(realAdc === undefined && { ADC_RUN_ADC: file("tests/stand_ins/adc.mjs") }),
    };
    say(`A sandbox of API7 Enterprise's Admin API listens at ${sandbox.url}`);
    say(
      realAdc === undefined
        ? "There is no adc on PATH: a stand-in takes its place, which makes the same first requests"
        : `ADC is ${realAdc}`,
    );
    const keychain = await hasKeychain();
    if (keychain) {
      say("A token is checked, then stored in this machine's keychain");
      const login = ["auth", "login", "--with-token"];
      expect("auth login", await adcRun(login, { env, cwd, input: `${token}\n` }), 0);
    } else {
      env.ADC_TOKEN_FILE = join(cwd, "token.txt");
      await writeFile(env.ADC_TOKEN_FILE, `${token}\n`, { mode: 0o600 });
      say(`There is no keychain here: the token lies in ${env.ADC_TOKEN_FILE} (ADC_TOKEN_FILE)`);
    }
    try {
      say("Where does the token come from, does it work, and whose is it?");
      expect("auth status", await adcRun(["auth", "status"], { env, cwd }), 0);
      say("ADC runs with it");
      expect("sync", await adcRun(["sync", "-f", "adc.yaml"], { env, cwd }), 0);
      say("Somebody revokes the token. The check notices before ADC starts");
      sandbox.revokeToken(token);
      expect("diff", await adcRun(["diff", "-f", "adc.yaml"], { env, cwd }), 77);
      say(
        "Without the check ADC fails, and --verbose 2 prints the token, which is masked (only those lines are shown)",
      );
      const verbose = ["--no-check", "sync", "-f", "adc.yaml", "--verbose", "2"];
      expect("sync", await adcRun(verbose, { env, cwd, only: /'X-API-KEY.*\*\*\*/ }), 1);
    } finally {
      if (keychain) {
        say("The token is removed from the keychain again");
        await adcRun(["auth", "logout", "--keep"], { env, cwd });
      }
    }
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
