import { UsageError } from "../../errors.ts";
import { canAsk } from "../io.ts";
import type { Io } from "../io.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall, OwnCommand } from "../own_command.ts";
import { askText } from "../prompts.ts";

/** The options that `auth login` alone has. */
export interface LoginOptions {
  readonly withToken?: boolean;
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly loginOption?: string;
  readonly name?: string;
  readonly expiresIn?: string;
  readonly storage?: string;
  readonly yes?: boolean;
}

/** The options of a log-in with a password, which mean nothing with a token. */
const PASSWORD_OPTIONS = {
  username: "--username",
  passwordStdin: "--password-stdin",
  loginOption: "--login-option",
  name: "--name",
  expiresIn: "--expires-in",
  yes: "--yes",
} as const;

/** What the Admin API of API7 Enterprise listens at out of the box. */
const USUAL_SERVER = "https://localhost:7443";

/** Logs in, has a token made, tries it, and stores it. */
export async function authLogin(call: OwnCall, io: Io): Promise<number> {
  const withToken = call.words.includes("--with-token");
  const command = await readOwnCommand<LoginOptions>(call, io, {
    name: "auth login",
    uses: ["--source", "--no-check", "--token"],
    options: [
      "--with-token",
      "--username <name>",
      "--password-stdin",
      "--login-option <name>",
      "--name <name>",
      "--expires-in <duration>",
      "--storage <store>",
      "--yes",
    ],
    ...(!withToken && {
      backend: "api7ee" as const,
      askServer: () => askServer(io),
    }),
  });
  const { options, connection } = command;
  if (connection.args.tokens.length > 0) {
    throw new UsageError(
      "Cannot take the token from --token: any user of this machine can read it there",
      { suggestion: "Use --with-token, which reads it from standard input." },
    );
  }
  for (const [name, flag] of Object.entries(PASSWORD_OPTIONS)) {
    // A variable that is not set, most likely: the default would not be what was meant.
    if (options[name as keyof LoginOptions] === "") {
      throw new UsageError(`Option "${flag}" is empty`);
    }
  }
  const { storage = "keychain" } = options;
  if (storage !== "keychain" && storage !== "file") {
    throw new UsageError(`Cannot use --storage "${storage}": there are keychain and file`);
  }
  if (options.withToken) {
    for (const [name, flag] of Object.entries(PASSWORD_OPTIONS)) {
      if (options[name as keyof LoginOptions] === undefined) continue;
      throw new UsageError(`Cannot use ${flag} with --with-token: nobody logs in`);
    }
    const { loginWithToken } = await import("./login_with_token.ts");
    return await loginWithToken({ ...command, storage }, io);
  }
  const { loginWithPassword } = await import("./login_with_password.ts");
  return await loginWithPassword({ ...command, storage }, io);
}

/** A command that stores a token somewhere. */
export type LoginCommand = OwnCommand<LoginOptions> & { readonly storage: "keychain" | "file" };

/** Where nobody can be asked ADC's default stands, and the log-in says what answers there. */
async function askServer(io: Io): Promise<string | undefined> {
  return canAsk(io)
    ? await askText("Server", io, { initial: USUAL_SERVER }) || USUAL_SERVER
    : undefined;
}
