import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { ask, cookiesOf } from "./ask.ts";
import { startSandbox } from "./sandbox.ts";

test("`startSandbox()` answers a valid token with the version in a value", async () => {
  await using sandbox = await startSandbox();
  const token = sandbox.addToken();
  const answer = await ask(`${sandbox.url}/api/version`, { key: token.value });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, { value: "3.9.14" });
});

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

test("`startSandbox()` explains errors in `message` when asked to", async () => {
  await using sandbox = await startSandbox({ errorField: "message" });
  const { json } = await ask(`${sandbox.url}/api/version`);
  assert.deepEqual(Object.keys(json), ["message"]);
});

test("`startSandbox()` answers 403 for a token that may not see gateway groups", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken({ permissions: { gatewayGroups: false } });
  assert.equal((await ask(`${sandbox.url}/api/gateway_groups`, { key })).status, 403);
  assert.equal((await ask(`${sandbox.url}/api/version`, { key })).status, 200);
});

test("`startSandbox()` answers 403 for the changes of a token that may only read", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken({ permissions: { write: false } });
  const url = `${sandbox.url}/apisix/admin/services`;
  const query = "gateway_group_id=default";
  assert.equal((await ask(`${url}?${query}`, { key })).status, 200);
  const put = await ask(`${url}/1?${query}`, { key, method: "PUT", body: { name: "s" } });
  assert.equal(put.status, 403);
  assert.deepEqual(sandbox.resources("services"), []);
});

test("`startSandbox()` searches gateway groups by substring and filters by exact name", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken();
  const production = sandbox.addGatewayGroup("production");
  sandbox.addGatewayGroup("pre-production");
  const search = await ask(`${sandbox.url}/api/gateway_groups?search=production`, { key });
  assert.equal(search.json.total, 2);
  const exact = await ask(
    `${sandbox.url}/api/gateway_groups?search=production&name=production`,
    { key },
  );
  assert.deepEqual(exact.json.list.map(({ id }: { id: string }) => id), [production.id]);
  const none = await ask(`${sandbox.url}/api/gateway_groups?search=x&name=x`, { key });
  assert.deepEqual(none.json, { list: [], total: 0 });
});

test("`startSandbox()` logs in with a password and knows the session by its cookies", async () => {
  await using sandbox = await startSandbox();
  const user = sandbox.addUser({ username: "ann", password: "right", roles: ["Viewer"] });
  const login = `${sandbox.url}/api/login`;
  const wrong = await ask(login, { method: "POST", body: { username: "ann", password: "no" } });
  assert.equal(wrong.status, 400);
  assert.equal(typeof wrong.json.error_msg, "string");
  assert.equal(sandbox.openSessions, 0);

  const right = await ask(login, { method: "POST", body: { username: "ann", password: "right" } });
  assert.equal(right.status, 200);
  const cookie = cookiesOf(right);
  const me = await ask(`${sandbox.url}/api/me`, { cookie });
  assert.equal(me.json.value.id, user.id);
  assert.deepEqual(me.json.value.roles, [{ id: "viewer", name: "Viewer" }]);

  await ask(`${sandbox.url}/api/logout`, { method: "POST", cookie });
  assert.equal((await ask(`${sandbox.url}/api/me`, { cookie })).status, 401);
});

test("`startSandbox()` refuses everything until a password that has to change is changed", async () => {
  await using sandbox = await startSandbox();
  const { url } = sandbox;
  sandbox.addUser({ username: "ann", password: "first", mustChangePassword: true });
  const cookie = cookiesOf(
    await ask(`${url}/api/login`, {
      method: "POST",
      body: { username: "ann", password: "first" },
    }),
  );
  assert.equal((await ask(`${url}/api/me`, { cookie })).status, 403);
  const body = { old_password: "first", new_password: "second" };
  assert.equal((await ask(`${url}/api/password`, { method: "PUT", cookie, body })).status, 200);
  const again = await ask(`${url}/api/login`, {
    method: "POST",
    body: { username: "ann", password: "second" },
  });
  assert.equal((await ask(`${url}/api/me`, { cookie: cookiesOf(again) })).status, 200);
});

test("`startSandbox()` logs in an LDAP user through the LDAP option alone", async () => {
  await using sandbox = await startSandbox();
  sandbox.addUser({ username: "ldap-ann", password: "pw", ldap: "corp-ldap" });
  const options = await ask(`${sandbox.url}/api/login_options`);
  assert.deepEqual(
    options.json.list.map((option: { provider_type: string }) => option.provider_type),
    ["ldap", "oidc"],
  );
  const question = { method: "POST", body: { username: "ldap-ann", password: "pw" } };
  const paths = ["/api/login", "/api/ldap/corp-ldap/login", "/api/ldap/sso/login"];
  const answers = await Promise.all(paths.map((path) => ask(sandbox.url + path, question)));
  assert.deepEqual(answers.map(({ status }) => status), [400, 200, 400]);
});

test("`startSandbox()` knows no login through an option that is disabled", async () => {
  const option = { id: "corp-ldap", name: "Corporate LDAP", provider_type: "ldap" } as const;
  await using sandbox = await startSandbox({ loginOptions: [{ ...option, disable: true }] });
  sandbox.addUser({ username: "ldap-ann", password: "pw", ldap: "corp-ldap" });
  const options = await ask(`${sandbox.url}/api/login_options`);
  assert.equal(options.json.list[0].disable, true);
  const body = { username: "ldap-ann", password: "pw" };
  const login = await ask(`${sandbox.url}/api/ldap/corp-ldap/login`, { method: "POST", body });
  assert.equal(login.status, 400);
});

test("`startSandbox()` without a license answers little but logins until it has one", async () => {
  await using sandbox = await startSandbox({ license: false });
  sandbox.addUser({ username: "ann", password: "pw" });
  const body = { username: "ann", password: "pw" };
  const login = await ask(`${sandbox.url}/api/login`, { method: "POST", body });
  assert.equal(login.status, 200);
  const cookie = cookiesOf(login);
  const { value: key } = sandbox.addToken({ user: "ann" });
  for (const who of [{ cookie }, { key }]) {
    for (const path of ["/api/me", "/api/version", "/api/login_options"]) {
      assert.equal((await ask(sandbox.url + path, who)).status, 200, path);
    }
    for (const path of ["/api/tokens", "/api/gateway_groups", "/api/users"]) {
      const refused = await ask(sandbox.url + path, who);
      assert.equal(refused.status, 403, path);
      assert.match(refused.json.error_msg, /license/);
    }
  }
  const license = { method: "PUT", cookie, body: { data: "a license" } };
  assert.equal((await ask(`${sandbox.url}/api/license`, license)).status, 200);
  assert.equal((await ask(`${sandbox.url}/api/tokens`, { cookie })).status, 200);
});

test("`startSandbox()` gives no more of a list at once than `maxPageSize`", async () => {
  await using sandbox = await startSandbox({ maxPageSize: 2 });
  const { value: key } = sandbox.addToken();
  for (const name of ["second", "third"]) sandbox.addToken({ name });
  for (const query of ["", "?page_size=100", "?page=1"]) {
    const { json } = await ask(`${sandbox.url}/api/tokens${query}`, { key });
    assert.deepEqual([json.list.length, json.total], [2, 3], query);
  }
  const rest = await ask(`${sandbox.url}/api/tokens?page=2&page_size=100`, { key });
  assert.equal(rest.json.list.length, 1);
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

test("`startSandbox()` takes an admin key without a gateway group, and no other token", async () => {
  await using sandbox = await startSandbox();
  const url = `${sandbox.url}/apisix/admin/services`;
  const admin = sandbox.addToken({ prefix: "a7adm-" });
  const user = sandbox.addToken();
  assert.equal((await ask(url, { key: admin.value })).status, 200);
  assert.equal((await ask(url, { key: user.value })).status, 400);
  assert.equal((await ask(`${sandbox.url}/api/me`, { key: admin.value })).status, 403);
});

test("`startSandbox()` keeps the resources of each gateway group apart", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken();
  const other = sandbox.addGatewayGroup("other");
  const put = await ask(`${sandbox.url}/apisix/admin/services/1?gateway_group_id=default`, {
    key,
    method: "PUT",
    body: { name: "s", service_id: "1" },
  });
  assert.equal(put.status, 200);
  assert.equal(sandbox.resources("services").length, 1);
  const list = await ask(
    `${sandbox.url}/apisix/admin/services?gateway_group_id=${other.id}`,
    { key },
  );
  assert.deepEqual(list.json, { list: [], total: 0 });
});

test("`sandbox.hooks.onRequest` can revoke a token in the middle of a run", async () => {
  await using sandbox = await startSandbox();
  const token = sandbox.addToken();
  sandbox.hooks.onRequest = (request) => {
    if (request.path === "/api/schema/core") sandbox.revokeToken(token.value);
  };
  const statuses: number[] = [];
  for (const path of ["/api/version", "/api/schema/core", "/api/version"]) {
    statuses.push((await ask(sandbox.url + path, { key: token.value })).status);
  }
  assert.deepEqual(statuses, [200, 401, 401]);
});

test("`sandbox.requests` keeps method, path, query, key, body and status", async () => {
  await using sandbox = await startSandbox();
  const token = sandbox.addToken();
  await ask(`${sandbox.url}/api/gateway_groups?x=1`, {
    method: "POST",
    key: token.value,
    body: { name: "new" },
  });
  const [request] = sandbox.requests;
  assert.equal(request?.method, "POST");
  assert.equal(request?.path, "/api/gateway_groups");
  assert.deepEqual({ ...request?.query }, { x: "1" });
  assert.equal(request?.apiKey, token.value);
  assert.deepEqual(request?.body, { name: "new" });
  assert.equal(request?.status, 200);
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

test("`startSandbox()` can list gateway groups as a server does that knows no `name=`", async () => {
  await using sandbox = await startSandbox({ groupsByName: false });
  const { value: key } = sandbox.addToken();
  sandbox.addGatewayGroup("prod-old");
  sandbox.addGatewayGroup("prod");
  const url = `${sandbox.url}/api/gateway_groups?search=prod&name=prod`;
  const { json } = await ask(url, { key });
  assert.deepEqual(json.list.map(({ name }: { name: string }) => name), ["prod", "prod-old"]);
});
