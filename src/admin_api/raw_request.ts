import { checkToken } from "../check/check_token.ts";
import { explainFailure } from "../check/network_failure.ts";
import {
  isJson,
  judgeStatus,
  notThisBackend,
  oneLine,
  parseObject,
  shorten,
} from "../check/response.ts";
import { CheckError, type CheckResult } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import { adviseOn } from "../connection/origin.ts";
import type { Server } from "../connection/server.ts";
import type { Context } from "../context.ts";
import type { AdcRunError } from "../errors.ts";
import {
  type HttpResponse,
  openHttpClient,
  readStart,
  type StreamRequest,
  type StreamResponse,
} from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, type Secret } from "../secret.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { splitTokens } from "../token/token_value.ts";
import { AdminApiError } from "./admin_api_error.ts";

type RawRequest = Pick<StreamRequest, "method" | "path" | "headers" | "body">;

export interface RawAnswer extends StreamResponse {
  /** The request for a message, for example `GET https://host:7443/api/users`. */
  readonly request: string;
}

export interface RawRequester {
  readonly token: Secret;
  /** Sends a request. Redirects are not followed. */
  send(request: RawRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

interface RawRequesterOptions extends Pick<Context, "signal" | "dispatcher"> {
  readonly server: Server;
  readonly token: Secret;
  readonly resolved: ResolvedToken;
}

export function openRawRequester(
  connection: Connection,
  options: RawRequesterOptions,
): RawRequester {
  const { server, token, resolved, signal } = options;
  const client = openHttpClient(connection, options);
  const secrets = [token, ...(server.authorization ? [server.authorization] : [])];
  // A shorter one may well be a part of an innocent address.
  const mask = createMask(secrets.filter((each) => each.reveal().length >= MIN_SECRET_LENGTH));

  async function explain(error: unknown, request: string): Promise<CheckError> {
    signal?.throwIfAborted();
    const failure = await explainFailure(error, { connection, server });
    return new CheckError({ request, ...failure }, { resolved });
  }
  async function* bodyOf(body: AsyncIterable<Uint8Array>, tried: string) {
    try {
      yield* body;
    } catch (error) {
      throw await explain(error, tried);
    }
  }

  return {
    token,
    send: async (request) => {
      const tried = mask.text(`${request.method} ${server.display}${request.path}`);
      try {
        const answer = await client.open({ ...request, server, token });
        return { ...answer, request: tried, body: bodyOf(answer.body, tried) };
      } catch (error) {
        throw await explain(error, tried);
      }
    },
    close: () => client.close(),
  };
}

interface RawJudgementOptions {
  readonly start: string;
  readonly cut: boolean;
  /** The backend that was expected there, and the servers, whose passwords an answer can repeat. */
  readonly connection: Connection;
  readonly resolved: ResolvedToken;
  readonly explain: (result: CheckResult) => CheckResult;
}

export function judgeRawAnswer(
  answer: RawAnswer,
  { start, cut, connection, resolved, explain }: RawJudgementOptions,
): AdcRunError | undefined {
  const backend = connection.backend.value;
  const { status, request } = answer;
  if (status === 304) return undefined;
  const response: HttpResponse = { ...answer, setCookies: [], body: start, cut };
  const mask = createMask([
    ...splitTokens(resolved.token, backend),
    ...connection.servers.flatMap((server) => server.secrets),
  ]);
  const quote = (words: string) => shorten(oneLine(mask.text(words)));
  const judgement = judgeStatus(response, backend, { quote });
  if (judgement === undefined) return undefined;
  const { verdict, reason, suggestion } = judgement;
  if (verdict === "wrong-server" && status === 404 && isJson(response)) {
    return new CheckError({
      verdict,
      request,
      httpStatus: status,
      reason: `not found: ${reason}`,
      suggestion: adviseOn(
        "Check the path and the id in it. If this is not the Admin API of backend " +
          `"${backend}", check --server or ADC_SERVER, and --backend.`,
        connection,
      ),
    }, { resolved });
  }
  if ((verdict === "wrong-server" && status > 404) || (status === 400 && verdict !== "tls")) {
    return new AdminApiError({ failure: "bad-request", request, reason, httpStatus: status });
  }
  const result = { verdict, request, reason, httpStatus: status, suggestion };
  return new CheckError(explain(result), { resolved });
}

interface FindGatewayGroupOptions extends Pick<Context, "signal"> {
  readonly connection: Connection;
  readonly resolved: ResolvedToken;
}

export async function findGatewayGroup(
  requester: RawRequester,
  { connection, resolved, signal }: FindGatewayGroupOptions,
): Promise<string> {
  const name = connection.gatewayGroup.value;
  const query = `search=${encodeURIComponent(name)}&name=${encodeURIComponent(name)}`;
  const answer = await requester.send({ method: "GET", path: `/api/gateway_groups?${query}` });
  // What is longer than that is no answer to this question.
  const { text, cut } = await readStart(answer.body);
  const { list } = (cut ? undefined : parseObject(text)) ?? {};
  const groups: readonly unknown[] = answer.status === 200 && Array.isArray(list) ? list : [];
  for (const group of groups) {
    const { id, name: named } = (group ?? {}) as { readonly id?: unknown; readonly name?: unknown };
    if (named === name && typeof id === "string" && id !== "") return id;
  }
  // The test call of a run asks the same, and knows all that can be wrong.
  const result = await checkToken(resolved.token, { connection, signal });
  if (result.verdict !== "valid") throw new CheckError(result, { resolved });
  const { request, status } = answer;
  const reason = `the server gave no id for gateway group "${name}"`;
  throw new CheckError({ request, httpStatus: status, ...notThisBackend(reason, "api7ee") }, {
    resolved,
  });
}
