import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { inspect } from "node:util";
import { resolveConnection } from "../../src/connection/connection.ts";
import { openHttpClient } from "../../src/http/http_client.ts";
import type { HttpRequest } from "../../src/http/http_client.ts";
import { requestHead } from "../../src/http/transports.ts";
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

test("`ownTransport()` reads what has no coding up to the end", async () => {
  await using server = await serveTcp((socket) => {
    const head = "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\n";
    socket.once("data", () => socket.end(`${head}whole`));
  });
  assert.equal((await read(server.url)).body, "whole");
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
    const lines = requestHead(request, undefined).split("\r\n");
    assert.ok(lines.includes(`host: ${host}`), lines.join("|"));
  }
  await using server = await serveHttp((request, response) => {
    response.end(
      request.rawHeaders.filter((_, at, all) => /^host$/i.test(all[at - 1] ?? "")).join(),
    );
  });
  const { body } = await read(server.url);
  assert.equal(body, new URL(server.url).host);
});

/** What a server sends, byte by byte, and what the client makes of it. */
async function answerOf(text: string, more: Partial<HttpRequest> = {}) {
  await using server = await serveTcp((socket) => {
    socket.once("data", async () => {
      for (const byte of Buffer.from(text, "latin1")) {
        await new Promise<void>((resolve) => socket.write(Uint8Array.of(byte), () => resolve()));
      }
      socket.end();
    });
  });
  return await read(server.url, { method: "POST", ...more });
}

const OK = "HTTP/1.1 200 OK\r\n";

test("`ownTransport()` reads an answer however it is cut up and its length is told", async () => {
  for (
    const [answer, status, body] of [
      [`${OK}Content-Length: 3\r\n\r\nabc\r\n`, 200, "abc"],
      [`${OK}content-length: 0\r\n\r\n`, 200, ""],
      [`${OK}\r\nabc`, 200, "abc"],
      ["HTTP/1.0 404 Not Found\r\n\r\nabc", 404, "abc"],
      ["HTTP/1.1 200\r\n\r\nabc", 200, "abc"],
      [
        `${OK}Transfer-Encoding: Chunked\r\n\r\n2;x=y\r\nab\r\n01\r\nc\r\n0\r\nx: y\r\n\r\n`,
        200,
        "abc",
      ],
      [
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n${OK}\r\nabc`,
        200,
        "abc",
      ],
      [`${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 200, ""],
      ["HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\n", 204, ""],
      ["HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", 304, ""],
    ] as const
  ) {
    const response = await answerOf(answer);
    assert.deepEqual([response.status, response.body], [status, body], answer);
  }
  const { header } = await answerOf(`${OK}X-One: \t a : b\t \r\nx-empty:\r\n\r\n`);
  assert.deepEqual([header("x-one"), header("x-empty"), header("x-two")], ["a : b", "", undefined]);
});

test("`ownTransport()` takes nothing for an answer that two could read in two ways", async () => {
  const long = "x".repeat(16 * 1024);
  for (
    const answer of [
      "SSH-2.0-OpenSSH_9.9\r\n",
      "HTTP/2 200\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 99 OK\r\n\r\n",
      "HTTP/1.1 101 Switching\r\n\r\n",
      `${OK}a b: c\r\n\r\n`,
      `${OK} folded: c\r\n\r\n`,
      `${OK}no colon\r\n\r\n`,
      `${OK}: no name\r\n\r\n`,
      `${OK}a: \0\r\n\r\n`,
      `${OK}a: b\nc: d\r\n\r\n`,
      `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
      `${OK}content-length: 1\r\ncontent-length: 1\r\n\r\na`,
      `${OK}content-length: +1\r\n\r\na`,
      `${OK}content-length: -1\r\n\r\na`,
      `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      `${OK}transfer-encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n`,
      `${OK}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`,
      `${OK}transfer-encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n`,
      `${OK}transfer-encoding: chunked\r\n\r\n1;\r\na\r\n0\r\n\r\n`,
      `${OK}transfer-encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n`,
      `${OK}transfer-encoding: chunked\r\n\r\n0\r\n`,
      `${OK}transfer-encoding: chunked\r\n\r\n${long}\r\n`,
      `${OK}a: ${long}\r\n\r\n`,
      `${OK}content-length: 2\r\n\r\na`,
      `${OK}transfer-encoding: chunked\r\n\r\n1\r\na\r\n`,
      OK,
      "",
    ]
  ) {
    await assert.rejects(answerOf(answer), Error, answer.slice(0, 60));
  }
});

test("`ownTransport()` takes no body that more bytes follow", async () => {
  for (
    const answer of [
      `${OK}content-length: 3\r\n\r\nabcdef`,
      `${OK}transfer-encoding: chunked\r\n\r\n0\r\n\r\nabc`,
      "HTTP/1.1 204 No Content\r\n\r\nabc",
      `${OK}content-length: 0\r\n\r\n${OK}content-length: 0\r\n\r\n`,
    ]
  ) {
    await using server = await serveTcp((socket) => {
      socket.once("data", () => socket.end(answer));
    });
    await assert.rejects(read(server.url), { code: "HPE_CLOSED_CONNECTION" }, answer);
  }
});

test("`ownTransport()` waits for no line of what is no HTTP/1", async () => {
  for (
    const [greeting, code] of [
      ["\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0", "HTTP2_ONLY"],
      ["+OK ready", "HPE_INVALID_CONSTANT"],
    ] as const
  ) {
    await using server = await serveTcp((socket) => void socket.write(greeting, "latin1"));
    await assert.rejects(read(server.url), { code });
  }
});

test("`ownTransport()` sends no line break in a header, and the length of what it does not send", async () => {
  const url = "http://gateway.example.com";
  const { servers: [server] } = await resolveConnection({
    args: ["ping", "--server", url],
    env: {},
    cwd: "/x",
  });
  const request = { server: server!, method: "PATCH", path: "/y", headers: {}, body: undefined };
  assert.match(
    requestHead(request, undefined),
    /^PATCH \/y HTTP\/1\.1\r\n[^]*content-length: 0\r\n/,
  );
  assert.doesNotMatch(requestHead({ ...request, method: "GET" }, undefined), /content-length/);
  for (
    const wrong of [
      { headers: { a: "b\r\nc: d" } },
      { headers: { a: ["b", "c\n"] } },
      { headers: { a: "\u0430" } },
      { headers: { "a b": "c" } },
      { headers: { "a\r\n": "c" } },
      { method: "GET /x HTTP/1.1\r\n" },
    ]
  ) {
    assert.throws(() => requestHead({ ...request, ...wrong }, undefined), {
      code: "ERR_INVALID_CHAR",
    });
  }
});
