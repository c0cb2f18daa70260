import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { inspect } from "node:util";
import { requireGatewayGroup } from "../../src/check/backend_checks.ts";
import { CheckError } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { ConnectionError } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";
import { VERSION } from "../../src/version.ts";
import { checkAgainst } from "../support/mock_server.ts";
import type { MockAnswer } from "../support/mock_server.ts";

const BACKENDS = ["apisix", "api7ee", "apisix-standalone"] as const;
const GROUPS = { list: [{ id: "default", name: "default" }], total: 1 };
const GROUPS_ANSWER: MockAnswer = { body: GROUPS };
const SCHEMA: MockAnswer = { body: { value: { service: { type: "object" } } } };
const ROUTES = { list: [], total: 0 };

const GOOD: Readonly<Record<typeof BACKENDS[number], MockAnswer>> = {
  "apisix": { body: ROUTES },
  "api7ee": { body: GROUPS },
  "apisix-standalone": {},
};

/** The command, its token, and what ADC's command asks first. */
const FIRST_REQUESTS = [
  ["ping --backend apisix", "a7ee-example", ["GET /apisix/admin/routes"]],
  ["diff --backend apisix", "a7ee-example", ["GET /apisix/admin/routes"]],
  // The second one tells a viewer's key.
  ["sync --backend apisix", "a7ee-example", [
    "GET /apisix/admin/routes",
    "POST /apisix/admin/configs/validate",
  ]],
  ["validate --backend apisix", "a7ee-example", [
    "GET /apisix/admin/routes",
    "POST /apisix/admin/configs/validate",
  ]],
  ["ping --backend api7ee", "a7ee-example", ["GET /api/gateway_groups"]],
  ["ping --backend api7ee", "a7adm-example", ["GET /api/gateway_groups"]],
  ...["sync", "diff", "dump", "validate", "other"].flatMap((command) =>
    [
      [`${command} --backend api7ee`, "a7ee-example", [
        "GET /api/gateway_groups?search=default&name=default",
      ]],
      [`${command} --backend api7ee`, "a7adm-example", ["GET /api/schema/core"]],
    ] as const
  ),
  ...["ping", "sync", "diff", "dump", "validate"].map((command) =>
    [`${command} --backend apisix-standalone`, "a7ee-example", [
      "HEAD /apisix/admin",
      "HEAD /apisix/admin/configs",
    ]] as const
  ),
] as const;

test("`checkToken()` asks what ADC's command will ask first, with the token in X-API-KEY", async () => {
  for (const [line, token, paths] of FIRST_REQUESTS) {
    const [, , backend] = line.split(" ") as [string, string, typeof BACKENDS[number]];
    const answer = token === "a7adm-example" && !line.startsWith("ping") ? SCHEMA : GOOD[backend];
    const { result, requests } = await checkAgainst(line, answer, { token });
    assert.equal(result.verdict, "valid", `${line}: ${inspect(result)}`);
    assert.equal(result.httpStatus, 200);
    assert.equal(result.suggestion, undefined);
    assert.deepEqual(requests.map(({ method, path }) => `${method} ${path}`), paths, line);
    for (const { method, path, headers } of requests) {
      assert.deepEqual({ ...headers }, {
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": `adc-run/${VERSION}`,
        ...(method === "POST" && { "content-type": "application/json" }),
        ...(path !== "/apisix/admin" && { "x-api-key": token }),
      });
    }
  }
});

test("`checkToken()` keeps the path that a server's address has", async () => {
  const { result, requests } = await checkAgainst(
    "sync --server https://h:7443/prefix/",
    GOOD.apisix,
  );
  assert.equal(requests[0]?.path, "/prefix/apisix/admin/routes");
  assert.equal(result.request, "GET https://h:7443/prefix/apisix/admin/routes");
});

test("`checkToken()` sends the user name and password of an address, and never shows them", async () => {
  const line = "sync --server https://zoe:hunter2@h";
  const { result, requests } = await checkAgainst(line, { status: 500 });
  assert.equal(requests[0]?.headers.authorization, `Basic ${btoa("zoe:hunter2")}`);
  assert.equal(result.request, "GET https://h/apisix/admin/routes");
  assert.ok(!/zoe|hunter2/.test(JSON.stringify(result)));
});

test("`checkToken()` knows the port of https by what servers say there to plain requests", async () => {
  for (
    const body of [
      "<html><h1>400 The plain HTTP request was sent to HTTPS port</h1></html>",
      "Client sent an HTTP request to an HTTPS server.\n",
      "Bad Request\r\nThis combination of host and port requires TLS.\r\n",
      "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br /></p>",
    ]
  ) {
    for (const backend of ["api7ee", "apisix", "apisix-standalone"]) {
      const line = `sync --backend ${backend} --server http://h`;
      const { result } = await checkAgainst(line, { status: 400, body });
      assert.equal(result.verdict, "tls", inspect(result));
      assert.match(result.suggestion ?? "", /^The server uses https on that port: write https/);
    }
  }
  const { result } = await checkAgainst("sync --server http://h", { status: 400, body: "Bad" });
  assert.equal(result.verdict, "wrong-server");
});

test("`checkToken()` masks the password of an address that the server echoes", async () => {
  const { result } = await checkAgainst("ping --server https://zoe:hunter2@h", ({ headers }) => ({
    status: 500,
    body: { error_msg: `${headers.authorization} is not for zoe, hunter2` },
  }));
  assert.equal(result.reason, 'the server answered 500: "*** is not for zoe, ***"');
});

test("`checkToken()` encodes the gateway group's name", async () => {
  const list = [{ name: "a&b=ü/?#" }];
  const { result, requests } = await checkAgainst(
    "sync --backend api7ee --gateway-group a&b=ü/?#",
    { body: { list } },
  );
  const name = "a%26b%3D%C3%BC%2F%3F%23";
  assert.equal(requests[0]?.path, `/api/gateway_groups?search=${name}&name=${name}`);
  assert.equal(result.verdict, "valid");
});

test("`checkToken()` looks for no gateway group where ADC does not", async () => {
  const cases = [
    ["sync", "a7adm-example", SCHEMA],
    ["ping", "a7ee-example", GROUPS_ANSWER],
    ["ping", "a7adm-example", GROUPS_ANSWER],
  ] as const;
  for (const group of ["production", ""]) {
    for (const [command, token, answer] of cases) {
      const line = `${command} --backend api7ee --gateway-group=${group}`;
      const { result } = await checkAgainst(line, answer, { token });
      assert.equal(result.verdict, "valid", line);
    }
    // A key that may not list gateway groups may well do the rest.
    const { result } = await checkAgainst(
      `sync --backend api7ee --gateway-group=${group}`,
      ({ path }) => path === "/api/schema/core" ? SCHEMA : { status: 403 },
      { token: "a7adm-example" },
    );
    assert.equal(result.verdict, "valid");
  }
  const page = await checkAgainst("sync --backend api7ee", { body: GROUPS }, {
    token: "a7adm-example",
  });
  assert.equal(page.result.verdict, "wrong-server");
});

test("`checkToken()` sends nothing where ADC would look for a group without a name", async () => {
  const line = "sync --backend api7ee --gateway-group=";
  const { result, requests } = await checkAgainst(line, GROUPS_ANSWER);
  assert.equal(result.verdict, "no-gateway-group");
  assert.match(result.reason, /group is empty/);
  assert.deepEqual(requests, []);
});

test("`requireGatewayGroup()` refuses an empty name where ADC would look for it", async () => {
  const refuse = async (args: string[], env = {}, token = "a7ee-example") => {
    const connection = await resolveConnection({ args, env, cwd: "/nowhere" });
    requireGatewayGroup(connection, new Secret(token));
  };
  const flags = ["--backend", "api7ee", "--gateway-group="];
  const message = /^Cannot use --gateway-group: the gateway group is empty$/;
  await assert.rejects(refuse(["sync", ...flags]), { exitCode: 64, message });
  const env = { ADC_BACKEND: "api7ee", ADC_GATEWAY_GROUP: "  " };
  const named = /^Cannot use ADC_GATEWAY_GROUP/;
  await assert.rejects(refuse(["sync"], env), { exitCode: 78, message: named });
  await refuse(["ping", ...flags]);
  await refuse(["sync", ...flags], {}, "a7adm-example");
  await refuse(["sync"], { ...env, ADC_BACKEND: "apisix" });
});

test("`checkToken()` warns of ADC before 0.21.2 where there is more than one hit for a group", async () => {
  const hits = (...names: string[]) => ({ body: { list: names.map((name) => ({ name })) } });
  const line = "sync --backend api7ee --gateway-group=prod";
  const { result } = await checkAgainst(line, hits("prod", "prod-old"));
  assert.equal(result.verdict, "valid");
  assert.match(result.warning ?? "", /2 gateway groups match the name "prod".*ADC before 0\.21\.2/);
  assert.equal((await checkAgainst(line, hits("prod"))).result.warning, undefined);
});

/** A status, its verdict, its exit code, and how often it is asked. */
const STATUSES = [
  [401, "rejected", 77, 1],
  [403, "forbidden", 77, 1],
  [404, "wrong-server", 78, 1],
  [405, "wrong-server", 78, 1],
  [400, "wrong-server", 78, 1],
  [301, "wrong-server", 78, 1],
  [302, "wrong-server", 78, 1],
  [307, "wrong-server", 78, 1],
  [304, "wrong-server", 78, 1],
  [407, "unreachable", 69, 1],
  [500, "server-error", 69, 1],
  [501, "server-error", 69, 1],
  [599, "server-error", 69, 1],
  [408, "server-error", 69, 3],
  [425, "server-error", 69, 3],
  [429, "server-error", 69, 3],
  [502, "server-error", 69, 3],
  [503, "server-error", 69, 3],
  [504, "server-error", 69, 3],
] as const;

test("`checkToken()` judges every status, and asks again where a server is busy", async () => {
  await Promise.all(
    BACKENDS.flatMap((backend) =>
      STATUSES.map(async ([status, verdict, exitCode, times]) => {
        const { result, requests } = await checkAgainst(`sync --backend ${backend}`, { status }, {
          token: "free-text",
        });
        assert.equal(result.verdict, verdict, `${backend} ${status}`);
        assert.equal(result.httpStatus, status);
        assert.ok(result.suggestion);
        assert.equal(new CheckError(result).exitCode, exitCode);
        // The answer to a HEAD has no words, so that a refusal is asked for once more by GET.
        const isWordless = backend === "apisix-standalone" && times === 1 && status >= 400 &&
          status < 500;
        assert.equal(requests.length, isWordless ? 2 : times, `${backend} ${status}`);
        const method = backend === "apisix-standalone" ? "HEAD" : "GET";
        const first = isWordless ? requests.slice(0, 1) : requests;
        assert.ok(first.every((request) => request.method === method));
      })
    ),
  );
});

test("`checkToken()` believes a server that was busy only at first", async () => {
  let asked = 0;
  const { result, requests } = await checkAgainst("diff", () => {
    asked += 1;
    return asked < 3 ? { status: 503 } : GOOD.apisix;
  });
  assert.deepEqual([result.verdict, requests.length], ["valid", 3]);
});

test("`checkToken()` asks again when a connection breaks, at most twice", async () => {
  const codes = ["ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "EPIPE", "UND_ERR_SOCKET"];
  await Promise.all(codes.map(async (code) => {
    const { result, requests } = await checkAgainst(
      "sync",
      () => Object.assign(new Error("zqzq"), { code }),
    );
    assert.deepEqual([result.verdict, requests.length], ["unreachable", 3], code);
    assert.ok(result.reason.endsWith(`(${code})`), result.reason);
    assert.equal(result.httpStatus, undefined);
  }));
});

test("`checkToken()` suggests to log in again for 401 alone", async () => {
  for (const [status, , , times] of STATUSES) {
    if (times > 1) continue;
    const { result } = await checkAgainst("sync", { status }, { token: "free-text" });
    assert.equal(
      /wrong, expired or revoked/.test(result.suggestion ?? ""),
      status === 401,
      String(status),
    );
  }
});

test("`checkToken()` takes a 401 with a login of somebody else's for what it is", async () => {
  const { result } = await checkAgainst("sync", {
    status: 401,
    body: "<html>Log in</html>",
    headers: { "www-authenticate": 'Basic realm="gate"', "content-type": "text/html" },
  }, { token: "free-text" });
  assert.equal(result.verdict, "rejected");
  assert.match(result.suggestion ?? "", /a proxy in between may require its own login/);
});

test("`checkToken()` quotes what the server says of an error", async () => {
  const cases: readonly [body: unknown, quote: string][] = [
    [{ error_msg: "invalid token" }, ': "invalid token"'],
    [{ message: "invalid token" }, ': "invalid token"'],
    [{ error_msg: "failed", description: "wrong key" }, ': "failed (wrong key)"'],
    [{ error_msg: "one", message: "two" }, ': "one"'],
    [{ error_msg: "" }, ""],
    [{ error_msg: 7 }, ""],
    [{ error_msg: { a: 1 } }, ""],
    [{}, ""],
    [[], ""],
    ["null", ""],
    ["not json", ""],
    ["", ""],
  ];
  for (const [body, quote] of cases) {
    const { result } = await checkAgainst("sync", { status: 403, body });
    assert.equal(result.reason, `the server answered 403${quote}`);
  }
});

test("`checkToken()` strips control characters from the server's words, and cuts them", async () => {
  const text = "a\u001b[31mb\u0007c\r\nd\u009b0me\u0000f\u007fg";
  const { result } = await checkAgainst("sync", { status: 403, body: { error_msg: text } });
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(JSON.stringify(result), /\\u00|[\x00-\x1f\x7f-\x9f]/);
  assert.match(result.reason, /: "a \[31mb c d 0me f g"$/);
  const long = { error_msg: "x".repeat(100_000) };
  const cut = await checkAgainst("sync", { status: 403, body: long });
  assert.ok(cut.result.reason.length < 500);
});

test("`checkToken()` masks a token that the server echoes, wherever it is cut", async () => {
  const token = "a7ee-zqzqzqzqzqzqzqzqzqzqzqzq";
  for (const length of [0, 200, 250, 270, 280, 285, 290, 295, 296, 297, 298, 299, 300]) {
    const error_msg = `${"x".repeat(length)}${token} is no token`;
    const { result } = await checkAgainst("sync", { status: 401, body: { error_msg } }, { token });
    assert.doesNotMatch(inspect(new CheckError(result), { depth: 9 }), /zq/, String(length));
    if (length < 250) assert.match(result.reason, /x?\*\*\* is no token"$/);
  }
  const encoded = Buffer.from(token).toString("base64");
  const body = { error_msg: `no such key: ${encoded}` };
  const { result } = await checkAgainst("sync", { status: 401, body }, { token });
  assert.match(result.reason, /: "no such key: \*\*\*[\w=]{0,3}"$/);
});

test("`checkToken()` does not follow a redirect, and shows no more of it than its origin", async () => {
  const cases = {
    "https://login.example:8443/zqzq?zqzq=1#zqzq": 'pointing to "https://login.example:8443"',
    "https://zqzq:zqzq@login.example/x": 'pointing to "https://login.example"',
    "/login?zqzq": "pointing to ",
    "/login#zqzq": "pointing to ",
  };
  for (const [location, pointing] of Object.entries(cases)) {
    for (const status of [301, 302, 303, 307, 308]) {
      const { result, requests } = await checkAgainst("sync", { status, headers: { location } });
      assert.equal(result.verdict, "wrong-server");
      assert.equal(requests.length, 1);
      assert.ok(result.reason.includes(pointing), result.reason);
      assert.doesNotMatch(JSON.stringify(result), /zqzq/);
    }
  }
});

test("`checkToken()` tells what came instead of an Admin API's JSON", async () => {
  const bodies: readonly [answer: MockAnswer, what: RegExp][] = [
    [{ body: "<!doctype html><p>", headers: { "content-type": "text/html" } }, /an HTML page$/],
    [{ body: "\n <HTML>" }, /an HTML page$/],
    [{ body: "" }, /nothing$/],
    [{ body: " \n" }, /nothing$/],
    [{ body: "hello" }, /something that is not JSON$/],
    [{ body: '{"list": [{"id"' }, /something that is not JSON$/],
    [{ body: { hello: "world" } }, /unexpected JSON$/],
    [{ body: { list: "x" } }, /unexpected JSON$/],
    [{ status: 204 }, /answered 204 with nothing$/],
  ];
  for (const backend of ["apisix", "api7ee"] as const) {
    for (const [answer, what] of bodies) {
      const { result, requests } = await checkAgainst(`sync --backend ${backend}`, answer, {
        token: "x",
      });
      assert.equal(result.verdict, "wrong-server", `${backend} ${inspect(answer)}`);
      assert.match(result.reason, what);
      assert.match(result.suggestion ?? "", new RegExp(`not an Admin API of backend "${backend}"`));
      assert.equal(requests.length, 1);
    }
  }
  for (const list of [["x"], [null], { 0: {} }]) {
    const { result } = await checkAgainst("sync --backend api7ee", { body: { list } });
    assert.equal(result.verdict, "wrong-server", inspect(list));
  }
});

test("`checkToken()` knows the answers of every version of APISIX", async () => {
  const bodies = [
    { list: [], total: 0 },
    { list: {}, total: 0 },
    { list: [{ value: {} }], total: 1 },
  ];
  for (const body of bodies) {
    const { result } = await checkAgainst("sync", { body });
    assert.equal(result.verdict, "valid", inspect(body));
  }
});

test("`checkToken()` reads no more than the start of a huge answer", async () => {
  const huge = JSON.stringify({ list: [{ value: "x".repeat(3 * 1024 * 1024) }] });
  const json = { "content-type": "application/json" };
  const { result } = await checkAgainst("sync", { body: huge, headers: json });
  assert.equal(result.verdict, "valid");
  const page = await checkAgainst("sync", { body: `<html>${"x".repeat(3 * 1024 * 1024)}` });
  assert.equal(page.result.verdict, "wrong-server");
  assert.ok(JSON.stringify(page.result).length < 1_000);
});

test("`checkToken()` lists the gateway groups that exist where the named one does not", async () => {
  const { result, requests } = await checkAgainst(
    "sync --backend api7ee --gateway-group production",
    ({ path }) => ({ body: path.includes("?") ? { list: [], total: 0 } : GROUPS }),
  );
  assert.equal(result.verdict, "no-gateway-group");
  assert.equal(result.reason, 'gateway group "production" does not exist');
  assert.equal(
    result.suggestion,
    'Existing groups: "default". Set --gateway-group.',
  );
  assert.deepEqual(result.gatewayGroups, ["default"]);
  assert.deepEqual(requests.map(({ path }) => path), [
    "/api/gateway_groups?search=production&name=production",
    "/api/gateway_groups",
  ]);
  assert.equal(new CheckError(result).exitCode, 78);
});

test("`checkToken()` notices that the server lists another gateway group first", async () => {
  const list = [{ name: "pre-production" }, { name: "production" }];
  const { result } = await checkAgainst(
    "sync --backend api7ee --gateway-group production",
    { body: { list } },
  );
  assert.equal(result.verdict, "no-gateway-group");
  assert.match(
    result.reason,
    /lists "pre-production" first, and ADC would change that one instead$/,
  );
});

test("`checkToken()` knows a gateway group by its exact name", async () => {
  for (const name of ["Production", "production ", "prod"]) {
    const { result } = await checkAgainst(
      "sync --backend api7ee --gateway-group production",
      { body: { list: [{ name }] } },
    );
    assert.equal(result.verdict, "no-gateway-group", name);
  }
});

test("`checkToken()` does without the list of gateway groups where it cannot be had", async () => {
  const answers = [{ status: 403 }, { body: "<html>" }, { body: { list: [] } }, new Error("cut")];
  for (const answer of answers) {
    const { result } = await checkAgainst(
      "sync --backend api7ee --gateway-group production",
      ({ path }) => path.includes("?") ? { body: { list: [] } } : answer,
    );
    assert.equal(result.verdict, "no-gateway-group");
    assert.match(result.suggestion ?? "", /^This token can see no gateway groups/);
  }
});

test("`checkToken()` shows neither control characters nor the token in gateway groups", async () => {
  const list = [{ name: "red\u001b[31m" }, { name: "a7ee-example" }];
  const { result } = await checkAgainst("sync --backend api7ee", { body: { list } });
  assert.equal(result.verdict, "no-gateway-group");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(`${result.reason} ${result.suggestion}`, /[\x00-\x1f]/);
  assert.doesNotMatch(JSON.stringify(result), /\\u001b|a7ee-example/);
});

test("`checkToken()` tells an API7 token that was sent to APISIX", async () => {
  for (const backend of ["apisix", "apisix-standalone"]) {
    for (const status of [401, 404]) {
      for (const token of ["a7ee-example", "a7adm-example"]) {
        const line = `sync --backend ${backend}`;
        const { result } = await checkAgainst(line, { status }, { token });
        assert.match(
          result.suggestion ?? "",
          /^The token starts with "a7(ee|adm)-", so it is for API7/,
        );
        assert.match(result.suggestion ?? "", /set --backend api7ee or ADC_BACKEND=api7ee\.$/);
      }
      const { result } = await checkAgainst(`sync --backend ${backend}`, { status }, {
        token: "x",
      });
      assert.doesNotMatch(result.suggestion ?? "", /API7 Enterprise's/);
    }
  }
  for (const status of [403, 500]) {
    const { result } = await checkAgainst("sync", { status });
    assert.doesNotMatch(result.suggestion ?? "", /API7 Enterprise's/);
  }
  const { result } = await checkAgainst("sync --backend api7ee", { status: 401 });
  assert.doesNotMatch(result.suggestion ?? "", /API7 Enterprise's/);
});

const STANDALONE = "sync --backend apisix-standalone --server";

test("`checkToken()` gives every server its own token, or the first one to all", async () => {
  const cases: readonly [token: string, dealt: readonly string[]][] = [
    ["one,two,three", ["one", "two", "three"]],
    ["one", ["one", "one", "one"]],
    ["one,two", ["one", "one", "one"]],
    ["one,two,three,four", ["one", "one", "one"]],
  ];
  for (const [token, dealt] of cases) {
    const { result, requests } = await checkAgainst(
      `${STANDALONE} http://127.0.0.1:1,http://127.0.0.1:2,http://127.0.0.1:3`,
      {},
      { token },
    );
    assert.equal(result.verdict, "valid");
    const sent = requests.filter(({ path }) => path === "/apisix/admin/configs")
      .toSorted((a, b) => a.origin < b.origin ? -1 : 1)
      .map(({ headers }) => headers["x-api-key"]);
    assert.deepEqual(sent, dealt);
    const open = requests.filter(({ path }) => path === "/apisix/admin");
    assert.deepEqual(open.map(({ origin, headers }) => [origin, headers["x-api-key"]]), [
      ["http://127.0.0.1:1", undefined],
    ]);
  }
});

test("`checkToken()` tells which of several servers does not take its token", async () => {
  const { result } = await checkAgainst(
    `${STANDALONE} http://127.0.0.1:1,http://127.0.0.1:2,http://127.0.0.1:3`,
    ({ origin, path }) => ({
      status: path.endsWith("/configs") && !origin.endsWith(":1") ? 401 : 200,
    }),
    { token: "one,two,three" },
  );
  assert.equal(result.verdict, "rejected");
  assert.equal(result.request, "HEAD http://127.0.0.1:2/apisix/admin/configs");
});

test("`checkToken()` asks all standalone servers by the version of the first, as ADC does", async () => {
  const cases = [
    ["APISIX/3.18.0", "HEAD"],
    ["APISIX/3.14.0", "HEAD"],
    ["APISIX/3.13.1", "HEAD"],
    ["APISIX/4.0.0", "HEAD"],
    ["APISIX/3.13.0", "GET"],
    ["APISIX/3.9", "GET"],
    ["APISIX/2.15.3", "GET"],
    ["openresty", "HEAD"],
    ["APISIX/", "HEAD"],
    [undefined, "HEAD"],
  ] as const;
  for (const [software, method] of cases) {
    const { result, requests } = await checkAgainst(
      `${STANDALONE} http://127.0.0.1:1,http://127.0.0.1:2`,
      ({ origin, path }) => ({
        // What the second one says of itself does not matter.
        headers: { server: origin.endsWith(":1") ? software ?? "" : "APISIX/3.1.0" },
        body: path.endsWith("/configs") ? "{}" : "",
      }),
    );
    assert.equal(result.verdict, "valid", software);
    const asked = requests.filter(({ path }) => path === "/apisix/admin/configs");
    assert.deepEqual(asked.map((each) => each.method), [method, method], software);
  }
});

test("`checkToken()` refuses a standalone server that does not know what ADC will ask", async () => {
  const { result } = await checkAgainst(
    "sync --backend apisix-standalone",
    ({ method, path }) => ({
      status: method === "HEAD" && path.endsWith("/configs") ? 404 : 200,
      body: method === "GET" ? "{}" : "",
    }),
    { token: "x" },
  );
  assert.equal(result.verdict, "wrong-server");
  assert.match(result.reason, /older than 3\.14/);
  assert.match(result.suggestion ?? "", /^Update it, or list one as old first/);
  for (const message of ["Unsupported resource type: configs", "not found"]) {
    const etcd = await checkAgainst(
      "sync --backend apisix-standalone",
      ({ path, method }) =>
        path === "/apisix/admin" ? {} : {
          status: 404,
          body: method === "GET" ? JSON.stringify({ error_msg: message }) : "",
        },
      { token: "x" },
    );
    assert.equal(etcd.result.verdict, "wrong-server");
    assert.match(etcd.result.reason, /keeps its configuration in etcd, not in standalone mode$/);
  }
  const page = await checkAgainst(
    "sync --backend apisix-standalone",
    ({ method, path }) =>
      path === "/apisix/admin" ? {} : {
        status: 404,
        body: method === "GET" ? "<html>404</html>" : "",
      },
    { token: "x" },
  );
  assert.equal(page.result.verdict, "wrong-server");
});

test("`checkToken()` asks the first standalone server alone for `validate`", async () => {
  const line =
    "validate --backend apisix-standalone --server http://127.0.0.1:1,http://127.0.0.1:2";
  const { result } = await checkAgainst(
    line,
    ({ origin }) => origin.endsWith(":2") ? { status: 401 } : {},
    { token: "one,two" },
  );
  assert.equal(result.verdict, "valid");
});

test("`checkToken()` refuses two tokens for a server that is listed twice, and sends none", async () => {
  const twice = `${STANDALONE} http://127.0.0.1:1,http://127.0.0.1:1`;
  await assert.rejects(
    checkAgainst(twice, {}, { token: "one,two" }),
    (error) =>
      error instanceof ConnectionError && error.exitCode === 64 &&
      error.message.includes('it lists "http://127.0.0.1:1" twice'),
  );
  for (const token of ["one", "one,one"]) {
    const { requests } = await checkAgainst(twice, {}, { token });
    const keys = requests.filter(({ path }) => path.endsWith("/configs"))
      .map(({ headers }) => headers["x-api-key"]);
    assert.deepEqual(keys, ["one", "one"]);
  }
});

test("`checkToken()` takes the time limits that ADC takes", async () => {
  for (const timeout of ["1ms", "16s100ms", "24d"]) {
    const { result } = await checkAgainst(`sync --timeout ${timeout}`, GOOD.apisix);
    // A millisecond may be too short; it must not be a defect.
    const verdicts = timeout === "1ms" ? ["valid", "timeout"] : ["valid"];
    assert.ok(verdicts.includes(result.verdict), `${timeout}: ${inspect(result)}`);
  }
});

test("`checkToken()` ends with its signal, before and during the call", async () => {
  const reason = new Error("enough");
  await assert.rejects(
    checkAgainst("sync", GOOD.apisix, { signal: AbortSignal.abort(reason) }),
    reason,
  );
  const controller = new AbortController();
  await assert.rejects(
    checkAgainst("sync", () => {
      controller.abort(reason);
      return { status: 503 };
    }, { signal: controller.signal }),
    reason,
  );
});

test("`checkToken()` gives a result that holds no token", async () => {
  for (const status of [200, 401, 403, 404, 500]) {
    const { result } = await checkAgainst("sync", { status, body: ROUTES });
    assert.ok(!JSON.stringify(result).includes("example"));
  }
});

test("`CheckError` says what was tried, what was found, and what to do", async () => {
  const { result } = await checkAgainst("sync --backend api7ee", { status: 403 });
  const error = new CheckError(result);
  assert.equal(error.result, result);
  assert.equal(
    error.message,
    "GET http://localhost:9180/api/gateway_groups?search=default&name=default: the server answered 403",
  );
  assert.equal(error.suggestion, result.suggestion);
});

test("`checkToken()` names no more gateway groups than a person can read", async () => {
  const list = Array.from({ length: 1_000 }, (_, index) => ({ id: `${index}`, name: `g${index}` }));
  const { result } = await checkAgainst(
    "sync --backend api7ee --gateway-group production",
    ({ path }) => ({ body: path.includes("?") ? { list: [], total: 0 } : { list, total: 1_000 } }),
  );
  assert.match(
    result.suggestion!,
    /^Existing groups: "g0", "g1", .*, …\. Set --gateway-group\.$/,
  );
  assert.equal(result.suggestion!.match(/"g\d+"/g)?.length, 20);
});
