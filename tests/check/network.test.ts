import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { inspect } from "node:util";
import { checkToken } from "../../src/check/check_token.ts";
import type { CheckResult } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { Secret } from "../../src/secret.ts";
import { freePort, serveHttp, serveTcp } from "../support/loopback.ts";

/** Checks a token of APISIX's over the network. */
async function check(url: string, words: readonly string[] = []): Promise<CheckResult> {
  const args = ["diff", "--server", url, ...words];
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

test("`checkToken()` says that a connection is refused", async () => {
  const result = await check(`http://127.0.0.1:${await freePort()}`);
  assert.equal(result.verdict, "unreachable");
  assert.equal(result.reason, "the connection was refused (ECONNREFUSED)");
  assert.match(result.suggestion ?? "", /^Check the address in (--server|ADC_SERVER),/);
});

test("`checkToken()` says that a connection is cut off, having tried thrice", async () => {
  await using server = await serveTcp((socket) => {
    socket.once("data", () => socket.destroy());
  });
  const result = await check(server.url);
  assert.equal(result.verdict, "unreachable");
  assert.match(result.reason, /^the connection was closed/);
  assert.equal(server.connections, 3);
});

test("`checkToken()` says that an answer is cut off", async () => {
  await using server = await serveHttp((_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write('{"list": [', () => response.socket?.destroy());
  });
  const result = await check(server.url);
  assert.equal(result.verdict, "unreachable", inspect(result));
  assert.match(result.reason, /closed|no response/);
});

test("`checkToken()` says that what answers speaks no HTTP", async () => {
  await using server = await serveTcp((socket) => {
    socket.end("SSH-2.0-OpenSSH_9.2p1 zqzq\r\n");
  });
  const result = await check(server.url);
  assert.equal(result.verdict, "unreachable", inspect(result));
  assert.doesNotMatch(JSON.stringify(result), /zqzq/);
});

test("`checkToken()` waits no longer than --timeout for the start of an answer", async () => {
  await using server = await serveHttp(() => {});
  const result = await check(server.url, ["--timeout", "80ms"]);
  assert.equal(result.verdict, "timeout", inspect(result));
  assert.equal(result.reason, "no response within 0.08 s");
  assert.match(result.suggestion ?? "", /--timeout/);
});

test("`checkToken()` waits no longer than --timeout for the end of an answer", async () => {
  await using server = await serveHttp((_request, response) => {
    response.write('{"list": [');
  });
  const result = await check(server.url, ["--timeout", "80ms"]);
  assert.equal(result.verdict, "timeout", inspect(result));
});

test("`checkToken()` waits no longer than --timeout for a server that trickles", async () => {
  await using server = await serveHttp((_request, response) => {
    const timer = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(timer));
  });
  const result = await check(server.url, ["--timeout", "120ms"]);
  assert.equal(result.verdict, "timeout", inspect(result));
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

test("`checkToken()` never goes where a redirect points", async () => {
  let reached = 0;
  await using target = await serveHttp((request, response) => {
    reached += 1;
    sendRoutes(request, response);
  });
  for (const status of [301, 302, 303, 307, 308]) {
    await using server = await serveHttp((_request, response) => {
      response.writeHead(status, { location: `${target.url}/apisix/admin/routes?x` }).end();
    });
    const result = await check(server.url);
    assert.equal(result.verdict, "wrong-server");
    assert.ok(result.reason.endsWith(`pointing to "${target.url}"`), result.reason);
  }
  assert.deepEqual([reached, target.connections], [0, 0]);
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

test("`checkToken()` asks several servers, and each gets its own token alone", async () => {
  const seen = new Map<string, Set<string | undefined>>();
  const record = (name: string) => (request: IncomingMessage, response: ServerResponse) => {
    const tokens = seen.get(name) ?? new Set();
    seen.set(name, tokens.add(request.headers["x-api-key"]?.toString()));
    response.end();
  };
  await using one = await serveHttp(record("one"));
  await using two = await serveHttp(record("two"));
  const args = ["sync", "--backend", "apisix-standalone", "--server", `${one.url},${two.url}`];
  const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
  const result = await checkToken(new Secret("first,second"), { connection });
  assert.equal(result.verdict, "valid", inspect(result));
  assert.deepEqual(seen.get("one"), new Set([undefined, "first"]));
  assert.deepEqual(seen.get("two"), new Set(["second"]));
});
