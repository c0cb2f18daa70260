import { checkToken } from "../check/check_token.ts";
import { notThisBackend, parseObject } from "../check/response.ts";
import { CheckError } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import { type HttpClientOptions, readStart } from "../http/http_client.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { RawRequester } from "./raw_request.ts";

export interface FindGatewayGroupOptions extends HttpClientOptions {
  readonly connection: Connection;
  readonly resolved: ResolvedToken;
}

/** Looks up the id of the connection's gateway group, the way ADC does. */
export async function findGatewayGroup(
  requester: RawRequester,
  { connection, resolved, signal, dispatcher }: FindGatewayGroupOptions,
): Promise<string> {
  const name = connection.gatewayGroup.value;
  const query = `search=${encodeURIComponent(name)}&name=${encodeURIComponent(name)}`;
  const answer = await requester.send({
    method: "GET",
    path: `/api/gateway_groups?${query}`,
  });
  // What is longer than that is no answer to this question.
  const { text, cut } = await readStart(answer.body);
  const { list } = (cut ? undefined : parseObject(text)) ?? {};
  const groups: readonly unknown[] = answer.status === 200 && Array.isArray(list) ? list : [];
  for (const group of groups) {
    const { id, name: named } = (group ?? {}) as { readonly id?: unknown; readonly name?: unknown };
    if (named === name && typeof id === "string" && id !== "") return id;
  }
  // The test call of a run asks the same, and knows all that can be wrong.
  const result = await checkToken(resolved.token, { connection, signal, dispatcher });
  if (result.verdict !== "valid") throw new CheckError(result, { resolved });
  const { tried, status } = answer;
  const found = `the server names no id of the gateway group "${name}"`;
  throw new CheckError({ tried, status, ...notThisBackend(found, "api7ee") }, { resolved });
}
