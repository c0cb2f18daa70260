import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { RequestListener } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { api } from "../../src/cli/commands/api.ts";
import type { Io } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { OTHER_COMMANDS } from "../../src/cli/manual/other_commands.ts";
import { readCommandLine } from "../../src/cli/options.ts";
import { readCommand } from "../../src/cli/read_command.ts";
import { Interrupted } from "../../src/run/signals.ts";
import { fakeIo } from "../support/fake_io.ts";
import { serveHttp } from "../support/loopback.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = "a7ee-canary-4711";

/** Runs `adc-run api` against a server that answers as the test says. */
async function ask(
  listener: RequestListener,
  words: readonly string[],
  { io: more = {}, env = {}, before = [] }: {
    readonly io?: Partial<Io>;
    readonly env?: Record<string, string>;
    readonly before?: readonly string[];
  } = {},
) {
  const seen: { method: string; url: string; token: unknown }[] = [];
  await using folder = await temporaryFolder();
  await using server = await serveHttp((request, response) => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, token: headers["x-api-key"] });
    listener(request, response);
  });
  const io = fakeIo({
    cwd: folder.path,
    env: {
      ADC_SERVER: server.url,
      ADC_TOKEN: TOKEN,
      ADC_RUN_CONFIG_DIR: `${folder.path}/config`,
      ...env,
    },
    ...more,
  });
  const code = await main([...before, "api", ...words], io);
  const [out, err] = [io.out.join(""), io.err.join("")];
  assert.ok(!err.includes(TOKEN), err);
  return { code, out, err, seen, url: server.url };
}

function json(body: unknown, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
}

test("`api()` gives the body as it came, and the exit code of the verdict", async () => {
  for (
    const [status, code, message] of [
      [200, 0, /^$/],
      [201, 0, /^$/],
      [400, 65, /answered 400: "words"/],
      [401, 77, /the server refused the token: 401 "words"[\s\S]*Replace ADC_TOKEN/],
      [403, 77, /answered 403: "words"/],
      [404, 78, /not found: the server answered 404: "words"/],
      [405, 65, /answered 405/],
      [409, 65, /answered 409/],
      [422, 65, /answered 422/],
      [500, 69, /answered 500/],
    ] as const
  ) {
    const body = { error_msg: "words" };
    const ended = await ask(json(body, status), ["/x"]);
    assert.deepEqual([ended.code, ended.out], [code, JSON.stringify(body)], `${status}`);
    assert.match(ended.err, message);
    assert.deepEqual(ended.seen, [{ method: "GET", url: "/x", token: TOKEN }]);
  }
});

test("`api()` reports a failure as JSON with its verdict", async () => {
  const ended = await ask(json({}, 403), ["/x", "--json"]);
  const { error, warnings } = JSON.parse(ended.err);
  assert.deepEqual([error.verdict, error.exitCode, warnings], ["forbidden", 77, []]);
  assert.equal(error.check.httpStatus, 403);
  const bad = JSON.parse((await ask(json({}, 422), ["/x", "--json"])).err);
  assert.deepEqual([bad.error.failure, bad.error.httpStatus], ["bad-request", 422]);
});

test("`api()` follows no redirect, and says where it points", async () => {
  await using other = await serveHttp((_, response) => void response.end());
  for (const status of [301, 302, 303, 307, 308]) {
    const ended = await ask((_, response) => {
      response.writeHead(status, { location: `${other.url}/x?y` }).end("moved");
    }, ["POST", "/x", "-d", "{}"]);
    assert.deepEqual([ended.code, ended.out], [78, "moved"]);
    assert.ok(ended.err.includes(`pointing to "${other.url}"`), ended.err);
  }
  assert.equal(other.connections, 0);
});

test("`api()` opens no connection for a path that leads elsewhere", async () => {
  await using other = await serveHttp((_, response) => void response.end());
  for (const path of [other.url, `//${other.url.slice(7)}/`, `/\\${other.url.slice(7)}/`]) {
    const ended = await ask(json({}), [path]);
    assert.deepEqual([ended.code, ended.seen], [64, []]);
  }
  const same = await ask(json({}), [other.url, "--server", other.url]);
  assert.equal(same.code, 0);
  assert.equal(other.connections, 1);
});

test("`api()` shows no password of the server's address that the server repeats", async () => {
  await using server = await serveHttp((request, response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(JSON.stringify({ error_msg: `${request.headers.authorization}: pass-canary` }));
  });
  const address = server.url.replace("//", "//zoe:pass-canary@");
  for (const words of [[], ["--json"]]) {
    const ended = await ask(json({}), ["/x", "--server", address, ...words]);
    assert.equal(ended.code, 77);
    assert.equal(ended.out, '{"error_msg":"***: ***"}');
    assert.ok(ended.err.includes("***: ***"), ended.err);
    assert.doesNotMatch(ended.err, /pass-canary|Basic/);
  }
});

test("`api()` masks its token in the answer and leaves a new one, unless told otherwise", async () => {
  const echo = json({ value: { used: TOKEN, token: "a7ee-new-one-0815" } });
  const ended = await ask(echo, ["/x"]);
  assert.equal(ended.out, '{"value":{"used":"***","token":"a7ee-new-one-0815"}}');
  assert.match(ended.err, /masked a secret once/);
  for (const [before, words] of [[["--no-mask"], []], [[], ["--no-mask"]]] as const) {
    const { out } = await ask(echo, ["/x", ...words], { before });
    assert.ok(out.includes(TOKEN));
  }
});

test("`api()` masks its token in an answer that is encoded, too", async () => {
  const { code, out } = await ask((_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
    response.end(gzipSync(JSON.stringify({ given: TOKEN })));
  }, ["/x"]);
  assert.deepEqual([code, out], [0, '{"given":"***"}']);
});

for (const status of [429, 503]) {
  test(`\`api()\` asks three times where nothing but ${status} comes, and fails`, async () => {
    const { code, seen, err } = await ask((_, response) => {
      response.writeHead(status, { "content-length": "0", "connection": "close" }).end();
    }, ["/api/users"]);
    assert.deepEqual([code, seen.length], [69, 3]);
    assert.match(err, new RegExp(`answered ${status}`));
  });
}

test("`api()` shows status and headers with -i, and no cookie", async () => {
  const ended = await ask((_, response) => {
    response.writeHead(200, { "set-cookie": "sid=the-session; Path=/", date: "now" }).end("x");
  }, ["/x", "-i"]);
  assert.match(
    ended.out,
    /^HTTP\/1\.1 200 OK\r\nset-cookie: sid=\*\*\*; Path=\/\r\n[\s\S]*\r\n\r\nx$/,
  );
});

test("`api()` lays JSON out at a terminal", async () => {
  const terminals = { stdin: false, stdout: true, stderr: false };
  const ended = await ask(json({ a: [1] }), ["/x"], { io: { terminals } });
  assert.equal(ended.out, '{\n  "a": [\n    1\n  ]\n}\n');
});

test("`api()` sends a body from standard input, as JSON unless a header says otherwise", async () => {
  for (
    const [words, type] of [[[], "application/json"], [["-H", "content-type: text/x"], "text/x"]]
  ) {
    const ended = await ask(
      async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        response.end(`${request.headers["content-type"]} ${body}`);
      },
      ["PUT", "/x", "-d", "-", ...words as string[]],
      { io: { stdin: Readable.from(["{malformed"]) } },
    );
    assert.equal(ended.out, `${type} {malformed`);
    assert.equal(ended.seen[0]!.method, "PUT");
  }
});

test("`api()` turns the gateway group into its id, once, and only for API7 Enterprise", async () => {
  const groups = json({ list: [{ id: "other", name: "prod-2" }, { id: "g 1", name: "prod" }] });
  const flags = ["--backend", "api7ee", "--gateway-group", "prod"];
  const ended = await ask(groups, ["/x?a=b", ...flags]);
  assert.deepEqual(ended.seen.map(({ url }) => url), [
    "/api/gateway_groups?search=prod&name=prod",
    "/x?a=b&gateway_group_id=g%201",
  ]);
  for (
    const [words, env] of [
      [["/x", "--backend", "api7ee"], {}],
      [["/x?gateway_group_id=", ...flags], {}],
      [["/x", "-f", "gateway_group_id=y", ...flags], {}],
      [["/x", ...flags], { ADC_TOKEN: "a7adm-canary-4711" }],
      [["/x"], { ADC_GATEWAY_GROUP: "prod" }],
    ] as const
  ) {
    assert.equal((await ask(groups, words, { env })).seen.length, 1, words.join(" "));
  }
  const variable = { ADC_GATEWAY_GROUP: "prod", ADC_BACKEND: "api7ee" };
  assert.equal((await ask(groups, ["/x"], { env: variable })).seen.length, 2);
  const wrong = await ask(groups, ["/x", "--gateway-group", "prod"]);
  assert.deepEqual([wrong.code, wrong.seen.length], [64, 0]);
});

test("`api()` says which gateway groups there are, and asks nothing", async () => {
  const ended = await ask((request, response) => {
    const named = request.url!.includes("name=");
    json({ list: named ? [] : [{ id: "1", name: "prod" }] })(request, response);
  }, ["DELETE", "/x", "--backend", "api7ee", "--gateway-group", "prd"]);
  assert.equal(ended.code, 78);
  assert.match(ended.err, /gateway group "prd" does not exist[\s\S]*"prod"/);
  assert.ok(ended.seen.every(({ method }) => method === "GET"));
});

test("`api()` reads all pages as one list", async () => {
  const items = Array.from({ length: 250 }, (_, id) => ({ id }));
  const paged: RequestListener = (request, response) => {
    const query = new URL(request.url!, "http://x").searchParams;
    const [page, size] = [Number(query.get("page")), Number(query.get("page_size"))];
    const list = items.slice((page - 1) * size, page * size);
    json({ list, total: items.length })(request, response);
  };
  const ended = await ask(paged, ["/x?a=b", "--paginate"]);
  assert.equal(ended.out, `${JSON.stringify({ list: items, total: 250 })}\n`);
  assert.deepEqual(
    ended.seen.map(({ url }) => url),
    [1, 2, 3].map((page) => `/x?a=b&page=${page}&page_size=100`),
  );
  const small = await ask(paged, ["/x", "--paginate", "-f", "page_size=200"]);
  assert.equal(small.seen.length, 2);
  assert.equal((await ask(paged, ["/x?page=2", "--paginate"])).code, 64);
});

test("`api()` ends a list with an error where a page does not come", async () => {
  let page = 0;
  const ended = await ask((request, response) => {
    page += 1;
    json(page === 1 ? { list: [1], total: 3 } : { error_msg: "busy" }, page === 1 ? 200 : 500)(
      request,
      response,
    );
  }, ["/x", "--paginate", "-v"]);
  assert.equal(ended.code, 69);
  assert.equal(ended.out, '{"list":[1');
  assert.match(ended.err, /answered 500: "busy"\n.*page=2&page_size=100/s);
  const first = await ask(json({ error_msg: "words" }, 403), ["/x", "--paginate"]);
  assert.deepEqual([first.code, first.out], [77, '{"error_msg":"words"}']);
});

test("`api()` fails where an answer is cut off, after what came of it", async () => {
  const ended = await ask((request, response) => {
    response.writeHead(200, { "content-length": "9" });
    response.write("abc", () => setImmediate(() => request.socket.destroy()));
  }, ["POST", "/x"]);
  assert.deepEqual([ended.code, ended.out], [69, "abc"]);
  assert.match(ended.err, /error: the connection was closed/);
});

test("`api()` says that there is no token, and refuses what has no meaning here", async () => {
  const none = await ask(json({}), ["/x", "--source", "env"], { env: { ADC_TOKEN: "" } });
  assert.deepEqual([none.code, none.seen], [77, []]);
  for (const [before, words] of [[["--dry-run"], []], [[], ["--no-check"]]] as const) {
    assert.equal((await ask(json({}), ["/x", ...words], { before })).code, 64);
  }
});

test("`api()` gives each standalone server its own token", async () => {
  await using two = await serveHttp((request, response) => {
    response.end(String(request.headers["x-api-key"]));
  });
  const flags = ["--backend", "apisix-standalone"];
  const servers = `http://127.0.0.1:1,${two.url}`;
  const env = { ADC_SERVER: servers, ADC_TOKEN: "one-key-of-it,two-key-of-it" };
  const ended = await ask(json({}), [`${two.url}/x`, ...flags, "--no-mask"], { env });
  assert.deepEqual([ended.code, ended.out], [0, "two-key-of-it"]);
});

test("`api()` quotes a server that repeats a token without it", async () => {
  const env = { ADC_TOKEN: "one-key-of-it,two-key-of-it" };
  const flags = ["--backend", "apisix-standalone"];
  for (const status of [400, 404, 500]) {
    const words = json({ error_msg: `no one-key-of-it here` }, status);
    const { err, out } = await ask(words, ["/x?key=one-key-of-it", "-v", ...flags], { env });
    assert.match(err, /"no \*\*\* here"\n.*key=\*\*\*/s);
    assert.ok(!`${err}${out}`.includes("one-key-of-it"));
  }
});

test("`api()` is ended by a signal, and by nothing else that waits", async () => {
  const signals = new EventEmitter();
  await using server = await serveHttp(() => void signals.emit("SIGTERM"));
  const io = fakeIo({ env: { ADC_SERVER: server.url, ADC_TOKEN: TOKEN }, signals });
  const line = { words: ["/x", "--timeout", "1h"], options: readCommandLine([]).options };
  const spec = OTHER_COMMANDS.find(({ name }) => name === "api")!;
  await assert.rejects(
    api(readCommand(spec, line, io)!, io),
    (error: unknown) => error instanceof Interrupted && error.signal === "SIGTERM",
  );
  assert.equal(signals.listenerCount("SIGTERM"), 0);
});

test("`api()` ends quietly when its reader goes away, and lets go of the answer", async () => {
  const { Writable } = await import("node:stream");
  let gone: Promise<unknown> | undefined;
  const ended = await ask(
    (_, response) => {
      gone = once(response, "close");
      const more = () => {
        while (response.write("x".repeat(65536)));
      };
      response.on("drain", more);
      more();
    },
    ["/x"],
    {
      io: {
        stdout: new Writable({
          write: (_chunk, _encoding, done) =>
            done(Object.assign(new Error("EPIPE"), { code: "EPIPE" })),
        }),
      },
    },
  );
  assert.deepEqual([ended.code, ended.err], [0, ""]);
  await gone;
});
