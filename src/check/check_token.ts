import { type Backend, BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { adviseOn, wrongValue } from "../connection/origin.ts";
import type { Server } from "../connection/server.ts";
import type { Context } from "../context.ts";
import { openHttpClient } from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, type Secret, tokenPrefix } from "../secret.ts";
import { type ResolvedToken, resolveToken, type ResolveTokenOptions } from "../token/resolve.ts";
import { splitTokens } from "../token/token_value.ts";
import {
  BACKEND_CHECKS,
  type BackendCheck,
  type Finding,
  type FirstRequest,
  judgeEmptyGroup,
  type Probe,
  VERSION_CHECK,
} from "./backend_checks.ts";
import { type Judgement, judgeStatus, shorten, TOKEN_REJECTED } from "./response.ts";
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
    const sendTo = (server: Server, token: Secret | undefined): Probe["send"] => (request) =>
      client.send({ server, token, ...request });
    const probes = servers.map((server, index): Probe => {
      const token = tokens?.[index];
      return { connection, server, token, configs: "HEAD", send: sendTo(server, token) };
    });
    let { configs } = probes[0]!;
    if (BACKENDS[backend.value].hasServerList) {
      const open = { ...probes[0]!, send: sendTo(servers[0]!, undefined) };
      const told = await checkServer(open, VERSION_CHECK, signal);
      if (told.verdict !== "valid") return told;
      configs = told.configs!;
      // ADC has the first server alone validate.
      if (connection.args.command === "validate") probes.length = 1;
    }
    const results = await Promise.all(
      probes.map((probe) =>
        checkServer({ ...probe, configs }, BACKEND_CHECKS[backend.value], signal)
      ),
    );
    return results.find(({ verdict }) => verdict !== "valid") ??
      results.find(({ warning }) => warning !== undefined) ?? results[0]!;
  } finally {
    await client.close();
  }
}

/** Asks the sources; where none has a token the server may be what is missing. */
export async function findToken(options: ResolveTokenOptions): Promise<ResolvedToken> {
  try {
    return await resolveToken(options);
  } catch (error) {
    const { explainNoToken } = await import("./network_failure.ts");
    throw await explainNoToken(error, options.connection);
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

async function checkServer(
  probe: Probe,
  check: BackendCheck,
  signal: AbortSignal | undefined,
): Promise<CheckResult & { readonly configs?: Probe["configs"] }> {
  const { connection, server, token } = probe;
  const tokens = token === undefined ? [] : [token];
  const secrets = [...tokens, ...server.secrets];
  const quote = createMask(secrets);
  // A short token can be a word of ours: "wrong", "admin".
  const mask = createMask(secrets.filter((each) => each.reveal().length >= MIN_SECRET_LENGTH));
  // A gateway group can be named by the token, by mistake.
  const named = ({ method, path }: FirstRequest) => mask.text(`${method} ${server.display}${path}`);
  const first = check.request(probe);
  const empty = judgeEmptyGroup(connection, token);
  if (empty !== undefined) return { ...empty, request: named(first) };
  try {
    const response = await probe.send(first);
    const answered = { ...probe, request: first, response };
    const refusal = judgeStatus(response, connection.backend.value);
    const finding: Finding = refusal === undefined
      ? await check.judge(answered)
      : await check.explain?.(answered, refusal) ?? refusal;
    const { request = first, suggestion, warning, ...found } = finding;
    const hint = adviseOn(withHint(probe, { ...found, suggestion }), connection);
    return {
      httpStatus: response.status,
      ...found,
      request: named(request),
      // The server's words are quoted in the message, and a server may echo the token in them, or
      // the password of its address. They are cut after that: half a token would not be recognised.
      reason: shorten(quote.text(found.reason)),
      suggestion: hint && mask.text(hint),
      warning: warning && mask.text(warning),
    };
  } catch (error) {
    signal?.throwIfAborted();
    const { explainFailure } = await import("./network_failure.ts");
    const { verdict, reason, suggestion } = await explainFailure(error, probe);
    return { verdict, request: named(first), reason, suggestion };
  }
}

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
