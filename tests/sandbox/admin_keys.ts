/**
 * Admin keys of Apache APISIX.
 *
 * @module
 */

import type { Reply, SandboxRequest } from "./exchange.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Checks the admin key of a request, as APISIX does: the query first, then the header.
 *
 * @param request The request.
 * @param keys The keys that there are.
 * @returns `undefined` when the key is good, else the reply.
 */
export function refuseKey(request: SandboxRequest, keys: Tokens): Reply | undefined {
  const key = request.query["api_key"] ?? request.apiKey;
  if (key === undefined) return refusal("missing apikey");
  const known = keys.use(key);
  if (known === undefined) return refusal("wrong apikey");
  if (known.permissions.write === false && request.method !== "GET") {
    return refusal("invalid method for role viewer");
  }
  return undefined;
}

function refusal(description: string): Reply {
  return { status: 401, body: { error_msg: "failed to check token", description } };
}
