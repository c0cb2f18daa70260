import type { Credentials } from "../admin_api/session.ts";
import { requireGatewayGroup } from "../check/backend_checks.ts";
import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { SourceAnswer, SourceContext, TokenSource } from "../token/sources.ts";
import { credentialsOf, needsConsent } from "./credentials.ts";
import type { SessionPool } from "./open_session.ts";

/**
 * What the source `admin-api` logs in with, and what becomes of the token: of the environment
 * `API7_USERNAME` and `API7_PASSWORD`, and for users of LDAP `API7_LOGIN_OPTION`, the login option's name.
 * @category Token sources
 */
export interface AdminApiSourceOptions extends Omit<Context, "cwd" | "signal"> {
  /**
   * The maximum lifetime of a token created for one run only, such as `15m`. Where it is set, no token is
   * kept.
   * @default undefined: the token is kept in the keychain; where there is none, and in a pipeline (`CI`), it
   * lives for an hour at most
   */
  readonly ephemeral?: string | undefined;
  /** Logins that are shared with other runs. @default each run logs in by itself */
  readonly sessions?: SessionPool | undefined;
  /**
   * Asks a person who logs in, where a password is missing, and is told whether a first answer was wrong;
   * `undefined` if nobody can be asked.
   * @default nobody is asked
   */
  readonly ask?:
    | ((
      connection: Connection,
      known: {
        readonly username?: string | undefined;
        readonly password?: Secret | undefined;
        readonly again?: boolean;
      },
    ) => Promise<Credentials | undefined>)
    | undefined;
  /**
   * Asks a person whether the password may be sent, and says why that is a question.
   * @default nobody is asked, and it is not sent
   */
  readonly confirm?: ((reason: string) => Promise<boolean>) | undefined;
}

export type AskCredentials = NonNullable<AdminApiSourceOptions["ask"]>;

/** Somebody may have to find a password first. */
const TIME_LIMIT = 10 * 60_000;

/** Time to revoke what was made, when the run is given up meanwhile. */
const GRACE = 15_000;

/**
 * The source `admin-api`: logs in to API7 Enterprise as `API7_USERNAME` with `API7_PASSWORD`, and has a
 * token made.
 *
 * The token is kept in the keychain, under the server's origin, for 30 days. In a pipeline (`CI`), without
 * a keychain, or where `ephemeral` is set it lives for the run alone, and its lease revokes it.
 *
 * A password is never sent to a server that a `.env` file in the working directory names, unless `confirm`
 * agrees.
 */
export function adminApiSource(options: AdminApiSourceOptions): TokenSource {
  return {
    name: "admin-api",
    timeoutMs: TIME_LIMIT,
    graceMs: GRACE,
    find: (context) => find(context, options),
    preview: ({ connection }) => Promise.resolve(preview(connection, options)),
  };
}

function preview(connection: Connection, options: AdminApiSourceOptions): string {
  const missing = whatIsMissing(connection, options);
  if (missing !== undefined) return missing;
  const reason = needsConsent(connection);
  if (reason !== undefined && options.confirm === undefined) return noConsent(reason);
  const { username } = credentialsOf(options.env, connection);
  return username === undefined
    ? "a run would ask for a user name and password, and log in"
    : `a run would log in as ${username}`;
}

function whatIsMissing(
  connection: Connection,
  { env, ask }: AdminApiSourceOptions,
): string | undefined {
  const { backend } = connection;
  if (!BACKENDS[backend.value].hasUsers) return `backend "${backend.value}" has no login`;
  if (ask !== undefined) return undefined;
  const { username, password } = credentialsOf(env, connection);
  const missing = [
    username === undefined && "API7_USERNAME",
    password === undefined && "API7_PASSWORD",
  ].filter((name) => typeof name === "string");
  if (missing.length === 0) return undefined;
  return `${missing.join(" and ")} ${missing.length === 2 ? "are" : "is"} not set`;
}

async function find(
  { connection, signal }: SourceContext,
  options: AdminApiSourceOptions,
): Promise<SourceAnswer> {
  const missing = whatIsMissing(connection, options);
  if (missing !== undefined) return { status: "absent", reason: missing };
  // Before anybody logs in for nothing.
  requireGatewayGroup(connection, undefined);
  const reason = needsConsent(connection);
  if (reason !== undefined && !await options.confirm?.(reason)) {
    return {
      status: "broken",
      reason: noConsent(reason),
      suggestion: "To allow it, set it in the environment or as a flag.",
      exitCode: EXIT.config,
    };
  }
  const { makeTokenForRun } = await import("./token_for_run.ts");
  const { logInOrAsk } = await import("./open_session.ts");
  const terms = { ...options, signal };
  const answer = await logInOrAsk(
    connection,
    terms,
    (credentials) => makeTokenForRun(connection, { ...terms, credentials }),
  );
  return answer ?? { status: "absent", reason: "nobody logged in" };
}

function noConsent(reason: string): string {
  return `${reason}, so no password is sent`;
}
