import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, ask, cookiesOf } from "./ask.ts";
import { misfits, requestMisfits } from "./fits.ts";
import { startSandbox } from "./sandbox.ts";
import { callsWith, ERRORS, type Shape, TOKEN_PATHS } from "./shapes.ts";

for (const tokenPath of TOKEN_PATHS) {
  test(`\`startSandbox()\` answers every call in its documented shape: ${tokenPath}`, async () => {
    await using sandbox = await startSandbox({ tokenPath });
    const calls = callsWith(tokenPath);
    const asked = new Set<string>();
    sandbox.addUser({ username: "ann", password: "right" });
    sandbox.addUser({ username: "ldap-ann", password: "right", ldap: "corp-ldap" });
    let cookie = "";

    /** Asks, and holds question and answer against the call's shapes. */
    async function tell(
      line: string,
      options: { readonly id?: string; readonly query?: string; readonly body?: unknown } = {},
    ): Promise<Answer> {
      const { id = "", query = "", body } = options;
      const [method = "", path = ""] = line.replace(":id", id).split(" ");
      const answer = await ask(`${sandbox.url}${path}${query}`, { method, cookie, body });
      const call = calls.get(line);
      assert.ok(call, `${line} has a shape`);
      assert.equal(answer.status, 200, `${line}: ${answer.text}`);
      assert.deepEqual(misfits(answer.json, call.answer), [], line);
      assert.deepEqual(requestMisfits(sandbox.requests.at(-1)!), [], line);
      asked.add(line);
      return answer;
    }

    await tell("GET /api/login_options", { query: "?page=1&page_size=1&search=LDAP" });
    const ldap = { username: "ldap-ann", password: "right" };
    await tell("POST /api/ldap/:id/login", { id: "corp-ldap", body: ldap });
    cookie = cookiesOf(
      await tell("POST /api/login", { body: { username: "ann", password: "right" } }),
    );
    await tell("GET /api/me");
    await tell("GET /api/users", { query: "?page=2&page_size=1" });
    await tell("GET /api/version");
    await tell("GET /api/gateway_groups", { query: "?search=default&name=default" });

    const fresh = await tell(`POST ${tokenPath}`, { body: { name: "one", expires_at: 0 } });
    const { id } = fresh.json.value;
    await tell(`GET ${tokenPath}`, { query: "?page=1&page_size=10&search=o&order_by=expires_at" });
    await tell(`GET ${tokenPath}/check_name`, { query: "?name=one" });
    await tell(`GET ${tokenPath}/:id`, { id });
    await tell(`PUT ${tokenPath}/:id`, { id, body: { name: "two" } });
    const expires_at = Math.floor(Date.now() / 1000) + 60;
    await tell(`PUT ${tokenPath}/:id/regenerate`, { id, body: { expires_at } });
    await tell(`DELETE ${tokenPath}/:id`, { id });
    await tell("POST /api/logout");
    assert.deepEqual([...asked].sort(), [...calls.keys()].sort(), "no call is left out");
  });

  test(`\`startSandbox()\` explains what it refuses: ${tokenPath}`, async () => {
    for (const [index, errorField] of (["error_msg", "message"] as const).entries()) {
      await using sandbox = await startSandbox({ tokenPath, errorField });
      const key = sandbox.addToken({ name: "taken" }).value;
      const url = `${sandbox.url}${tokenPath}`;
      const post = (path: string, body: unknown): Promise<Answer> =>
        ask(path, { method: "POST", key, body });
      const answers = await Promise.all([
        ask(url, { key: "a7ee-unknown" }),
        ask(`${url}/nobody-knows`, { key }),
        ask(`${url}?page_size=0`, { key }),
        ask(`${url}?order_by=color`, { key }),
        post(url, { name: "x".repeat(41), expires_at: 0 }),
        post(url, { name: "taken", expires_at: 0 }),
        post(url, { name: "free" }),
        post(`${sandbox.url}/api/login`, { username: "x".repeat(129), password: "right" }),
        post(`${sandbox.url}/api/login`, { username: "ann", password: "x".repeat(129) }),
        post(`${sandbox.url}/api/login`, { username: "ann", password: "" }),
      ]);
      const statuses = [401, 404, 400, 400, 400, 400, 400, 400, 400, 400];
      assert.deepEqual(answers.map(({ status }) => status), statuses);
      for (const { json } of answers) assert.deepEqual(misfits(json, ERRORS[index]!), []);
    }
  });
}

test("`misfits()` names what is missing, unexpected, or of another type", () => {
  const shape: Shape = {
    type: "object",
    fields: {
      "id": { type: "string", pattern: /^[a-z]+$/, max: 3 },
      "size?": { type: "integer", min: 0 },
      "tags?": { type: "list", of: { type: "string", oneOf: ["a", "b"] }, min: 1 },
      "labels?": { type: "map", of: { type: "string" } },
      "on?": { type: "boolean" },
    },
  };
  for (
    const [value, found] of [
      [{ id: "x" }, []],
      [{ id: "x", size: 0, tags: ["b"], labels: { any: "y" }, on: false }, []],
      [null, ["value is no object"]],
      [{}, ["value.id is missing"]],
      [{ id: "X" }, ["value.id is not like /^[a-z]+$/"]],
      [{ id: "long" }, ["value.id is too long"]],
      [{ id: 1, other: 1 }, ["value.id is no string", "value.other is not expected"]],
      [{ id: "x", size: 0.5 }, ["value.size is no integer"]],
      [{ id: "x", size: -1 }, ["value.size is too small"]],
      [{ id: "x", tags: [] }, ["value.tags has too few entries"]],
      [{ id: "x", tags: ["c"] }, ["value.tags[0] is none of a,b"]],
      [{ id: "x", labels: { any: 1 } }, ["value.labels.any is no string"]],
      [{ id: "x", on: "true" }, ["value.on is no boolean"]],
    ] as const
  ) {
    assert.deepEqual(misfits(value, shape), found);
  }
});

test("`requestMisfits()` finds what the API does not know", async () => {
  await using sandbox = await startSandbox();
  const { value: key } = sandbox.addToken();
  for (
    const [line, body, found] of [
      ["GET /api/tokens?name=x", undefined, /no "name" in its query/],
      ["GET /api/tokens?page=0", undefined, /"page" is no number/],
      ["GET /api/tokens/check_name", undefined, /needs "name"/],
      ["POST /api/settings/tokens", { name: "x" }, /expires_at is missing/],
      ["PUT /api/tokens/1/regenerate", { expires_at: 0, name: "x" }, /name is not expected/],
      ["POST /api/logout", { all: true }, /takes no body/],
    ] as const
  ) {
    const [method = "", path = ""] = line.split(" ");
    await ask(sandbox.url + path, { method, key, body });
    const misfit = requestMisfits(sandbox.requests.at(-1)!);
    assert.equal(misfit.length, 1, line);
    assert.match(misfit[0]!, found);
  }
  await ask(`${sandbox.url}/apisix/admin/services?anything=1`, { key });
  assert.deepEqual(requestMisfits(sandbox.requests.at(-1)!), []);
});
