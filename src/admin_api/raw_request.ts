import { explainFailure } from "../check/network_failure.ts";
import { CheckError } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { Server } from "../connection/server.ts";
import {
  type HttpClientOptions,
  openHttpClient,
  type StreamRequest,
  type StreamResponse,
} from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, type Secret } from "../secret.ts";
import type { ResolvedToken } from "../token/resolve.ts";

export type RawRequest = Pick<StreamRequest, "method" | "path" | "headers" | "body">;

/** An answer that has begun, whatever its status. */
export interface RawAnswer extends StreamResponse {
  /** The request for a message, for example `GET https://host:7443/api/users`. */
  readonly tried: string;
}

export interface RawRequester {
  readonly server: Server;
  readonly token: Secret;
  /** Sends a request. Redirects are not followed. */
  send(request: RawRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

export interface RawRequesterOptions extends HttpClientOptions {
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

  async function explain(error: unknown, tried: string): Promise<CheckError> {
    signal?.throwIfAborted();
    const failure = await explainFailure(error, { connection, server });
    return new CheckError({ tried, ...failure }, { resolved });
  }
  async function* bodyOf(body: AsyncIterable<Uint8Array>, tried: string) {
    try {
      yield* body;
    } catch (error) {
      throw await explain(error, tried);
    }
  }

  return {
    server,
    token,
    send: async (request) => {
      const tried = mask.text(`${request.method} ${server.display}${request.path}`);
      try {
        const answer = await client.open({ ...request, server, token });
        return { ...answer, tried, body: bodyOf(answer.body, tried) };
      } catch (error) {
        throw await explain(error, tried);
      }
    },
    close: () => client.close(),
  };
}
