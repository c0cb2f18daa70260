import type { Backend } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import type { HttpClient, HttpResponse } from "../http/http_client.ts";
import type { Server } from "../connection/server.ts";
import { createMask } from "../mask/mask.ts";
import { isAdminKey } from "../secret.ts";
import type { Secret } from "../secret.ts";
import {
  describeBody,
  isJson,
  judgeStatus,
  notThisBackend,
  oneLine,
  parseObject,
} from "./response.ts";
import type { Judgement } from "./response.ts";

/** More gateway groups would hide what is said about them. */
const MAX_GROUPS = 20;

export interface Probe {
  readonly client: HttpClient;
  readonly connection: Connection;
  readonly server: Server;
  readonly token: Secret;
}

export interface Probed {
  readonly request: { readonly method: "GET" | "HEAD"; readonly path: string };
  readonly status: number;
  readonly judgement: Judgement;
  /** The gateway groups that do exist, where the named one does not. */
  readonly gatewayGroups?: readonly string[] | undefined;
}

const VALID: Judgement = { verdict: "valid", found: "the server took the token" };

/** How a backend is asked, and how its answer is judged where the status has not done so. */
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

/** The first request that ADC makes with the token. */
export function firstRequest(connection: Connection, token: Secret): Probed["request"] {
  return PROBES[connection.backend.value].request(connection, token);
}

/** Asks a server what ADC will ask it first, and judges the answer. */
export async function probeServer(probe: Probe): Promise<Probed> {
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
