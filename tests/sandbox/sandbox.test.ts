import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { ask, cookiesOf } from "./ask.ts";
import { startSandbox } from "./sandbox.ts";

test("`startSandbox()` answers 401 for a missing, wrong, expired or revoked token", async () => {
  let now = 1_000_000;
  await using sandbox = await startSandbox({ now: () => now });
  const url = `${sandbox.url}/api/gateway_groups`;
  const brief = sandbox.addToken({ expiresAt: 1060 });
  const revoked = sandbox.addToken();

  assert.equal((await ask(url, { key: brief.value })).status, 200);
  now = 1_060_000;
  assert.equal((await ask(url, { key: revoked.value })).status, 200);
  assert.equal(sandbox.revokeToken(revoked.id), true);
  for (const key of [undefined, "a7ee-wrong", brief.value, revoked.value]) {
    const answer = await ask(url, key === undefined ? {} : { key });
    assert.equal(answer.status, 401);
    assert.equal(typeof answer.json.error_msg, "string");
  }
});

test("`sandbox.secrets` and `liveTokens` know every value ever given out, and what still works", async () => {
  let now = 1_000_000;
  await using sandbox = await startSandbox({ now: () => now });
  const token = sandbox.addToken({ name: "one" });
  const first = token.value;
  sandbox.addToken({ name: "brief", expiresAt: 1001 });
  const path = `${sandbox.url}/api/tokens/${token.id}/regenerate`;
  await ask(path, { method: "PUT", key: first, body: { expires_at: 0 } });
  const body = { username: "admin", password: "admin" };
  const login = await ask(`${sandbox.url}/api/login`, { method: "POST", body });
  now = 1_001_000;
  assert.deepEqual(sandbox.liveTokens.map(({ name }) => name), ["one"]);
  assert.ok(sandbox.secrets.includes(first) && sandbox.secrets.includes(token.value));
  assert.ok(sandbox.secrets.some((secret) => cookiesOf(login).includes(`session=${secret}`)));
});

test("`sandbox.close()` cuts open connections and deletes the certificates", async () => {
  const sandbox = await startSandbox();
  sandbox.fault("/", { kind: "slow-headers", ms: "never" });
  const arrived = new Promise<void>((resolve) => sandbox.hooks.onRequest = () => resolve());
  const pending = assert.rejects(ask(sandbox.url));
  await arrived;
  await sandbox.close();
  await pending;
  assert.equal(existsSync(sandbox.certDir), false);
});
