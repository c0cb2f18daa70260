import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { checkToken } from "../../src/check/check_token.ts";
import type { CheckResult } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { Secret } from "../../src/secret.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { startForwardProxy } from "../support/forward_proxy.ts";
import { freePort } from "../support/loopback.ts";
import { checkAgainst } from "../support/mock_server.ts";

const TOKEN = "a7ee-example";

async function check(url: string, env: Environment): Promise<CheckResult> {
  const args = ["sync", "--backend", "api7ee", "--server", url];
  const connection = await resolveConnection({ args, env, cwd: "/nowhere" });
  return await checkToken(new Secret(TOKEN), { connection });
}

test("`checkToken()` sends a plain request to the proxy itself, as ADC does", async () => {
  await using sandbox = await startSandbox();
  sandbox.addToken({ value: TOKEN });
  await using proxy = await startForwardProxy();
  for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) {
    const result = await check(`http://gateway.example:${sandbox.port}`, { [name]: proxy.url });
    assert.equal(result.verdict, "valid", inspect(result));
  }
  const line = `GET http://gateway.example:${sandbox.port}/api/gateway_groups?search=default` +
    "&name=default";
  assert.deepEqual(proxy.asked, [line, line, line]);
  assert.deepEqual(new Set(proxy.tokens), new Set([TOKEN]));
});

test("`checkToken()` asks the proxy for a tunnel where the request is encrypted", async () => {
  await using sandbox = await startSandbox({ https: true, hosts: ["gateway.example"] });
  sandbox.addToken({ value: TOKEN });
  await using proxy = await startForwardProxy();
  const env = { HTTPS_PROXY: proxy.url, ADC_CA_CERT_FILE: sandbox.ca };
  const result = await check(`https://gateway.example:${sandbox.port}`, env);
  assert.equal(result.verdict, "valid", inspect(result));
  assert.deepEqual(proxy.asked, [`CONNECT gateway.example:${sandbox.port}`]);
  assert.deepEqual(proxy.tokens, []);
});

test("`checkToken()` verifies the server's certificate through a tunnel", async () => {
  await using sandbox = await startSandbox({ https: true, hosts: ["gateway.example"] });
  await using proxy = await startForwardProxy();
  const result = await check(`https://gateway.example:${sandbox.port}`, {
    HTTPS_PROXY: proxy.url,
    ADC_CA_CERT_FILE: sandbox.otherCa,
  });
  assert.equal(result.verdict, "tls", inspect(result));
  assert.deepEqual(sandbox.requests, []);
});

test("`checkToken()` goes past the proxy to the hosts in NO_PROXY", async () => {
  await using sandbox = await startSandbox();
  sandbox.addToken({ value: TOKEN });
  await using proxy = await startForwardProxy();
  for (
    const noProxy of ["127.0.0.1", "*", "elsewhere.example,127.0.0.1", `127.0.0.1:${sandbox.port}`]
  ) {
    const result = await check(sandbox.url, { HTTP_PROXY: proxy.url, NO_PROXY: noProxy });
    assert.equal(result.verdict, "valid", inspect(result));
  }
  assert.deepEqual(proxy.asked, []);
  for (const noProxy of ["", "elsewhere.example", "127.0.0.1:1"]) {
    await check(sandbox.url, { HTTP_PROXY: proxy.url, NO_PROXY: noProxy });
  }
  assert.equal(proxy.asked.length, 3);
});

test("`checkToken()` takes the proxy from its options alone, not from the process", async () => {
  await using sandbox = await startSandbox();
  sandbox.addToken({ value: TOKEN });
  assert.equal((await check(sandbox.url, {})).verdict, "valid");
});

test("`checkToken()` shows the proxy the user name and password in its address", async () => {
  await using sandbox = await startSandbox();
  sandbox.addToken({ value: TOKEN });
  await using secure = await startSandbox({ https: true });
  secure.addToken({ value: TOKEN });
  await using proxy = await startForwardProxy();
  const url = proxy.url.replace("http://", "http://bob:hunter2@");
  const plain = await check(sandbox.url, { HTTP_PROXY: url });
  assert.equal(plain.verdict, "valid", inspect(plain));
  const tunnel = await check(secure.url, { HTTPS_PROXY: url, ADC_CA_CERT_FILE: secure.ca });
  assert.equal(tunnel.verdict, "valid", inspect(tunnel));
  const basic = `Basic ${btoa("bob:hunter2")}`;
  assert.deepEqual(proxy.authorizations, [basic, basic]);
  assert.ok(sandbox.requests.every(({ headers }) => headers["proxy-authorization"] === undefined));
});

test("`checkToken()` says that the proxy refuses, and not that the server does", async () => {
  await using proxy = await startForwardProxy({ refuse: 407 });
  for (const url of ["http://gateway.example:1", "https://gateway.example:1"]) {
    const bob = proxy.url.replace("http://", "http://bob:hunter2@");
    const result = await check(url, { HTTP_PROXY: bob, HTTPS_PROXY: bob });
    assert.equal(result.verdict, "unreachable", inspect(result));
    assert.equal(result.reason, "the proxy refused the request (407)");
    assert.match(
      result.suggestion ?? "",
      /through proxy 127\.0\.0\.1:\d+, which HTTPS?_PROXY sets/,
    );
    assert.ok(!JSON.stringify(result).includes("hunter2"));
  }
});

test("`checkToken()` asks a proxy thrice for a tunnel that it cannot make for now", async () => {
  for (const [refuse, times] of [[429, 3], [502, 3], [503, 3], [504, 3], [403, 1], [500, 1]]) {
    await using proxy = await startForwardProxy({ refuse: refuse! });
    const result = await check("https://gateway.example:1", { HTTPS_PROXY: proxy.url });
    assert.deepEqual([result.verdict, result.reason, proxy.asked.length], [
      "unreachable",
      `the proxy refused the request (${refuse})`,
      times,
    ]);
  }
});

test("`checkToken()` says that the proxy cannot be reached", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  for (const server of ["http://gateway.example:1", "https://gateway.example:1"]) {
    const result = await check(server, { HTTP_PROXY: url, HTTPS_PROXY: url });
    assert.equal(result.verdict, "unreachable", inspect(result));
    assert.match(result.reason, /the connection was refused \(ECONNREFUSED\)$/);
  }
});

test("`checkToken()` takes a server with the word proxy in its name for no proxy", async () => {
  const error = new Error("getaddrinfo ENOTFOUND apiproxy.example");
  const { result } = await checkAgainst(
    "sync --server http://apiproxy.example",
    () => Object.assign(error, { code: "ENOTFOUND" }),
  );
  assert.equal(result.reason, "no such host (ENOTFOUND)");
});
