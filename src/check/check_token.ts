import { type Backend, BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { addressSecrets, type Server } from "../connection/server.ts";
import type { Context } from "../context.ts";
import { type HttpClient, type HttpResponse, openHttpClient } from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { isAdminKey, type Secret, tokenPrefix } from "../secret.ts";
import { splitTokens } from "../token/token_value.ts";
import {
  describeBody,
  isJson,
  type Judgement,
  judgeStatus,
  notThisBackend,
  oneLine,
  parseObject,
  shorten,
} from "./response.ts";
import type { CheckResult } from "./verdict.ts";

/**
 * What {@linkcode checkToken} needs to know.
 * @category Check
 */
export interface CheckTokenOptions extends Pick<Context, "signal" | "dispatcher"> {
  /** Where and how ADC will connect. */
  readonly connection: Connection;
}

/**
 * Asks the server what ADC will ask it first, on ADC's own terms, and says what that means.
 *
 * It does not throw for a bad token or a server that is down: that is its result.
 *
 * @category Check
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

/** More gateway groups would hide what is said about them. */
const MAX_GROUPS = 20;

interface Probe {
  readonly client: HttpClient;
  readonly connection: Connection;
  readonly server: Server;
  readonly token: Secret;
}

interface Probed {
  readonly request: { readonly method: "GET" | "HEAD"; readonly path: string };
  readonly status: number;
  readonly judgement: Judgement;
  /** The gateway groups that do exist, where the named one does not. */
  readonly gatewayGroups?: readonly string[] | undefined;
}

const VALID: Judgement = { verdict: "valid", found: "the server took the token" };

interface BackendProbe {
  /** The first request that ADC makes with the token. */
  readonly request: (connection: Connection, token: Secret) => Probed["request"];
  readonly judge: (probe: Probe, answer: Answer) => Probed | Promise<Probed>;
}

interface Answer {
  readonly request: Probed["request"];
  readonly response: HttpResponse;
}

const PROBES: Readonly<Record<Backend, BackendProbe>> = {
  "api7ee": {
    request: ({ gatewayGroup }, token) => {
      // ADC names no gateway group for an admin key.
      if (isAdminKey(token)) return { method: "GET", path: "/api/gateway_groups" };
      const name = encodeURIComponent(gatewayGroup.value);
      return { method: "GET", path: `/api/gateway_groups?search=${name}&name=${name}` };
    },
    judge: judgeGatewayGroups,
  },
  "apisix": {
    request: () => ({ method: "GET", path: "/apisix/admin/routes" }),
    judge: (_, { request, response }) => ({
      request,
      status: response.status,
      judgement: judgeRoutes(response),
    }),
  },
  "apisix-standalone": {
    request: () => ({ method: "HEAD", path: "/apisix/admin" }),
    judge: probeConfigs,
  },
};

function firstRequest(connection: Connection, token: Secret): Probed["request"] {
  return PROBES[connection.backend.value].request(connection, token);
}

async function probeServer(probe: Probe): Promise<Probed> {
  const { client, connection, server, token } = probe;
  const backend = connection.backend.value;
  const request = firstRequest(connection, token);
  const response = await client.send({ server, token, ...request });
  const { status } = response;
  const judgement = judgeStatus(response, backend);
  if (judgement !== undefined) return { request, status, judgement };
  return await PROBES[backend].judge(probe, { request, response });
}

async function judgeGatewayGroups(
  probe: Probe,
  { request, response }: Answer,
): Promise<Probed> {
  const { status } = response;
  const groups = listOf(response);
  if (groups === undefined) {
    const found = `the server answered ${status} with ${describeBody(response)}`;
    return { request, status, judgement: notThisBackend(found, "api7ee") };
  }
  const name = probe.connection.gatewayGroup.value;
  const [first] = groups;
  // ADC takes the first of the list without a look at its name, so it has to be the right one.
  if (isAdminKey(probe.token) || (first !== undefined && isNamed(first, name))) {
    return { request, status, judgement: VALID };
  }
  const gatewayGroups = await listGatewayGroups(probe);
  const known = gatewayGroups.slice(0, MAX_GROUPS).map((each) => `"${each}"`).join(", ") +
    (gatewayGroups.length > MAX_GROUPS ? ", …" : "");
  const found = first === undefined
    ? `there is no gateway group "${name}"`
    : `asked for the gateway group "${name}", the server lists "${
      oneLine(String(first.name))
    }" first, and ADC would change that one`;
  return {
    request,
    status,
    gatewayGroups,
    judgement: {
      verdict: "no-gateway-group",
      found,
      suggestion: known === ""
        ? "This token sees no gateway group at all. Ask for a role that does."
        : `Name one of ${known} with --gateway-group or ADC_GATEWAY_GROUP.`,
    },
  };
}

function isNamed(group: Record<string, unknown>, name: string): boolean {
  return typeof group.name !== "string" || group.name === name;
}

/** The message gets better with the list of groups, and does without if it cannot be had. */
async function listGatewayGroups({ client, server, token }: Probe): Promise<readonly string[]> {
  try {
    const response = await client.send({
      server,
      token,
      method: "GET",
      path: "/api/gateway_groups",
    });
    const mask = createMask([token]);
    const names = (listOf(response) ?? []).map(({ name }) => name);
    return names.filter((name) => typeof name === "string")
      .map((name) => mask.text(oneLine(name))).sort();
  } catch {
    return [];
  }
}

function listOf(response: HttpResponse): Record<string, unknown>[] | undefined {
  const value = parseObject(response.body);
  // Go writes an empty list as null.
  const list = value?.list === null ? [] : value?.list;
  return Array.isArray(list) && list.every((each) => typeof each === "object" && each !== null)
    ? list
    : undefined;
}

/**
 * APISIX lists `{list, total}`, before version 3 `{node, action}`; a long list is not read to its end.
 */
function judgeRoutes(response: HttpResponse): Judgement {
  const value = parseObject(response.body);
  const plausible = response.cut
    ? isJson(response)
    : isObject(value?.list) || isObject(value?.node);
  if (plausible) return VALID;
  return notThisBackend(
    `the server answered ${response.status} with ${describeBody(response)}`,
    "apisix",
  );
}

/** Lua writes an empty list as an empty object. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/**
 * Asks a standalone server for its configuration as well.
 *
 * APISIX answers `HEAD /apisix/admin` without a look at the token; the first request that needs it is
 * `HEAD /apisix/admin/configs`, or `GET` up to APISIX 3.13 (apisix/admin/init.lua, and ADC's
 * backend-apisix-standalone/src/fetcher.ts).
 */
async function probeConfigs(
  { client, server, token }: Probe,
  first: Answer,
): Promise<Probed> {
  const path = "/apisix/admin/configs";
  for (const method of ["HEAD", "GET"] as const) {
    const response = await client.send({ server, token, method, path });
    const { status } = response;
    const judgement = judgeStatus(response, "apisix-standalone");
    if (judgement === undefined) return { request: { method, path }, status, judgement: VALID };
    if (status === 404 || status === 405) {
      if (/unsupported resource type/i.test(response.body)) {
        const found = "the server keeps its configuration in etcd, not in standalone mode";
        const request = { method, path };
        return { request, status, judgement: notThisBackend(found, "apisix-standalone") };
      }
      continue;
    }
    return { request: { method, path }, status, judgement };
  }
  return { request: first.request, status: first.response.status, judgement: VALID };
}
