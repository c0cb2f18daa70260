import type { Credentials } from "../admin_api/session.ts";
import { requireGatewayGroup } from "../check/check_token.ts";
import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import type { SourceAnswer, SourceContext, TokenSource } from "../token/source.ts";
import { credentialsOf, needsConsent } from "./credentials.ts";
import type { SessionPool } from "./session_pool.ts";

/**
 * What the source `admin-api` logs in with, and what becomes of the token: of the environment
 * `API7_USERNAME` and `API7_PASSWORD`, and for users of LDAP `API7_LOGIN_OPTION`, the login option's name.
 * @category Token sources
 */
export interface AdminApiSourceOptions extends Omit<Context, "cwd" | "signal"> {
  /**
   * How long a token lives that is made for one run alone, in milliseconds. Where it is set no token is
   * kept.
   *
   * @default undefined: the token is kept in the keychain; where there is none, and in a pipeline (`CI`),
   * it lives for an hour at most
   */
  readonly ephemeral?: number | undefined;
  /**
   * Logins that are shared with other runs.
   *
   * @default each run logs in by itself
   */
  readonly sessions?: SessionPool | undefined;
  /** Asks a person who logs in; it is told the server and what is known already. @default nobody is asked */
  readonly ask?:
    | ((server: string, known: Partial<Credentials>) => Promise<Credentials>)
    | undefined;
  /**
   * Asks a person whether the password may be sent, and says why that is a question.
   *
   * @default nobody is asked, and it is not sent
   */
  readonly confirm?: ((reason: string) => Promise<boolean>) | undefined;
}

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
    timeout: TIME_LIMIT,
    grace: GRACE,
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

/** Why nobody can log in. */
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
  return missing.length === 2
    ? "API7_USERNAME and API7_PASSWORD are not set"
    : `${missing[0]} is not set`;
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
  const credentials = await whoLogsIn(connection, options);
  const { makeTokenForRun } = await import("./token_for_run.ts");
  return await makeTokenForRun(connection, { ...options, credentials, signal });
}

function noConsent(reason: string): string {
  return `${reason}, so no password is sent`;
}

async function whoLogsIn(
  connection: Connection,
  { env, ask }: AdminApiSourceOptions,
): Promise<Credentials> {
  const { username, password, loginOption } = credentialsOf(env, connection);
  if (username !== undefined && password !== undefined) return { username, password, loginOption };
  if (ask === undefined) {
    throw new AdcRunError("Cannot log in: there is no terminal to prompt on", EXIT.permission);
  }
  const known = { ...(username && { username }), ...(password && { password }) };
  return { loginOption, ...await ask(connection.server.value, known) };
}
