import assert from "node:assert/strict";
import { test } from "node:test";
import { CHECK_NAMES, diagnose } from "../../src/doctor/diagnose.ts";
import type { DiagnoseOptions } from "../../src/doctor/diagnose.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { Secret } from "../../src/secret.ts";
import { KeychainError } from "../../src/token/keychain.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = "a7ee-example-canary-1";

async function look(options: DiagnoseOptions): Promise<readonly Finding[]> {
  return await Array.fromAsync(diagnose({ keychain: fakeKeychain(), ...options }));
}

test("`diagnose()` finds something for every check, in their order, whatever is wrong", async () => {
  await using folder = await temporaryFolder();
  const base = { ADC_RUN_CONFIG_DIR: folder.path, PATH: "/nowhere" };
  for (
    const env of [
      {},
      { ADC_SERVER: "nonsense" },
      { ADC_SERVER: "http://127.0.0.1:1" },
      { ADC_RUN_PROFILE: "nobody" },
      { ADC_RUN_ALLOWED_SERVERS: "" },
    ]
  ) {
    const findings = await look({ env: { ...base, ...env }, cwd: folder.path });
    assert.deepEqual([...new Set(findings.map(({ check }) => check))], CHECK_NAMES);
    for (const { status, exitCode } of findings) {
      assert.equal(status === "failed", exitCode !== undefined, "a failure has an exit code");
    }
  }
});

test("`diagnose()` shows no secret that a server repeats", async () => {
  await using sandbox = await startSandbox();
  await using folder = await temporaryFolder();
  const body = { error_msg: `who is ${TOKEN} with pass-canary?` };
  sandbox.fault("/", {
    kind: "status",
    status: 401,
    body,
    headers: { server: `${TOKEN} pass-canary`, "content-type": "application/json" },
  });
  const findings = await look({
    env: {
      ADC_SERVER: sandbox.url.replace("//", "//zoe:pass-canary@"),
      ADC_BACKEND: "api7ee",
      ADC_TOKEN: TOKEN,
      ADC_RUN_CONFIG_DIR: folder.path,
    },
    cwd: folder.path,
  });
  assert.ok(findings.some(({ found }) => found.includes("who is *** with ***?")));
  assert.ok(!JSON.stringify(findings).includes("canary"));
});

test("`diagnose()` asks the sources that it is given, with the keychain that it watches", async () => {
  await using folder = await temporaryFolder();
  const keychain = fakeKeychain({}, { failure: "locked" });
  const findings = await look({
    env: { ADC_SERVER: "http://127.0.0.1:1", ADC_RUN_CONFIG_DIR: folder.path },
    cwd: folder.path,
    keychain,
    sources: (connection, watched) => [{
      name: "keychain",
      timeoutMs: 1_000,
      find: async () => {
        await watched.get(connection.servers[0]!.origin);
        return { status: "found", token: new Secret(TOKEN), detail: "never" };
      },
    }],
  });
  const of = (check: string) => findings.find((each) => each.check === check);
  assert.equal(of("token")?.exitCode, 74);
  assert.equal(of("keychain")?.status, "failed");
  assert.deepEqual(keychain.asked, ["http://127.0.0.1:1"], "it is asked only once");
});

test("`diagnose()` says what is wrong with the keychain, where that can be mended", async () => {
  await using folder = await temporaryFolder();
  const failure = new KeychainError("failed", "it has 2 entries", { suggestion: "Remove one." });
  const findings = await look({
    env: { ADC_BACKEND: "api7ee", ADC_RUN_CONFIG_DIR: folder.path },
    cwd: folder.path,
    keychain: { ...fakeKeychain(), get: () => Promise.reject(failure) },
  });
  const keychain = findings.find(({ check }) => check === "keychain");
  assert.deepEqual([keychain?.found, keychain?.suggestion], ["it has 2 entries", "Remove one."]);
});

test("`diagnose()` ends with the signal's reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const env = { ADC_RUN_CONFIG_DIR: "/nowhere" };
  const findings = diagnose({ env, cwd: "/nowhere", signal: controller.signal });
  assert.equal((await findings.next()).done, false);
  controller.abort(reason);
  await assert.rejects(findings.next(), reason);
});
