import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { startForwardProxy } from "../support/forward_proxy.ts";
import { readDuration } from "./adc/clap.mjs";
import { loadDotenvy } from "./adc/dotenvy.mjs";
import { isExempt } from "./adc/rust_client.mjs";
import { type RunResult, runStandIn } from "./run_stand_in.ts";

const cwd = mkdtempSync(join(tmpdir(), "adc-run-stand-in-"));
after(() => rmSync(cwd, { recursive: true, force: true }));
writeFileSync(join(cwd, "adc.json"), '{"services": [{"name": "web"}]}');

function envOf(sandbox: Sandbox, backend = "api7ee"): Record<string, string> {
  return {
    ADC_BACKEND: backend,
    ADC_SERVER: sandbox.url,
    ADC_TOKEN: sandbox.addToken().value,
    ADC_CA_CERT_FILE: sandbox.ca,
  };
}

function run(words: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
  return runStandIn("adc_rust.mjs", words, { env, cwd });
}

for (const backend of ["api7ee", "apisix", "apisix-standalone"] as const) {
  test(`the Rust \`adc\` does each of its commands: ${backend}`, async () => {
    await using sandbox = await startSandbox({ backend, https: true });
    const env = envOf(sandbox, backend);
    const commands = [["ping"], ["dump", "-o", "out.yaml"], ["diff", "-f=adc.json"]];
    for (const words of [...commands, ["sync", "-f", "adc.json"], ["validate", "-fadc.json"]]) {
      const { code, stdout, stderr } = await run(words, env);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stderr, /› ▶ {2}start .*\n[^]*› ★ {2}star/);
      assert.equal(stdout.includes("›"), false);
    }
    const events = JSON.parse(readFileSync(join(cwd, "diff.yaml"), "utf8"));
    assert.deepEqual(
      events.map((each: Record<string, unknown>) => [
        each.type,
        each.resource_type,
        each.resource_name,
      ]),
      [["create", "service", "web"], ["create", "route", "any"]],
    );
  });
}

test("the Rust `adc` asks first what the other does, but for a page of routes", async () => {
  await using sandbox = await startSandbox({ backend: "apisix" });
  await run(["ping"], envOf(sandbox, "apisix"));
  const [first] = sandbox.requests;
  assert.deepEqual([first?.path, { ...first?.query }], ["/apisix/admin/routes", {
    page: "1",
    page_size: "10",
  }]);
});

test("the Rust `adc` leaves with 2 where it cannot read its words or variables", async () => {
  const env = { ADC_TOKEN: "a7ee-example", ADC_SERVER: "http://127.0.0.1:1" };
  const refused: readonly [words: string[], variables?: Record<string, string>][] = [
    [[]],
    [["nonsense"]],
    [["-v"]],
    [["ping", "--unknown"]],
    [["ping", "word"]],
    [["ping", "--server", "http://a", "--server=http://b"]],
    [["ping", "--tls-skip-verify", "--tls-skip-verify"]],
    [["ping", "--tls-skip-verify=true"]],
    [["ping", "--gateway-group", "--server"]],
    [["ping", "--verbose", "3"]],
    [["ping", "--backend", "API7EE"]],
    ...["5000", "1.5s", ".5s", "1e3", "", "1S"].map((text): [string[]] => [
      ["ping", "--timeout", text],
    ]),
    [["ping", "--ca-cert-file", "missing.pem"]],
    [["ping"], { ADC_BACKEND: "" }],
    [["ping"], { ADC_CA_CERT_FILE: "" }],
    [["ping"], { ADC_TLS_CLIENT_CERT_FILE: "adc.json" }],
    ...["", "1", "yes", "TRUE"].map((text): [string[], Record<string, string>] => [
      ["ping"],
      { ADC_TLS_SKIP_VERIFY: text },
    ]),
  ];
  for (const [words, variables] of refused) {
    const { code, stdout } = await run(words, { ...env, ...variables });
    assert.deepEqual([code, stdout], [2, ""], words.join(" ") + JSON.stringify(variables));
  }
  for (const words of [["-V"], ["help"], ["sync", "--help"], ["--verbose", "2", "server"]]) {
    assert.equal((await run(words)).code, 0, words.join(" "));
  }
});

test("the Rust `adc` needs a token, and takes what comes first of a list", async () => {
  await using sandbox = await startSandbox();
  const { ADC_TOKEN: token = "", ...env } = envOf(sandbox);
  const without = await run(["ping"], env);
  assert.deepEqual([without.code, sandbox.requests.length], [1, 0]);
  assert.match(without.stderr, /^Error: a backend token is required/);
  const lists = {
    ...env,
    ADC_TOKEN: `${token},b`,
    ADC_SERVER: `${sandbox.url},http://127.0.0.1:1`,
  };
  assert.equal((await run(["ping"], lists)).code, 0);
});

test("the Rust `adc` stars the token of a failing request at verbosity 2", async () => {
  await using sandbox = await startSandbox();
  const env = { ...envOf(sandbox), ADC_TOKEN: "a7ee-never-shown" };
  const { code, stdout, stderr } = await run(["ping", "--verbose", "2"], env);
  assert.equal(code, 1);
  assert.match(stderr, /x-api-key: \*{5}\n/);
  assert.equal((stdout + stderr).includes("a7ee-never-shown"), false);
});

test("the Rust `adc` verifies unless ADC_TLS_SKIP_VERIFY is `true`, and has roots of its own", async () => {
  await using sandbox = await startSandbox({ https: true });
  const { ADC_CA_CERT_FILE: ca = "", ...env } = envOf(sandbox);
  const codeWith = async (more: Record<string, string>) =>
    (await run(["ping"], { ...env, ...more })).code;
  assert.equal(await codeWith({}), 1);
  assert.equal(await codeWith({ ADC_TLS_SKIP_VERIFY: "false" }), 1);
  assert.equal(await codeWith({ NODE_EXTRA_CA_CERTS: ca }), 1);
  assert.equal(await codeWith({ ADC_TLS_SKIP_VERIFY: "true" }), 0);
  assert.equal(await codeWith({ ADC_CA_CERT_FILE: ca }), 0);
});

test("the Rust `adc` gives up after `--timeout`, and at once after none", async () => {
  await using sandbox = await startSandbox();
  sandbox.fault("/", { kind: "slow-headers", ms: "never" });
  for (const text of ["50ms", "0s"]) {
    const { code, stderr } = await run(["ping", "--timeout", text], envOf(sandbox));
    assert.equal(code, 1);
    assert.match(stderr, /timed out\. Consider/);
  }
});

test("the Rust `adc` goes through a proxy, upper case first, but past it by its own rules", async () => {
  for (const https of [false, true]) {
    await using sandbox = await startSandbox({ https });
    await using proxy = await startForwardProxy();
    const dead = "http://127.0.0.1:1";
    const proxies = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, http_proxy: dead };
    const env = { ...envOf(sandbox), ...proxies };
    assert.equal((await run(["ping"], env)).code, 0);
    assert.equal(proxy.asked.length, 1);
    const { hostname } = new URL(sandbox.url);
    assert.equal((await run(["ping"], { ...env, NO_PROXY: hostname })).code, 0);
    assert.equal(proxy.asked.length, 1);
  }
  for (const entry of ["example.com", ".example.com", "*", "a,example.com"]) {
    assert.equal(isExempt("api.example.com", entry), true, entry);
  }
  for (const entry of ["", "*.example.com", "example.com:443", "xample.com", "api"]) {
    assert.equal(isExempt("api.example.com", entry), false, entry);
  }
  assert.equal(isExempt("10.1.2.3", "10.0.0.0/8"), true);
  assert.equal(isExempt("10.1.2.3", "*"), false);
});

test("the Rust `adc` reads `.env` by dotenvy's rules", () => {
  const read = (text: string, env: Record<string, string> = { HOME: "/h" }) => {
    loadDotenvy(new TextEncoder().encode(text), env);
    return env.A;
  };
  // Each as dotenvy 0.15.7 reads it.
  const values: readonly [text: string, value: string | undefined][] = [
    ["A=1\nA=2", "1"],
    ["A=x$HOME", "x/h"],
    ["A=${HOME}x", "/hx"],
    ["A='$HOME'", "$HOME"],
    ["A=\\$HOME", "$HOME"],
    ["A=x$", "x"],
    ['A="$HOME"', undefined],
    ['A="${HOME}"', "/h"],
    ["A: 1", undefined],
    ["B: 1\nA=1", undefined],
    ["A=1\nB: 1", "1"],
    ['B="open\nA=1', undefined],
    ["B=it's\nA=1", undefined],
    ["B=1 # it's\nA=1", "1"],
    ["B=1  # it's\nA=1", undefined],
    ["A=1 2", undefined],
    ["A=1 # 2", "1"],
    ["A=1#2", "1#2"],
    ["A='1'2", "12"],
    ['A="1\\n2"', "1\n2"],
    ['A="1\\t2"', undefined],
    ["A='1\n2'", "1\n2"],
    ["A=`1`", "`1`"],
    ["B=`\nA=1\n`", "1"],
    ["export A=1", "1"],
    ["export A", undefined],
    ["A=1\r\n", "1"],
    ["A= ", undefined],
    ["A= \n", ""],
    ["\ufeffA=1", "1"],
    ["A=1\\", undefined],
    ["1X=2\nA=1", undefined],
    ["A-B=2\nA=1", undefined],
  ];
  for (const [text, value] of values) assert.equal(read(text), value, JSON.stringify(text));
  assert.equal(read("A=1", { A: "" }), "");
});

test("the Rust `adc` reads durations by humantime's rules", () => {
  const values = {
    "1h10m": 4_200_000,
    "1m 30s": 90_000,
    "1 min": 60_000,
    "2d": 172_800_000,
    "0s": 0,
  };
  for (const [text, value] of Object.entries(values)) assert.equal(readDuration(text), value, text);
  for (const text of ["5000", "1.5s", ".5s", "1e3", "0", "", "1H", "s"]) {
    assert.equal(readDuration(text), undefined, text);
  }
});
