import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../src/secret.ts";
import { type SandboxOptions, startSandbox } from "../sandbox/sandbox.ts";
import { failureOf, logInAt, mock, openAt } from "../support/admin_api_fixture.ts";

const PATHS = ["/api/tokens", "/api/settings/tokens"] as const;
const token = new Secret("a7ee-example");

async function sandboxWithDev(options: SandboxOptions = {}) {
  const sandbox = await startSandbox({ https: true, ...options });
  const dev = sandbox.addUser({ username: "dev", password: "dev-password", roles: ["Editor"] });
  return { sandbox, dev, [Symbol.asyncDispose]: () => sandbox.close() };
}

test("`AdminApi` makes, renames, lists and revokes tokens, at both paths", async () => {
  for (const tokenPath of PATHS) {
    await using at = await sandboxWithDev({ tokenPath });
    const { sandbox, dev } = at;
    await using api = await logInAt(sandbox);
    assert.deepEqual(await api.tokens(), []);
    assert.equal(await api.isNameTaken("one & only"), false);

    const made = await api.createToken({ name: "one & only", expiresAt: 2_000_000_000 });
    const [stored] = sandbox.tokens;
    assert.equal(made.token.reveal(), stored?.value);
    assert.deepEqual({ ...made, token: undefined }, {
      id: stored?.id,
      name: "one & only",
      createdAt: stored?.createdAt,
      expiresAt: 2_000_000_000,
      userId: dev.id,
      userName: "dev",
      lastUsedAt: undefined,
      token: undefined,
    });
    assert.equal(await api.isNameTaken("one & only"), true);
    assert.deepEqual((await api.tokens()).map(({ id }) => id), [made.id]);
    assert.ok((await api.tokens()).every((each) => !("token" in each)));

    const renamed = await api.renameToken(made.id, "two");
    assert.deepEqual([renamed.id, renamed.name], [made.id, "two"]);
    await using byToken = await openAt(sandbox, { token: made.token.reveal() });
    assert.deepEqual(await byToken.me(), await api.me());
    assert.ok(((await api.tokens())[0]?.lastUsedAt ?? 0) > 1.5e9);

    assert.equal(await api.revokeToken(made.id), true);
    assert.equal(await api.revokeToken(made.id), false);
    assert.deepEqual(await api.tokens(), []);
  }
});

test("`AdminApi` finds the token path out once, and remembers it", async () => {
  for (const tokenPath of PATHS) {
    await using at = await sandboxWithDev({ tokenPath });
    const { sandbox, dev } = at;
    const { id, value } = sandbox.addToken({ user: dev });
    await using api = await openAt(sandbox, { token: value });
    await api.renameToken(id, "renamed");
    await api.tokens();
    await api.createToken({ name: "new", expiresAt: undefined });
    const wrong = sandbox.requests.filter(({ status }) => status === 404);
    assert.equal(wrong.length, tokenPath === "/api/tokens" ? 0 : 2);
    assert.deepEqual(
      sandbox.requests.filter(({ status }) => status === 200).map(({ path }) => path),
      [...tokenPath === "/api/tokens" ? [] : [""], `/${id}`, "", "/check_name", ""]
        .map((rest) => tokenPath + rest),
    );
  }
});

test("`AdminApi` looks for the tokens elsewhere when a Dashboard's page is there", async () => {
  await using at = await sandboxWithDev({ tokenPath: "/api/settings/tokens" });
  at.sandbox.fault(/^\/api\/tokens/, { kind: "html" });
  await using api = await logInAt(at.sandbox);
  const { id } = await api.createToken({ name: "x", expiresAt: undefined });
  assert.equal(await api.revokeToken(id), true);
});

test("`AdminApi` looks for the tokens again when they have moved", async () => {
  let path = "/api/settings/tokens";
  await using server = await mock(
    (sent) => sent.path.startsWith(`${path}?`) ? { body: { list: [], total: 0 } } : { status: 404 },
    {
      token,
    },
  );
  assert.deepEqual(await server.api.tokens(), []);
  path = "/api/tokens";
  assert.deepEqual(await server.api.tokens(), []);
});

test("`AdminApi` says that there are no tokens at either path", async () => {
  for (const answer of [{ status: 404 }, "<html>", ""]) {
    await using server = await mock(() => answer, { token });
    for (
      const call of [
        () => server.api.tokens(),
        () => server.api.createToken({ name: "x", expiresAt: undefined }),
        () => server.api.revokeToken("1"),
      ]
    ) {
      const error = await failureOf(call());
      assert.deepEqual([error.failure, error.exitCode], ["wrong-server", 78]);
      assert.match(error.reason, /neither \/api\/tokens nor \/api\/settings\/tokens/);
    }
    assert.equal(server.sent.filter(({ method }) => method !== "GET").length, 1);
  }
});

test("`AdminApi` changes what is at the other path alone, and without another request at the usual one", async () => {
  for (const tokenPath of PATHS) {
    await using at = await sandboxWithDev({ tokenPath });
    const { sandbox, dev } = at;
    const { id, value } = sandbox.addToken({ user: dev });
    for (const work of ["create", "revoke"]) {
      await using api = await openAt(sandbox, { token: value });
      const before = sandbox.requests.length;
      if (work === "revoke") assert.equal(await api.revokeToken(id), true);
      else await api.createToken({ name: "new", expiresAt: undefined, isUnique: true });
      const asked = sandbox.requests.length - before;
      assert.equal(asked, tokenPath === "/api/tokens" ? 1 : 4, work);
    }
    assert.deepEqual(sandbox.tokens.map(({ revoked }) => revoked), [true, false]);
  }
});

test("`AdminApi.isNameTaken()` looks through the list where the server cannot check a name", async () => {
  const user = { user_id: "7", created_at: 1, updated_at: 1, expires_at: 0 };
  for (const path of ["/api/tokens", "/api/settings/tokens"]) {
    for (const absent of [{ status: 404 }, "<html>"]) {
      await using server = await mock(({ path: asked }) => {
        if (!asked.startsWith(`${path}?page=`)) return absent;
        return { body: { list: [{ ...user, id: "1", name: "taken" }], total: 1 } };
      }, { token });
      assert.equal(await server.api.isNameTaken("taken"), true);
      assert.equal(await server.api.isNameTaken("take"), false);
      const checks = server.sent.filter((each) => each.path.includes("/check_name?name="));
      assert.equal(checks.length, 4, "both paths are tried for either name");
    }
  }
});

test("`AdminApi.isNameTaken()` does not take a refusal for a call that is not there", async () => {
  for (const [status, failure] of [[401, "rejected"], [403, "forbidden"], [500, "server-error"]]) {
    await using server = await mock(
      ({ path }) =>
        path.includes("check_name") ? { status: Number(status) } : { body: { list: [], total: 0 } },
      { token },
    );
    assert.equal((await failureOf(server.api.isNameTaken("x"))).failure, failure);
  }
});

test("`AdminApi` does not take a refusal for a path that is not there", async () => {
  for (const [status, failure] of [[401, "rejected"], [403, "forbidden"], [500, "server-error"]]) {
    await using server = await mock(() => ({ status: Number(status) }), { token });
    const error = await failureOf(server.api.revokeToken("1"));
    assert.deepEqual([error.failure, error.httpStatus], [failure, status]);
    assert.deepEqual(server.sent.map(({ path }) => path), ["/api/tokens/1"]);
  }
});

test("`AdminApi` reads every page of a list, of tokens the oldest first", async () => {
  let now = 1.7e12;
  await using at = await sandboxWithDev({ now: () => now });
  const { sandbox, dev } = at;
  const names = Array.from({ length: 250 }, (_, index) => `item ${index}`);
  for (const name of names) {
    now += 1_000;
    sandbox.addToken({ user: dev, name });
  }
  await using api = await logInAt(sandbox);
  assert.deepEqual((await api.tokens()).map(({ name }) => name), names);
  const asked = sandbox.requests.filter(({ path }) => path === "/api/tokens");
  assert.deepEqual(asked.map(({ query }) => [query["page"], query["page_size"]]), [
    ["1", "100"],
    ["2", "100"],
    ["3", "100"],
  ]);
});

test("`AdminApi` comes to the end of a list whose server counts oddly", async () => {
  const items = Array.from(
    { length: 5 },
    (_, id) => ({ id: `${id}`, name: `o${id}`, provider_type: "ldap" }),
  );
  const cases: readonly [(page: number) => unknown, requests: number][] = [
    // No total: an empty page is the end.
    [(page) => ({ list: page === 1 ? items : [] }), 2],
    [(page) => ({ list: page === 1 ? items : null, total: null }), 2],
    // Pages are not known there.
    [() => ({ list: items, total: 500 }), 2],
    [() => ({ list: items, total: 5 }), 1],
    // An item moved to the next page meanwhile.
    [(page) => ({ list: page === 1 ? items.slice(0, 3) : items.slice(2), total: 6 }), 2],
  ];
  for (const [body, requests] of cases) {
    await using server = await mock((sent) => {
      const page = Number(new URL(sent.path, "http://h").searchParams.get("page"));
      return { body: body(page) };
    }, { token });
    const options = await server.api.loginOptions();
    assert.deepEqual(options.map(({ id }) => id), ["0", "1", "2", "3", "4"]);
    assert.equal(server.sent.length, requests);
  }
});

test("`AdminApi` gives up on a list without an end", async () => {
  let id = 0;
  await using server = await mock(
    () => ({ body: { list: [{ id: `${id++}`, name: "o", provider_type: "ldap" }] } }),
    { token },
  );
  const error = await failureOf(server.api.loginOptions());
  assert.equal(error.failure, "wrong-server");
  assert.equal(server.sent.length, 1_000);
});

test("`AdminApi` reads who the caller is, and the version", async () => {
  await using sandbox = await startSandbox({ https: true, version: "3.8.1" });
  const root = sandbox.addUser({ username: "root", password: "x", superAdmin: true });
  await using api = await openAt(sandbox, { token: sandbox.addToken({ user: root }).value });
  assert.deepEqual(await api.me(), {
    id: root.id,
    username: "root",
    roles: ["Super Admin"],
    superAdmin: true,
    loginOption: "built_in",
  });
  assert.equal(await api.version(), "3.8.1");
  assert.deepEqual(await api.loginOptions(), [
    { id: "corp-ldap", name: "Corporate LDAP", providerType: "ldap", disabled: false },
    { id: "sso", name: "Single sign-on", providerType: "oidc", disabled: false },
  ]);
});

test("`AdminApi.me()` takes a user without roles, and roles without a name", async () => {
  for (
    const [roles, expected] of [
      [undefined, []],
      [null, []],
      ["x", []],
      [[{ id: "viewer_id" }, null, 7], ["viewer_id"]],
    ] as const
  ) {
    await using server = await mock(() => ({
      body: { value: { id: "1", username: "ann", roles } },
    }), { token });
    assert.deepEqual(await server.api.me(), {
      id: "1",
      username: "ann",
      roles: expected,
      superAdmin: false,
      loginOption: undefined,
    });
    assert.equal(server.sent[0]?.headers["x-api-key"], "a7ee-example");
    assert.equal(server.sent[0]?.headers["cookie"], undefined);
  }
});

test("`AdminApi` names what it cannot read, and throws no `TypeError`", async () => {
  const page = (list: unknown, total: unknown = 1) => ({ list, total });
  const values = [null, [], "x", 7, true, {}, { value: null }, { value: [] }, { value: 7 }];
  const lists = [
    ...values,
    page("x"),
    page({}),
    page([null]),
    page([7]),
    page([{ id: "1" }]),
    page([{ name: "x", username: "x" }]),
    page([{ id: 1, name: "x", username: "x", provider_type: "ldap" }]),
    page([], "many"),
    page([{ id: "1", name: "x", expires_at: "soon" }]),
  ];
  let body: unknown;
  // Only the path that is asked for gives another shape.
  await using server = await mock(({ method, path }) => {
    const probe = method === "GET" && path === "/api/tokens?page=1&page_size=1";
    return { body: probe ? page([], 0) : body };
  }, { token });
  const { api } = server;
  const cases: readonly [() => Promise<unknown>, string, readonly unknown[]][] = [
    [() => api.me(), "GET /api/me", [...values, { value: { id: "1" } }]],
    [() => api.version(), "GET /api/version", [...values, { value: {} }]],
    [() => api.loginOptions(), "GET /api/login_options", lists.slice(0, -1)],
    [() => api.tokens(), "GET /api/", lists.filter((each) => isObject(each))],
    [() => api.renameToken("1", "x"), "PUT /api/tokens/1", values],
    [() => api.isNameTaken("x"), "GET /api/", [{}, { value: {} }, { value: { exist: "yes" } }]],
  ];
  for (const [call, tried, bodies] of cases) {
    for (body of bodies) {
      const error = await failureOf(call());
      assert.deepEqual([error.failure, error.exitCode], ["wrong-server", 78]);
      const [method, path] = tried.split(" ");
      assert.ok(error.request.startsWith(`${method} ${api.origin}${path}`), error.request);
      assert.match(error.reason, /^the server answered 200 with (unexpected JSON|something)/);
    }
  }
});

test("`AdminApi.createToken()` names an answer that holds no token, and throws no `TypeError`", async () => {
  const full = { id: "1", name: "x", token: "t" };
  const values = [
    ...[null, [], "x", 7, {}],
    ...[{ ...full, token: "" }, { ...full, token: 7 }, { ...full, id: undefined }],
    { ...full, expires_at: "soon" },
  ];
  for (const value of values) {
    await using server = await mock(
      ({ method }) => ({ body: method === "GET" ? { list: [], total: 0 } : { value } }),
      { token },
    );
    const wanted = { name: "x", expiresAt: 1, isUnique: true };
    const error = await failureOf(server.api.createToken(wanted));
    assert.deepEqual([error.failure, error.exitCode], ["wrong-server", 78]);
    assert.equal(error.request, `POST ${server.api.origin}/api/tokens`);
  }
});

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

test("`AdminApi` judges what the server says about a token and its name", async () => {
  const cases: readonly [status: number, words: string, failure: string, exitCode: number][] = [
    [404, "token 1 not found", "not-found", 64],
    [400, "token does not exist", "not-found", 64],
    [400, "no such token", "not-found", 64],
    [400, 'token name "x" already exists', "name-taken", 65],
    [409, "name is taken", "name-taken", 65],
    [400, "duplicate name", "name-taken", 65],
    [400, "name: the length must be no more than 40", "bad-request", 65],
    [403, "no permission", "forbidden", 77],
    [403, "license expired", "no-license", 77],
    [401, "invalid or expired API key", "rejected", 77],
  ];
  for (const [status, words, failure, exitCode] of cases) {
    await using server = await mock(
      ({ method }) =>
        method === "GET"
          ? { body: { list: [], total: 0 } }
          : { status, body: { error_msg: words } },
      { token },
    );
    const error = await failureOf(server.api.renameToken("1", "x"));
    assert.deepEqual([error.failure, error.exitCode], [failure, exitCode], words);
    assert.ok(error.reason.endsWith(`"${words}"`));
    if (failure === "not-found") assert.equal(await server.api.revokeToken("1"), false);
  }
});

test("`AdminApi.revokeToken()` believes no page", async () => {
  const page = { body: "<!doctype html><title>Dashboard</title>" };
  for (const status of [200, 404]) {
    await using server = await mock(
      ({ method }) => method === "GET" ? { body: { list: [] } } : { status, ...page },
      { token },
    );
    assert.equal((await failureOf(server.api.revokeToken("1"))).failure, "wrong-server");
  }
  await using empty = await mock(
    ({ method }) => method === "GET" ? { body: { list: [] } } : { status: 204 },
    { token },
  );
  assert.equal(await empty.api.revokeToken("../../x"), true);
  assert.equal(empty.sent[0]?.path, "/api/tokens/..%2F..%2Fx");
});

test("`AdminApi` tells a session's refusal from a token's", async () => {
  for (
    const [status, ofSession, ofToken] of [
      [401, /session has ended/, /token is wrong/],
      [403, /login worked/, /token works/],
    ] as const
  ) {
    const answer = () => ({ status, body: { error_msg: "unauthorized" } });
    await using session = await mock(answer);
    assert.match((await failureOf(session.api.me())).suggestion ?? "", ofSession);
    await using byToken = await mock(answer, { token });
    assert.match((await failureOf(byToken.api.me())).suggestion ?? "", ofToken);
  }
});

test("`AdminApi` throws the signal's reason, before and in the middle of a request", async () => {
  await using at = await sandboxWithDev();
  await using api = await logInAt(at.sandbox);
  const reason = new Error("given up");
  const before = at.sandbox.requests.length;
  const calls = [
    (signal: AbortSignal) => api.me({ signal }),
    (signal: AbortSignal) => api.tokens({ signal }),
    (signal: AbortSignal) => api.revokeToken("1", { signal }),
    (signal: AbortSignal) => api.createToken({ name: "x", expiresAt: undefined }, { signal }),
  ];
  for (const call of calls) {
    await assert.rejects(call(AbortSignal.abort(reason)), reason);
  }
  assert.equal(at.sandbox.requests.length, before);
  at.sandbox.fault(/./, { kind: "slow-headers", ms: "never" });
  for (const call of calls) {
    const controller = new AbortController();
    at.sandbox.hooks.onRequest = () => controller.abort(reason);
    await assert.rejects(call(controller.signal), reason);
  }
  at.sandbox.clearFaults();
});

test("`AdminApi` tells what keeps a request from its answer", async () => {
  const sandbox = await startSandbox({ https: true });
  await using api = await openAt(sandbox, { token: "a7ee-x", flags: ["--timeout", "400ms"] });
  const stop = sandbox.fault(/./, { kind: "slow-headers", ms: "never" });
  const timeout = await failureOf(api.me());
  assert.deepEqual([timeout.failure, timeout.exitCode, timeout.httpStatus], [
    "timeout",
    69,
    undefined,
  ]);
  stop();
  await using stranger = await openAt(sandbox, {
    token: "a7ee-x",
    ca: sandbox.otherCa,
  });
  const tls = await failureOf(stranger.me());
  assert.deepEqual([tls.failure, tls.exitCode], ["tls", 69]);
  assert.match(tls.suggestion ?? "", /--ca-cert-file/);
  await sandbox.close();
  const gone = await failureOf(api.me());
  assert.deepEqual([gone.failure, gone.exitCode], ["unreachable", 69]);
  assert.ok(gone.cause instanceof Error);
});
