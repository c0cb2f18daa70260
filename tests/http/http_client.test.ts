import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { openHttpClient } from "../../src/http/http_client.ts";
import type { HttpRequest } from "../../src/http/http_client.ts";
import { Secret } from "../../src/secret.ts";
import { serveHttp } from "../support/loopback.ts";

async function open(url: string, ...flags: readonly string[]) {
  const args = ["ping", "--server", url, ...flags];
  const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
  const client = openHttpClient(connection);
  const server = connection.servers[0]!;
  return {
    send: (request: Omit<HttpRequest, "server" | "token"> & { readonly token?: Secret }) =>
      client.send({ token: undefined, ...request, server }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

test("`openHttpClient()` sends JSON, a cookie and a token", async () => {
  const seen: string[][] = [];
  await using server = await serveHttp(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { "content-type": type = "", cookie = "", "x-api-key": key = "" } = request.headers;
    seen.push([request.method!, request.url!, type, cookie, String(key), body]);
    response.end();
  });
  await using client = await open(`${server.url}/base`);
  const cookie = new Secret("a=1; b=2");
  await client.send({ method: "POST", path: "/x", body: { a: "é" }, cookie });
  await client.send({ method: "PUT", path: "/x?y=1", body: [], token: new Secret("t") });
  await client.send({ method: "POST", path: "/x" });
  await client.send({ method: "DELETE", path: "/x" });
  assert.deepEqual(seen, [
    ["POST", "/base/x", "application/json", "a=1; b=2", "", '{"a":"é"}'],
    ["PUT", "/base/x?y=1", "application/json", "", "t", "[]"],
    ["POST", "/base/x", "", "", "", ""],
    ["DELETE", "/base/x", "", "", "", ""],
  ]);
});

test("`openHttpClient()` gives all cookies, in order", async () => {
  let cookies: string[] = [];
  await using server = await serveHttp((_, response) => {
    response.setHeader("set-cookie", cookies).end();
  });
  await using client = await open(server.url);
  for (cookies of [["a=1; Path=/", "b=2", "a=3"], ["a=1"]]) {
    const response = await client.send({ method: "GET", path: "/" });
    assert.deepEqual(response.setCookies, cookies);
    assert.equal(response.header("set-cookie"), cookies[0]);
  }
  await using plain = await serveHttp((_, response) => void response.end());
  await using other = await open(plain.url);
  assert.deepEqual((await other.send({ method: "GET", path: "/" })).setCookies, []);
});

test("`openHttpClient()` ends one request with its signal, and the client goes on", async () => {
  let arrived: () => void = () => {};
  await using server = await serveHttp((request, response) => {
    if (request.url === "/slow") arrived();
    else response.end();
  });
  await using client = await open(server.url);
  const controller = new AbortController();
  arrived = () => controller.abort(new Error("given up"));
  const slow = client.send({ method: "POST", path: "/slow", body: {}, signal: controller.signal });
  await assert.rejects(slow, { message: "given up" });
  assert.equal((await client.send({ method: "GET", path: "/" })).status, 200);
});

test("`openHttpClient()` sends no `POST` twice, busy or cut off", async () => {
  let requests = 0;
  await using server = await serveHttp((request, response) => {
    requests += 1;
    if (request.url === "/busy") response.writeHead(503).end();
    else if (request.url === "/cut") request.socket.destroy();
    else {response.writeHead(200, { "content-length": "100" }).write("{", () =>
        request.socket.destroy());}
  });
  await using client = await open(server.url);
  assert.equal((await client.send({ method: "POST", path: "/busy", body: {} })).status, 503);
  await assert.rejects(client.send({ method: "POST", path: "/cut", body: {} }));
  await assert.rejects(client.send({ method: "POST", path: "/half", body: {} }));
  assert.equal(requests, 3);
  assert.equal((await client.send({ method: "PUT", path: "/busy", body: {} })).status, 503);
  assert.equal(requests, 6);
});

test("`openHttpClient()` waits as long as a busy server asks for, within the time limit", async () => {
  const times: number[] = [];
  await using server = await serveHttp((_, response) => {
    times.push(Date.now());
    response.writeHead(503, { "retry-after": "3" }).end();
  });
  await using client = await open(server.url, "--timeout", "4s");
  assert.equal((await client.send({ method: "GET", path: "/" })).status, 503);
  assert.equal(times.length, 2, "there was no time for a third one");
  assert.ok(times[1]! - times[0]! >= 2_900, String(times));
});

test("`openHttpClient()` says how long a body is, whatever the method, and asks for no encoding", async () => {
  const seen: unknown[] = [];
  await using server = await serveHttp(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { "content-length": length, "transfer-encoding": chunked } = request.headers;
    seen.push([request.method, length, chunked, request.headers["accept-encoding"], body]);
    response.end();
  });
  await using client = await open(server.url);
  for (const method of ["PUT", "DELETE"] as const) {
    await client.send({ method, path: "/", body: { a: "é" } });
  }
  const body = '{"a":"é"}';
  assert.deepEqual(seen, [
    ["PUT", "10", undefined, "identity", body],
    ["DELETE", "10", undefined, "identity", body],
  ]);
});

test("`HttpClient.close()` ends an answer that nobody reads", async () => {
  let closed: Promise<void> | undefined;
  await using server = await serveHttp((request, response) => {
    closed = new Promise((resolve) => request.socket.on("close", () => resolve()));
    response.write("begun");
  });
  const args = ["ping", "--server", server.url];
  const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
  const client = openHttpClient(connection);
  const request = { server: connection.servers[0]!, method: "GET", path: "/", token: undefined };
  await client.open(request);
  await client.close();
  await closed;
});
