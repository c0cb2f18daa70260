/**
 * The program: it runs the command line in this process, and ends as the child ended.
 *
 * @module
 */

import { closeSync, existsSync } from "node:fs";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";
import { type Environment, isPipeline } from "../context.ts";
import { EXIT, reasonOf } from "../errors.ts";
import { ignoredSignals, type SignalPort } from "../run/signals.ts";
import { immediateOutput, openOutput } from "../system/pipes.ts";
import { isDeno, isNode } from "../system/programs.ts";
import { main } from "./main.ts";
import { hasSymbols } from "./output/layout.ts";
import { fixed, KnownSecrets, type Line, line, writeText, written } from "./output/out.ts";
import { Sign } from "./output/sign.ts";

/** Signals whose default ends the process without a core dump; Windows would end with 1. */
const RAISED = process.platform === "win32" ? [] : ["SIGHUP", "SIGINT", "SIGTERM"];

function sayError(text: Line, secrets = new KnownSecrets(process.env)): void {
  // The process may end before another stream has written.
  const stderr = immediateOutput(2);
  writeText(line`adc-run: error: ${text}`, { stdout: stderr, stderr, secrets }, "stderr");
}

/** What becomes of adc-run's own output is no reason to fail, but for a full disk. */
function watchOutput({ stdout, stderr }: Outputs): void {
  let unwritten: string | undefined;
  // A reader that went away, as in `| head`, has what it wanted.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!["EPIPE", "ERR_STREAM_DESTROYED"].includes(error.code!)) {
      unwritten = error.code ?? error.message;
    }
  });
  // Bun tells of it only after the wait in `written()`.
  process.on("exit", () => {
    if (unwritten === undefined || process.exitCode !== 0) return;
    sayError(line`cannot write the output: ${reasonOf(unwritten)}`);
    process.exitCode = EXIT.source;
  });
  // What adc-run itself says is never worth more than how the child ended.
  stderr.on("error", () => {});
}

interface Outputs {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

function outputStream(name: "stdout" | "stderr", fd: 1 | 2): Writable {
  const own = openOutput(fd);
  if (own === undefined) return process[name];
  // `pipe()` compares with them. Bun would make its own first, to define another.
  if (isNode()) Object.defineProperty(process, name, { value: own });
  else Object.assign(process, { [name]: own });
  return own;
}

/** It can be deleted. A name that is not UTF-8 is an error on Deno, and names another folder on Node. */
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

/** Node.js searches the whole environment for each variable; on Windows it finds them by any case. */
function environment(): Environment {
  return isNode() && process.platform !== "win32" ? { ...process.env } : process.env;
}

/** The process' signals but for those that it was started to ignore. */
function signalPort(): SignalPort {
  let found: readonly NodeJS.Signals[] | undefined;
  const ignored = () => {
    if (found !== undefined) return found;
    found = ignoredSignals();
    // With a listener to another signal, Deno would end by those that have none.
    if (isDeno) found.forEach((each) => process.on(each, () => {}));
    return found;
  };
  return {
    on: (signal, listener) => {
      if (!ignored().includes(signal as NodeJS.Signals)) process.on(signal, listener);
    },
    off: (signal, listener) => process.off(signal, listener),
    get ignored() {
      return ignored();
    },
  };
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

/** Until `main()` has answered every end is a failure, and what nobody can catch ends in one line. */
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
  const outputs = { stdout: outputStream("stdout", 1), stderr: outputStream("stderr", 2) };
  const secrets = new KnownSecrets(process.env);
  watchDefects(secrets);
  watchOutput(outputs);
  let endedBy: NodeJS.Signals | undefined;
  const env = environment();
  const { stderr } = outputs;
  const terminals = { stdin: isatty(0), stdout: isatty(1), stderr: isatty(2) };
  const sign = !isPipeline(env) && hasSymbols({ env, terminals }, "stderr")
    ? new Sign({ stderr, clean: { secrets, env } })
    : undefined;
  // A terminal that is gone tells of it at any time, of a change of its mode too.
  let stdin: Readable | undefined;
  const exitCode = await main(process.argv.slice(2), {
    ...outputs,
    env,
    cwd: workingDirectory(),
    get stdin() {
      return stdin ??= process.stdin.on("error", () => {});
    },
    terminals,
    sign,
    signals: signalPort(),
    secrets,
    warnings: [],
    questions: { last: Promise.resolve() },
    endedBy: (signal) => {
      endedBy = signal;
    },
  });
  sign?.hide();
  await written(outputs);
  process.exitCode = exitCode;
  // Node.js aborts at its end where it cannot reset a terminal that it had.
  if (isNode()) {
    Object.values(terminals).forEach((had, fd) => {
      if (had && !isatty(fd)) closeSync(fd);
    });
  }

  // The child was ended by a signal: end the same way, so that a shell's loop stops at Ctrl-C.
  // The first process of a container is ended by no signal of its own; on Deno that would be a crash.
  if (endedBy !== undefined && RAISED.includes(endedBy) && process.pid !== 1) {
    process.kill(process.pid, endedBy);
  }

  // A keychain or a pipe that never answers must not keep the process alive. The timer itself does not.
  setTimeout(() => process.exit(), 250).unref();
}

// Not awaited: the command of the npm package is CommonJS, which awaits nothing at its top level.
void start();
