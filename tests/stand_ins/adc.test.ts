import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { runStandIn } from "./run_stand_in.ts";

const cwd = mkdtempSync(join(tmpdir(), "adc-run-stand-in-"));
after(() => rmSync(cwd, { recursive: true, force: true }));
const configuration = {
  services: [{ name: "web", desc: "${GREETING}", routes: [{ name: "all", uris: ["/all"] }] }],
};
writeFileSync(join(cwd, "adc.json"), JSON.stringify(configuration));
writeFileSync(join(cwd, "adc.yaml"), "services: [] # ${GREETING}\n");

function envOf(sandbox: Sandbox, backend: string): Record<string, string> {
  return {
    ADC_BACKEND: backend,
    ADC_SERVER: sandbox.url,
    ADC_TOKEN: sandbox.addToken().value,
    ADC_CA_CERT_FILE: sandbox.ca,
    GREETING: "hello",
  };
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

for (const backend of ["api7ee", "apisix", "apisix-standalone"] as const) {
  test(`\`adc sync\` writes a service and a route: ${backend}`, async () => {
    await using sandbox = await startSandbox({ backend, https: true });
    const env = envOf(sandbox, backend);
    for (const file of ["adc.json", "adc.yaml"]) {
      const { code, stdout, stderr } = await runStandIn("adc.mjs", ["sync", "-f", file], {
        env,
        cwd,
      });
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /success\s+Sync configuration/);
    }
    const services = sandbox.resources("services") as { name: string; desc: string }[];
    assert.deepEqual(services.map(({ name, desc }) => [name, desc]), [
      ["web", "hello"],
      ["adc.yaml", "services: [] # hello\n"],
    ]);
    assert.equal(sandbox.resources("routes").length, 2);
  });

  test(`\`adc dump\`, \`diff\` and \`validate\` succeed: ${backend}`, async () => {
    await using sandbox = await startSandbox({ backend });
    const env = envOf(sandbox, backend);
    const commands = [["dump", "-o", "out.yaml"], ["diff"], ["validate", "-f", "adc.json"]];
    for (const args of commands) {
      const { code, stdout, stderr } = await runStandIn("adc.mjs", args, { env, cwd });
      assert.equal(code, 0, stdout + stderr);
    }
    assert.equal(typeof JSON.parse(readFileSync(join(cwd, "out.yaml"), "utf8")), "object");
  });
}

test("`adc ping` reports success, and a failure with exit code 1 and no hint", async () => {
  await using sandbox = await startSandbox();
  const env = envOf(sandbox, "api7ee");
  const good = await runStandIn("adc.mjs", ["ping"], { env, cwd });
  assert.equal(good.stdout, 'Connected to the "api7ee" backend successfully!\n');
  assert.equal(good.code, 0);
  const bad = await runStandIn("adc.mjs", ["ping", "--token", "a7ee-wrong"], { env, cwd });
  assert.match(bad.stdout, /AxiosError: Request failed with status code 401/);
  assert.equal(bad.code, 1);
});

test("`adc` asks what ADC asks first, and nothing of a gateway group for an admin key", async () => {
  await using sandbox = await startSandbox();
  const env = envOf(sandbox, "api7ee");
  await runStandIn("adc.mjs", ["dump", "-o", "out.yaml"], { env, cwd });
  const first = sandbox.requests.slice(0, 3).map(({ path }) => path).sort();
  assert.deepEqual(first, ["/api/gateway_groups", "/api/schema/core", "/api/version"]);
  const { query } = sandbox.requests.find(({ path }) => path === "/api/gateway_groups") ?? {};
  assert.deepEqual({ ...query }, { search: "default", name: "default" });

  const before = sandbox.requests.length;
  const admin = { ...env, ADC_TOKEN: sandbox.addToken({ prefix: "a7adm-" }).value };
  const { code } = await runStandIn("adc.mjs", ["dump", "-o", "out.yaml"], { env: admin, cwd });
  assert.equal(code, 0);
  const later = sandbox.requests.slice(before);
  assert.equal(later.some(({ path }) => path === "/api/gateway_groups"), false);
});

test("`adc --verbose 2` leaks the token of a failing request three times", async () => {
  await using sandbox = await startSandbox();
  const token = "a7ee-leaks-like-the-real-one";
  const env = { ...envOf(sandbox, "api7ee"), ADC_TOKEN: token };
  const leaky = await runStandIn("adc.mjs", ["ping", "--verbose", "2"], { env, cwd });
  assert.equal(count(leaky.stdout, token), 3);
  assert.match(leaky.stdout, /'X-API-KEY': 'a7ee-/);
  const quiet = await runStandIn("adc.mjs", ["ping"], { env, cwd });
  assert.equal(count(quiet.stdout + quiet.stderr, token), 0);
});

test("`adc --verbose 2` stars the token of a request that succeeds", async () => {
  await using sandbox = await startSandbox();
  const env = envOf(sandbox, "api7ee");
  const args = ["dump", "-o", "out.yaml", "--verbose", "2"];
  const { stdout } = await runStandIn("adc.mjs", args, { env, cwd });
  assert.match(stdout, /X-API-KEY: \*{5}/);
  assert.equal(count(stdout, env["ADC_TOKEN"] ?? ""), 0);
});

test("`adc` exits 0 with half an mTLS pair, and asks nothing", async () => {
  await using sandbox = await startSandbox({ clientCertificate: true });
  const env = { ...envOf(sandbox, "api7ee"), ADC_TLS_CLIENT_CERT_FILE: sandbox.clientCert };
  const half = await runStandIn("adc.mjs", ["ping"], { env, cwd });
  assert.equal(half.code, 0);
  assert.match(half.stdout, /must be provided at the same time/);
  assert.equal(sandbox.requests.length, 0);
  const args = ["ping", "--tls-client-key-file", sandbox.clientKey];
  assert.match((await runStandIn("adc.mjs", args, { env, cwd })).stdout, /successfully/);
});

test("`adc` verifies certificates unless ADC_TLS_SKIP_VERIFY has any value at all", async () => {
  await using sandbox = await startSandbox({ https: true, expiredCertificate: true });
  const env = envOf(sandbox, "api7ee");
  assert.equal((await runStandIn("adc.mjs", ["ping"], { env, cwd })).code, 1);
  const skipping = { ...env, ADC_TLS_SKIP_VERIFY: "false" };
  assert.equal((await runStandIn("adc.mjs", ["ping"], { env: skipping, cwd })).code, 0);
});

test("`adc` reads `.env` in its folder, under the environment and the flags", async () => {
  await using sandbox = await startSandbox();
  const folder = mkdtempSync(join(cwd, "dotenv-"));
  const { ADC_TOKEN: _, ...env } = envOf(sandbox, "api7ee");
  writeFileSync(join(folder, ".env"), "ADC_TOKEN=from-file\n");
  await runStandIn("adc.mjs", ["ping"], { env, cwd: folder });
  await runStandIn("adc.mjs", ["ping"], { env: { ...env, ADC_TOKEN: "from-env" }, cwd: folder });
  await runStandIn("adc.mjs", ["ping", "--token", "from-flag"], { env, cwd: folder });
  await runStandIn("adc.mjs", ["ping"], { env, cwd });
  const keys = sandbox.requests.map(({ apiKey }) => apiKey);
  assert.deepEqual(keys, ["from-file", "from-env", "from-flag", undefined]);
});

test("`adc` gives up after `--timeout`", async () => {
  await using sandbox = await startSandbox();
  sandbox.fault("/", { kind: "slow-headers", ms: "never" });
  const args = ["ping", "--timeout", "50ms"];
  const { code, stdout } = await runStandIn("adc.mjs", args, {
    env: envOf(sandbox, "api7ee"),
    cwd,
  });
  assert.equal(code, 1);
  assert.match(stdout, /timed out after 50ms/);
});

test("`adc` has colors when FORCE_COLOR says so", async () => {
  const args = ["lint", "-f", "adc.json"];
  const plain = await runStandIn("adc.mjs", args, { cwd });
  const color = await runStandIn("adc.mjs", args, { env: { FORCE_COLOR: "1" }, cwd });
  assert.equal(plain.stdout.includes("\u001b["), false);
  assert.equal(color.stdout.includes("\u001b[32m"), true);
});

test("`adc` needs no backend for `lint`, `convert`, `help` and `--version`", async () => {
  for (
    const args of [
      ["lint", "-f", "adc.json"],
      ["convert", "openapi", "-f", "adc.json", "-o", "converted.yaml"],
      ["help", "sync"],
      ["sync", "--help"],
    ]
  ) {
    assert.equal((await runStandIn("adc.mjs", args, { cwd })).code, 0);
  }
  const version = await runStandIn("adc.mjs", ["--version"], { cwd });
  assert.equal(version.stdout, "0.28.0-standin\n");
  assert.equal((await runStandIn("adc.mjs", ["nonsense"], { cwd })).code, 1);
});
