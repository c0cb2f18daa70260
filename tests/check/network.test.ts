import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { inspect } from "node:util";
import { checkToken } from "../../src/check/check_token.ts";
import type { CheckResult } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { Secret } from "../../src/secret.ts";
import { serveHttp, serveTcp } from "../support/loopback.ts";

/** Checks a token of APISIX's over the network. */
async function check(url: string): Promise<CheckResult> {
  const args = ["diff", "--server", url];
  const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
  return await checkToken(new Secret("zqzq"), { connection });
}

function sendRoutes(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("content-type", "application/json");
  response.end('{"list": [], "total": 0}');
}

test("`checkToken()` sends one request over the network", async () => {
  const seen: unknown[] = [];
  await using server = await serveHttp((request, response) => {
    seen.push([request.method, request.url, request.headers["x-api-key"]]);
    sendRoutes(request, response);
  });
  const result = await check(server.url);
  assert.equal(result.verdict, "valid", inspect(result));
  assert.deepEqual(seen, [["GET", "/apisix/admin/routes", "zqzq"]]);
});

test("`checkToken()` says that what answers speaks no HTTP", async () => {
  await using server = await serveTcp((socket) => {
    socket.end("SSH-2.0-OpenSSH_9.2p1 zqzq\r\n");
  });
  const result = await check(server.url);
  assert.equal(result.verdict, "unreachable", inspect(result));
  assert.doesNotMatch(JSON.stringify(result), /zqzq/);
});

test("`checkToken()` ends an endless answer", async () => {
  const filler = "x".repeat(64 * 1024);
  let closed: Promise<void> | undefined;
  await using server = await serveHttp((_request, response) => {
    closed = new Promise((resolve) => response.on("close", resolve));
    response.setHeader("content-type", "application/json");
    response.write('{"list": [{"value": "');
    const more = () => {
      while (response.write(filler));
      response.once("drain", more);
    };
    more();
  });
  const result = await check(server.url);
  assert.equal(result.verdict, "valid", inspect(result));
  await closed;
});

test("`checkToken()` leaves no connection behind", { timeout: 10_000 }, async () => {
  let closed: Promise<void> | undefined;
  await using server = await serveHttp((request, response) => {
    closed = new Promise((resolve) => request.socket.on("close", () => resolve()));
    response.setHeader("keep-alive", "timeout=600");
    sendRoutes(request, response);
  });
  await check(server.url);
  await closed;
  assert.equal(server.connections, 1);
});

test("`checkToken()` ends a request when its signal is aborted", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let closed: Promise<void> | undefined;
  await using server = await serveHttp((request) => {
    closed = new Promise((resolve) => request.socket.on("close", () => resolve()));
    controller.abort(reason);
  });
  const args = ["sync", "--server", server.url];
  const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
  await assert.rejects(
    checkToken(new Secret("zqzq"), { connection, signal: controller.signal }),
    reason,
  );
  await closed;
});
