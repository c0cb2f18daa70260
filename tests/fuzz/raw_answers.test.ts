import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { AdminApi } from "../../src/admin_api/admin_api.ts";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import { checkToken } from "../../src/check/check_token.ts";
import { isVerdict } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { Secret } from "../../src/secret.ts";
import { serveTcp } from "../support/loopback.ts";
import { assertHidden, PASSWORD, TOKEN } from "./answer_cases.ts";
import { fuzz } from "./fuzz.ts";

/** How many servers' answers are read at once: what is cut off is asked for again, after a while. */
const TOGETHER = 200;

/** The answer of the moment to each of them. */
const answers: Buffer[] = [];

/** Gives the answer whose number is in the request's path, and hangs up. */
const server = await serveTcp((socket) => {
  socket.once("data", (request: Buffer) => {
    const [, index = "0"] = /^\S+ \/(\d+)\//.exec(request.toString("latin1")) ?? [];
    socket.end(answers[Number(index)]!);
  });
});
after(() => server[Symbol.asyncDispose]());

function connectionTo(index: number, backend: string) {
  const args = ["ping", "--backend", backend, "--server", `${server.url}/${index}`];
  return resolveConnection({ args, env: {}, cwd: "/nowhere" });
}

const BODIES = fc.constantFrom(
  '{"list":[{"id":"g1","name":"default"}],"total":1}',
  '{"value":{"id":"u1","username":"ann"}}',
  `{"error_msg":"no such token: ${TOKEN}"}`,
  JSON.stringify({ error_msg: `wrong: ${PASSWORD}`, description: TOKEN }),
  `<!doctype html>${TOKEN}\u20ac`,
  "",
);

const STATUS = fc.constantFrom(
  "200 OK",
  "200",
  "401 Unauthorized",
  "400 x",
  "204 None",
  "302 Found",
);

/** A good answer, of a known length, in pieces, or as long as the connection is. */
const GOOD = fc.tuple(STATUS, BODIES, fc.constantFrom("length", "chunked", "close"), fc.nat())
  .map(([status, body, kind, at]) => {
    const bytes = Buffer.from(body);
    const size = 1 + at % (bytes.length + 1);
    const pieces = [bytes.subarray(0, size), bytes.subarray(size)].filter(({ length }) =>
      length > 0
    )
      .map((piece) => `${piece.length.toString(16)}\r\n${piece.toString("latin1")}\r\n`);
    const [header, content] = {
      length: [`Content-Length: ${bytes.length}\r\n`, bytes.toString("latin1")],
      chunked: ["Transfer-Encoding: chunked\r\n", `${pieces.join("")}0\r\n\r\n`],
      close: ["Connection: close\r\n", bytes.toString("latin1")],
    }[kind]!;
    const session = "Set-Cookie: session=cOoKiE0123456789; Path=/\r\n";
    return Buffer.from(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${session}X-Echo: ${TOKEN}\r\n${header}\r\n${content}`,
      "latin1",
    );
  });

const SCRAPS = fc.constantFrom(
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\0",
  " ",
  ":",
  "\u00ff",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n",
  "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
  "HTTP/1.0 200\r\n",
  "Content-Length: 3\r\n",
  "Content-Length: -1\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Content-Encoding: gzip\r\n",
  "Connection: keep-alive\r\nKeep-Alive: timeout=x\r\n",
  "Set-Cookie\r\n",
  "Set-Cookie: \u00ff\r\n",
  `Location: http://[${TOKEN}\r\n`,
  `X-${TOKEN}: \r\n`,
  `${TOKEN}\r\n`,
  "ffffffff\r\n",
  "5;x=y\r\n",
  "x".repeat(20_000),
);

const CHANGE = fc.record({
  at: fc.nat(),
  gone: fc.oneof(fc.nat(2), fc.nat(60)),
  comes: fc.oneof(
    { weight: 3, arbitrary: SCRAPS.map((text) => Buffer.from(text, "latin1")) },
    { weight: 2, arbitrary: fc.constant(Buffer.alloc(0)) },
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  ),
  cut: fc.integer({ min: 0, max: 3 }).map((number) => number === 0),
});

const BYTES = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.tuple(GOOD, fc.array(CHANGE, { maxLength: 3 })).map(([good, changes]) =>
      changes.reduce((bytes, { at, gone, comes, cut }) => {
        const from = at % (bytes.length + 1);
        const rest = cut ? [] : [bytes.subarray(from + gone)];
        return Buffer.concat([bytes.subarray(0, from), comes, ...rest]);
      }, good)
    ),
  },
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

const CASE = fc.record({
  bytes: BYTES,
  call: fc.constantFrom("checkToken", "me", "logIn", "logIn", "createToken"),
  backend: fc.constantFrom("api7ee", "apisix", "apisix-standalone"),
});

type Case = typeof CASE extends fc.Arbitrary<infer T> ? T : never;

async function check({ bytes, call, backend }: Case, index: number): Promise<void> {
  answers[index] = bytes;
  const token = new Secret(TOKEN);
  if (call === "checkToken") {
    const connection = await connectionTo(index, backend);
    const result = await checkToken(token, { connection });
    assert.ok(isVerdict(result.verdict) && result.verdict !== "no-token");
    assertHidden(JSON.stringify(result), [TOKEN]);
    return;
  }
  const connection = await connectionTo(index, "api7ee");
  await using api = await AdminApi.open(connection, call === "logIn" ? {} : { token });
  try {
    if (call === "logIn") await api.logIn({ username: "ann", password: new Secret(PASSWORD) });
    else if (call === "me") await api.me();
    else await api.createToken({ name: "wanted", expiresAt: undefined });
  } catch (error) {
    assert.ok(error instanceof AdminApiError, inspect(error));
    assertHidden(
      inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error),
      [call === "logIn" ? PASSWORD : TOKEN],
    );
  }
}

fuzz(
  "any bytes from a server end in a verdict, or in an error of adc-run's own",
  fc.array(CASE, { minLength: TOGETHER, maxLength: TOGETHER }),
  async (cases) => {
    const results = await Promise.allSettled(cases.map(check));
    results.forEach((result, index) => {
      if (result.status === "fulfilled") return;
      const { bytes, ...rest } = cases[index]!;
      throw new Error(`With ${JSON.stringify({ ...rest, bytes: bytes.toString("latin1") })}`, {
        cause: result.reason,
      });
    });
  },
  { batch: TOGETHER },
);
