import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { openHttpClient } from "../http/http_client.ts";
import { addressSecrets } from "../connection/server.ts";
import type { Context } from "../context.ts";
import { createMask } from "../mask/mask.ts";
import { tokenPrefix } from "../secret.ts";
import type { Secret } from "../secret.ts";
import { splitTokens } from "../token/token_value.ts";
import { firstRequest, probeServer } from "./probe_server.ts";
import type { Probe } from "./probe_server.ts";
import { shorten } from "./response.ts";
import type { Judgement } from "./response.ts";
import type { CheckResult } from "./verdict.ts";

/** What {@linkcode checkToken} needs to know. */
export interface CheckTokenOptions extends Pick<Context, "signal" | "dispatcher"> {
  /** Where and how ADC will connect. */
  readonly connection: Connection;
}

/**
 * Asks the server what ADC will ask it first, on ADC's own terms, and says what that means.
 *
 * It does not throw for a bad token or a server that is down: that is its result.
 *
 * @param token The token; for `apisix-standalone` it may be a comma-separated list, one for each server.
 * @param options The connection.
 * @returns The verdict; for several servers that of the first that is not `valid`.
 * @throws {DOMException} The signal ended the call.
 *
 * @example
 * ```ts
 * import { checkToken, resolveConnection, Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const env = { ADC_SERVER: "http://127.0.0.1:1" };
 * const connection = await resolveConnection({ env, cwd: "." });
 * const { verdict } = await checkToken(new Secret("a7ee-example"), { connection });
 * assert.equal(verdict, "unreachable");
 * ```
 */
export async function checkToken(token: Secret, options: CheckTokenOptions): Promise<CheckResult> {
  const { connection, signal } = options;
  const client = openHttpClient(connection, options);
  try {
    const results = await Promise.all(
      tokensByServer(connection, token).map((each, index) => {
        const server = connection.servers[index]!;
        return checkServer({ client, connection, server, token: each }, signal);
      }),
    );
    return results.find(({ verdict }) => verdict !== "valid") ?? results[0]!;
  } finally {
    await client.close();
  }
}

/**
 * The token for each server, as ADC deals them out: one each where there are as many, else the first for
 * all.
 */
export function tokensByServer(
  { backend, servers }: Connection,
  token: Secret,
): readonly Secret[] {
  const tokens = splitTokens(token, backend.value);
  return servers.map((_, index) => tokens[tokens.length === servers.length ? index : 0]!);
}

async function checkServer(probe: Probe, signal: AbortSignal | undefined): Promise<CheckResult> {
  const { connection, server, token } = probe;
  const mask = createMask([token]);
  const quote = createMask([token, ...addressSecrets(server)]);
  // A gateway group can be named by the token, by mistake.
  const named = ({ method, path }: { readonly method: string; readonly path: string }) =>
    mask.text(`${method} ${server.display}${path}`);
  try {
    const { request, status, judgement, gatewayGroups } = await probeServer(probe);
    // The server's words are quoted in the message, and a server may echo the token in them, or
    // the password of its address. They are cut after that: half a token would not be recognised.
    const found = shorten(quote.text(judgement.found));
    const suggestion = withBackendHint(probe, judgement);
    return {
      verdict: judgement.verdict,
      tried: named(request),
      found,
      status,
      suggestion: suggestion && quote.text(suggestion),
      gatewayGroups,
    };
  } catch (error) {
    signal?.throwIfAborted();
    const { explainFailure } = await import("./network_failure.ts");
    const { verdict, found, suggestion } = await explainFailure(error, probe);
    return { verdict, tried: named(firstRequest(connection, token)), found, suggestion };
  }
}

/** An API7 token at the backend `apisix`, which is ADC's default, is a likely slip. */
function withBackendHint(
  { connection: { backend }, token }: Probe,
  { verdict, suggestion }: Judgement,
): string | undefined {
  const prefix = tokenPrefix(token.reveal());
  if (prefix === undefined || BACKENDS[backend.value].hasUsers) return suggestion;
  if (verdict !== "wrong-server" && verdict !== "rejected") return suggestion;
  const slip =
    `The token starts with "${prefix}", which is API7 Enterprise's, and the backend is ` +
    `"${backend.value}": set --backend api7ee or ADC_BACKEND=api7ee.`;
  return suggestion === undefined ? slip : `${slip} ${suggestion}`;
}
