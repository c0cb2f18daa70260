import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminApi } from "../../src/admin_api/admin_api.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { ConnectionError } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import {
  assertHides,
  connectionTo,
  failureOf,
  logInAt,
  mock,
  openAt,
} from "../support/admin_api_fixture.ts";
import { serveHttp } from "../support/loopback.ts";

const PASSWORD = new Secret("dev-password");

test("`AdminApi.logIn()` opens a session, and sends back every cookie", async () => {
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password", roles: ["Editor"] });
  await using api = await openAt(sandbox);
  assert.equal(api.secrets.length, 0);
  await api.logIn({ username: "dev", password: PASSWORD });
  assert.equal(sandbox.openSessions, 1);
  const me = await api.me();
  assert.deepEqual([me.username, me.roles, me.superAdmin], ["dev", ["Editor"], false]);
  const cookie = sandbox.requests.at(-1)?.headers["cookie"] ?? "";
  assert.match(cookie, /^lang=en; session=\S+$/);
  // The language is no secret, the session is one.
  assert.deepEqual(api.secrets.map((each) => `lang=en; session=${each.reveal()}`), [cookie]);
  const [login] = sandbox.requests;
  assert.deepEqual(login?.body, { username: "dev", password: "dev-password" });
  assert.equal(login?.headers["cookie"], undefined);
  assert.equal(login?.apiKey, undefined);
});

test("`AdminApi.close()` closes the session, and throws nothing when the server is gone", async () => {
  const sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password" });
  sandbox.addUser({ username: "ann", password: "dev-password" });
  const one = await logInAt(sandbox);
  const two = await openAt(sandbox);
  await two.logIn({ username: "ann", password: PASSWORD });
  await one.close();
  assert.equal(sandbox.openSessions, 1);
  const sent = sandbox.requests.length;
  await one.close();
  assert.equal(sandbox.requests.length, sent, "there was nothing to close");
  await sandbox.close();
  await two.close();
});

test("`AdminApi.close()` does not wait for ever for a log-out that gets no answer", async () => {
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password" });
  const api = await logInAt(sandbox, { flags: ["--timeout", "300ms"] });
  sandbox.fault("/api/logout", { kind: "slow-headers", ms: "never" });
  await api.close();
});

test("`AdminApi.logIn()` closes the session that was open before, and drops its cookies", async () => {
  for (const status of [200, 401, 500]) {
    await using sandbox = await startSandbox({ https: true });
    sandbox.addUser({ username: "dev", password: "dev-password" });
    sandbox.addUser({ username: "ann", password: "ann-password" });
    await using api = await logInAt(sandbox);
    if (status !== 200) sandbox.fault("/api/logout", { kind: "status", status });
    await api.logIn({ username: "ann", password: new Secret("ann-password") });
    const sent = sandbox.requests.at(-1);
    assert.deepEqual([sent?.path, sent?.headers["cookie"]], ["/api/login", undefined]);
    assert.equal((await api.me()).username, "ann");
    assert.equal(sandbox.openSessions, status === 200 ? 1 : 2);
  }
});

test("`AdminApi.logIn()` leaves no session when it is given up in the middle", async () => {
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password" });
  await using api = await openAt(sandbox);
  const controller = new AbortController();
  const reason = new Error("given up");
  let opened = 0;
  sandbox.hooks.onReply = (request) => {
    if (request.path !== "/api/login") return;
    opened = sandbox.openSessions;
    controller.abort(reason);
  };
  const logIn = api.logIn({ username: "dev", password: PASSWORD }, { signal: controller.signal });
  await assert.rejects(logIn, reason);
  assert.equal(opened, 1);
  assert.equal(sandbox.openSessions, 0);
});

test("`AdminApi.logIn()` asks an LDAP login option by its name or its id", async () => {
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "lee", password: "lee-password", ldap: "corp-ldap" });
  for (const loginOption of ["Corporate LDAP", "corp-ldap"]) {
    await using api = await openAt(sandbox);
    await api.logIn({ username: "lee", password: new Secret("lee-password"), loginOption });
    const { loginOption: from } = await api.me();
    assert.equal(from, "Corporate LDAP");
    assert.ok(sandbox.requests.some(({ path }) => path === "/api/ldap/corp-ldap/login"));
  }
  await using api = await openAt(sandbox);
  const logIn = api.logIn({ username: "lee", password: new Secret("lee-password") });
  assert.equal((await failureOf(logIn)).failure, "wrong-credentials");
});

test("`AdminApi.logIn()` says which login options need a browser, and which there are", async () => {
  await using sandbox = await startSandbox({ https: true });
  await using api = await openAt(sandbox);
  const who = { username: "dev", password: PASSWORD };
  const sso = await failureOf(api.logIn({ ...who, loginOption: "Single sign-on" }));
  assert.deepEqual([sso.failure, sso.exitCode], ["browser-login", 77]);
  assert.match(sso.suggestion ?? "", /Dashboard/);
  const none = await failureOf(api.logIn({ ...who, loginOption: "nope" }));
  assert.deepEqual([none.failure, none.exitCode], ["not-found", 64]);
  assert.match(none.suggestion ?? "", /"Corporate LDAP" \(ldap\), "Single sign-on" \(oidc\)/);
  assert.ok(sandbox.requests.every(({ method }) => method === "GET"), "no password was sent");
  assertHides(none, "dev-password");
});

test("`AdminApi.logIn()` does not use a login option that is turned off, and says so", async () => {
  const ldap = { name: "LDAP", provider_type: "ldap" };
  await using off = await mock(() => ({ body: { list: [{ id: "1", ...ldap, disable: true }] } }));
  const who = { username: "dev", password: PASSWORD, loginOption: "LDAP" };
  const error = await failureOf(off.api.logIn(who));
  assert.equal(error.failure, "not-found");
  assert.match(error.reason, /disabled/);
  // Another of the same name may be on.
  const list = [{ id: "1", ...ldap, disable: true }, { id: "2/x", ...ldap }];
  await using on = await mock(({ method }) =>
    method === "GET"
      ? { body: { list, total: 2 } }
      : { headers: { "set-cookie": "session=0123456789" } }
  );
  await on.api.logIn(who);
  assert.equal(on.sent.at(-1)?.path, "/api/ldap/2%2Fx/login");
});

test("`AdminApi.logIn()` shows no token that the server repeats among its login options", async () => {
  const token = "a7ee-0123456789";
  for (const name of ["LDAP", token]) {
    const list = [{ id: "1", name, provider_type: `${token} ` }];
    await using at = await mock(() => ({ body: { list } }), { token: new Secret(token) });
    for (const loginOption of ["LDAP", "other"]) {
      assertHides(
        await failureOf(at.api.logIn({ username: "dev", password: PASSWORD, loginOption })),
        token,
      );
    }
  }
});

test("`AdminApi.logIn()` tells a wrong password from one that has to be changed", async () => {
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password" });
  sandbox.addUser({ username: "new", password: "new-password", mustChangePassword: true });
  await using api = await openAt(sandbox);
  const wrong = await failureOf(api.logIn({ username: "dev", password: new Secret("wrong-one") }));
  assert.deepEqual([wrong.failure, wrong.exitCode, wrong.httpStatus], [
    "wrong-credentials",
    77,
    400,
  ]);
  assert.equal(wrong.request, `POST ${sandbox.url}/api/login`);
  assert.equal(wrong.reason, 'the server answered 400: "username or password is incorrect"');
  assertHides(wrong, "wrong-one");
  await api.logIn({ username: "new", password: new Secret("new-password") });
  const change = await failureOf(api.me());
  assert.deepEqual([change.failure, change.exitCode], ["password-change", 77]);
});

test("`AdminApi.logIn()` judges by the server's words", async () => {
  const cases: readonly [status: number, words: string, failure: string, exitCode: number][] = [
    [400, "username or password is incorrect", "wrong-credentials", 77],
    [401, "invalid or expired password", "wrong-credentials", 77],
    [403, "account is locked", "wrong-credentials", 77],
    [400, "", "wrong-credentials", 77],
    [403, "please change the initial password", "password-change", 77],
    [400, "the password has expired", "password-change", 77],
    [400, "password must be updated", "password-change", 77],
    [403, "license has expired", "no-license", 77],
    [402, "no valid licence", "no-license", 77],
    [500, "License is required", "no-license", 77],
    [500, "boom", "server-error", 69],
    [429, "slow down", "server-error", 69],
    [404, "404 page not found", "wrong-server", 78],
    [302, "", "wrong-server", 78],
    [422, "username: too long", "bad-request", 65],
    [400, "user license-bot: password is incorrect", "wrong-credentials", 77],
  ];
  for (const [status, words, failure, exitCode] of cases) {
    for (const field of ["error_msg", "message"]) {
      await using server = await mock(() => ({ status, body: { [field]: words } }));
      const error = await failureOf(
        server.api.logIn({ username: "license-bot", password: PASSWORD }),
      );
      assert.deepEqual([error.failure, error.exitCode], [failure, exitCode], `${status} ${words}`);
      assert.ok(error.reason.includes(words));
      assert.equal(server.sent.length, 1, "POST is sent once");
    }
  }
});

test("`AdminApi.logIn()` does not take a page's refusal for a wrong password", async () => {
  const page = "<html><h1>400 The plain HTTP request was sent to HTTPS port</h1></html>";
  await using nginx = await mock(() => ({ status: 400, body: page }));
  const who = { username: "dev", password: PASSWORD };
  assert.equal((await failureOf(nginx.api.logIn(who))).failure, "tls");
  const headers = { "www-authenticate": "Basic" };
  await using proxy = await mock(() => ({ status: 401, headers }));
  const error = await failureOf(proxy.api.logIn(who));
  assert.equal(error.failure, "rejected");
  assert.match(error.suggestion ?? "", /in between/);
});

test("`AdminApi.logIn()` wants a session for its password", async () => {
  const who = { username: "dev", password: PASSWORD };
  await using page = await mock(() => "<!doctype html><title>Dashboard</title>");
  const html = await failureOf(page.api.logIn(who));
  assert.deepEqual([html.failure, html.reason], [
    "wrong-server",
    "the server answered 200 with an HTML page",
  ]);
  await using none = await mock(() => ({ body: { value: {} } }));
  assert.match((await failureOf(none.api.logIn(who))).reason, /without a session/);
  const headers = { "set-cookie": ["session=0123456789; Secure; Path=/"] };
  await using plain = await mock(() => ({ headers }), { url: "http://gw.example.com:7080" });
  const insecure = await failureOf(plain.api.logIn(who));
  assert.match(insecure.reason, /over https only/);
  assert.match(insecure.suggestion ?? "", /https/);
});

test("no message shows the password, the cookie or the token that the server repeats", async () => {
  const password = 'p"w\t\u00e9 /+secret';
  const token = new Secret("a7ee-0123456789abcdef");
  const session = "c00kie-0123456789";
  let body = (): unknown => ({});
  let status = 200;
  await using server = await mock(
    () => ({ status, body: body(), headers: { "set-cookie": `s=${session}; Path=/` } }),
    { token, url: "https://zoe:secret-of-address@mock-of-secrets.test" },
  );
  await server.api.logIn({ username: "dev", password: new Secret(password) });
  const said = [
    password,
    encodeURIComponent(password),
    JSON.stringify(password),
    session,
    "secret-of-address",
  ];
  for (status of [400, 401, 403, 404, 409, 500]) {
    for (const words of [...said, token.reveal(), "x".repeat(395) + session]) {
      for (const field of ["error_msg", "message"]) {
        body = () => ({ [field]: `you said ${words}`, description: words });
        for (
          const call of [
            () => server.api.me(),
            () => server.api.logIn({ username: "dev", password: new Secret(password) }),
            () => server.api.tokens(),
            () => server.api.createToken({ name: "x", expiresAt: undefined }),
            () => server.api.isNameTaken(token.reveal()),
          ]
        ) {
          const error = await failureOf(call());
          assertHides(error, password, session, token.reveal());
          assert.ok(error.reason.length < 500);
          assert.doesNotMatch(error.reason, /c00kie|a7ee-0|secret/, "not even in part");
        }
      }
    }
  }
});

test("`AdminApi` keeps a token and a session apart", async () => {
  await using server = await mock(
    () => ({
      body: { value: { id: "1", username: "ann" } },
      headers: { "set-cookie": "session=0123456789" },
    }),
    { token: new Secret("a7ee-example") },
  );
  await server.api.logIn({ username: "ann", password: PASSWORD });
  await server.api.me();
  await server.api.close();
  const vouchers = server.sent.map(({ path, headers }) => [
    path,
    headers["x-api-key"],
    headers["cookie"],
  ]);
  assert.deepEqual(vouchers, [
    ["/api/login", undefined, undefined],
    ["/api/me", "a7ee-example", undefined],
    ["/api/logout", undefined, "session=0123456789"],
  ]);
});

test("`AdminApi` follows no redirect, with a token, a cookie, or a password", async () => {
  const arrived: string[] = [];
  await using thief = await serveHttp((request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    response.end("{}");
  });
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password" });
  const token = sandbox.addToken({ user: "dev" });
  await using session = await logInAt(sandbox);
  await using byToken = await openAt(sandbox, { token: token.value });
  for (const status of [301, 302, 303, 307, 308]) {
    sandbox.clearFaults();
    sandbox.fault(/./, { kind: "redirect", status, location: `${thief.url}/api/me` });
    const calls = [
      () => session.me(),
      () => session.logIn({ username: "dev", password: PASSWORD }),
      () => byToken.tokens(),
      () => byToken.createToken({ name: "x", expiresAt: undefined }),
      () => byToken.revokeToken(token.id),
    ];
    for (const call of calls) {
      const error = await failureOf(call());
      assert.equal(error.failure, "wrong-server");
      assert.match(error.reason, new RegExp(`answered ${status}, pointing to "${thief.url}"`));
    }
  }
  assert.deepEqual(arrived, []);
  assert.equal(thief.connections, 0);
});

test("`AdminApi.open()` wants the backend api7ee", async () => {
  for (
    const [args, env, exitCode] of [
      [["ping", "--backend", "apisix"], {}, 64],
      [["ping"], { ADC_BACKEND: "apisix-standalone" }, 78],
    ] as const
  ) {
    const connection = await resolveConnection({ args, env, cwd: "/nowhere" });
    await assert.rejects(AdminApi.open(connection), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.exitCode, exitCode);
      return true;
    });
  }
});

test("`AdminApi.origin` is the server's, without its path", async () => {
  const connection = await connectionTo("https://u:p@gw.example.com:7443/prefix/");
  const api = await AdminApi.open(connection);
  assert.equal(api.origin, "https://gw.example.com:7443");
  await api.close();
});

test("`AdminApi` logs in once more where another login has ended its session", async () => {
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password" });
  const logIns = () => sandbox.requests.filter(({ path }) => path === "/api/login").length;
  await using one = await logInAt(sandbox);
  await using two = await logInAt(sandbox);
  assert.equal((await one.me()).username, "dev", "it has a session again");
  assert.equal(logIns(), 3);
  const { token } = await one.createToken({ name: "made", expiresAt: 0 });
  assert.ok(token.reveal());
  // Once: it must not go on for ever, nor throw somebody out who needs the Dashboard.
  await two.me();
  assert.equal((await failureOf(one.me())).failure, "rejected");
  assert.equal(logIns(), 4);
});

test("`AdminApi` does not log in again once it has made a token", async () => {
  await using sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: "dev", password: "dev-password" });
  await using one = await logInAt(sandbox);
  await one.createToken({ name: "made", expiresAt: 0 });
  await using _two = await logInAt(sandbox);
  assert.equal((await failureOf(one.me())).failure, "rejected");
  assert.equal(sandbox.requests.filter(({ path }) => path === "/api/login").length, 2);
});

test("`AdminApi` hides a token in its messages that the server encoded as the id of a login option", async () => {
  const token = "a7ee-canary+/in-an-id";
  for (const id of [encodeURIComponent(token), encodeURIComponent(encodeURIComponent(token))]) {
    const value = { id, name: "ldap", provider_type: "ldap", status: 1, disabled: false };
    await using server = await serveHttp(({ url }, response) => {
      response.setHeader("content-type", "application/json");
      const options = JSON.stringify({ list: [value], total: 1 });
      response.end(url!.startsWith("/api/login_options") ? options : "no JSON");
    });
    const connection = await resolveConnection({
      args: ["ping", "--backend", "api7ee", "--server", server.url],
      env: {},
      cwd: "/nowhere",
    });
    await using api = await AdminApi.open(connection, { token: new Secret(token) });
    const error = await failureOf(
      api.logIn({ username: "dev", password: PASSWORD, loginOption: "ldap" }),
    );
    assert.match(error.message, /\/api\/ldap\/\*\*\*\/login/);
    assert.doesNotMatch(error.message, /canary/);
  }
});
