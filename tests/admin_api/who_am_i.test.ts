import assert from "node:assert/strict";
import { test } from "node:test";
import { whoAmI } from "../../src/admin_api/who_am_i.ts";
import type { HttpClient, HttpRequest } from "../../src/connection/http.ts";
import { readServers } from "../../src/connection/server.ts";
import { Secret } from "../../src/secret.ts";

const [server] = readServers({ value: "https://h", origin: { kind: "default" } }, false);
const token = new Secret("a7ee-example");

async function ask(body: unknown, status = 200) {
  const requests: HttpRequest[] = [];
  const client: HttpClient = {
    send: (request) => {
      requests.push(request);
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return Promise.resolve({ status, header: () => undefined, body: text, cut: false });
    },
    close: () => Promise.resolve(),
  };
  return { owner: await whoAmI(client, { server: server!, token }), requests };
}

test("`whoAmI()` tells the user, the roles, and whether it is a Super Admin", async () => {
  const roles = [{ id: "editor_id", name: "Editor" }, { id: "viewer_id" }];
  const { owner, requests } = await ask({ value: { username: "ann", roles } });
  assert.deepEqual(owner, { username: "ann", roles: ["Editor", "viewer_id"], superAdmin: false });
  assert.deepEqual(requests, [{ server, token, method: "GET", path: "/api/me" }]);
  const admin = [{ id: "super_admin_id", name: "Super Admin" }];
  const { owner: root } = await ask({ value: { username: "admin", roles: admin } });
  assert.deepEqual(root, { username: "admin", roles: ["Super Admin"], superAdmin: true });
});

test("`whoAmI()` takes a user without roles", async () => {
  for (const roles of [undefined, null, [], "x"]) {
    const { owner } = await ask({ value: { username: "ann", roles } });
    assert.deepEqual(owner, { username: "ann", roles: [], superAdmin: false });
  }
});

test("`whoAmI()` knows nobody where the server does not say", async () => {
  const bodies = ["", "<html>", "null", "[]", {}, { value: null }, { value: { username: 7 } }];
  for (const body of bodies) assert.equal((await ask(body)).owner, undefined);
  for (const status of [401, 403, 404, 500]) {
    const { owner } = await ask({ value: { username: "ann" } }, status);
    assert.equal(owner, undefined);
  }
});

test("`whoAmI()` passes on that no answer came", async () => {
  const client: HttpClient = {
    send: () => Promise.reject(new Error("cut off")),
    close: () => Promise.resolve(),
  };
  await assert.rejects(whoAmI(client, { server: server!, token }), { message: "cut off" });
});
