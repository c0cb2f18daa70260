import type { Connection } from "../connection/connection.ts";
import { UsageError } from "../errors.ts";
import { credentialsOf, needsConsent } from "../lifecycle/credentials.ts";
import { knownToken } from "../lifecycle/known_token.ts";
import { openSession, openTokenSession } from "../lifecycle/open_session.ts";
import type { Session } from "../lifecycle/open_session.ts";
import { sweep } from "../lifecycle/sweep.ts";
import type { TokenStores } from "../lifecycle/token_stores.ts";
import { NoTokenError, resolveToken } from "../token/resolve.ts";
import type { TokenSource } from "../token/source.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { canAsk } from "./io.ts";
import type { Io } from "./io.ts";
import { askCredentials } from "./prompts.ts";
import type { Reporter } from "./report.ts";

/** A session, and the token that it was opened with. */
export interface AccountSession extends Session {
  /** The token; `undefined` after a log-in with a password. */
  readonly resolved: ResolvedToken | undefined;
}

/** Opens a session, and clears up what an interrupted run left behind. No token is made for it. */
export async function openAccountSession(
  connection: Connection,
  { sources, stores, io, reporter, signal }: {
    readonly sources: readonly TokenSource[];
    readonly stores: TokenStores;
    readonly io: Io;
    readonly reporter: Reporter;
    readonly signal: AbortSignal;
  },
): Promise<AccountSession> {
  const { backend } = connection;
  if (backend.value !== "api7ee") {
    throw new UsageError(
      `Cannot look after tokens: the backend ${backend.value} has no such calls`,
      {
        suggestion: "Only API7 Enterprise has them: --backend api7ee or ADC_BACKEND=api7ee.",
      },
    );
  }
  const session = await openOwnSession(connection, { sources, io, signal });
  const { api, user, close } = session;
  const { warn: onWarning } = reporter;
  try {
    await sweep(api, { stores, user, onWarning, signal, now: Date.now });
  } catch (error) {
    await close();
    throw error;
  }
  return session;
}

async function openOwnSession(
  connection: Connection,
  { sources, io, signal }: {
    readonly sources: readonly TokenSource[];
    readonly io: Io;
    readonly signal: AbortSignal;
  },
): Promise<AccountSession> {
  try {
    const resolved = await resolveToken({ connection, sources: withoutLogIn(sources), signal });
    const record = await knownToken(resolved.token, { connection, env: io.env });
    const now = Date.now();
    return { ...await openTokenSession(connection, { resolved, record, now, signal }), resolved };
  } catch (error) {
    if (!(error instanceof NoTokenError)) throw error;
    const logIn = sources.some(({ outlook }) => outlook !== undefined);
    const { username, password, loginOption } = credentialsOf(io.env, connection);
    const complete = username !== undefined && password !== undefined;
    if (!logIn || (!complete && !canAsk(io)) || needsConsent(connection) !== undefined) throw error;
    const credentials = complete ? { username, password, loginOption } : {
      loginOption,
      ...await askCredentials(io)(connection.server.value, {
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
      }),
    };
    return { ...await openSession(connection, { credentials, signal }), resolved: undefined };
  }
}

/** Leaves out the sources that would have a token made. */
export function withoutLogIn(sources: readonly TokenSource[]): readonly TokenSource[] {
  return sources.filter(({ outlook }) => outlook === undefined);
}
