import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { inspect } from "node:util";
import { resolveConnection } from "../../src/connection/connection.ts";
import { openHttpClient } from "../../src/http/http_client.ts";
import type { StreamRequest } from "../../src/http/http_client.ts";
import { Secret } from "../../src/secret.ts";
import { serveHttp, serveTcp } from "../support/loopback.ts";

async function open(url: string, ...flags: readonly string[]) {
  const args = ["ping", "--server", url, ...flags];
  const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
  const client = openHttpClient(connection);
  const server = connection.servers[0]!;
  return {
    open: (request: Partial<StreamRequest>) =>
      client.open({ token: undefined, method: "GET", path: "/", ...request, server }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("`HttpClient.open()` sends any method, headers, bytes and the token", async () => {
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  await using server = await serveHttp(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { accept, "x-many": many, "x-api-key": key, authorization } = request.headers;
    response.writeHead(207, { "x-seen": [request.method!, request.url!] });
    response.end(JSON.stringify({
      sent: [accept, many, key, authorization],
      body: Buffer.concat(chunks).toString("hex"),
    }));
  });
  await using client = await open(`http://user:pw@127.0.0.1:${server.port}/base`);
  const answer = await client.open({
    method: "PATCH",
    path: "/x?y=%20",
    body: bytes,
    token: new Secret("the-token"),
    headers: {
      Accept: "text/plain",
      "X-Many": ["1", "2"],
      "X-API-Key": "other",
      Authorization: "Basic other",
    },
  });
  assert.equal(answer.status, 207);
  assert.equal(answer.header("x-seen"), "PATCH");
  assert.deepEqual(answer.headers.filter(([name]) => name === "x-seen"), [
    ["x-seen", "PATCH"],
    ["x-seen", "/base/x?y=%20"],
  ]);
  assert.deepEqual(JSON.parse(String(await readAll(answer.body))), {
    sent: ["text/plain", "1, 2", "the-token", `Basic ${btoa("user:pw")}`],
    body: bytes.toString("hex"),
  });
});

test("`HttpClient.open()` hands a body on that is longer than what `send()` reads", async () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  await using server = await serveHttp((_, response) => {
    for (let count = 0; count < 64; count++) response.write(chunk);
    response.end();
  });
  await using client = await open(server.url);
  const { body } = await client.open({});
  assert.equal((await readAll(body)).length, 4 * 1024 * 1024);
});

test("`HttpClient.open()` follows no redirect", async () => {
  await using other = await serveHttp((_, response) => void response.end());
  await using server = await serveHttp((_, response) => {
    response.writeHead(307, { location: other.url }).end("elsewhere");
  });
  await using client = await open(server.url);
  const answer = await client.open({ method: "POST", token: new Secret("the-token") });
  assert.equal(answer.status, 307);
  assert.equal(answer.header("location"), other.url);
  assert.equal(String(await readAll(answer.body)), "elsewhere");
  assert.equal(other.connections, 0);
});

test("`HttpClient.open()` fails where an answer is cut off, and asks for no rest of it", async () => {
  const ranges: unknown[] = [];
  await using server = await serveHttp((request, response) => {
    ranges.push(request.headers.range);
    if (request.headers.range !== undefined) {
      const headers = { "content-range": "bytes 3-5/6", "content-length": "3" };
      response.writeHead(206, headers).end("xyz");
      return;
    }
    response.writeHead(200, { "content-length": "6" });
    response.write("abc", () => setImmediate(() => request.socket.destroy()));
  });
  await using client = await open(server.url);
  const { body } = await client.open({});
  await assert.rejects(readAll(body), { code: "ECONNRESET" });
  assert.deepEqual(ranges, [undefined]);
});

test("`HttpClient.open()` gives a range that was asked for", async () => {
  await using server = await serveHttp((request, response) => {
    assert.equal(request.headers.range, "bytes=1-2");
    const headers = { "content-range": "bytes 1-2/6", "content-length": "2" };
    response.writeHead(206, headers).end("bc");
  });
  await using client = await open(server.url);
  const { status, body } = await client.open({ headers: { Range: "bytes=1-2" } });
  assert.deepEqual([status, String(await readAll(body))], [206, "bc"]);
});

test("`HttpClient.open()` tries again what may be repeated, and nothing else", async () => {
  const methods: string[] = [];
  await using server = await serveHttp((request, response) => {
    methods.push(request.method!);
    response.writeHead(503).end("busy");
  });
  await using client = await open(server.url);
  for (const method of ["GET", "POST", "PATCH"]) {
    const answer = await client.open({ method });
    assert.deepEqual([answer.status, String(await readAll(answer.body))], [503, "busy"]);
  }
  assert.deepEqual(methods, ["GET", "GET", "GET", "POST", "PATCH"]);
});

test("`HttpClient.open()` gives up when no answer begins in time, or the signal says so", async () => {
  let arrived: () => void = () => {};
  await using server = await serveHttp(() => arrived());
  await using client = await open(server.url, "--timeout", "50ms");
  await assert.rejects(client.open({ method: "POST" }), { name: "TimeoutError" });
  await using patient = await open(server.url, "--timeout", "0");
  const controller = new AbortController();
  arrived = () => controller.abort(new Error("given up"));
  await assert.rejects(patient.open({ signal: controller.signal }), { message: "given up" });
});

test("`HttpClient.open()` gives the time limit to each part of an answer anew", async () => {
  await using server = await serveHttp(async (_, response) => {
    for (const part of ["a", "b", "c", "d"]) {
      response.write(part);
      await new Promise((resolve) => setTimeout(resolve, 350));
    }
    response.end();
  });
  await using client = await open(server.url, "--timeout", "1s");
  const { body } = await client.open({});
  assert.equal(String(await readAll(body)), "abcd");
});

test("`HttpClient.open()` loses nothing of an answer that is read late, its server long gone", async () => {
  const length = 4 * 1024 * 1024;
  await using server = await serveHttp((_, response) => {
    response.writeHead(200, { connection: "close" }).end(Buffer.alloc(length));
  });
  await using client = await open(server.url);
  const { body } = await client.open({});
  let read = 0;
  for await (const chunk of body) {
    if (read === 0) await new Promise((resolve) => setTimeout(resolve, 300));
    read += chunk.length;
  }
  assert.equal(read, length);
});

test("`HttpClient.open()` fails where the parts of an answer make no sense, and shows none of them", async () => {
  await using server = await serveTcp((socket) => {
    socket.once("data", () => {
      socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nthe-token\r\n");
    });
  });
  await using client = await open(server.url);
  const { body } = await client.open({});
  await assert.rejects(readAll(body), (error: { readonly code?: string }) => {
    assert.match(error.code ?? "", /^HPE_/);
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes("the-token"));
    return true;
  });
});
