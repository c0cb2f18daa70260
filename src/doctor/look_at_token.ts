import { AdminApi } from "../admin_api/admin_api.ts";
import type { User } from "../admin_api/shapes.ts";
import { checkToken } from "../check/check_token.ts";
import type { CheckResult } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { HttpDispatcher } from "../http/http_client.ts";
import type { Environment } from "../connection/origin.ts";
import { explainRefusal, knownToken } from "../lifecycle/known_token.ts";
import { isAdminKey } from "../secret.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";

/** What is known of a token. */
export interface TokenReport {
  /** What the server says of it; `undefined` where it was not asked. */
  readonly checked: CheckResult | undefined;
  /** Whose it is; `undefined` where nobody says. */
  readonly owner: User | undefined;
  /** The server's version, where it says so. */
  readonly version: string | undefined;
  /** What adc-run itself keeps about it. */
  readonly record: TokenRecord | undefined;
}

/** How a token is looked at. */
export interface LookAtTokenOptions {
  readonly connection: Connection;
  readonly env: Environment;
  /** Whether the server is asked at all. */
  readonly ask: boolean;
  /** Told of a state file that cannot be read. */
  readonly onWarning: (warning: string) => void;
  /** Ends the requests. */
  readonly signal: AbortSignal | undefined;
  /** Sends the requests. */
  readonly dispatcher: HttpDispatcher | undefined;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/** Tries a token, and asks whose it is. */
export async function lookAtToken(
  token: Secret,
  options: LookAtTokenOptions,
): Promise<TokenReport> {
  const { connection, ask, signal, now } = options;
  const record = await knownToken(token, options);
  if (!ask) return { checked: undefined, owner: undefined, version: undefined, record };
  const checked = explainRefusal(await checkToken(token, options), record, now());
  const accepted = checked.verdict === "valid" || checked.verdict === "no-gateway-group";
  if (!accepted || connection.backend.value !== "api7ee") {
    return { checked, owner: undefined, version: undefined, record };
  }
  const api = await AdminApi.open(connection, { ...options, token });
  // Not to know is no failure: a token may have no right to ask.
  const known = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    const value = await answer.catch(() => undefined);
    signal?.throwIfAborted();
    return value;
  };
  try {
    const owner = isAdminKey(token) ? undefined : await known(api.me({ signal }));
    return { checked, owner, version: await known(api.version({ signal })), record };
  } finally {
    await api.close();
  }
}
