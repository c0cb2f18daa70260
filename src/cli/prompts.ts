import { AdcRunError, EXIT } from "../errors.ts";
import type { Credentials } from "../admin_api/log_in.ts";
import { Secret } from "../secret.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { inOneLine } from "./plain_text.ts";

/** Asks for a line. */
export async function askText(
  message: string,
  io: Io,
  { initial }: { readonly initial?: string } = {},
): Promise<string> {
  const { text } = await import("@clack/prompts");
  const defaults = initial === undefined ? {} : { defaultValue: initial, placeholder: initial };
  return (await ask<string>(
    io,
    (terms) => text({ message: inOneLine(message), ...defaults, ...terms }),
  )).trim();
}

/** Asks for a line that is not shown. */
export async function askSecret(message: string, io: Io): Promise<Secret> {
  const { password } = await import("@clack/prompts");
  return new Secret(
    await ask<string>(io, (terms) => password({ message: inOneLine(message), ...terms })),
  );
}

/** Asks for a yes or a no; the answer to nothing but Enter is no. */
export async function askConfirmation(message: string, io: Io): Promise<boolean> {
  return await inTurn(io, async () => {
    const { confirm } = await import("@clack/prompts");
    return await ask<boolean>(
      io,
      (terms) => confirm({ message: inOneLine(message), initialValue: false, ...terms }),
    );
  });
}

/** Makes the question for a user and a password. */
export function askCredentials(
  io: Io,
): (server: string, known: Partial<Credentials>) => Promise<Credentials> {
  return (server, { username, password }) =>
    inTurn(io, async () => {
      const name = username ?? await askText(`User at ${server}`, io);
      if (name === "") throw givenUp();
      return { username: name, password: password ?? await askSecret(`Password of ${name}`, io) };
    });
}

/** The last question at each terminal that somebody has to answer. */
const turns = new WeakMap<Io, Promise<unknown>>();

/**
 * Asks when the questions before are answered: several targets may have some at the same time. Whoever
 * gives up at one of them is not asked those that wait.
 */
function inTurn<T>(io: Io, question: () => Promise<T>): Promise<T> {
  const turn = (turns.get(io) ?? Promise.resolve()).then(question);
  turns.set(io, turn);
  return turn.finally(() => {
    if (turns.get(io) === turn) turns.delete(io);
  });
}

/** What every question is asked with. */
interface Terms {
  readonly input: Io["stdin"];
  readonly output: Io["stderr"];
  readonly signal: AbortSignal;
}

/**
 * Ctrl-D: in a terminal's raw mode it is a character like any other, and the library passes over it.
 */
const END_OF_INPUT = 4;

/** Asks; Ctrl-C, Ctrl-D and the end of the input are no answer. */
async function ask<T extends string | boolean>(
  { stdin, stderr, signals }: Io,
  question: (terms: Terms) => Promise<T | symbol>,
): Promise<T> {
  const interrupt = abortOnInterrupt(signals);
  const end = new AbortController();
  const give = () => end.abort();
  const look = (data: Uint8Array | string) => {
    const codes = typeof data === "string" ? [...data].map((each) => each.charCodeAt(0)) : data;
    if (codes.includes(END_OF_INPUT)) give();
  };
  giveWidth(stderr);
  stdin.on("data", look).once("end", give).once("error", give);
  try {
    const signal = AbortSignal.any([end.signal, interrupt.signal]);
    const answer = await question({ input: stdin, output: stderr, signal });
    interrupt.signal.throwIfAborted();
    if (end.signal.aborted || typeof answer === "symbol" || answer === undefined) throw givenUp();
    return answer;
  } finally {
    interrupt.release();
    stdin.off("data", look).off("end", give).off("error", give);
    stdin.pause();
  }
}

/**
 * A terminal that does not tell its width has the width 0, and the library would write a letter a line.
 */
function giveWidth(output: Io["stderr"]): void {
  if ((output as { readonly columns?: number }).columns !== 0) return;
  Object.defineProperty(output, "columns", { value: 80, configurable: true, writable: true });
}

function givenUp(): AdcRunError {
  return new AdcRunError("Given up", EXIT.interrupted);
}
