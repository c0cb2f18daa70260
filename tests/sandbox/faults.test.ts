import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "./ask.ts";
import { type Fault, startSandbox } from "./sandbox.ts";

test("`sandbox.fault()` answers with a status, a body and headers of choice", async () => {
  await using sandbox = await startSandbox();
  sandbox.fault("/api", {
    kind: "status",
    status: 429,
    body: { error_msg: "slow down" },
    headers: { "retry-after": "1" },
  });
  const answer = await ask(`${sandbox.url}/api/version`);
  assert.equal(answer.status, 429);
  assert.equal(answer.headers["retry-after"], "1");
  assert.deepEqual(answer.json, { error_msg: "slow down" });
});

test("`sandbox.fault()` ends after so many times, or when it is told to", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken();
  const status = async (): Promise<number> =>
    (await ask(`${sandbox.url}/api/version`, { key })).status;
  sandbox.fault("/", { kind: "status", status: 503 }, { times: 2 });
  assert.deepEqual([await status(), await status(), await status()], [503, 503, 200]);
  const end = sandbox.fault(/version$/, { kind: "status", status: 502 });
  assert.equal(await status(), 502);
  end();
  assert.equal(await status(), 200);
});

test("`sandbox.fault()` meets only the method and path that it names", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken();
  sandbox.fault({ method: "DELETE", path: "/api/tokens" }, { kind: "status", status: 500 });
  const url = `${sandbox.url}/api/tokens`;
  assert.equal((await ask(url, { key })).status, 200);
  assert.equal((await ask(`${url}/1`, { key, method: "DELETE" })).status, 500);
});

test("`sandbox.fault()` answers with a page, a redirect, half a document, another shape", async () => {
  await using sandbox = await startSandbox();
  async function meet(fault: Fault): ReturnType<typeof ask> {
    sandbox.fault("/", fault, { times: 1 });
    return await ask(sandbox.url);
  }
  const page = await meet({ kind: "html" });
  assert.match(page.headers["content-type"] ?? "", /^text\/html/);
  const redirect = await meet({ kind: "redirect", location: "https://elsewhere.example/" });
  assert.deepEqual([redirect.status, redirect.headers.location], [
    302,
    "https://elsewhere.example/",
  ]);
  const half = await meet({ kind: "malformed-json" });
  assert.equal(half.headers["content-type"], "application/json");
  assert.equal(half.json, undefined);
  assert.deepEqual((await meet({ kind: "wrong-shape" })).json, { hello: "world" });
});

for (const when of ["before", "during", "after-headers"] as const) {
  test(`\`sandbox.fault()\` cuts the connection: ${when}`, async () => {
    await using sandbox = await startSandbox();
    sandbox.fault("/", { kind: "reset", when }, { times: 1 });
    await assert.rejects(ask(sandbox.url));
    assert.equal(sandbox.requests[0]?.status, 0);
    assert.equal((await ask(sandbox.url)).status, 404);
  });
}

for (const kind of ["slow-headers", "slow-body"] as const) {
  test(`\`sandbox.fault()\` delivers the right reply late: ${kind}`, async () => {
    await using sandbox = await startSandbox();
    const { value: key } = sandbox.addToken();
    sandbox.fault("/", { kind, ms: 5 });
    const answer = await ask(`${sandbox.url}/api/version`, { key });
    assert.deepEqual(answer.json, { value: "3.9.14" });
  });
}

test("`sandbox.fault()` does the work and loses the answer", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken();
  const path = "/api/tokens";
  const post = (name: string): ReturnType<typeof ask> =>
    ask(sandbox.url + path, { method: "POST", key, body: { name, expires_at: 0 } });
  sandbox.fault({ method: "POST", path }, { kind: "reset", when: "done" }, { times: 1 });
  await assert.rejects(post("lost"));
  sandbox.fault({ method: "POST", path }, { kind: "malformed-json", done: true }, { times: 1 });
  assert.equal((await post("half")).json, undefined);
  const broken: Fault = { kind: "status", status: 500, done: true };
  sandbox.fault({ method: "POST", path }, broken, { times: 1 });
  assert.equal((await post("failed")).status, 500);
  const names = sandbox.liveTokens.map(({ name }) => name);
  assert.deepEqual(names, ["token 1", "lost", "half", "failed"]);
});

for (const moment of ["before", "after"] as const) {
  test(`\`sandbox.hold()\` keeps a request waiting ${moment} the server acts`, async () => {
    await using sandbox = await startSandbox();
    const { value: key } = sandbox.addToken();
    const hold = sandbox.hold({ method: "POST", path: "/api/tokens" }, moment);
    const pending = ask(`${sandbox.url}/api/tokens`, {
      method: "POST",
      key,
      body: { name: "held", expires_at: 0 },
    });
    assert.equal((await hold.arrived).path, "/api/tokens");
    assert.equal((await ask(`${sandbox.url}/api/version`, { key })).status, 200);
    assert.equal(sandbox.tokens.length, moment === "before" ? 1 : 2);
    hold.release();
    assert.equal((await pending).status, 200);
    assert.equal(sandbox.tokens.length, 2);
  });
}

test("`sandbox.stop()` refuses connections until `restart()`, and forgets nothing", async () => {
  await using sandbox = await startSandbox({ https: true });
  const { value: key } = sandbox.addToken();
  const version = (): ReturnType<typeof ask> =>
    ask(`${sandbox.url}/api/version`, { key, ca: sandbox.ca });
  await sandbox.stop();
  await assert.rejects(version(), { code: "ECONNREFUSED" });
  await sandbox.restart();
  assert.equal((await version()).status, 200);
});
