/**
 * Clients of the Admin API, for its tests.
 *
 * @module
 */

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { MockAgent } from "undici";
import { AdminApi } from "../../src/admin_api/admin_api.ts";
import type { AdminApiOptions } from "../../src/admin_api/admin_api.ts";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { AdcRunError } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** The connection to a server, as flags make it. */
export function connectionTo(url: string, ...flags: string[]): Promise<Connection> {
  const args = ["ping", "--backend", "api7ee", "--server", url, ...flags];
  return resolveConnection({ args, env: {}, cwd: "/nowhere" });
}

/** A client for a sandbox. */
export async function openAt(
  sandbox: Sandbox,
  { token, ca = sandbox.ca, flags = [] }: {
    readonly token?: string;
    readonly ca?: string;
    readonly flags?: readonly string[];
  } = {},
): Promise<AdminApi> {
  const connection = await connectionTo(sandbox.url, "--ca-cert-file", ca, ...flags);
  return await AdminApi.open(connection, token === undefined ? {} : { token: new Secret(token) });
}

/** A client for a sandbox, logged in. */
export async function logInAt(
  sandbox: Sandbox,
  { username = "dev", password = "dev-password", flags = [] }: {
    readonly username?: string;
    readonly password?: string;
    readonly flags?: readonly string[];
  } = {},
): Promise<AdminApi> {
  const api = await openAt(sandbox, { flags });
  await api.logIn({ username, password: new Secret(password) });
  return api;
}

/** A request that was sent to a mock. */
export interface Sent {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a mock answers; a string is sent as it is, with status 200. */
export type Answer =
  | string
  | Error
  | {
    readonly status?: number;
    /** An object is sent as JSON. */
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string | string[]>>;
  };

/** A client that sends its requests to no network. */
export interface Mocked extends AsyncDisposable {
  readonly api: AdminApi;
  readonly sent: readonly Sent[];
}

let servers = 0;

/**
 * Opens a client of a server that answers as a test says. Each server has a name of its own, for the
 * token path is remembered by it.
 */
export async function mock(
  answer: (sent: Sent) => Answer,
  { url = `https://mock-${++servers}.test:7443`, ...options }:
    & { readonly url?: string }
    & Pick<AdminApiOptions, "token"> = {},
): Promise<Mocked> {
  const connection = await connectionTo(url);
  const sent: Sent[] = [];
  const dispatcher = new MockAgent();
  dispatcher.disableNetConnect();
  dispatcher.get(new URL(url).origin)
    .intercept({ path: () => true, method: () => true })
    .reply((request) => {
      const headers = { ...request.headers as Record<string, string> };
      const each = { ...request, headers, body: String(request.body ?? "") };
      sent.push(each);
      const given = answer(each);
      if (given instanceof Error) throw given;
      const { status = 200, body = "", headers: extra = {} } = typeof given === "string"
        ? { body: given }
        : given;
      const isText = typeof body === "string";
      return {
        statusCode: status,
        data: isText ? body : JSON.stringify(body),
        responseOptions: {
          headers: { ...(!isText && { "content-type": "application/json" }), ...extra },
        },
      };
    }).persist();
  const api = await AdminApi.open(connection, { ...options, dispatcher });
  return {
    api,
    sent,
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await dispatcher.close();
    },
  };
}

/** The error of a call, which must fail. */
export async function failureOf(call: Promise<unknown>): Promise<AdminApiError> {
  const error = await call.then(
    (value) => assert.fail(`It did not fail: ${inspect(value)}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof AdminApiError, inspect(error));
  assert.ok(error instanceof AdcRunError);
  assert.equal(error.message, `${error.request}: ${error.reason}`);
  return error;
}

/** Holds everything that an error shows against what must not be seen. */
export function assertHides(error: Error, ...secrets: string[]): void {
  const shown = [
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(error),
    JSON.stringify({ ...error, message: error.message }),
    String(error),
  ].join("\n");
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      assert.ok(!shown.includes(form), "The error shows a secret");
    }
  }
}
