import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { resolveConnection } from "../../src/connection/connection.ts";
import { openHttpClient } from "../../src/http/http_client.ts";
import type { HttpRequest } from "../../src/http/http_client.ts";
import { optionsOf } from "../../src/http/own_transport.ts";
import { Secret } from "../../src/secret.ts";
import { serveHttp, serveTcp } from "../support/loopback.ts";

const TOKEN = "a7ee-canary-of-direct-requests";

/** Without a proxy and without a dispatcher, what reads is sent directly. */
async function read(url: string, more: Partial<HttpRequest> = {}) {
  const args = ["ping", "--server", url];
  const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
  const client = openHttpClient(connection);
  const server = connection.servers[0]!;
  return await client.send({
    server,
    method: "GET",
    path: "/x?y=1",
    token: new Secret(TOKEN),
    ...more,
  });
}

for (const status of [408, 425, 429, 502, 503, 504]) {
  test(`\`ownTransport()\` asks again where the server is busy (${status}), and takes the third answer`, async () => {
    let asked = 0;
    await using server = await serveHttp((_, response) => {
      asked += 1;
      response.writeHead(status, { "retry-after": "0" }).end(`${asked}`);
    });
    const response = await read(server.url);
    assert.deepEqual([response.status, response.body, asked], [status, "3", 3]);
  });
}

test("`ownTransport()` asks once where the server says no", async () => {
  for (const status of [301, 400, 401, 403, 404, 500]) {
    let asked = 0;
    await using server = await serveHttp((_, response) => {
      asked += 1;
      response.writeHead(status, { location: "/elsewhere" }).end();
    });
    const response = await read(server.url);
    assert.deepEqual([response.status, response.header("location"), asked], [
      status,
      "/elsewhere",
      1,
    ]);
  }
});

test("`ownTransport()` takes the answer that comes at the second try", async () => {
  let connections = 0;
  await using server = await serveTcp((socket) => {
    connections += 1;
    if (connections === 1) return void socket.destroy();
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
  });
  assert.equal((await read(server.url)).body, "ok");
  assert.equal(connections, 2);
});

for (
  const [kind, headers] of [
    ["with a length", "content-length: 1000\r\n"],
    ["in chunks", "transfer-encoding: chunked\r\n"],
  ] as const
) {
  test(`\`ownTransport()\` takes no half of an answer ${kind}, and tries thrice`, async () => {
    let connections = 0;
    await using server = await serveTcp((socket) => {
      connections += 1;
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\n5\r\n{"a":\r\n`, () => socket.destroy());
      });
    });
    await assert.rejects(read(server.url), { code: "ECONNRESET" });
    assert.equal(connections, 3);
  });
}

test("`ownTransport()` stops between two tries when it is given up", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let asked = 0;
  await using server = await serveHttp((_, response) => {
    asked += 1;
    response.on("close", () => controller.abort(reason));
    response.writeHead(503, { "retry-after": "600" }).end();
  });
  await assert.rejects(read(server.url, { signal: controller.signal }), reason);
  assert.equal(asked, 1);
});

test("`ownTransport()` keeps what the server sent out of its errors", async () => {
  await using server = await serveTcp((socket) => {
    socket.once("data", (data: Uint8Array) => {
      const key = /x-api-key: (\S+)/i.exec(new TextDecoder().decode(data))![1]!;
      socket.end(`HTTP/9.9 ${key}\r\n${key}\r\n\r\n`);
    });
  });
  await assert.rejects(read(server.url), (error) => {
    const shown = inspect(error, { depth: 9, showHidden: true, maxArrayLength: null });
    const bytes = new TextEncoder().encode(TOKEN).join(", ");
    assert.ok(!shown.includes(TOKEN) && !shown.includes(bytes), shown);
    return true;
  });
});

test("`ownTransport()` sends what every request sends, and nothing for a `HEAD` to read", async () => {
  const seen: unknown[] = [];
  await using server = await serveHttp(({ method, url, headers }, response) => {
    seen.push([method, url, headers["x-api-key"], headers.accept, headers.cookie, headers.host]);
    response.setHeader("set-cookie", ["a=1", "b=2"]).end("body");
  });
  const response = await read(server.url, { method: "HEAD", cookie: new Secret("c=3") });
  assert.deepEqual([response.status, response.body, response.setCookies], [200, "", [
    "a=1",
    "b=2",
  ]]);
  assert.deepEqual(seen, [
    ["HEAD", "/x?y=1", TOKEN, "application/json", "c=3", new URL(server.url).host],
  ]);
});

test("`ownTransport()` names the host as an address does: without the port that goes without saying", async () => {
  for (
    const [url, host] of [
      ["https://gateway.example.com", "gateway.example.com"],
      ["https://gateway.example.com:443/x", "gateway.example.com"],
      ["https://gateway.example.com:7443", "gateway.example.com:7443"],
      ["http://gateway.example.com", "gateway.example.com"],
      ["http://[::1]:9180", "[::1]:9180"],
    ] as const
  ) {
    const connection = await resolveConnection({
      args: ["ping", "--server", url],
      env: {},
      cwd: "/x",
    });
    const [server] = connection.servers;
    const request = { server: server!, method: "GET", path: "/y", headers: {}, body: undefined };
    const options = optionsOf(request, undefined);
    assert.equal((options.headers as Record<string, string>).host, host);
  }
  await using server = await serveHttp((request, response) => {
    response.end(
      request.rawHeaders.filter((_, at, all) => /^host$/i.test(all[at - 1] ?? "")).join(),
    );
  });
  const { body } = await read(server.url);
  assert.equal(body, new URL(server.url).host);
});
