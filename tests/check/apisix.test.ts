import assert from "node:assert/strict";
import { test } from "node:test";
import { checkToken } from "../../src/check/check_token.ts";
import { CheckError } from "../../src/check/verdict.ts";
import type { CheckResult } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { Secret } from "../../src/secret.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { Sandbox, SandboxOptions } from "../sandbox/sandbox.ts";

type ApisixKind = "apisix" | "apisix-standalone";

interface Asked {
  readonly command?: string;
  readonly token?: string | undefined;
  readonly server?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function check(
  sandbox: Sandbox,
  backend: ApisixKind,
  { command = "diff", token = sandbox.addToken().value, server = sandbox.url, env = {} }: Asked =
    {},
): Promise<CheckResult> {
  const args = [command, "--backend", backend, "--server", server];
  const ca = sandbox.url.startsWith("https") ? { ADC_CA_CERT_FILE: sandbox.ca } : {};
  const connection = await resolveConnection({ args, env: { ...ca, ...env }, cwd: "/nowhere" });
  return await checkToken(new Secret(token), { connection });
}

for (const backend of ["apisix", "apisix-standalone"] as const) {
  const start = (options: SandboxOptions = {}) => startSandbox({ backend, ...options });

  test(`allow_admin that does not list this machine is forbidden, and named: ${backend}`, async () => {
    await using sandbox = await start({ allowAdmin: false });
    const result = await check(sandbox, backend);
    assert.equal(result.verdict, "forbidden");
    assert.match(result.suggestion ?? "", /"allow_admin"/);
    assert.doesNotMatch(result.suggestion ?? "", /did not come from an Admin API/);
    assert.equal(new CheckError(result).exitCode, 77);
  });

  test(`what nginx says of TLS is the verdict tls: ${backend}`, async () => {
    await using sandbox = await start({ clientCertificate: true });
    const other = {
      ADC_TLS_CLIENT_CERT_FILE: sandbox.otherClientCert,
      ADC_TLS_CLIENT_KEY_FILE: sandbox.otherClientKey,
    };
    const right = {
      ADC_TLS_CLIENT_CERT_FILE: sandbox.clientCert,
      ADC_TLS_CLIENT_KEY_FILE: sandbox.clientKey,
    };
    const plain = sandbox.url.replace("https:", "http:");
    const cases: readonly [Asked, found: RegExp, suggestion: RegExp][] = [
      [{}, /No required SSL certificate/, /--tls-client-cert-file/],
      [{ env: other }, /SSL certificate error/, /--tls-client-cert-file/],
      [{ server: plain }, /plain HTTP request/, /https:\/\//],
    ];
    for (const [asked, found, suggestion] of cases) {
      const result = await check(sandbox, backend, asked);
      assert.equal(result.verdict, "tls");
      assert.match(result.reason, found);
      assert.match(result.suggestion ?? "", suggestion);
      assert.equal(new CheckError(result).exitCode, 69);
    }
    assert.equal((await check(sandbox, backend, { env: right })).verdict, "valid");
  });

  test(`a wrong key is rejected in the server's words: ${backend}`, async () => {
    await using sandbox = await start();
    const result = await check(sandbox, backend, { token: "not-this-key" });
    assert.equal(result.verdict, "rejected");
    assert.match(result.reason, /wrong apikey/);
  });

  test(`a server without \`admin_key_required\` takes a request without a key: ${backend}`, async () => {
    await using open = await start({ keyRequired: false });
    await using closed = await start();
    for (const [sandbox, verdict] of [[open, "valid"], [closed, "rejected"]] as const) {
      const args = ["sync", "--backend", backend, "--server", sandbox.url];
      const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
      const result = await checkToken(undefined, { connection });
      assert.equal(result.verdict, verdict);
      assert.ok(sandbox.requests.every(({ apiKey }) => apiKey === undefined));
      if (verdict === "rejected") assert.match(result.suggestion ?? "", /requires a key/);
    }
  });
}

test("a viewer's key may read: ping, diff and dump, not sync and validate", async () => {
  await using sandbox = await startSandbox({ backend: "apisix" });
  const token = sandbox.addToken({ permissions: { write: false } }).value;
  for (const command of ["ping", "diff", "dump"]) {
    assert.equal((await check(sandbox, "apisix", { command, token })).verdict, "valid", command);
  }
  for (const command of ["sync", "validate"]) {
    const result = await check(sandbox, "apisix", { command, token });
    assert.equal(result.verdict, "forbidden", command);
    assert.match(result.reason, /invalid method for role viewer/);
    assert.match(result.suggestion ?? "", /a viewer key, which can only read/);
    assert.equal((await check(sandbox, "apisix", { command })).verdict, "valid", command);
  }
  assert.deepEqual(sandbox.resources("routes"), []);
});

test("no version of APISIX is changed, or refused, by the look for a viewer's key", async () => {
  for (const version of ["3.2.2", "3.14.1", "3.18.0"]) {
    await using sandbox = await startSandbox({ backend: "apisix", version });
    assert.equal((await check(sandbox, "apisix", { command: "sync" })).verdict, "valid");
    const token = sandbox.addToken({ permissions: { write: false } }).value;
    const viewer = await check(sandbox, "apisix", { command: "sync", token });
    assert.equal(viewer.verdict, "forbidden", version);
  }
});

test("a viewer's key does not do for a standalone APISIX that refuses HEAD", async () => {
  await using late = await startSandbox({ backend: "apisix-standalone" });
  await using early = await startSandbox({ backend: "apisix-standalone", version: "3.13.0" });
  for (const [sandbox, verdict] of [[late, "forbidden"], [early, "valid"]] as const) {
    const token = sandbox.addToken({ permissions: { write: false } }).value;
    const result = await check(sandbox, "apisix-standalone", { token });
    assert.equal(result.verdict, verdict);
    if (verdict === "forbidden") {
      assert.match(result.suggestion ?? "", /a viewer key, which can only read/);
      assert.doesNotMatch(result.suggestion ?? "", /wrong, expired or revoked/);
    }
  }
});

test("standalone servers of several versions are asked as ADC asks them", async () => {
  const standalone = (options: SandboxOptions) =>
    startSandbox({ backend: "apisix-standalone", adminKeys: ["the-same-key"], ...options });
  await using late = await standalone({});
  await using early = await standalone({ version: "3.13.0" });
  await using hidden = await standalone({ version: "3.13.0", serverHeader: "nginx" });
  await using viewers = await startSandbox({ backend: "apisix-standalone" });
  viewers.addToken({ value: "the-same-key", permissions: { write: false } });
  const cases = [
    [[late, early], "wrong-server"],
    [[early, late], "valid"],
    [[hidden], "wrong-server"],
    [[early, hidden], "valid"],
    // By GET, which a viewer's key is good for.
    [[early, viewers], "valid"],
    [[late, viewers], "forbidden"],
  ] as const;
  for (const [servers, verdict] of cases) {
    const server = servers.map(({ url }) => url).join(",");
    const result = await check(late, "apisix-standalone", { server, token: "the-same-key" });
    assert.equal(result.verdict, verdict, result.reason);
  }
});

test("an APISIX with etcd is not in standalone mode, whatever its version", async () => {
  for (const version of ["3.2.2", "3.13.0", "3.18.0"]) {
    await using sandbox = await startSandbox({ backend: "apisix", version });
    const result = await check(sandbox, "apisix-standalone");
    assert.equal(result.verdict, "wrong-server", version);
    assert.match(result.reason, /in etcd, not in standalone mode/);
  }
});

test("version 2 of the Admin API does for ping alone, and the message names the setting", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", adminApiVersion: "v2" });
  for (const command of ["diff", "dump", "sync", "validate"]) {
    const result = await check(sandbox, "apisix", { command });
    assert.equal(result.verdict, "wrong-server", command);
    assert.match(result.suggestion ?? "", /admin_api_version: v3/);
  }
  const ping = await check(sandbox, "apisix", { command: "ping" });
  assert.equal(ping.verdict, "valid");
  assert.match(ping.warning ?? "", /admin_api_version: v3/);
});

test("an etcd that is dead is a server in trouble, in the server's words", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", etcd: false });
  const result = await check(sandbox, "apisix");
  assert.equal(result.verdict, "server-error");
  assert.match(result.reason, /no healthy etcd endpoint/);
});
