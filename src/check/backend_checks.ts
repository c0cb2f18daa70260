import { type Backend, BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { adviseOn, wrongValue } from "../connection/origin.ts";
import type { Server } from "../connection/server.ts";
import type { HttpRequest, HttpResponse } from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { isAdminKey, type Secret } from "../secret.ts";
import {
  describeBody,
  isJson,
  isTemporary,
  isViewerRefusal,
  type Judgement,
  judgeStatus,
  notThisBackend,
  oneLine,
  parseObject,
  viewerKey,
} from "./response.ts";
import type { CheckResult } from "./verdict.ts";

export interface Probe {
  readonly connection: Connection;
  readonly server: Server;
  /** `undefined` asks without one. */
  readonly token: Secret | undefined;
  /** How a standalone server is asked for its configuration. */
  readonly configs: "HEAD" | "GET";
  readonly send: (request: FirstRequest) => Promise<HttpResponse>;
}

export type FirstRequest = Pick<HttpRequest, "method" | "path" | "body">;

interface Answered extends Probe {
  readonly request: FirstRequest;
  readonly response: HttpResponse;
}

export interface Finding
  extends Judgement, Pick<CheckResult, "warning" | "gatewayGroups" | "httpStatus"> {
  /** Where another request than the first decided. */
  readonly request?: FirstRequest;
  /** By the version of a standalone server. */
  readonly configs?: Probe["configs"];
}

export interface BackendCheck {
  /** The first request that ADC's command makes with the token. */
  readonly request: (probe: Probe) => FirstRequest;
  /** What an answer means that is no refusal by its status. */
  readonly judge: (answered: Answered) => Finding | Promise<Finding>;
  /** What a refusal means beyond its status. */
  readonly explain?: (answered: Answered, refusal: Judgement) => Promise<Judgement>;
}

const VALID: Judgement = { verdict: "valid", reason: "the server accepted the token" };

export const BACKEND_CHECKS: Readonly<Record<Backend, BackendCheck>> = {
  "api7ee": {
    request: ({ connection, token }) => {
      const groups = "/api/gateway_groups";
      if (connection.args.command === "ping") return { method: "GET", path: groups };
      // ADC looks for no gateway group of an admin key's.
      if (!namesGatewayGroup(connection, token)) return { method: "GET", path: CORE_SCHEMA };
      const name = encodeURIComponent(connection.gatewayGroup.value);
      return { method: "GET", path: `${groups}?search=${name}&name=${name}` };
    },
    judge: (answered) => {
      const { connection, token, request, response } = answered;
      const groups = listOf(response);
      if (groups !== undefined && namesGatewayGroup(connection, token)) {
        return judgeGatewayGroups(answered, groups);
      }
      // A list comes in pages, and none is that long.
      const fits = request.path === CORE_SCHEMA
        ? response.cut ? isJson(response) : isObject(parseObject(response.body)?.value)
        : groups !== undefined;
      return fits ? VALID : wrongBody(response, "api7ee");
    },
  },
  "apisix": {
    request: () => ({ method: "GET", path: "/apisix/admin/routes" }),
    judge: async ({ connection: { args: { command = "" } }, response, send }) => {
      const { list, node } = parseObject(response.body) ?? {};
      const isOld = response.header("x-api-version") === "v2" ||
        (isObject(node) && !isObject(list));
      if (isOld) return judgeOldVersion(command);
      const fits = response.cut ? isJson(response) : isObject(list);
      if (!fits) return wrongBody(response, "apisix");
      return (WRITING.includes(command) ? await findViewer(send) : undefined) ?? VALID;
    },
  },
  "apisix-standalone": {
    request: ({ configs: method }) => ({ method, path: "/apisix/admin/configs" }),
    judge: ({ request, response }) =>
      request.method === "HEAD" || isJson(response)
        ? VALID
        : wrongBody(response, "apisix-standalone"),
    explain: explainConfigs,
  },
};

/**
 * Asks the first standalone server for its version, without a token, as ADC does: by it ADC decides how it
 * asks all of them for their configuration.
 */
export const VERSION_CHECK: BackendCheck = {
  request: () => ({ method: "HEAD", path: "/apisix/admin" }),
  judge: ({ response }) => ({ ...VALID, configs: methodFor(response.header("server")) }),
  explain: async (answered, refusal) =>
    judgeWords(await inWords(answered), answered.response) ?? refusal,
};

const CORE_SCHEMA = "/api/schema/core";

/**
 * Tells whether ADC looks for the gateway group by its name: not for an admin key, which has one of its own,
 * nor to ping.
 */
function namesGatewayGroup(
  { backend, args }: Pick<Connection, "backend" | "args">,
  token: Secret | undefined,
): boolean {
  if (!BACKENDS[backend.value].hasGatewayGroups || args.command === "ping") return false;
  return token === undefined || !isAdminKey(token);
}

/** The judgement of an empty name, by which ADC would find all groups. */
export function judgeEmptyGroup(
  connection: Connection,
  token: Secret | undefined,
): Judgement & { readonly suggestion: string } | undefined {
  if (!namesGatewayGroup(connection, token) || connection.gatewayGroup.value.trim() !== "") {
    return undefined;
  }
  return {
    verdict: "no-gateway-group",
    reason: "the gateway group is empty",
    suggestion: adviseOn(
      "ADC would change whichever group the server lists first. Set " +
        "--gateway-group or ADC_GATEWAY_GROUP.",
      connection,
    ),
  };
}

export function requireGatewayGroup(connection: Connection, token: Secret | undefined): void {
  const { reason, suggestion } = judgeEmptyGroup(connection, token) ?? {};
  if (reason !== undefined) {
    throw wrongValue(connection.gatewayGroup.origin, reason, { suggestion });
  }
}

function wrongBody(response: HttpResponse, backend: Backend): Judgement {
  const { status } = response;
  return notThisBackend(`the server answered ${status} with ${describeBody(response)}`, backend);
}

/** More gateway groups would hide what is said about them. */
const MAX_GROUPS = 20;

async function judgeGatewayGroups(
  { connection, token, send }: Answered,
  groups: readonly Record<string, unknown>[],
): Promise<Finding> {
  const name = connection.gatewayGroup.value;
  const [first] = groups;
  // ADC takes the first of the list without a look at its name, so it has to be the right one.
  if (first !== undefined && (typeof first.name !== "string" || first.name === name)) {
    const warning = groups.length === 1
      ? undefined
      : `${groups.length} gateway groups match the name "${name}", and ADC before 0.21.2 ` +
        "may pick the wrong one: use a later ADC.";
    return { ...VALID, warning };
  }
  // The message gets better with the list of groups, and does without if it cannot be had.
  const all = await send({ method: "GET", path: "/api/gateway_groups" }).then(listOf, () => []);
  const mask = createMask(token === undefined ? [] : [token]);
  const gatewayGroups = (all ?? []).flatMap(({ name }) =>
    typeof name === "string" ? [mask.text(oneLine(name))] : []
  ).sort();
  const known = gatewayGroups.slice(0, MAX_GROUPS).map((each) => `"${each}"`).join(", ") +
    (gatewayGroups.length > MAX_GROUPS ? ", …" : "");
  return {
    verdict: "no-gateway-group",
    gatewayGroups,
    reason: first === undefined
      ? `gateway group "${name}" does not exist`
      : `asked for gateway group "${name}", the server lists "${
        oneLine(String(first.name))
      }" first, and ADC would change that one instead`,
    suggestion: known === ""
      ? "This token can see no gateway groups. Ask for a role that can."
      : `Existing groups: ${known}. Set --gateway-group or ADC_GATEWAY_GROUP.`,
  };
}

function listOf(response: HttpResponse): Record<string, unknown>[] | undefined {
  const value = parseObject(response.body);
  // Go writes an empty list as null.
  const list = value?.list === null ? [] : value?.list;
  return Array.isArray(list) && list.every(isObject) ? list : undefined;
}

/** Lua writes an empty list as an empty object. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function judgeOldVersion(command: string): Finding {
  const reason = "the server uses version 2 of the Admin API, which ADC cannot read";
  const suggestion = 'Set "admin_api_version: v3" in the server\'s configuration, under ' +
    "deployment.admin (under apisix before version 3).";
  // ADC's ping reads no answer.
  return command === "ping"
    ? { ...VALID, warning: `Everything but ping will fail: ${reason}. ${suggestion}` }
    : { verdict: "wrong-server", reason, suggestion };
}

/** Commands that write, or that ask by another method than GET. */
const WRITING: readonly string[] = ["sync", "validate"];

/**
 * Tells a viewer's key, for which ADC fails half-way: GET takes it as any other. This request writes
 * nothing; a key is looked at before anything else, also where it is not known.
 */
async function findViewer(send: Probe["send"]): Promise<Finding | undefined> {
  const request = { method: "POST", path: "/apisix/admin/configs/validate" } as const;
  try {
    const response = await send({ ...request, body: {} });
    if (!isViewerRefusal(response)) return undefined;
    return { ...judgeStatus(response, "apisix")!, request, httpStatus: response.status };
  } catch {
    // A refusal is all that is looked for; an interrupt is met by whoever comes next.
    return undefined;
  }
}

/** `HEAD` came with APISIX 3.14; what does not tell its version is taken for a later one. */
function methodFor(software = ""): Probe["configs"] {
  const [, major, minor = 0, patch = 0] =
    /APISIX\/.*?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(software) ??
      [];
  if (major === undefined) return "HEAD";
  const later = Number(major) - 3 || Number(minor) - 13 || Number(patch);
  return later > 0 ? "HEAD" : "GET";
}

/** The answer to a HEAD has no words: where it is a refusal, the same is asked by GET. */
async function inWords({ request, response, send }: Answered): Promise<HttpResponse> {
  const { status } = response;
  const refused = status >= 400 && !isTemporary(status);
  if (request.method !== "HEAD" || !refused) return response;
  return await send({ ...request, method: "GET" });
}

function judgeWords(worded: HttpResponse, { status }: HttpResponse): Judgement | undefined {
  return worded.status === status ? judgeStatus(worded, "apisix-standalone") : undefined;
}

async function explainConfigs(answered: Answered, refusal: Judgement): Promise<Judgement> {
  const { response } = answered;
  const { status } = response;
  const worded = await inWords(answered);
  const takesGet = worded.status >= 200 && worded.status < 300;
  if (status === 401 && takesGet) return viewerKey(refusal.reason);
  if (status === 404 && takesGet) {
    const reason =
      `${refusal.reason} to HEAD, but accepts GET: this APISIX is older than 3.14, and ADC uses HEAD ` +
      "when the first server reports a later version, or none";
    const suggestion =
      "Update it, or list one as old first, with its version in the Server header.";
    return { verdict: "wrong-server", reason, suggestion };
  }
  if (status === 404 && isJson(worded)) {
    const reason = "the server keeps its configuration in etcd, not in standalone mode";
    return notThisBackend(reason, "apisix-standalone");
  }
  return judgeWords(worded, response) ?? refusal;
}
