/**
 * The program: it runs the command line in this process, and ends as the child ended.
 *
 * @module
 */

import { existsSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import { EXIT } from "../errors.ts";
import { main } from "./main.ts";
import { hasSymbols } from "./output/layout.ts";
import { fixed, KnownSecrets, type Line, line, writeText, written } from "./output/out.ts";
import { Sign } from "./output/sign.ts";

/**
 * Signals whose default is to end the process without a core dump, and that Node does not use itself.
 */
const RAISED = ["SIGHUP", "SIGINT", "SIGTERM"];

function sayError(text: Line, secrets = new KnownSecrets(process.env)): void {
  const { stdout, stderr } = process;
  writeText(line`adc-run: error: ${text}`, { stdout, stderr, secrets }, "stderr");
}

/** What becomes of adc-run's own output is no reason to fail, but for a full disk. */
function watchOutput(): void {
  let unwritten: string | undefined;
  // A reader that went away, as in `| head`, has what it wanted.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") unwritten = error.code ?? error.message;
  });
  // Bun tells of it only after the wait in `written()`.
  process.on("exit", () => {
    if (unwritten === undefined || process.exitCode !== 0) return;
    sayError(line`cannot write the output: ${unwritten}`);
    process.exitCode = EXIT.source;
  });
  // What adc-run itself says is never worth more than how the child ended.
  process.stderr.on("error", () => {});
}

/**
 * The working directory, which can have been deleted under the process. A name that is not valid UTF-8 is
 * an error on Deno, and names another folder on Node.
 */
function workingDirectory(): string {
  try {
    const folder = process.cwd();
    if (existsSync(folder)) return folder;
  } catch {
    // As if it were not there.
  }
  sayError(
    fixed("cannot use the working directory: it was deleted, or its name is not valid UTF-8"),
  );
  process.exit(EXIT.config);
}

/** What Node.js has since 20.18.1 and 22.3: the rest of adc-run counts on it. */
function requireRuntime(): void {
  const { node } = process.versions;
  const [major = 0, minor = 0, patch = 0] = node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 3)) return;
  if (major === 20 && (minor > 18 || (minor === 18 && patch >= 1))) return;
  sayError(line`cannot run on Node.js ${node}: adc-run needs Node.js 20.18.1 or 22.3 and later`);
  process.exit(EXIT.config);
}

/**
 * Until `main()` has answered, however the process ends is a failure. What is thrown where nobody can catch it,
 * such as a listener of an event, ends in one line.
 */
function watchDefects(secrets: KnownSecrets): void {
  process.exitCode = EXIT.software;
  const fail = (thrown: unknown) => {
    const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    sayError(
      line`internal error: ${what}. Please report it, with the command that you ran: https://github.com/adc-run/adc-run/issues`,
      secrets,
    );
    process.exit(EXIT.software);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
}

async function start(): Promise<void> {
  requireRuntime();
  const secrets = new KnownSecrets(process.env);
  watchDefects(secrets);
  watchOutput();
  let endedBy: NodeJS.Signals | undefined;
  const { env, stderr } = process;
  const terminals = { stdin: isatty(0), stdout: isatty(1), stderr: isatty(2) };
  const sign = !env.CI && hasSymbols({ env, terminals }, "stderr")
    ? new Sign({ stderr, clean: { secrets, env } })
    : undefined;
  const exitCode = await main(process.argv.slice(2), {
    env,
    cwd: workingDirectory(),
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr,
    terminals,
    sign,
    signals: process,
    secrets,
    warnings: [],
    questions: { last: Promise.resolve() },
    endedBy: (signal) => {
      endedBy = signal;
    },
  });
  sign?.hide();
  await written(process);
  process.exitCode = exitCode;

  // The child was ended by a signal: end the same way, so that a shell's loop stops at Ctrl-C.
  if (endedBy !== undefined && RAISED.includes(endedBy)) process.kill(process.pid, endedBy);

  // A keychain or a pipe that never answers must not keep the process alive. The timer itself does not.
  setTimeout(() => process.exit(), 250).unref();
}

// Not awaited: the command of the npm package is CommonJS, which awaits nothing at its top level.
void start();
