/**
 * Answers that are wrong. Those that have words in them repeat the token, as a careless server would.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import type { Fault as SandboxFault } from "../sandbox/faults.ts";
import { serveHttp, serveTcp } from "../support/loopback.ts";
import { failedCheck, RUNS } from "./failed_check.ts";
import type { FailedCheck } from "./failed_check.ts";
import type { FaultGroup, ProvenFault } from "./fault.ts";

/** What an endless answer may have sent until it is cut: what was read, and what the system's buffers hold. */
const MAX_SENT = 64 * 1024 * 1024;

/** A status of an API, and how many requests a run may make. */
function status(
  code: number,
  verdict: string,
  exit: number,
  more: { readonly requests?: number; readonly retryAfter?: string } = {},
): ProvenFault {
  const { requests = 1, retryAfter } = more;
  const header = retryAfter === undefined ? "" : ` with \`Retry-After: ${retryAfter}\``;
  const waits = retryAfter === undefined ? "" : ", 2 s at the most between them";
  return failedCheck({
    fault: `${code}${header}`,
    verdict,
    exit,
    bound: requests === 1 ? "one attempt" : `three attempts${waits}`,
    // The last bits of what was encoded are no part of a form: they depend on what follows.
    message: new RegExp(
      `(answered ${code}:|refused the token: ${code}) "no luck with \\*{3} and \\*{3}\\w{0,3}={0,2}"`,
    ),
    arrange: ({ sandbox, token }) => {
      const encoded = Buffer.from(token).toString("base64");
      sandbox.fault("/api", {
        kind: "status",
        status: code,
        body: { error_msg: `no luck with ${token} and ${encoded}` },
        ...(retryAfter !== undefined && { headers: { "retry-after": retryAfter } }),
      });
      return {
        words: ["--timeout", "1m"],
        afterwards: () => assert.equal(sandbox.requests.length, requests * RUNS),
      };
    },
  });
}

/** An answer that no Admin API gives. */
function stranger(
  fault: string,
  message: RegExp,
  answer: (token: string) => SandboxFault,
): ProvenFault {
  return failedCheck({
    fault,
    verdict: "wrong-server",
    exit: 78,
    bound: "one attempt",
    message,
    arrange: ({ sandbox, token }) => {
      sandbox.fault("/api", answer(token));
      return { afterwards: () => assert.equal(sandbox.requests.length, RUNS) };
    },
  });
}

/** The token must not follow to where a redirect points. */
function redirect(code: number): ProvenFault {
  return failedCheck({
    fault: `${code} to another host`,
    verdict: "wrong-server",
    exit: 78,
    bound: "it is not followed: nobody connects to a listener there",
    message: new RegExp(`answered ${code}, pointing to "http://127\\.0\\.0\\.1:\\d+"`),
    arrange: async ({ sandbox, token }) => {
      const other = await serveHttp((_request, response) => void response.end());
      const location = `${other.url}/login?token=${encodeURIComponent(token)}`;
      sandbox.fault("/api", { kind: "redirect", status: code, location });
      return {
        afterwards: async () => {
          assert.equal(other.connections, 0);
          await other[Symbol.asyncDispose]();
        },
      };
    },
  });
}

/** An answer that adc-run has to end by itself. */
function tooMuch(
  row: Pick<FailedCheck, "fault" | "bound" | "message">,
  headers: Readonly<Record<string, string>>,
  pieces: { readonly first: Buffer; readonly next: Buffer },
): ProvenFault {
  return failedCheck({
    ...row,
    verdict: "wrong-server",
    exit: 78,
    arrange: async () => {
      let sent = 0;
      const serve: RequestListener = (_request, response) => {
        response.on("error", () => {});
        response.writeHead(200, { "content-type": "application/json", ...headers });
        response.write(pieces.first);
        const more = (): void => {
          while (!response.destroyed) {
            sent += pieces.next.length;
            // A server of Deno's does not say that its buffers are full.
            if (!response.write(pieces.next) || sent % (1 << 24) === 0) break;
          }
          if (!response.destroyed) setTimeout(more, 1);
        };
        more();
      };
      const server = await serveHttp(serve);
      return {
        server,
        words: ["--timeout", "1m"],
        afterwards: () => assert.ok(sent < MAX_SENT * RUNS, `${sent} bytes were taken`),
      };
    },
  });
}

/** 4 MiB of nothing in some 4 kB; members of gzip may follow each other, and say 10 GB in 10 MB. */
function bomb(): Buffer {
  return gzipSync(Buffer.alloc(4 * 1024 * 1024));
}

/** What comes back is not what ADC needs. */
export const ANSWER_FAULTS: FaultGroup = {
  title: "What comes back",
  file: "tests/faults/answer_faults.ts",
  faults: [
    tooMuch(
      {
        fault: "endless body",
        bound: "reading stops after 1 MiB",
        message: /answered 200 with unexpected JSON/,
      },
      {},
      { first: Buffer.from('{"list": ["'), next: Buffer.alloc(64 * 1024, "x") },
    ),
    tooMuch(
      {
        fault: "gzip bomb",
        bound: "reading stops after 1 MiB of what it unpacks to",
        message: /answered 200 with something that is not JSON/,
      },
      { "content-encoding": "gzip" },
      { first: bomb(), next: bomb() },
    ),
    failedCheck({
      fault: "endless headers",
      verdict: "unreachable",
      exit: 69,
      bound: "reading stops after 16 KiB",
      message: /the response headers are too long \(HPE_HEADER_OVERFLOW\)/,
      arrange: async () => {
        const server = await serveTcp((socket) => {
          socket.write("HTTP/1.1 200 OK\r\n");
          const more = () => socket.write(`X-More: ${"x".repeat(1000)}\r\n`);
          socket.once("data", () => {
            const timer = setInterval(more, 1);
            socket.on("close", () => clearInterval(timer));
          });
        });
        return { server };
      },
    }),
    stranger("malformed JSON", /answered 200 with something that is not JSON/, () => ({
      kind: "malformed-json",
    })),
    stranger("unexpected JSON", /answered 200 with unexpected JSON/, (token) => ({
      kind: "wrong-shape",
      body: { list: { token } },
    })),
    stranger("JSON nested 100,000 deep", /answered 200 with something that is not JSON/, () => ({
      kind: "status",
      status: 200,
      body: `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
    })),
    stranger("200 with an HTML page", /answered 200 with an HTML page/, (token) => ({
      kind: "html",
      body: `<!doctype html><title>${token}</title>`,
    })),
    redirect(302),
    redirect(308),
    status(401, "rejected", 77),
    status(403, "forbidden", 77),
    status(404, "wrong-server", 78),
    status(409, "wrong-server", 78),
    status(429, "server-error", 69, { requests: 3, retryAfter: "86400" }),
    status(500, "server-error", 69),
    status(502, "server-error", 69, { requests: 3 }),
    status(503, "server-error", 69, { requests: 3 }),
    status(504, "server-error", 69, { requests: 3 }),
    {
      fault: "the response to a token's creation is lost, or is 5xx",
      verdict: "—",
      exit: 0,
      bound: "one more attempt, after the first one's token was looked for",
      shownBy: [["tests/e2e/auth_login.test.ts", "${title}, and one token is created and stored"]],
    },
  ],
};
