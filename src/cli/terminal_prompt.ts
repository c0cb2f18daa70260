import { Buffer } from "node:buffer";
import process from "node:process";
import { PassThrough, Writable } from "node:stream";
import { AdcRunError, EXIT } from "../errors.ts";
import { abortOnInterrupt } from "../run/signals.ts";
import { isDeno, readProcess } from "../system/programs.ts";
import type { Io } from "./io.ts";

interface Terms {
  readonly input: PassThrough;
  readonly output: Writable;
  readonly signal: AbortSignal;
}

type Question<T> = (terms: Terms) => Promise<T | symbol>;

/** In a terminal's raw mode these are characters like any other: Ctrl-D, Ctrl-Z and Enter. */
const END_OF_INPUT = 4;
const SUSPEND = 26;
const ENTER = 13;

const SHOW_CURSOR = "\x1b[?25h";

/**
 * Asks; Ctrl-C, Ctrl-D and the end of the input are no answer.
 *
 * Who stops the process meanwhile finds the question again, with what was typed. The library draws a question
 * once: it is asked anew, and told the same keys.
 */
export async function prompt<T extends string | boolean>(
  { stdin, stderr, signals, sign }: Pick<Io, "stdin" | "stderr" | "signals" | "sign">,
  question: Question<T>,
): Promise<T> {
  sign?.hide();
  const interrupt = abortOnInterrupt(signals);
  const end = new AbortController();
  const give = () => end.abort();
  const signal = AbortSignal.any([end.signal, interrupt.signal]);
  const typed: Buffer[] = [];
  let shown: ShownQuestion<T> | undefined;
  let resolve!: (answer: T | symbol) => void;
  let reject!: (error: unknown) => void;
  const answered = new Promise<T | symbol>((...both) => [resolve, reject] = both);
  const ask = () => {
    shown?.leave();
    const asked = shown = showQuestion(question, { output: stderr, signal });
    for (const keys of typed) asked.input.write(keys);
    asked.answer.then((answer) => {
      if (shown === asked) resolve(answer);
    }, reject);
  };
  const setRaw = (raw: boolean) => (stdin as { setRawMode?(raw: boolean): void }).setRawMode?.(raw);
  const resume = () => {
    // Whoever had the terminal meanwhile has changed it, and the runtime would take it for raw.
    setRaw(false);
    setRaw(true);
    ask();
  };
  const stop = (pid: number) => {
    setRaw(false);
    stderr.write(SHOW_CURSOR);
    if (isDeno) {
      // It would go on for a while after a SIGTSTP. SIGCONT resumes.
      if (hasShell()) return void process.kill(pid, "SIGSTOP");
    } else {
      for (const each of stops) signals.off(...each);
      // Without a listener the process stops here until it is continued, unless there is no shell to do that.
      process.kill(pid, "SIGTSTP");
      for (const each of stops) signals.on(...each);
    }
    resume();
  };
  const stops: readonly (readonly [signal: string, listener: () => void])[] =
    process.platform === "win32" ? [] : [["SIGTSTP", () => stop(process.pid)], ["SIGCONT", resume]];
  const take = (data: Uint8Array | string) => {
    let keys = Buffer.from(data as Uint8Array);
    const line = keys.indexOf(ENTER) + 1;
    if (line > 0 && line < keys.length) {
      // Typed ahead, for the next question.
      stdin.pause();
      stdin.unshift(keys.subarray(line));
      keys = keys.subarray(0, line);
    }
    const at = keys.indexOf(SUSPEND);
    const before = at < 0 ? keys : keys.subarray(0, at);
    if (before.includes(END_OF_INPUT)) return give();
    if (before.length > 0) {
      typed.push(before);
      shown?.input.write(before);
    }
    if (at < 0) return;
    // As the terminal would: all that run at it.
    if (stops.length > 0) stop(0);
    take(keys.subarray(at + 1));
  };
  try {
    for (const each of stops) signals.on(...each);
    setRaw(true);
    stdin.on("data", take).once("end", give).once("error", give).resume();
    ask();
    const answer = await answered;
    interrupt.signal.throwIfAborted();
    if (end.signal.aborted || typeof answer === "symbol" || answer === undefined) throw givenUp();
    return answer;
  } finally {
    for (const each of stops) signals.off(...each);
    interrupt.release();
    stdin.off("data", take).off("end", give).off("error", give);
    stdin.pause();
    setRaw(false);
  }
}

/** Whether a shell can continue this process' group, which the system asks at SIGTSTP; the session's first has none. */
function hasShell(): boolean {
  const [, group, session] = /\) \S+ \d+ (\d+) (\d+)/.exec(readProcess("/proc/self/stat") ?? "") ??
    [];
  return group !== session;
}

export function givenUp(): AdcRunError {
  return new AdcRunError("Cancelled", EXIT.interrupted);
}

interface ShownQuestion<T> {
  readonly input: PassThrough;
  readonly answer: Promise<T | symbol>;
  leave(): void;
}

function showQuestion<T>(
  question: Question<T>,
  { output, signal }: { readonly output: Writable; readonly signal: AbortSignal },
): ShownQuestion<T> {
  const left = new AbortController();
  const terminal = output as Writable & { readonly columns?: number; readonly rows?: number };
  // The library ends a question with a few lines more.
  const screen = new Writable({
    write: (chunk, _encoding, done) => {
      if (!left.signal.aborted) output.write(chunk);
      done();
    },
  });
  Object.defineProperties(screen, {
    // A terminal that does not tell its size has the size 0: the library would write a letter a line, and no
    // line that changed.
    columns: { get: () => terminal.columns || 80 },
    rows: { get: () => terminal.rows || 24 },
  });
  const resize = () => screen.emit("resize");
  terminal.on("resize", resize);
  const input = new PassThrough();
  const ended = AbortSignal.any([signal, left.signal]);
  return {
    input,
    answer: question({ input, output: screen, signal: ended }).finally(() =>
      terminal.off("resize", resize)
    ),
    leave: () => left.abort(),
  };
}
