import { Buffer, isUtf8 } from "node:buffer";
import type { Credentials } from "../admin_api/session.ts";
import type { Connection } from "../connection/connection.ts";
import { AdcRunError, EXIT, UsageError } from "../errors.ts";
import { credentialsOf, needsConsent } from "../lifecycle/credentials.ts";
import { abortOnInterrupt } from "../run/signals.ts";
import { Secret } from "../secret.ts";
import { MAX_TOKEN_BYTES, withoutTrailingNewline } from "../token/token_value.ts";
import { canAsk, type Io } from "./io.ts";
import type { LoginOptions } from "./manual/auth_commands.ts";
import { cell } from "./output/out.ts";

export async function askText(
  message: string,
  io: Io,
  { initial }: { readonly initial?: string } = {},
): Promise<string> {
  const { text } = await import("@clack/prompts");
  const defaults = initial === undefined ? {} : { defaultValue: initial, placeholder: initial };
  return (await prompt<string>(
    io,
    (terms) => text({ message: cell(message, io), ...defaults, ...terms }),
  )).trim();
}

export async function askSecret(message: string, io: Io): Promise<Secret> {
  const { password } = await import("@clack/prompts");
  const secret = new Secret(
    await prompt<string>(io, (terms) => password({ message: cell(message, io), ...terms })),
  );
  io.secrets.add(secret);
  return secret;
}

export async function askConfirmation(message: string, io: Io): Promise<boolean> {
  return await inTurn(io, async () => {
    const { confirm } = await import("@clack/prompts");
    return await prompt<boolean>(
      io,
      (terms) => confirm({ message: cell(message, io), initialValue: false, ...terms }),
    );
  });
}

export async function requireConfirmation(message: string, io: Io): Promise<void> {
  if (!await askConfirmation(message, io)) throw givenUp();
}

export function askCredentials(
  io: Io,
): (
  server: string,
  known: { readonly [Name in "username" | "password"]?: Credentials[Name] | undefined },
) => Promise<Credentials> {
  return (server, { username, password }) =>
    inTurn(io, async () => {
      const name = username ?? await askText(`User name at ${server}`, io);
      if (name === "") throw givenUp();
      return {
        username: name,
        password: password ?? await askSecret(`Password for ${name} at ${server}`, io),
      };
    });
}

/**
 * Asks when the questions before are answered: several targets may have some at the same time. Whoever
 * gives up at one of them is not asked those that wait.
 */
function inTurn<T>({ questions }: Io, question: () => Promise<T>): Promise<T> {
  const { last } = questions;
  const turn = last.then(question);
  questions.last = turn;
  return turn.finally(() => {
    if (questions.last === turn) questions.last = Promise.resolve();
  });
}

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
async function prompt<T extends string | boolean>(
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
  return new AdcRunError("Cancelled", EXIT.interrupted);
}

export async function requireConsent(
  connection: Connection,
  { yes, io, what = "a password" }: {
    readonly yes: boolean | undefined;
    readonly io: Io;
    readonly what?: string;
  },
): Promise<void> {
  const reason = needsConsent(connection);
  if (reason === undefined || yes) return;
  if (!canAsk(io)) {
    throw new AdcRunError(`Cannot send ${what}: ${reason}`, EXIT.config, {
      suggestion: "Set it as a flag or in the environment, or confirm with --yes.",
    });
  }
  await requireConfirmation(`Send ${what.replace(/^a /, "the ")}, even though ${reason}?`, io);
}

export async function readCredentials(
  connection: Connection,
  { options, io }: { readonly options: LoginOptions; readonly io: Io },
): Promise<Credentials> {
  const known = credentialsOf(io.env, connection);
  const given = options.username?.trim() || known.username;
  if (given === undefined && (options.passwordStdin || !canAsk(io))) {
    throw new UsageError("Cannot log in: no user name given", {
      suggestion: "Set it with --username, API7_USERNAME, or in the profile.",
    });
  }
  const username = given ?? await askText(`User name at ${connection.server.value}`, io);
  if (username === "") throw givenUp();
  const loginOption = options.loginOption ?? known.loginOption;
  return {
    username,
    loginOption,
    password: await findPassword(username, { server: connection.server.value, options, io }),
  };
}

async function findPassword(
  username: string,
  { server, options, io }: {
    readonly server: string;
    readonly options: LoginOptions;
    readonly io: Io;
  },
): Promise<Secret> {
  const known = credentialsOf(io.env);
  // At a terminal it would be shown while it is typed.
  if (options.passwordStdin && !io.terminals.stdin) return await readPassword(io);
  // The variable's password belongs to the variable's user.
  const matches = !options.passwordStdin &&
    (known.username === undefined || known.username === username);
  if (known.password !== undefined && matches) return known.password;
  if (canAsk(io)) return await askSecret(`Password for ${username} at ${server}`, io);
  throw new UsageError("Cannot log in: no password given, and there is no terminal to prompt on", {
    suggestion: "Pipe it in with --password-stdin, or set API7_PASSWORD.",
  });
}

async function readPassword(io: Io): Promise<Secret> {
  const password = await readStandardInput(io);
  if (password === "") {
    throw new AdcRunError("Cannot log in: no password on standard input", EXIT.data, {
      suggestion: "Pipe it in: --password-stdin < password.txt",
    });
  }
  return new Secret(password);
}

export async function readStandardInput(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array | string>) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > MAX_TOKEN_BYTES) {
      throw new AdcRunError(
        `Cannot use standard input: it is longer than ${MAX_TOKEN_BYTES} bytes`,
        EXIT.data,
      );
    }
    chunks.push(bytes);
  }
  const bytes = Buffer.concat(chunks);
  // Other bytes would be replaced, and a password that nobody typed sent.
  if (!isUtf8(bytes)) {
    throw new AdcRunError("Cannot use standard input: it is not valid UTF-8", EXIT.data);
  }
  const text = withoutTrailingNewline(bytes.toString("utf8"));
  // A token or a password, whoever asks.
  io.secrets.add(new Secret(text));
  return text;
}
