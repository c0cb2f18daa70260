import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { inspect } from "node:util";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
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
    send: () => client.send({ token: undefined, method: "GET", path: "/", server }),
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
  await using patient = await open(server.url, "--timeout", "1h");
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

const ENCODERS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  "gzip": gzipSync,
  "X-GZIP": gzipSync,
  "deflate": deflateSync,
  "Deflate": deflateRawSync,
  "br": brotliCompressSync,
  "deflate, gzip": (text) => gzipSync(deflateSync(text)),
  "identity": (text) => Buffer.from(text),
};

test("`HttpClient.open()` and `send()` decode what is encoded although nothing was to be", async () => {
  const text = '{"list": [1, 2, 3]}'.repeat(1000);
  for (const [encoding, encode] of Object.entries(ENCODERS)) {
    const body = encode(text);
    await using server = await serveHttp((_, response) => {
      const headers = { "content-encoding": encoding, "content-length": body.length };
      response.writeHead(200, { ...headers, "x-more": "kept" });
      // In small parts.
      for (let at = 0; at < body.length; at += 100) response.write(body.subarray(at, at + 100));
      response.end();
    });
    await using client = await open(server.url);
    const answer = await client.open({});
    assert.equal(String(await readAll(answer.body)), text, encoding);
    if (encoding !== "identity") assert.equal(answer.header("content-length"), undefined);
    assert.equal(answer.header("x-more"), "kept");
    assert.equal((await client.send()).body, text, encoding);
    const head = await client.open({ method: "HEAD" });
    assert.equal(head.header("content-encoding"), encoding);
    assert.equal((await readAll(head.body)).length, 0);
  }
});

test("`HttpClient.open()` fails where an answer cannot be decoded, and asks once", async () => {
  const whole = gzipSync("text".repeat(1000));
  for (
    const [encoding, body] of [
      ["gzip", Buffer.from("no gzip at all")],
      ["gzip", whole.subarray(0, whole.length / 2)],
      ["br", whole],
      ["zstd", whole],
      ["compress", whole],
    ] as const
  ) {
    let asked = 0;
    await using server = await serveHttp((_, response) => {
      asked += 1;
      response.writeHead(200, { "content-encoding": encoding }).end(body);
    });
    await using client = await open(server.url);
    const { body: parts } = await client.open({});
    await assert.rejects(readAll(parts), { code: "ERR_CONTENT_ENCODING" });
    await assert.rejects(client.send(), { code: "ERR_CONTENT_ENCODING" });
    assert.equal(asked, 2);
  }
});

test("`HttpClient.open()` takes an answer without a body for none, whatever its encoding", async () => {
  await using server = await serveHttp((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end();
  });
  await using client = await open(server.url);
  assert.equal((await readAll((await client.open({})).body)).length, 0);
});

test("`HttpClient.send()` reads no more of what unfolds without end than of any other", async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  await using server = await serveHttp((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
  });
  await using client = await open(server.url);
  const { body, cut } = await client.send();
  assert.ok(cut && body.length < 2 * 1024 * 1024, String(body.length));
});

test("`HttpClient.open()` stops what unfolds without end", async () => {
  const member = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  await using server = await serveHttp((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" });
    for (let count = 0; count < 5; count++) response.write(member);
    response.end();
  });
  await using client = await open(server.url);
  const { body } = await client.open({});
  let read = 0;
  const reading = (async () => {
    for await (const part of body) read += part.length;
  })();
  await assert.rejects(reading, { code: "ERR_CONTENT_ENCODING" });
  assert.ok(read <= 256 * 1024 * 1024);
});
