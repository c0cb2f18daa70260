import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { inspect } from "node:util";
import { checkToken } from "../../src/check/check_token.ts";
import { CheckError } from "../../src/check/verdict.ts";
import type { CheckResult } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { Secret } from "../../src/secret.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { Sandbox, SandboxOptions } from "../sandbox/sandbox.ts";
import { createCertificate } from "../sandbox/certificate.ts";
import { serveTls } from "../support/chains.ts";
import { serveHttp, serveTcp } from "../support/loopback.ts";
import { nodeRuntime, skipWithout } from "../support/runtimes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const node = nodeRuntime(24);

const TOKEN = "a7ee-example";

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ https: true, ...options });
  sandbox.addToken({ value: TOKEN });
  return sandbox;
}

async function check(url: string, env: Environment = {}): Promise<CheckResult> {
  const args = ["sync", "--backend", "api7ee", "--server", url];
  const connection = await resolveConnection({ args, env, cwd: "/nowhere" });
  return await checkToken(new Secret(TOKEN), { connection });
}

test("`checkToken()` trusts the CA that it is told to trust", async () => {
  await using sandbox = await start();
  const result = await check(sandbox.url, { ADC_CA_CERT_FILE: sandbox.ca });
  assert.equal(result.verdict, "valid", inspect(result));
});

test("`checkToken()` trusts a file with several CAs in it", async () => {
  await using sandbox = await start();
  await using folder = await temporaryFolder();
  const both = await readFile(sandbox.otherCa, "utf8") + await readFile(sandbox.ca, "utf8");
  const env = { ADC_CA_CERT_FILE: await folder.write("both.pem", both) };
  assert.equal((await check(sandbox.url, env)).verdict, "valid");
});

test("`checkToken()` says that the server's CA is not known, and what mends it", async () => {
  await using sandbox = await start();
  for (const env of [{}, { ADC_CA_CERT_FILE: sandbox.otherCa }]) {
    const result = await check(sandbox.url, env);
    assert.equal(result.verdict, "tls", inspect(result));
    assert.match(result.reason, /signed by an unknown CA/);
    assert.match(result.suggestion ?? "", /--ca-cert-file or ADC_CA_CERT_FILE/);
    assert.equal(new CheckError(result).exitCode, 69);
  }
  assert.deepEqual(sandbox.requests, []);
});

test("`checkToken()` says that the server's certificate has expired", async () => {
  await using sandbox = await start({ expiredCertificate: true });
  const result = await check(sandbox.url, { ADC_CA_CERT_FILE: sandbox.ca });
  assert.equal(result.verdict, "tls", inspect(result));
  assert.match(result.reason, /has expired/);
  assert.deepEqual(sandbox.requests, []);
});

test("`checkToken()` says that the server's certificate is for another name", async () => {
  await using sandbox = await start({ wrongName: true });
  const result = await check(sandbox.url, { ADC_CA_CERT_FILE: sandbox.ca });
  assert.equal(result.verdict, "tls", inspect(result));
  assert.match(result.reason, /is for another name/);
  assert.deepEqual(sandbox.requests, []);
});

test("`checkToken()` takes any certificate where the verification is off", async () => {
  for (const options of [{}, { expiredCertificate: true }, { wrongName: true }]) {
    await using sandbox = await start(options);
    const result = await check(sandbox.url, { ADC_TLS_SKIP_VERIFY: "true" });
    assert.equal(result.verdict, "valid", inspect(result));
  }
});

test("`checkToken()` shows its client certificate", async () => {
  await using sandbox = await start({ clientCertificate: true });
  const result = await check(sandbox.url, {
    ADC_CA_CERT_FILE: sandbox.ca,
    ADC_TLS_CLIENT_CERT_FILE: sandbox.clientCert,
    ADC_TLS_CLIENT_KEY_FILE: sandbox.clientKey,
  });
  assert.equal(result.verdict, "valid", inspect(result));
  assert.notEqual(sandbox.requests[0]?.clientCertificate, undefined);
});

test("`checkToken()` says that the server requires a client certificate", async () => {
  await using sandbox = await start({ clientCertificate: true });
  const result = await check(sandbox.url, { ADC_CA_CERT_FILE: sandbox.ca });
  assert.equal(result.verdict, "tls", inspect(result));
  assert.match(result.reason, /client certificate/);
  assert.match(result.suggestion ?? "", /--tls-client-cert-file/);
  assert.deepEqual(sandbox.requests, []);
});

test("`checkToken()` says that the server does not take the client certificate", async () => {
  await using sandbox = await start({ clientCertificate: true });
  const result = await check(sandbox.url, {
    ADC_CA_CERT_FILE: sandbox.ca,
    ADC_TLS_CLIENT_CERT_FILE: sandbox.otherClientCert,
    ADC_TLS_CLIENT_KEY_FILE: sandbox.otherClientKey,
  });
  assert.equal(result.verdict, "tls", inspect(result));
  assert.match(result.suggestion ?? "", /--tls-client-cert-file/);
  assert.deepEqual(sandbox.requests, []);
});

test("`checkToken()` says that a server at an https address speaks plain HTTP", async () => {
  await using server = await serveHttp((_request, response) => response.end());
  const result = await check(server.url.replace("http:", "https:"));
  assert.equal(result.verdict, "tls", inspect(result));
  assert.match(result.suggestion ?? "", /http:\/\/ instead of https:\/\//);
});

test("`checkToken()` says that a server at an http address speaks TLS", async () => {
  await using sandbox = await start();
  const result = await check(sandbox.url.replace("https:", "http:"));
  assert.ok(["unreachable", "wrong-server"].includes(result.verdict), inspect(result));
  assert.deepEqual(sandbox.requests, []);
});

test("`checkToken()` does not take a connection that breaks off for a matter of TLS", async () => {
  await using server = await serveTcp((socket) => socket.destroy());
  const result = await check(server.url.replace("http:", "https:"));
  assert.notEqual(result.verdict, "valid");
  assert.match(result.reason, /closed|TLS/);
});

test("`checkToken()` says that a certificate is self-signed, and has it named", async () => {
  // With and without the right to sign, of which the runtimes say different things.
  for (const use of ["server", "authority"] as const) {
    const { cert, key } = createCertificate("localhost", { use, hosts: ["localhost"] });
    await using server = await serveTls({ cert, key });
    const result = await check(server.url);
    assert.equal(result.verdict, "tls", inspect(result));
    assert.match(result.reason, /certificate is self-signed$/);
    assert.match(result.suggestion ?? "", /--ca-cert-file .* NODE_EXTRA_CA_CERTS .* Deno/);
    assert.equal(server.received, 0);
  }
});

test("`checkToken()` says that a server does not support HTTP/1.1", async () => {
  const { cert, key } = createCertificate("localhost", { use: "server", hosts: ["localhost"] });
  await using folder = await temporaryFolder({ "ca.pem": cert });
  const env = { ADC_CA_CERT_FILE: `${folder.path}/ca.pem` };
  const settings = "\0\0\0\x04\0\0\0\0\0";
  // With the protocol agreed on in the handshake, without, and without TLS.
  await using agreed = await serveTls({ cert, key, ALPNProtocols: ["h2"] });
  await using silent = await serveTls({ cert, key }, settings);
  await using plain = await serveTcp((socket) => {
    socket.once("data", () => socket.end(settings));
  });
  for (const { url } of [agreed, silent, plain]) {
    const result = await check(url, env);
    assert.equal(new CheckError(result).exitCode, 69, inspect(result));
    assert.match(result.reason, /does not support HTTP\/1\.1$/);
  }
});

/** Serves over TLS by Node.js, told to take every key. */
const ANY_KEY = `
  const options = JSON.parse(process.argv[1]);
  require("tls").createServer({ ...options, ciphers: "DEFAULT@SECLEVEL=0" }, (socket) => {
    socket.on("error", () => {});
  }).on("tlsClientError", () => {}).listen(0, "127.0.0.1", function () {
    console.log(this.address().port);
  });
`;

test("`checkToken()` says that the runtime takes no key that short", {
  skip: await skipWithout(node),
}, async () => {
  const { cert, key } = createCertificate("localhost", {
    use: "server",
    hosts: ["localhost"],
    rsaBits: 1024,
  });
  await using folder = await temporaryFolder({ "ca.pem": cert });
  const child = spawn(await node, ["-e", ANY_KEY, JSON.stringify({ cert, key })]);
  try {
    const [port] = await once(child.stdout, "data");
    const url = `https://localhost:${String(port).trim()}`;
    const isDeno = "deno" in process.versions;
    for (
      const env of [
        { ADC_CA_CERT_FILE: `${folder.path}/ca.pem` },
        // Node.js takes it then.
        ...(isDeno ? [{}, { ADC_TLS_SKIP_VERIFY: "true" }] : []),
      ]
    ) {
      const { verdict, reason, suggestion } = await check(url, env);
      assert.equal(verdict, "tls");
      assert.match(reason, /key .*too short/);
      assert.match(suggestion ?? "", /RSA key of at least 2048 bits/);
      assert.doesNotMatch(suggestion ?? "", /skip-verify/);
    }
  } finally {
    child.kill();
  }
});
