import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../src/secret.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { SandboxOptions, SandboxRequest } from "../sandbox/sandbox.ts";
import { assertHides, failureOf, logInAt, mock, openAt } from "../support/admin_api_fixture.ts";

const WANTED = { name: "wanted", expiresAt: 2_000_000_000 };

/** A sandbox and a session in it; requests time out after a second where a test says so. */
async function session(options: SandboxOptions & { readonly timeout?: string } = {}) {
  const { timeout = "10s", ...rest } = options;
  const sandbox = await startSandbox({ https: true, ...rest });
  const dev = sandbox.addUser({ username: "dev", password: "dev-password" });
  const api = await logInAt(sandbox, { flags: ["--timeout", timeout] });
  return {
    sandbox,
    dev,
    api,
    /** The live tokens. */
    live: () => sandbox.tokens.filter(({ revoked }) => !revoked),
    posts: () => sandbox.requests.filter(isPost).length,
    /** Makes the token when it is asked for, as the server does whose answer gets lost. */
    makesOnRequest: () => {
      sandbox.hooks.onRequest = (request) => {
        if (!isPost(request)) return;
        sandbox.hooks.onRequest = undefined;
        sandbox.addToken({ user: dev, ...WANTED });
      };
    },
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await sandbox.close();
    },
  };
}

function isPost({ method, path }: SandboxRequest): boolean {
  return method === "POST" && path.endsWith("/tokens");
}

const POST = { method: "POST", path: /tokens$/ } as const;

test("`AdminApi.createToken()` takes no name that is there already", async () => {
  await using at = await session();
  at.sandbox.addToken({ user: at.dev, name: "wanted" });
  const error = await failureOf(at.api.createToken(WANTED));
  assert.deepEqual([error.failure, error.exitCode], ["name-taken", 65]);
  assert.equal(at.posts(), 0);
});

test("`AdminApi.createToken()` asks nobody whether a name is taken that no other can have", async () => {
  await using at = await session();
  const made = await at.api.createToken({ ...WANTED, isUnique: true });
  assert.deepEqual(at.live().map(({ value }) => value), [made.token.reveal()]);
  assert.ok(at.sandbox.requests.every(({ path }) => !path.endsWith("/check_name")));
});

test("`AdminApi.createToken()` leaves a token alone that got the name meanwhile", async () => {
  await using at = await session();
  at.makesOnRequest();
  const error = await failureOf(at.api.createToken(WANTED));
  assert.deepEqual([error.failure, error.httpStatus], ["name-taken", 400]);
  assert.equal(at.posts(), 1);
  assert.equal(at.live().length, 1);
});

test("`AdminApi.createToken()` takes over the token whose answer was lost", async () => {
  for (const tokenPath of ["/api/tokens", "/api/settings/tokens"] as const) {
    for (
      const fault of [
        { kind: "reset", when: "before" },
        { kind: "reset", when: "during" },
        { kind: "reset", when: "after-headers" },
        { kind: "status", status: 500, body: { error_msg: "boom" } },
        { kind: "status", status: 502, body: "<html>" },
        { kind: "status", status: 503 },
        { kind: "status", status: 429 },
        { kind: "malformed-json" },
        { kind: "wrong-shape", body: { value: { id: "1" } } },
        { kind: "html" },
      ] as const
    ) {
      await using at = await session({ tokenPath });
      at.makesOnRequest();
      at.sandbox.fault(POST, fault, { times: 1 });
      const made = await at.api.createToken(WANTED);
      const label = JSON.stringify(fault);
      assert.equal(at.live().length, 1, label);
      const [stored] = at.live();
      assert.deepEqual([made.id, made.token.reveal()], [stored?.id, stored?.value], label);
      assert.deepEqual([made.name, made.expiresAt], ["wanted", WANTED.expiresAt]);
      assert.equal(at.posts(), 1, label);
    }
  }
});

test("`AdminApi.createToken()` takes over no token of the same name and another end", async () => {
  for (const expiresAt of [WANTED.expiresAt + 1, undefined]) {
    await using at = await session();
    let other: string | undefined;
    at.sandbox.hooks.onRequest = (request) => {
      if (!isPost(request) || other !== undefined) return;
      const { name } = WANTED;
      other = at.sandbox.addToken({ user: at.dev, name, ...(expiresAt && { expiresAt }) }).value;
    };
    at.sandbox.fault(POST, { kind: "reset", when: "before" }, { times: 1 });
    const error = await failureOf(at.api.createToken(WANTED));
    assert.deepEqual([error.failure, error.httpStatus], ["name-taken", 400]);
    assert.deepEqual(at.live().map(({ value }) => value), [other], "it is as it was");
  }
});

test("`AdminApi.createToken()` takes over a token without an end whose answer was lost", async () => {
  await using at = await session();
  at.sandbox.fault(POST, { kind: "status", status: 502 }, { times: 1 });
  at.sandbox.hooks.onRequest = (request) => {
    if (isPost(request)) at.sandbox.addToken({ user: at.dev, name: "wanted" });
  };
  const made = await at.api.createToken({ name: "wanted", expiresAt: undefined });
  assert.deepEqual(at.live().map(({ value }) => value), [made.token.reveal()]);
  assert.equal(at.posts(), 1);
});

test("`AdminApi.createToken()` asks once more when the token was not made", async () => {
  for (
    const fault of [
      { kind: "reset", when: "before" },
      { kind: "reset", when: "after-headers" },
      { kind: "status", status: 503 },
      { kind: "html" },
    ] as const
  ) {
    await using at = await session();
    at.sandbox.fault(POST, fault, { times: 1 });
    const made = await at.api.createToken(WANTED);
    assert.deepEqual(at.live().map(({ value }) => value), [made.token.reveal()]);
    assert.equal(at.posts(), 2);
  }
});

test("`AdminApi.createToken()` asks twice at most, and says what may be left", async () => {
  await using at = await session();
  at.sandbox.fault(POST, { kind: "status", status: 500, body: { error_msg: "boom" } });
  const error = await failureOf(at.api.createToken(WANTED));
  assert.deepEqual([error.failure, error.httpStatus], ["server-error", 500]);
  assert.match(error.suggestion ?? "", /may have created token "wanted"/);
  assert.equal(at.posts(), 2);
  assert.deepEqual(at.live(), []);
});

test("`AdminApi.createToken()` finds the token that the second answer lost", async () => {
  await using at = await session();
  at.sandbox.fault(POST, { kind: "reset", when: "before" });
  let posts = 0;
  at.sandbox.hooks.onRequest = (request) => {
    if (isPost(request) && ++posts === 2) at.sandbox.addToken({ user: at.dev, ...WANTED });
  };
  const made = await at.api.createToken(WANTED);
  assert.deepEqual(at.live().map(({ value }) => value), [made.token.reveal()]);
  assert.equal(at.posts(), 2);
});

test("`AdminApi.createToken()` takes over a token that was made late", async () => {
  await using at = await session();
  let posts = 0;
  at.sandbox.fault(POST, { kind: "reset", when: "before" }, { times: 1 });
  at.sandbox.hooks.onRequest = (request) => {
    // The first request comes through only when the second is on its way, whose name is taken then.
    if (isPost(request) && ++posts === 2) at.sandbox.addToken({ user: at.dev, ...WANTED });
  };
  const made = await at.api.createToken(WANTED);
  assert.deepEqual(at.live().map(({ value }) => value), [made.token.reveal()]);
  assert.equal(at.posts(), 2);
});

test("`AdminApi.createToken()` looks for a token when no answer came in time", async () => {
  await using at = await session({ timeout: "500ms" });
  at.sandbox.fault(POST, { kind: "slow-headers", ms: "never" }, { times: 1 });
  const made = await at.api.createToken(WANTED);
  assert.deepEqual(at.live().map(({ value }) => value), [made.token.reveal()]);
  assert.equal(at.posts(), 1);
});

test("`AdminApi.createToken()` stops at a refusal", async () => {
  for (const status of [302, 400, 401, 403, 404, 409]) {
    await using at = await session();
    at.sandbox.fault(POST, { kind: "status", status, body: { error_msg: "no" } });
    assert.equal((await failureOf(at.api.createToken(WANTED))).httpStatus, status);
    // After 401 there is one more login, for another may have ended the session.
    assert.equal(at.posts(), status === 401 ? 2 : 1);
  }
});

test("`AdminApi.createToken()` looks for the token where a proxy refuses the answer", async () => {
  for (const status of [302, 400, 401, 403, 404]) {
    await using at = await session();
    const { id, value } = at.sandbox.addToken({ user: at.dev, name: "parent" });
    await using api = await openAt(at.sandbox, { token: value });
    at.sandbox.fault(POST, { kind: "status", status, done: true, body: "<html>" }, { times: 1 });
    const made = await api.createToken(WANTED);
    at.sandbox.revokeToken(id);
    assert.deepEqual(at.live().map(({ value }) => value), [made.token.reveal()]);
    assert.equal(at.posts(), 1);
  }
});

test("`AdminApi.createToken()` does not take everything that exists for its name", async () => {
  await using at = await session();
  const body = { error_msg: "the organization does not exist" };
  at.sandbox.fault(POST, { kind: "status", status: 400, body });
  assert.equal((await failureOf(at.api.createToken(WANTED))).failure, "bad-request");
});

test("`AdminApi.createToken()` reports the lost answer when it cannot look for the token", async () => {
  await using at = await session();
  at.sandbox.fault(POST, { kind: "status", status: 500, body: { error_msg: "boom" } });
  at.sandbox.fault({ method: "GET", path: /tokens$/ }, {
    kind: "status",
    status: 403,
    body: { error_msg: "no" },
  });
  const error = await failureOf(at.api.createToken(WANTED));
  assert.equal(error.failure, "server-error");
  assert.match(error.suggestion ?? "", /may have created/);
  assert.equal(at.posts(), 1);
});

test("`AdminApi.createToken()` leaves no token that it could not take over", async () => {
  await using at = await session();
  at.makesOnRequest();
  at.sandbox.fault(POST, { kind: "reset", when: "before" }, { times: 1 });
  at.sandbox.fault(/regenerate$/, { kind: "status", status: 403, body: { error_msg: "no" } });
  assert.equal((await failureOf(at.api.createToken(WANTED))).failure, "forbidden");
  assert.deepEqual(at.live(), []);
});

test("`AdminApi.createToken()` leaves no token when it is given up, wherever that is", async () => {
  const reason = new Error("given up");
  const isList = ({ method, path }: SandboxRequest) => method === "GET" && path.endsWith("/tokens");
  const isName = ({ path }: SandboxRequest) => path.endsWith("/check_name");
  const isRegenerate = ({ path }: SandboxRequest) => path.endsWith("/regenerate");
  const lost = { kind: "reset", when: "before" } as const;
  const never = { kind: "slow-headers", ms: "never" } as const;
  const cases: readonly {
    readonly when: (request: SandboxRequest) => boolean;
    readonly hook: "onRequest" | "onReply";
    readonly fault?: typeof lost | typeof never;
    /** Whether the token is there, though the answer to its making is lost. */
    readonly made?: boolean;
    readonly tokens: number;
  }[] = [
    { when: isName, hook: "onReply", tokens: 0 },
    { when: isPost, hook: "onRequest", tokens: 1 },
    { when: isPost, hook: "onReply", tokens: 1 },
    { when: isPost, hook: "onReply", fault: never, tokens: 1 },
    { when: isPost, hook: "onRequest", fault: lost, tokens: 0 },
    { when: isPost, hook: "onRequest", fault: lost, made: true, tokens: 1 },
    { when: isList, hook: "onReply", fault: lost, made: true, tokens: 1 },
    { when: isRegenerate, hook: "onRequest", fault: lost, made: true, tokens: 1 },
    { when: isRegenerate, hook: "onReply", fault: lost, made: true, tokens: 1 },
    { when: isList, hook: "onReply", fault: lost, tokens: 0 },
  ];
  for (const [index, { when, hook, fault, made = false, tokens }] of cases.entries()) {
    await using at = await session({ timeout: "1s" });
    const { sandbox } = at;
    const controller = new AbortController();
    if (fault !== undefined) sandbox.fault(POST, fault, { times: 1 });
    const abort = (request: SandboxRequest) => {
      if (when(request)) controller.abort(reason);
    };
    sandbox.hooks[hook] = abort;
    if (made) {
      const other = sandbox.hooks.onRequest;
      sandbox.hooks.onRequest = (request) => {
        if (isPost(request)) sandbox.addToken({ user: at.dev, ...WANTED });
        return other?.(request);
      };
    }
    const call = at.api.createToken(WANTED, { signal: controller.signal });
    await assert.rejects(call, reason, `case ${index}`);
    assert.deepEqual(at.live(), [], `case ${index}`);
    assert.equal(sandbox.tokens.length, tokens, `case ${index}`);
  }
});

test("`AdminApi.createToken()` revokes nothing of another's when it is given up at a refusal", async () => {
  await using at = await session();
  at.makesOnRequest();
  const controller = new AbortController();
  at.sandbox.hooks.onReply = (request) => {
    if (isPost(request)) controller.abort(new Error("given up"));
  };
  const call = at.api.createToken(WANTED, { signal: controller.signal });
  await assert.rejects(call, { message: "given up" });
  assert.equal(at.live().length, 1, "the name was another's");
});

test("`AdminApi` hides a token that it has just made from its messages", async () => {
  const value = "a7ee-0123456789abcdef";
  await using server = await mock(({ path, method }) => {
    if (method === "POST") return { body: { value: { id: "1", name: "x", token: value } } };
    if (path.includes("check_name")) return { body: { value: { exist: false } } };
    return { status: 400, body: { error_msg: `do not use ${value}` } };
  }, { token: new Secret("a7ee-example") });
  const made = await server.api.createToken({ name: "x", expiresAt: undefined });
  assert.equal(made.token.reveal(), value);
  assert.deepEqual(JSON.parse(server.sent.at(-1)?.body ?? ""), { name: "x", expires_at: 0 });
  const error = await failureOf(server.api.me());
  assert.match(error.reason, /do not use \*\*\*/);
  assertHides(error, value);
});

test("`AdminApi` tries a `GET`, a `PUT` and a `DELETE` again, a `POST` never", async () => {
  await using at = await session();
  const { sandbox, dev, api } = at;
  const { id } = sandbox.addToken({ user: dev });
  await api.tokens();
  const busy = { kind: "status", status: 503 } as const;
  const count = async (call: () => Promise<unknown>, failures: number) => {
    const before = sandbox.requests.length;
    sandbox.fault(/./, busy, { times: failures });
    const outcome = await call().then(() => "done", (error) => error.failure);
    sandbox.clearFaults();
    return [outcome, sandbox.requests.length - before];
  };
  assert.deepEqual(await count(() => api.me(), 2), ["done", 3]);
  assert.deepEqual(await count(() => api.me(), 3), ["server-error", 3]);
  assert.deepEqual(await count(() => api.renameToken(id, "y"), 2), ["done", 3]);
  assert.deepEqual(await count(() => api.revokeToken(id), 2), ["done", 3]);
  const who = { username: "dev", password: new Secret("dev-password") };
  await using another = await openAt(sandbox);
  assert.deepEqual(await count(() => another.logIn(who), 1), ["server-error", 1]);
});
