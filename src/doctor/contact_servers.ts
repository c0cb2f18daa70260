import { explainFailure, type NetworkFailure } from "../check/network_failure.ts";
import {
  errorMessageOf,
  isAddressRefusal,
  isJson,
  isTemporary,
  judgeStatus,
  oneLine,
  parseObject,
} from "../check/response.ts";
import { type Backend, BACKEND_NAMES, BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import type { Server } from "../connection/server.ts";
import type { Context } from "../context.ts";
import { type HttpClient, type HttpResponse, openHttpClient } from "../http/http_client.ts";

export interface Contact {
  readonly server: Server;
  /** Why no answer came; `undefined` where one came. */
  readonly failure: NetworkFailure | undefined;
  readonly status?: number | undefined;
  readonly software?: string | undefined;
  readonly backend?: Backend | undefined;
  /** Whether it refuses this address, whatever it is asked. */
  readonly shut?: boolean | undefined;
  readonly skew?: number | undefined;
}

type ContactOptions = Pick<Context, "signal" | "dispatcher" | "now">;

export async function contactServers(
  connection: Connection,
  options: ContactOptions,
): Promise<readonly Contact[]> {
  const client = openHttpClient(connection, options);
  try {
    return await Promise.all(
      connection.servers.map((server) => contact({ client, connection, server }, options)),
    );
  } finally {
    await client.close();
  }
}

async function contact(
  { client, connection, server }: {
    readonly client: HttpClient;
    readonly connection: Connection;
    readonly server: Server;
  },
  { signal, now = Date.now }: ContactOptions,
): Promise<Contact> {
  const ask = (backend: Backend) =>
    client.send({ server, method: "GET", path: BACKENDS[backend].guardedPath, token: undefined });
  const expected = connection.backend.value;
  try {
    const before = now();
    const first = await ask(expected);
    const after = now();
    // nginx says in a page what is wrong with TLS.
    const { verdict, reason, suggestion = "" } = judgeStatus(first, expected) ?? {};
    if (verdict === "tls") return { server, failure: { verdict, reason: reason!, suggestion } };
    const answers = new Map([[expected, first]]);
    // One that is in trouble gives the same answer to everything.
    if (!isTemporary(first.status)) {
      const others = BACKEND_NAMES.filter((backend) => backend !== expected);
      const more = await Promise.all(others.map(async (each) => [each, await ask(each)] as const));
      for (const [backend, answer] of more) answers.set(backend, answer);
    }
    const software = first.header("server");
    const backend = BACKEND_NAMES.find((each) => {
      const answer = answers.get(each);
      return answer !== undefined && isAdminApi(answer, each);
    });
    const date = Date.parse(first.header("date") ?? "");
    return {
      server,
      failure: undefined,
      status: first.status,
      software: software && oneLine(software).slice(0, 80),
      backend,
      shut: backend === undefined && isAddressRefusal(first, expected),
      // The header has no fractions of a second: half of one is the best guess.
      skew: Number.isNaN(date) ? undefined : date + 500 - (before + after) / 2,
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { server, failure: await explainFailure(error, { connection, server }) };
  }
}

/** A refusal in JSON, or, where no token is asked for, what was asked for. */
function isAdminApi(response: HttpResponse, backend: Backend): boolean {
  const { status } = response;
  if (!isJson(response)) return false;
  if (status === 401 || status === 403) return errorMessageOf(response) !== "";
  if (status !== 200) return false;
  if (response.cut) return true;
  const keys = Object.keys(parseObject(response.body) ?? {});
  return backend === "apisix-standalone"
    ? keys.some((key) => key.endsWith("_conf_version"))
    : keys.includes("list") || keys.includes("node");
}
