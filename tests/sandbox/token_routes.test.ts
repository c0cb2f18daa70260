import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, ask, type Question } from "./ask.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";

function asker(sandbox: Sandbox, key: string): (line: string, body?: unknown) => Promise<Answer> {
  return (line, body) => {
    const [method = "GET", path = "/"] = line.split(" ");
    return ask(sandbox.url + path, { method, key, body } satisfies Question);
  };
}

test("`POST /api/tokens` gives the secret, and no later answer does", async () => {
  await using sandbox = await startSandbox();
  const tell = asker(sandbox, sandbox.addToken({ name: "root" }).value);
  const created = await tell("POST /api/tokens", { name: "mine", expires_at: 0 });
  const { id, token } = created.json.value;
  assert.match(token, /^a7ee-/);
  assert.equal((await ask(`${sandbox.url}/api/version`, { key: token })).status, 200);

  const one = await tell(`GET /api/tokens/${id}`);
  assert.equal(one.json.value.name, "mine");
  const list = await tell("GET /api/tokens");
  assert.equal(list.json.total, 2);
  assert.equal(one.text.includes(token) || list.text.includes(token), false);
});

test("`POST /api/tokens` refuses a long name, a taken name and a wrong expiry", async () => {
  await using sandbox = await startSandbox();
  const tell = asker(sandbox, sandbox.addToken({ name: "taken" }).value);
  const bodies = [
    { name: "x".repeat(41), expires_at: 0 },
    { name: "taken", expires_at: 0 },
    { name: "ok", expires_at: -1 },
    { name: "ok" },
  ];
  for (const body of bodies) {
    const answer = await tell("POST /api/tokens", body);
    assert.equal(answer.status, 400);
    assert.equal(typeof answer.json.error_msg, "string");
  }
  assert.equal(
    (await tell("POST /api/tokens", { name: "x".repeat(40), expires_at: 0 })).status,
    200,
  );
  const keys = { name: "\u{1F511}".repeat(40), expires_at: 0 };
  assert.equal((await tell("POST /api/tokens", keys)).status, 200, "characters, not their halves");
});

test("`GET /api/tokens` pages, searches, orders, and shows only one's own", async () => {
  let now = 1_000_000;
  await using sandbox = await startSandbox({ now: () => now += 1000 });
  sandbox.addUser({ username: "other", password: "pw" });
  sandbox.addToken({ user: "other", name: "token of another" });
  const tell = asker(sandbox, sandbox.addToken({ name: "first" }).value);
  for (const name of ["second", "third"]) sandbox.addToken({ name });

  const names = async (query: string): Promise<string[]> => {
    const { json } = await tell(`GET /api/tokens?${query}`);
    return json.list.map((token: { name: string }) => token.name);
  };
  assert.deepEqual(await names(""), ["third", "second", "first"]);
  assert.deepEqual(await names("direction=asc&page=2&page_size=2"), ["third"]);
  assert.deepEqual(await names("search=ir&direction=asc"), ["first", "third"]);
});

test("`GET /api/tokens/check_name` tells whether a name is taken", async () => {
  await using sandbox = await startSandbox();
  const tell = asker(sandbox, sandbox.addToken({ name: "taken" }).value);
  assert.deepEqual((await tell("GET /api/tokens/check_name?name=taken")).json, {
    value: { exist: true },
  });
  assert.deepEqual((await tell("GET /api/tokens/check_name?name=free")).json, {
    value: { exist: false },
  });
});

test("`PUT /api/tokens/:id` renames", async () => {
  await using sandbox = await startSandbox();
  const token = sandbox.addToken({ name: "before" });
  const answer = await asker(sandbox, token.value)(`PUT /api/tokens/${token.id}`, {
    name: "after",
  });
  assert.equal(answer.json.value.name, "after");
  assert.equal(sandbox.tokens[0]?.name, "after");
});

test("`PUT /api/tokens/:id/regenerate` ends the old value at once", async () => {
  await using sandbox = await startSandbox();
  const token = sandbox.addToken();
  const old = token.value;
  const tell = asker(sandbox, old);
  const answer = await tell(`PUT /api/tokens/${token.id}/regenerate`, { expires_at: 0 });
  assert.equal((await tell("GET /api/version")).status, 401);
  const fresh = asker(sandbox, answer.json.value.token);
  assert.equal((await fresh("GET /api/version")).status, 200);
});

test("`DELETE /api/tokens/:id` revokes, but never another user's token", async () => {
  await using sandbox = await startSandbox();
  sandbox.addUser({ username: "other", password: "pw" });
  const foreign = sandbox.addToken({ user: "other" });
  const mine = sandbox.addToken();
  const tell = asker(sandbox, mine.value);
  assert.equal((await tell(`DELETE /api/tokens/${foreign.id}`)).status, 404);
  assert.equal((await tell(`DELETE /api/tokens/${mine.id}`)).status, 200);
  assert.deepEqual(sandbox.tokens.map(({ revoked }) => revoked), [false, true]);
  assert.equal((await tell("GET /api/version")).status, 401);
});

test("`GET /api/tokens` shows when a token was last used", async () => {
  await using sandbox = await startSandbox({ now: () => 5_000_000 });
  const token = sandbox.addToken();
  assert.equal(token.lastUsedAt, 0);
  const { json } = await asker(sandbox, token.value)("GET /api/tokens");
  assert.equal(json.list[0].last_used_at, 5000);
});

test("`tokenPath` decides which of the two paths answers 404", async () => {
  for (const tokenPath of ["/api/tokens", "/api/settings/tokens"] as const) {
    await using sandbox = await startSandbox({ tokenPath });
    const tell = asker(sandbox, sandbox.addToken().value);
    const other = tokenPath === "/api/tokens" ? "/api/settings/tokens" : "/api/tokens";
    assert.equal((await tell(`GET ${tokenPath}`)).status, 200);
    assert.equal((await tell(`GET ${other}`)).status, 404);
    assert.equal((await tell(`POST ${other}`, { name: "n", expires_at: 0 })).status, 404);
  }
});
