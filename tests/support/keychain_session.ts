/**
 * A real Secret Service for tests: gnome-keyring on a D-Bus of its own, in a folder of its own. The
 * keychain of whoever runs the tests is not touched.
 *
 * It needs Debian's packages `dbus`, `gnome-keyring` and `libsecret-tools`.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { isRequired } from "./required.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** What the programs in a session find. */
export type KeychainState =
  /** An open keychain. */
  | "unlocked"
  /** A keychain that asks for its password, and nobody there to type it. */
  | "locked"
  /** A keychain that takes calls and never answers. */
  | "hanging"
  /** A D-Bus without any keychain. */
  | "no-service"
  /** No D-Bus. */
  | "no-bus";

/** How a program is run. */
export interface KeychainRunOptions {
  /** Added to the environment. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** @default the current folder */
  readonly cwd?: string;
  /** What it reads from standard input. @default nothing */
  readonly input?: string;
}

/** How it went. */
export interface KeychainRunResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A session that programs can be run in; its keychain keeps its entries from state to state. */
export interface KeychainSession extends AsyncDisposable {
  /** The environment of its programs: nothing of the caller's but `PATH` and where Deno caches. */
  readonly env: Readonly<Record<string, string>>;
  /** Changes what programs find from now on. */
  readonly turn: (state: KeychainState) => Promise<void>;
  /** Lets a keychain that hangs go on: it answers what it was asked, late. */
  readonly resume: () => void;
  /** Runs a program to its end. */
  readonly run: (
    command: readonly string[],
    options?: KeychainRunOptions,
  ) => Promise<KeychainRunResult>;
}

const PROGRAMS = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"];

/**
 * Why the tests of the real keychain cannot run here, for the option `skip` of a test. It says so on
 * standard error, too: a runner may show no reasons.
 *
 * @returns The reason, or `false` where they can or, by ADC_RUN_TEST_REQUIRE=keychain, must run.
 */
export function keychainSkip(): string | false {
  const required = isRequired("keychain");
  if (required) return false;
  const missing = process.platform === "linux"
    ? PROGRAMS.filter((name) => spawnSync(name, ["--version"]).error !== undefined)
    : ["Secret Service on this system"];
  if (missing.length === 0) return false;
  const reason = `the real keychain is not tested: there is no ${missing.join(", ")}`;
  process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}

/** A bus that starts nothing by itself: no second keychain, and nobody who asks for passwords. */
function busConfig(path: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${path}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}

/**
 * Starts a session.
 *
 * @param state What programs find at first. An empty keychain cannot be locked: to have one with an
 * entry, start `unlocked`, store it, and turn.
 * @returns The session; `await using` ends it.
 *
 * @example
 * ```ts ignore
 * await using session = await startKeychainSession();
 * await session.run(["secret-tool", "lookup", "service", "adc-run", "username", "https://h"]);
 * ```
 */
export async function startKeychainSession(
  state: KeychainState = "unlocked",
): Promise<KeychainSession> {
  const folder = await temporaryFolder();
  const runtime = join(folder.path, "runtime");
  await mkdir(runtime, { mode: 0o700 });
  const socket = join(folder.path, "bus");
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: folder.path,
    XDG_DATA_HOME: join(folder.path, "data"),
    XDG_RUNTIME_DIR: runtime,
    DENO_DIR: process.env.DENO_DIR ?? join(homedir(), ".cache", "deno"),
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}`,
  };
  const config = await folder.write("bus.conf", busConfig(socket));
  const bus = await startBus(config, env);
  let daemon: ChildProcess | undefined;

  async function turn(next: KeychainState): Promise<void> {
    await end(daemon);
    daemon = undefined;
    if (next === "no-bus") delete env.DBUS_SESSION_BUS_ADDRESS;
    else env.DBUS_SESSION_BUS_ADDRESS = `unix:path=${socket}`;
    if (next === "no-bus" || next === "no-service") return;
    daemon = await startDaemon(env, { unlocked: next !== "locked" });
    if (next === "hanging") process.kill(daemon.pid ?? NaN, "SIGSTOP");
  }

  async function close(): Promise<void> {
    await end(daemon);
    await end(bus);
    await folder[Symbol.asyncDispose]();
  }

  try {
    await turn(state);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    env,
    turn,
    resume: () => process.kill(daemon?.pid ?? NaN, "SIGCONT"),
    run: (command, options = {}) => run(command, { ...options, env: { ...env, ...options.env } }),
    [Symbol.asyncDispose]: close,
  };
}

async function startBus(
  config: string,
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const args = ["--nofork", "--print-address=1", `--config-file=${config}`];
  const bus = spawn("dbus-daemon", args, { env, stdio: ["ignore", "pipe", "ignore"] });
  // It prints its address once it listens.
  await Promise.race([once(bus.stdout, "data"), ended(bus, "dbus-daemon")]);
  return bus;
}

async function startDaemon(
  env: Readonly<Record<string, string>>,
  { unlocked }: { readonly unlocked: boolean },
): Promise<ChildProcess> {
  const args = ["--foreground", "--components=secrets", ...(unlocked ? ["--unlock"] : [])];
  const daemon = spawn("gnome-keyring-daemon", args, { env, stdio: ["pipe", "ignore", "ignore"] });
  daemon.stdin?.on("error", () => {});
  daemon.stdin?.end(unlocked ? "password" : "");
  const gone = ended(daemon, "gnome-keyring-daemon");
  gone.catch(() => {});
  const question = [
    "dbus-send",
    "--session",
    "--print-reply",
    "--dest=org.freedesktop.DBus",
    "/",
    "org.freedesktop.DBus.NameHasOwner",
    "string:org.freedesktop.secrets",
  ];
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const { stdout } = await Promise.race([run(question, { env }), gone]);
    if (stdout.includes("boolean true")) return daemon;
  }
  await end(daemon);
  throw new Error("gnome-keyring-daemon does not come up");
}

/** Rejects when the program ends, which it should not. */
async function ended(child: ChildProcess, name: string): Promise<never> {
  const [code, signal] = await once(child, "exit");
  throw new Error(`${name} ended too early (${code ?? signal})`);
}

/** SIGKILL ends a stopped process, too. */
async function end(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  process.kill(child.pid, "SIGKILL");
  await exit;
}

function run(
  [program = "", ...args]: readonly string[],
  { env = {}, cwd, input = "" }: KeychainRunOptions,
): Promise<KeychainRunResult> {
  const child = spawn(program, args, { env, ...(cwd !== undefined && { cwd }) });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
