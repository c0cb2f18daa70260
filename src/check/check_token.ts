import { type Backend, BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { adviseOn, wrongValue } from "../connection/origin.ts";
import { addressSecrets, type Server } from "../connection/server.ts";
import type { Context } from "../context.ts";
import { type HttpClient, type HttpResponse, openHttpClient } from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { isAdminKey, MIN_SECRET_LENGTH, type Secret, tokenPrefix } from "../secret.ts";
import { splitTokens } from "../token/token_value.ts";
import {
  describeBody,
  isJson,
  isViewerRefusal,
  type Judgement,
  judgeStatus,
  notThisBackend,
  oneLine,
  parseObject,
  shorten,
  TOKEN_REJECTED,
  viewerKey,
} from "./response.ts";
import { CheckError, type CheckResult, VERDICTS } from "./verdict.ts";

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
 * `undefined` asks without one, as an APISIX allows that needs no key.
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
export async function checkToken(
  token: Secret | undefined,
  options: CheckTokenOptions,
): Promise<CheckResult> {
  const { connection, signal } = options;
  const { servers, backend } = connection;
  const client = openHttpClient(connection, options);
  try {
    const tokens = token && tokensByServer(connection, token);
    const probes = servers.map((server, index): Probe => ({
      client,
      connection,
      server,
      token: tokens?.[index],
      configs: "HEAD",
    }));
    let configs: Probe["configs"] = "HEAD";
    if (BACKENDS[backend.value].hasServerList) {
      const asking = { request: VERSION_REQUEST, ask: askVersion };
      const told = await checkServer(probes[0]!, signal, asking);
      if (told.verdict !== "valid") return told;
      configs = told.configs!;
      // ADC has the first server alone validate.
      if (connection.args.command === "validate") probes.length = 1;
    }
    const results = await Promise.all(probes.map((probe) => {
      const asked = { ...probe, configs };
      const request = firstRequest(asked);
      return checkServer(asked, signal, { request, ask: PROBES[backend.value].ask });
    }));
    return results.find(({ verdict }) => verdict !== "valid") ??
      results.find(({ warning }) => warning !== undefined) ?? results[0]!;
  } finally {
    await client.close();
  }
}

/** Tries a token that was just made: one that the server does not take is an error, anything else is told. */
export async function requireAccepted(
  token: Secret,
  { onWarning, ifRejected, ...options }: CheckTokenOptions & Pick<Context, "onWarning"> & {
    readonly ifRejected?: string;
  },
): Promise<void> {
  const checked = await checkToken(token, options);
  if (!VERDICTS[checked.verdict].tokenAccepted) {
    const isHere = checked.suggestion?.includes(TOKEN_REJECTED);
    throw new CheckError(isHere && ifRejected ? { ...checked, suggestion: ifRejected } : checked);
  }
  if (checked.verdict !== "valid") onWarning?.(checked.reason);
  if (checked.warning !== undefined) onWarning?.(checked.warning);
}

/**
 * The token for each server, as ADC deals them out: one each where there are as many, else the first for
 * all. To a server that is listed twice one ADC sends the last one alone, and another each in its turn.
 */
export function tokensByServer(
  { backend, server, servers, serverValue }: Connection,
  token: Secret,
): readonly Secret[] {
  const tokens = splitTokens(token, backend.value);
  if (tokens.length !== servers.length) return servers.map(() => tokens[0]!);
  const addresses = serverValue.reveal().split(",").map((each) => each.trim());
  for (const [index, address] of addresses.entries()) {
    const last = addresses.lastIndexOf(address);
    if (tokens[last]!.reveal() === tokens[index]!.reveal()) continue;
    throw wrongValue(
      server.origin,
      `it lists "${servers[last]!.display}" twice, and not every ADC sends it the same token`,
      { suggestion: "List each server once." },
    );
  }
  return tokens;
}

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

const EMPTY_GROUP = {
  reason: "the gateway group is empty",
  suggestion: "ADC would change whichever group the server lists first. Set " +
    "--gateway-group or ADC_GATEWAY_GROUP.",
};

function groupIsMissing(connection: Connection, token: Secret | undefined): boolean {
  return namesGatewayGroup(connection, token) && connection.gatewayGroup.value.trim() === "";
}

/** Refuses an empty name where ADC would look for it, and find all groups. */
export function requireGatewayGroup(connection: Connection, token: Secret | undefined): void {
  if (!groupIsMissing(connection, token)) return;
  const { reason, suggestion } = EMPTY_GROUP;
  throw wrongValue(connection.gatewayGroup.origin, reason, {
    suggestion: adviseOn(suggestion, connection),
  });
}

interface Asking {
  readonly request: FirstRequest;
  readonly ask: (probe: Probe, request: FirstRequest) => Promise<Probed>;
}

async function checkServer(
  probe: Probe,
  signal: AbortSignal | undefined,
  { request: first, ask }: Asking,
): Promise<CheckResult & Pick<Probed, "configs">> {
  const { server, token } = probe;
  const tokens = token === undefined ? [] : [token];
  const secrets = [...tokens, ...addressSecrets(server)];
  const quote = createMask(secrets);
  // A short token can be a word of ours: "wrong", "admin".
  const mask = createMask(secrets.filter((each) => each.reveal().length >= MIN_SECRET_LENGTH));
  // A gateway group can be named by the token, by mistake.
  const named = ({ method, path }: FirstRequest) => mask.text(`${method} ${server.display}${path}`);
  try {
    const { request, judgement, ...probed } = await ask(probe, first);
    // The server's words are quoted in the message, and a server may echo the token in them, or
    // the password of its address. They are cut after that: half a token would not be recognised.
    const reason = shorten(quote.text(judgement.reason));
    const suggestion = adviseOn(withHint(probe, judgement), probe.connection);
    return {
      verdict: judgement.verdict,
      request: named(request),
      reason,
      suggestion: suggestion && mask.text(suggestion),
      ...probed,
      warning: probed.warning && mask.text(probed.warning),
    };
  } catch (error) {
    signal?.throwIfAborted();
    const { explainFailure } = await import("./network_failure.ts");
    const { verdict, reason, suggestion } = await explainFailure(error, probe);
    return { verdict, request: named(first), reason, suggestion };
  }
}

/** What is likely the matter with a token that was refused, or with none. */
function withHint(
  { connection: { backend }, token }: Probe,
  { verdict, suggestion }: Judgement,
): string | undefined {
  if (token === undefined) {
    return verdict === "rejected"
      ? "The server requires a key: provide one, and remove --no-token."
      : suggestion;
  }
  // An API7 token at the backend `apisix`, which is ADC's default, is a likely slip.
  const prefix = tokenPrefix(token.reveal());
  if (prefix === undefined || BACKENDS[backend.value].hasUsers) return suggestion;
  if (verdict !== "wrong-server" && verdict !== "rejected") return suggestion;
  return `${foreignToken(prefix, backend.value)}: set --backend api7ee or ADC_BACKEND=api7ee.`;
}

export function foreignToken(prefix: string, backend: Backend): string {
  return `The token starts with "${prefix}", so it is for API7 Enterprise, but the backend is "${backend}"`;
}

/** More gateway groups would hide what is said about them. */
const MAX_GROUPS = 20;

interface Probe {
  readonly client: HttpClient;
  readonly connection: Connection;
  readonly server: Server;
  /** `undefined` asks without one. */
  readonly token: Secret | undefined;
  /** How a standalone server is asked for its configuration. */
  readonly configs: "HEAD" | "GET";
}

interface FirstRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly path: string;
}

interface Probed {
  readonly request: FirstRequest;
  readonly httpStatus: number | undefined;
  readonly judgement: Judgement;
  readonly warning?: string | undefined;
  /** The gateway groups that do exist, where the named one does not. */
  readonly gatewayGroups?: readonly string[] | undefined;
  /** By the version of a standalone server. */
  readonly configs?: Probe["configs"];
}

const VALID: Judgement = { verdict: "valid", reason: "the server accepted the token" };

interface BackendProbe {
  /** The first request that ADC's command makes with the token. */
  readonly request: (probe: Probe) => FirstRequest;
  readonly ask: Asking["ask"];
}

const PROBES: Readonly<Record<Backend, BackendProbe>> = {
  "api7ee": {
    request: ({ connection, token }) => {
      const groups = "/api/gateway_groups";
      if (connection.args.command === "ping") return { method: "GET", path: groups };
      // ADC looks for no gateway group of an admin key's.
      if (!namesGatewayGroup(connection, token)) return { method: "GET", path: "/api/schema/core" };
      const name = encodeURIComponent(connection.gatewayGroup.value);
      return { method: "GET", path: `${groups}?search=${name}&name=${name}` };
    },
    ask: askApi7,
  },
  "apisix": {
    request: () => ({ method: "GET", path: "/apisix/admin/routes" }),
    ask: askRoutes,
  },
  "apisix-standalone": {
    request: ({ configs: method }) => ({ method, path: "/apisix/admin/configs" }),
    ask: askConfigs,
  },
};

function firstRequest(probe: Probe): FirstRequest {
  return PROBES[probe.connection.backend.value].request(probe);
}

function sendTo({ client, server, token }: Probe, request: FirstRequest): Promise<HttpResponse> {
  return client.send({ server, token, ...request });
}

async function askApi7(probe: Probe, request: FirstRequest): Promise<Probed> {
  const { connection, token } = probe;
  if (groupIsMissing(connection, token)) {
    const judgement: Judgement = { verdict: "no-gateway-group", ...EMPTY_GROUP };
    return { request, httpStatus: undefined, judgement };
  }
  const response = await sendTo(probe, request);
  const { status } = response;
  const refusal = judgeStatus(response, "api7ee");
  if (refusal !== undefined) return { request, httpStatus: status, judgement: refusal };
  if (namesGatewayGroup(connection, token)) {
    return await judgeGatewayGroups(probe, { request, response });
  }
  // A list comes in pages, and none is that long.
  const fits = request.path === "/api/schema/core"
    ? response.cut ? isJson(response) : isObject(parseObject(response.body)?.value)
    : listOf(response) !== undefined;
  return { request, httpStatus: status, judgement: fits ? VALID : wrongBody(response, "api7ee") };
}

function wrongBody(response: HttpResponse, backend: Backend): Judgement {
  return notThisBackend(
    `the server answered ${response.status} with ${describeBody(response)}`,
    backend,
  );
}

async function judgeGatewayGroups(
  probe: Probe,
  { request, response }: { readonly request: FirstRequest; readonly response: HttpResponse },
): Promise<Probed> {
  const { status } = response;
  const groups = listOf(response);
  if (groups === undefined) {
    return { request, httpStatus: status, judgement: wrongBody(response, "api7ee") };
  }
  const name = probe.connection.gatewayGroup.value;
  const [first] = groups;
  // ADC takes the first of the list without a look at its name, so it has to be the right one.
  if (first !== undefined && isNamed(first, name)) {
    const warning = groups.length === 1
      ? undefined
      : `${groups.length} gateway groups match the name "${name}", and ADC before 0.21.2 ` +
        "may pick the wrong one: use a later ADC.";
    return { request, httpStatus: status, judgement: VALID, warning };
  }
  const gatewayGroups = await listGatewayGroups(probe);
  const known = gatewayGroups.slice(0, MAX_GROUPS).map((each) => `"${each}"`).join(", ") +
    (gatewayGroups.length > MAX_GROUPS ? ", …" : "");
  const reason = first === undefined
    ? `gateway group "${name}" does not exist`
    : `asked for gateway group "${name}", the server lists "${
      oneLine(String(first.name))
    }" first, and ADC would change that one instead`;
  return {
    request,
    httpStatus: status,
    gatewayGroups,
    judgement: {
      verdict: "no-gateway-group",
      reason,
      suggestion: known === ""
        ? "This token can see no gateway groups. Ask for a role that can."
        : `Existing groups: ${known}. Set --gateway-group or ADC_GATEWAY_GROUP.`,
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
    const mask = createMask(token === undefined ? [] : [token]);
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

/** Lua writes an empty list as an empty object. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** Commands that write, or that ask by another method than GET. */
const WRITING: readonly string[] = ["sync", "validate"];

async function askRoutes(probe: Probe, request: FirstRequest): Promise<Probed> {
  const response = await sendTo(probe, request);
  const { status } = response;
  const refusal = judgeStatus(response, "apisix");
  if (refusal !== undefined) return { request, httpStatus: status, judgement: refusal };
  const { list, node } = parseObject(response.body) ?? {};
  const isOld = response.header("x-api-version") === "v2" || (isObject(node) && !isObject(list));
  const fits = isOld || (response.cut ? isJson(response) : isObject(list));
  if (!fits) return { request, httpStatus: status, judgement: wrongBody(response, "apisix") };
  const { command = "" } = probe.connection.args;
  if (isOld) {
    const reason = "the server uses version 2 of the Admin API, which ADC cannot read";
    const suggestion = 'Set "admin_api_version: v3" in the server\'s configuration, under ' +
      "deployment.admin (under apisix before version 3).";
    // ADC's ping reads no answer.
    return command === "ping"
      ? {
        request,
        httpStatus: status,
        judgement: VALID,
        warning: `Everything but ping will fail: ${reason}. ${suggestion}`,
      }
      : { request, httpStatus: status, judgement: { verdict: "wrong-server", reason, suggestion } };
  }
  const viewer = WRITING.includes(command) ? await findViewer(probe) : undefined;
  return viewer ?? { request, httpStatus: status, judgement: VALID };
}

/**
 * Tells a viewer's key, for which ADC fails half-way: GET takes it as any other. This request writes
 * nothing; a key is looked at before anything else, also where it is not known.
 */
async function findViewer(probe: Probe): Promise<Probed | undefined> {
  const { client, server, token } = probe;
  const request = { method: "POST", path: "/apisix/admin/configs/validate" } as const;
  try {
    const response = await client.send({ server, token, ...request, body: {} });
    return isViewerRefusal(response)
      ? { request, httpStatus: response.status, judgement: viewerKey(response) }
      : undefined;
  } catch {
    // A refusal is all that is looked for; an interrupt is met by whoever comes next.
    return undefined;
  }
}

const VERSION_REQUEST: FirstRequest = { method: "HEAD", path: "/apisix/admin" };

/**
 * Asks the first standalone server for its version, without a token, as ADC does: by it ADC decides how it
 * asks all of them for their configuration.
 */
async function askVersion(probe: Probe, request: FirstRequest): Promise<Probed> {
  const open = { ...probe, token: undefined };
  const response = await sendTo(open, request);
  const { status } = response;
  const refusal = judgeStatus(response, "apisix-standalone");
  if (refusal === undefined) {
    return {
      request,
      httpStatus: status,
      judgement: VALID,
      configs: methodFor(response.header("server")),
    };
  }
  const worded = await inWords(open, request, response);
  const judgement = worded.status === status ? judgeStatus(worded, "apisix-standalone") : undefined;
  return { request, httpStatus: status, judgement: judgement ?? refusal };
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
async function inWords(
  probe: Probe,
  request: FirstRequest,
  response: HttpResponse,
): Promise<HttpResponse> {
  const { status } = response;
  const refused = status >= 400 && status < 500 && status !== 429;
  if (request.method !== "HEAD" || !refused) return response;
  return await sendTo(probe, { ...request, method: "GET" });
}

async function askConfigs(probe: Probe, request: FirstRequest): Promise<Probed> {
  const backend = "apisix-standalone";
  const response = await sendTo(probe, request);
  const { status } = response;
  const refusal = judgeStatus(response, backend);
  if (refusal === undefined) {
    const fits = request.method === "HEAD" || isJson(response);
    return { request, httpStatus: status, judgement: fits ? VALID : wrongBody(response, backend) };
  }
  const worded = await inWords(probe, request, response);
  const takesGet = worded.status >= 200 && worded.status < 300;
  const judgement = status === 401 && takesGet
    ? viewerKey(response)
    : status === 404 && takesGet
    ? notThisBackend(
      `${refusal.reason} to HEAD, but accepts GET: this APISIX is older than 3.14, and ADC uses HEAD ` +
        "when the first server reports a later version, or none",
      backend,
    )
    : status === 404 && isJson(worded)
    ? notThisBackend(
      "the server keeps its configuration in etcd, not in standalone mode",
      backend,
    )
    : worded.status === status
    ? judgeStatus(worded, backend) ?? refusal
    : refusal;
  return { request, httpStatus: status, judgement };
}
