/**
 * Servers that answer as a test says, without a network.
 *
 * @module
 */

import { MockAgent } from "undici";
import { checkToken } from "../../src/check/check_token.ts";
import type { CheckResult } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { Secret } from "../../src/secret.ts";

/** A request that was sent. */
export interface MockRequest {
  readonly method: string;
  readonly origin: string;
  /** The path with its query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a server answers. @default status 200, an empty body */
export interface MockAnswer {
  readonly status?: number;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** A check, and the requests that it took. */
export interface MockCheck {
  readonly result: CheckResult;
  readonly requests: readonly MockRequest[];
}

/**
 * Checks a token against servers that answer as told.
 *
 * @param line ADC's words, apart by spaces; without `--server` it is ADC's default.
 * @param answer What each request gets; an error means that no answer comes.
 * @param options The token.
 * @returns The result, and the requests in order.
 */
export async function checkAgainst(
  line: string,
  answer: MockAnswer | ((request: MockRequest) => MockAnswer | Error),
  { token = "a7ee-example", signal }: {
    readonly token?: string;
    readonly signal?: AbortSignal;
  } = {},
): Promise<MockCheck> {
  const connection = await resolveConnection({ args: line.split(" "), env: {}, cwd: "/nowhere" });
  const requests: MockRequest[] = [];
  const dispatcher = new MockAgent();
  dispatcher.disableNetConnect();
  for (const origin of new Set(connection.servers.map(({ origin }) => origin))) {
    dispatcher.get(origin).intercept({ path: () => true, method: () => true }).reply((options) => {
      const headers = Object.fromEntries(
        Object.entries(options.headers as Record<string, string>),
      );
      const request = { method: options.method, origin, path: options.path, headers };
      requests.push(request);
      const given = typeof answer === "function" ? answer(request) : answer;
      if (given instanceof Error) throw given;
      const { status = 200, body = "" } = given;
      return {
        statusCode: status,
        data: typeof body === "string" ? body : JSON.stringify(body),
        responseOptions: {
          headers: {
            ...(typeof body !== "string" && { "content-type": "application/json" }),
            ...given.headers,
          },
        },
      };
    }).persist();
  }
  try {
    const result = await checkToken(new Secret(token), { connection, dispatcher, signal });
    return { result, requests };
  } finally {
    await dispatcher.close();
  }
}
