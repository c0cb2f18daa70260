import type { Credentials } from "../admin_api/log_in.ts";
import type { Connection } from "../connection/connection.ts";
import { AdcRunError, EXIT, UsageError } from "../errors.ts";
import { credentialsOf, needsConsent } from "../lifecycle/credentials.ts";
import { Secret } from "../secret.ts";
import { canAsk } from "./io.ts";
import type { Io } from "./io.ts";
import { askConfirmation, askSecret, askText } from "./prompts.ts";
import { readStandardInput } from "./standard_input.ts";

/** What the command line says of who logs in. */
export interface LoginAnswers {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly loginOption?: string;
}

/** Makes sure that a password may be sent where it would go. */
export async function requireConsent(
  connection: Connection,
  { yes, io }: { readonly yes: boolean | undefined; readonly io: Io },
): Promise<void> {
  const reason = needsConsent(connection);
  if (reason === undefined || yes) return;
  if (!canAsk(io)) {
    throw new AdcRunError(`Cannot send a password: ${reason}`, EXIT.config, {
      suggestion: "Set it as a flag or in the environment, or agree with --yes.",
    });
  }
  const agreed = await askConfirmation(`Send the password, though ${reason}?`, io);
  if (!agreed) throw new AdcRunError("Given up", EXIT.interrupted);
}

/** Finds out who logs in: from the options, the environment, or a person. */
export async function readCredentials(
  connection: Connection,
  { options, io }: { readonly options: LoginAnswers; readonly io: Io },
): Promise<Credentials> {
  const known = credentialsOf(io.env, connection);
  const given = options.username?.trim() || known.username;
  if (given === undefined && (options.passwordStdin || !canAsk(io))) {
    throw new UsageError("Cannot log in: there is no user name", {
      suggestion: "Give one with --username, in API7_USERNAME, or in the profile.",
    });
  }
  const username = given ?? await askText(`User at ${connection.server.value}`, io);
  if (username === "") throw new AdcRunError("Given up", EXIT.interrupted);
  const loginOption = options.loginOption ?? known.loginOption;
  return { username, loginOption, password: await findPassword(username, { options, io }) };
}

async function findPassword(
  username: string,
  { options, io }: { readonly options: LoginAnswers; readonly io: Io },
): Promise<Secret> {
  const known = credentialsOf(io.env);
  // At a terminal it would be shown while it is typed.
  if (options.passwordStdin && !io.terminals.stdin) return await readPassword(io);
  // The variable's password belongs to the variable's user.
  const matches = !options.passwordStdin &&
    (known.username === undefined || known.username === username);
  if (known.password !== undefined && matches) return known.password;
  if (canAsk(io)) return await askSecret(`Password of ${username}`, io);
  throw new UsageError("Cannot log in: there is no password, and nobody can be asked", {
    suggestion: "Pipe it in with --password-stdin, or set API7_PASSWORD.",
  });
}

async function readPassword(io: Io): Promise<Secret> {
  const password = await readStandardInput(io);
  if (password === "") {
    throw new AdcRunError("Cannot log in: standard input holds no password", EXIT.data, {
      suggestion: "Pipe it in: adc-run auth login --username NAME --password-stdin < password.txt",
    });
  }
  return new Secret(password);
}
