import { isUtf8 } from "node:buffer";
import type { Credentials } from "../admin_api/session.ts";
import type { Connection } from "../connection/connection.ts";
import { AdcRunError, EXIT, UsageError } from "../errors.ts";
import { credentialsOf, needsConsent } from "../lifecycle/credentials.ts";
import { Secret } from "../secret.ts";
import { MAX_TOKEN_BYTES, withoutTrailingNewline } from "../token/token_value.ts";
import { canAsk, type Io, readInput, whyNotAsked } from "./io.ts";
import type { LoginOptions } from "./manual/auth_commands.ts";
import type { AskCredentials } from "../lifecycle/admin_api_source.ts";
import { cell } from "./output/out.ts";
import { givenUp, prompt } from "./terminal_prompt.ts";

export async function askText(
  message: string,
  io: Io,
  defaults: { readonly placeholder?: string; readonly initialValue?: string } = {},
): Promise<string> {
  const { text } = await import("@clack/prompts");
  const { placeholder: defaultValue } = defaults;
  const all = { message: cell(message, io), ...defaultValue && { defaultValue }, ...defaults };
  return (await prompt<string>(io, (terms) => text({ ...all, ...terms }))).trim();
}

export async function askSecret(message: string, io: Io): Promise<Secret> {
  const { password } = await import("@clack/prompts");
  const validate = (value: string | undefined) => value ? undefined : "It is empty";
  const secret = new Secret(
    await prompt<string>(
      io,
      (terms) => password({ message: cell(message, io), validate, ...terms }),
    ),
  );
  io.secrets.add(secret);
  return secret;
}

async function confirmNow(message: string, io: Io, initialValue = false): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  const all = { message: cell(message, io), initialValue };
  return await prompt<boolean>(io, (terms) => confirm({ ...all, ...terms }));
}

export async function askConfirmation(message: string, io: Io): Promise<boolean> {
  return await inTurn(io, () => confirmNow(message, io));
}

export function requireTerminal(io: Io, suggestion: string): void {
  if (canAsk(io)) return;
  throw new UsageError(`Cannot ask for confirmation: ${whyNotAsked(io)}`, { suggestion });
}

export async function requireConfirmation(message: string, io: Io): Promise<void> {
  if (!await askConfirmation(message, io)) throw givenUp();
}

export function askCredentials(
  io: Io,
  what: (connection: Connection) => Promise<string> | string,
): AskCredentials {
  return async (connection, { username, password, again }) => {
    const { profile, server } = connection;
    const question = `No token for ${profile?.name ?? server.value}. Log in now${await what(
      connection,
    )}?`;
    return await inTurn(io, async () => {
      if (!again && !await confirmNow(question, io, true)) return undefined;
      const name = username ?? await askText(`User name at ${server.value}`, io);
      if (name === "") throw givenUp();
      return {
        username: name,
        password: password ?? await askPassword({ name, again }, connection, io),
      };
    });
  };
}

async function askPassword(
  { name, again }: { readonly name: string; readonly again: boolean | undefined },
  { server }: Connection,
  io: Io,
): Promise<Secret> {
  const question = `Password for ${name} at ${server.value}`;
  return await askSecret(again ? `Wrong password. ${question}` : question, io);
}

/** Several targets may ask at the same time; who gives up at one is asked at no other, however late that comes. */
function inTurn<T>({ questions }: Io, question: () => Promise<T>): Promise<T> {
  const turn = questions.last.then(question);
  questions.last = turn;
  return turn;
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
  { options, io, before }: {
    readonly options: LoginOptions;
    readonly io: Io;
    readonly before?: Credentials | undefined;
  },
): Promise<Credentials & { readonly typed?: boolean }> {
  const { username: fromVariable, password, loginOption } = credentialsOf(io.env, connection);
  const given = before?.username ?? (options.username?.trim() || fromVariable);
  if (given === undefined && (options.passwordStdin || !canAsk(io))) {
    const unasked = options.passwordStdin ? "" : `, and ${whyNotAsked(io)}`;
    throw new UsageError(`Cannot log in: no user name given${unasked}`, {
      suggestion: "Set it with --username, API7_USERNAME, or in the profile.",
    });
  }
  const username = given ?? await askText(`User name at ${connection.server.value}`, io);
  if (username === "") throw givenUp();
  const who = { username, loginOption: options.loginOption ?? loginOption };
  // At a terminal it would be shown while it is typed.
  if (options.passwordStdin && !io.terminals.stdin) {
    return { ...who, password: await readPassword(io) };
  }
  // The variable's password belongs to the variable's user.
  const { username: owner } = credentialsOf(io.env);
  const matches = !options.passwordStdin && (owner === undefined || owner === username);
  if (password !== undefined && matches) return { ...who, password };
  if (canAsk(io)) {
    const again = before !== undefined;
    const typed = await askPassword({ name: username, again }, connection, io);
    return { ...who, password: typed, typed: true };
  }
  throw new UsageError(`Cannot log in: no password given, and ${whyNotAsked(io)}`, {
    suggestion: "Pipe it in with --password-stdin, or set API7_PASSWORD.",
  });
}

async function readPassword(io: Io): Promise<Secret> {
  const password = await readStandardInput(io);
  if (password !== "") return new Secret(password);
  throw new AdcRunError("Cannot log in: no password on standard input", EXIT.data, {
    suggestion: "Pipe it in: --password-stdin < password.txt",
  });
}

export async function readStandardInput(io: Io): Promise<string> {
  const tooLong = `Cannot use standard input: it is longer than ${MAX_TOKEN_BYTES} bytes`;
  const bytes = await readInput(io.stdin, { max: MAX_TOKEN_BYTES, tooLong });
  // Other bytes would be replaced, and a password that nobody typed sent.
  if (!isUtf8(bytes)) {
    throw new AdcRunError("Cannot use standard input: it is not valid UTF-8", EXIT.data);
  }
  const text = withoutTrailingNewline(bytes.toString("utf8"));
  // A token or a password, whoever asks.
  io.secrets.add(new Secret(text));
  return text;
}
