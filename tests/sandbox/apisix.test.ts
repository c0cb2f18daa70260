import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "./ask.ts";
import { startSandbox } from "./sandbox.ts";

test("APISIX: a wrong or missing admin key answers 401 and says which", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", adminKeys: ["good"] });
  const url = `${sandbox.url}/apisix/admin/routes`;
  const missing = await ask(url);
  assert.deepEqual([missing.status, missing.json], [401, {
    error_msg: "failed to check token",
    description: "missing apikey",
  }]);
  assert.equal((await ask(url, { key: "bad" })).json.description, "wrong apikey");
  const good = await ask(url, { key: "good" });
  assert.deepEqual([good.status, good.json], [200, { list: [], total: 0 }]);
  assert.equal(good.headers.server, "APISIX/3.18.0");
});

test("APISIX: a resource is created, read, updated and deleted in etcd's shape", async () => {
  await using sandbox = await startSandbox({ backend: "apisix" });
  const { value: key } = sandbox.addToken();
  const url = `${sandbox.url}/apisix/admin/routes/1`;
  const body = { uri: "/a" };
  assert.equal((await ask(url, { key })).json.message, "Key not found");
  assert.equal((await ask(url, { key, method: "PUT", body })).status, 201);
  assert.equal((await ask(url, { key, method: "PUT", body })).status, 200);
  const { json } = await ask(`${sandbox.url}/apisix/admin/routes`, { key });
  assert.equal(json.total, 1);
  assert.equal(json.list[0].key, "/apisix/routes/1");
  assert.equal(json.list[0].value.uri, "/a");
  assert.equal(json.list[0].modifiedIndex > json.list[0].createdIndex, true);
  const deleted = await ask(url, { key, method: "DELETE" });
  assert.deepEqual(deleted.json, { key: "/apisix/routes/1", deleted: "1" });
  assert.equal((await ask(url, { key, method: "DELETE" })).status, 404);
});

test("APISIX: references are checked when they are made and when they would break", async () => {
  await using sandbox = await startSandbox({ backend: "apisix" });
  const { value: key } = sandbox.addToken();
  const admin = `${sandbox.url}/apisix/admin`;
  const put = async (path: string, body: unknown): Promise<number> =>
    (await ask(`${admin}/${path}`, { key, method: "PUT", body })).status;
  const service = { upstream_id: "u" };
  assert.equal(await put("services/s", service), 400);
  assert.equal(await put("upstreams/u", { nodes: {} }), 201);
  assert.equal(await put("services/s", service), 201);
  assert.equal((await ask(`${admin}/upstreams/u`, { key, method: "DELETE" })).status, 400);
});

test("APISIX: credentials need their consumer, and end with it", async () => {
  await using sandbox = await startSandbox({ backend: "apisix" });
  const { value: key } = sandbox.addToken();
  const consumer = `${sandbox.url}/apisix/admin/consumers/jack`;
  const credential = { key, method: "PUT", body: { plugins: { "key-auth": {} } } };
  assert.equal((await ask(`${consumer}/credentials/c`, credential)).status, 404);
  await ask(consumer, { key, method: "PUT", body: { username: "jack" } });
  assert.equal((await ask(`${consumer}/credentials/c`, credential)).status, 201);
  await ask(consumer, { key, method: "DELETE" });
  assert.equal((await ask(`${consumer}/credentials`, { key })).status, 404);
});

test("APISIX: there is no `/api`, and no unknown resource", async () => {
  await using sandbox = await startSandbox({ backend: "apisix" });
  const { value: key } = sandbox.addToken();
  const api = await ask(`${sandbox.url}/api/gateway_groups`, { key });
  assert.equal(api.status, 404);
  assert.match(api.headers["content-type"] ?? "", /html/);
  const unknown = await ask(`${sandbox.url}/apisix/admin/things`, { key });
  assert.deepEqual([unknown.status, unknown.json], [404, {
    error_msg: "Unsupported resource type: things",
  }]);
});

test("APISIX standalone: only `HEAD /apisix/admin` goes unchecked", async () => {
  await using sandbox = await startSandbox({ backend: "apisix-standalone" });
  const { value: key } = sandbox.addToken();
  const head = { method: "HEAD", key: "wrong" };
  assert.equal((await ask(`${sandbox.url}/apisix/admin`, head)).status, 200);
  const configs = `${sandbox.url}/apisix/admin/configs`;
  assert.equal((await ask(configs, head)).status, 401);
  assert.equal((await ask(configs, { method: "HEAD", key })).status, 200);
  assert.equal((await ask(configs, { key })).json.routes_conf_version, 0);
});

test("APISIX standalone: a configuration has a digest, and versions that only grow", async () => {
  await using sandbox = await startSandbox({ backend: "apisix-standalone" });
  const { value: key } = sandbox.addToken();
  const configs = `${sandbox.url}/apisix/admin/configs`;
  const put = async (digest: string, version: number): Promise<number> => {
    const body = { routes: [{ id: "1", uri: "/a" }], routes_conf_version: version };
    const headers = digest === "" ? {} : { "x-digest": digest };
    return (await ask(configs, { key, method: "PUT", body, headers })).status;
  };
  assert.equal(await put("", 5), 400);
  assert.equal(await put("one", 5), 202);
  assert.equal(await put("one", 5), 204);
  assert.equal(await put("two", 4), 400);
  assert.equal(await put("two", 6), 202);
  const answer = await ask(configs, { key });
  assert.equal(answer.headers["x-digest"], "two");
  assert.equal(Number(answer.headers["x-last-modified"]) > 0, true);
  assert.deepEqual(sandbox.resources("routes"), [{ id: "1", uri: "/a" }]);
});

for (const backend of ["api7ee", "apisix", "apisix-standalone"] as const) {
  test(`configs/validate finds what is wrong and writes nothing: ${backend}`, async () => {
    await using sandbox = await startSandbox({ backend });
    const { value: key } = sandbox.addToken();
    const url = `${sandbox.url}/apisix/admin/configs/validate?gateway_group_id=default`;
    const good = { routes: [{ id: "1", uri: "/a", paths: ["/a"] }] };
    assert.equal((await ask(url, { method: "POST", body: good })).status, 401);
    assert.equal((await ask(url, { key, method: "POST", body: good })).status, 200);
    const bad = await ask(url, { key, method: "POST", body: { routes: [{ id: "1" }] } });
    assert.equal(bad.status, 400);
    assert.equal(bad.json.errors[0].resource_type, "routes");
    assert.deepEqual(sandbox.resources("routes"), []);
  });
}

test("APISIX: nginx refuses an address that `allow_admin` does not list before it sees a key", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", allowAdmin: false });
  const refused = await ask(`${sandbox.url}/apisix/admin/routes`);
  assert.equal(refused.status, 403);
  assert.match(refused.headers["content-type"] ?? "", /html/);
  assert.match(refused.text, /<h1>403 Forbidden/);
  const admin = await ask(`${sandbox.url}/apisix/admin`, { method: "HEAD" });
  assert.deepEqual([admin.status, admin.text], [403, ""]);
});

test("APISIX: what is wrong with TLS is a page of nginx', after the handshake", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", clientCertificate: true });
  const { value: key } = sandbox.addToken();
  const url = `${sandbox.url}/apisix/admin/routes`;
  const none = await ask(url, { key, ca: sandbox.ca });
  assert.deepEqual([none.status, /No required SSL certificate/.test(none.text)], [400, true]);
  const other = await ask(url, {
    key,
    ca: sandbox.ca,
    cert: sandbox.otherClientCert,
    certKey: sandbox.otherClientKey,
  });
  assert.deepEqual([other.status, /SSL certificate error/.test(other.text)], [400, true]);
  const right = await ask(url, {
    key,
    ca: sandbox.ca,
    cert: sandbox.clientCert,
    certKey: sandbox.clientKey,
  });
  assert.equal(right.status, 200);
  const plain = await ask(url.replace("https:", "http:"), { key });
  assert.deepEqual([plain.status, /plain HTTP request/.test(plain.text)], [400, true]);
  assert.equal((await ask(url.replace("https:", "http:"), { method: "HEAD" })).text, "");
});

test("APISIX: a viewer's key reads by GET alone, and a key may be in the query or a cookie", async () => {
  for (const backend of ["apisix", "apisix-standalone"] as const) {
    await using sandbox = await startSandbox({ backend });
    const { value: key } = sandbox.addToken({ permissions: { write: false } });
    const path = backend === "apisix" ? "routes" : "configs";
    const url = `${sandbox.url}/apisix/admin/${path}`;
    assert.equal((await ask(url, { key })).status, 200);
    assert.equal((await ask(`${url}?api_key=${key}`)).status, 200);
    assert.equal((await ask(url, { headers: { cookie: `a=b; x_api_key=${key}` } })).status, 200);
    const refused = await ask(url, { key, method: "PUT", body: {} });
    assert.equal(refused.status, 401);
    assert.equal(refused.json.description, "invalid method for role viewer");
    const validate = `${sandbox.url}/apisix/admin/configs/validate`;
    assert.equal((await ask(validate, { key, method: "POST", body: {} })).status, 401);
  }
});

test("APISIX: without `admin_key_required` any key will do, and none", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", keyRequired: false });
  const url = `${sandbox.url}/apisix/admin/routes`;
  assert.equal((await ask(url)).status, 200);
  assert.equal((await ask(url, { key: "any" })).status, 200);
});

test("APISIX: version 2 of the API has nodes, and says so", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", adminApiVersion: "v2" });
  const { value: key } = sandbox.addToken();
  const answer = await ask(`${sandbox.url}/apisix/admin/routes`, { key });
  assert.equal(answer.headers["x-api-version"], "v2");
  assert.equal(answer.json.node.dir, true);
});

test("APISIX: `/configs` depends on the version", async () => {
  const cases = [
    ["apisix", "3.18.0", 404, 404, 200, "Unsupported resource type: configs"],
    ["apisix", "3.14.1", 404, 404, 404, "Unsupported resource type: configs"],
    ["apisix", "3.2.2", 404, 404, 404, "not found"],
    ["apisix-standalone", "3.18.0", 200, 200, 200, undefined],
    ["apisix-standalone", "3.14.1", 200, 200, 404, undefined],
    ["apisix-standalone", "3.13.0", 404, 200, 404, undefined],
  ] as const;
  for (const [backend, version, head, get, validate, message] of cases) {
    await using sandbox = await startSandbox({ backend, version });
    const { value: key } = sandbox.addToken();
    const url = `${sandbox.url}/apisix/admin/configs`;
    const got = await ask(url, { key });
    assert.deepEqual(
      [
        (await ask(url, { key, method: "HEAD" })).status,
        got.status,
        (await ask(`${url}/validate`, { key, method: "POST", body: {} })).status,
      ],
      [head, get, validate],
      `${backend} ${version}`,
    );
    if (message !== undefined) assert.equal(got.json.error_msg, message);
    assert.equal(got.headers.server, `APISIX/${version}`);
  }
});

test("APISIX: a dead etcd, stream routes that are off, double slashes and a hidden version", async () => {
  await using sandbox = await startSandbox({ backend: "apisix", etcd: false, serverHeader: "" });
  const { value: key } = sandbox.addToken();
  const dead = await ask(`${sandbox.url}/apisix/admin/routes`, { key });
  assert.deepEqual([dead.status, dead.json.error_msg], [
    503,
    "has no healthy etcd endpoint available",
  ]);
  assert.equal(dead.headers.server, undefined);
  await using other = await startSandbox({
    backend: "apisix",
    streamProxy: false,
    serverHeader: "nginx",
  });
  const own = other.addToken().value;
  const streams = await ask(`${other.url}/apisix/admin/stream_routes`, { key: own });
  assert.deepEqual([streams.status, streams.headers.server], [400, "nginx"]);
  const twice = await ask(`${other.url}//apisix/admin/routes`, { key: own });
  assert.equal(twice.status, 200);
});
