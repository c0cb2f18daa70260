/**
 * A small client for the sandbox's own tests.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

/** One question. */
export interface Question {
  /** @default "GET" */
  readonly method?: string;
  readonly key?: string;
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** PEM files. */
  readonly ca?: string;
  readonly cert?: string;
  readonly certKey?: string;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** The body as JSON; `undefined` when it is none. */
  // deno-lint-ignore no-explicit-any
  readonly json: any;
}

/**
 * Asks the sandbox on a connection of its own.
 *
 * @param address The whole address.
 * @param question Method, key, body, certificates.
 * @returns The answer; rejects when the connection fails.
 */
export function ask(address: string, question: Question = {}): Promise<Answer> {
  const { method = "GET", key, cookie, body, ca, cert, certKey } = question;
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = (address.startsWith("https:") ? httpsRequest : httpRequest)(address, {
      method,
      agent: false,
      headers: {
        ...(key === undefined ? {} : { "X-API-KEY": key }),
        ...(cookie === undefined ? {} : { cookie }),
        ...(text === undefined ? {} : { "content-type": "application/json" }),
        ...question.headers,
      },
      ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
      ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
      ...(certKey === undefined ? {} : { key: readFileSync(certKey) }),
    }, (response) => {
      let received = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => received += chunk);
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: received,
          json: parse(received),
        }));
    });
    request.on("error", reject);
    request.end(text);
  });
}

/** The cookies that an answer sets, as a client sends them back. */
export function cookiesOf(answer: Answer): string {
  return (answer.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
