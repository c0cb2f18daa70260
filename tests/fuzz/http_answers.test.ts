import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type IncomingMessage, request } from "node:http";
import { after } from "node:test";
import fc from "fast-check";
import { resolveConnection } from "../../src/connection/connection.ts";
import { codeOf } from "../../src/errors.ts";
import { ownTransport } from "../../src/http/transports.ts";
import { serveTcp } from "../support/loopback.ts";
import { fuzz } from "./fuzz.ts";

/** How many answers are on their way at once. */
const TOGETHER = 100;

/**
 * Mostly something as it should be, and now and then something odd: so most cases have one thing wrong or none,
 * and what is wrong is what the answer is judged by.
 */
function mostly(
  good: readonly string[],
  odd: readonly string[],
  { weight = 16 }: { readonly weight?: number } = {},
): fc.Arbitrary<string> {
  return fc.oneof(
    { weight, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
}

// deno-fmt-ignore
const STATUS_LINE = mostly(
  [
    "HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 401 Not you", "HTTP/1.0 404 Not Found", "HTTP/1.1 999 ",
    "HTTP/1.1 500 \xe9", "HTTP/1.1 204 None", "HTTP/1.1 304 As before",
  ],
  [
    "", " HTTP/1.1 200 OK", "\r\nHTTP/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK",
    "HTTP/1.1 200OK", "HTTP/1.1 2000 OK", "HTTP/1.1 007 OK", "HTTP/1.1 099 OK", "HTTP/1.1 99 OK", "HTTP/1.1 +20 OK",
    "HTTP/1.1 20x OK", "HTTP/1.1 200 O\0K", "HTTP/1.1 200 O\rK", "HTTP/1.1 200 O\nK", "HTTP/1.1 101 Switching",
    "HTTP/1.1 100 Continue", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK", "HTTP/1.10 200 OK", "HTTP/01.1 200 OK",
    "HTTP/2 200 OK", "HTTP/2.0 200 OK", "http/1.1 200 OK", "RTSP/1.0 200 OK", "ICY 200 OK", "GET / HTTP/1.1",
  ],
  { weight: 8 },
);

// deno-fmt-ignore
const FIELD = mostly(
  [
    "A: b", "Set-Cookie: s=1; Path=/", "a:b", "A: \t b, c \t", "A:", "A: \xe9\tb", "Connection: close",
    "Connection: keep-alive", "Upgrade: h2c", "Content-Encoding: gzip", `A: ${"x".repeat(8_000)}`,
  ],
  [
    " folded", "\tfolded: c", "A b: c", "A : b", ": c", "no colon", "A: \0", "A: \x7f", "A: \x01", "A: b\rc",
    "A: b\nc: d", "A: b\r", "\xe9: c", "A\0: c", `A: ${"x".repeat(40_000)}`, "Connection: upgrade",
  ],
);

// deno-fmt-ignore
const LENGTH = mostly(["5"], [
  "+5", "-5", "0x5", "5, 5", "5,5", " 5", "\t5", "5 ", "05", "5;", "5.0", "5e0", "5 5", '"5"', "5\0", "5\xa0", "", "0",
  "4", "6", "18446744073709551621", "99999999999999999999999",
], { weight: 3 }).map((value) => `Content-Length:${value}\r\n`);

// deno-fmt-ignore
const CODING = mostly(["chunked", " chunked", "Chunked"], [
  "CHUNKED ", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked,", ",chunked", "identity", "", "x",
  "identity, chunked", "chunked, identity", '"chunked"', "chunked;q=1", "xchunked", "chunke", "chun ked",
], { weight: 8 }).map((value) => `Transfer-Encoding:${value}\r\n`);

const FRAMING = fc.oneof(
  { weight: 6, arbitrary: LENGTH },
  { weight: 12, arbitrary: CODING },
  { weight: 2, arbitrary: fc.constant("") },
  ...[[LENGTH, LENGTH], [LENGTH, CODING], [CODING, LENGTH], [CODING, CODING]]
    .map((both) => fc.tuple(...both).map((each) => each.join(""))),
);

// deno-fmt-ignore
const CHUNK_SIZE = mostly(["5", "05", "000005", "5;a=b", "5;a", "5;a=b;c=d", "5;a;c"], [
  "5;", "5;;", "5; a=b", "5 ;a=b", "5;a =b", "5;a==b", "5;=b", "5;a=", '5;a="b;c"', '5;a="b', '5;a="b\\"c"', "5;a=\x01",
  "5;\0", "5;\xe9", "5 ", "5\t", " 5", "+5", "-5", "0x5", "5x", "", "g", "4", "6", "5\n", "5;a\n", "5;a\rb",
  "fffffffffffffffff5", "ffffffffffffff5", `5;${"a".repeat(40_000)}`,
], { weight: 3 });

const CHUNK = fc.tuple(
  CHUNK_SIZE,
  mostly(["\r\n"], ["\n", "\r", ""]),
  fc.constant("ab\r\nc"),
  mostly(["\r\n"], ["\n", "\r", "", "x\r\n", "\0\r\n"]),
).map((parts) => parts.join(""));

// deno-fmt-ignore
const LAST_CHUNK = mostly(["0\r\n\r\n", "000\r\n\r\n", "0;a=b\r\n\r\n", "0\r\nA: b\r\n\r\n"], [
  "", "0\r\n", "0\r\n\r", "0\n\n", "0 \r\n\r\n", "0\r\nno colon\r\n\r\n", "0\r\n folded\r\n\r\n", "0\r\nA: \0\r\n\r\n",
  "0\r\nA: b\r\n", "0\r\nContent-Length: 5\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n",
], { weight: 3 });

const ANSWER = fc.record({
  method: fc.constantFrom("GET", "GET", "POST", "HEAD"),
  interim: mostly(["", "", "", "HTTP/1.1 100 Continue\r\n\r\n"], [
    "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 102 Wait\r\n\r\n",
    "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 100 Continue\r\nContent-Length: x\r\n\r\n",
    "HTTP/1.1 100 Continue\n\n",
    "HTTP/1.1 100 Continue\r\n",
  ]),
  status: STATUS_LINE,
  afterStatus: mostly(["\r\n"], ["\n", "\r", "\r\r\n", "\0\r\n"]),
  fields: fc.array(FIELD, { maxLength: 3 }),
  framing: FRAMING,
  afterHead: mostly(["\r\n"], ["\n", "\r", "", " \r\n"]),
  plain: mostly(["ab\0\xe9e"], ["", "ab", "ab\0\xe9e\n"]),
  chunks: fc.tuple(fc.array(CHUNK, { maxLength: 3 }), LAST_CHUNK)
    .map(([chunks, last]) => chunks.join("") + last),
  isEmpty: fc.nat(4).map((number) => number > 0),
  rest: mostly(["", "", "", "\r\n"], [
    ...["\r\n\r\n", "\n", " ", "\0", "GARBAGE", "HTTP/1.1 200 OK\r\n\r\n"],
  ]),
}).map(({ method, isEmpty, ...parts }) => {
  const { interim, status, afterStatus, fields, framing, afterHead, plain, chunks, rest } = parts;
  const head = `${interim}${status}${afterStatus}${fields.map((each) => `${each}\r\n`).join("")}`;
  const body = isEmpty && (method === "HEAD" || / (204|304)/.test(status))
    ? ""
    : /chunked/i.test(framing)
    ? chunks
    : plain;
  return { method, text: head + framing + afterHead + body + rest };
});

const CASE = fc.record({
  answer: ANSWER,
  change: mostly(["none"], ["cut", "byte"], { weight: 8 }),
  at: fc.nat(),
  byte: fc.nat(255),
  splits: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
}).map(({ answer: { method, text }, change, at, byte, splits }) => {
  const answer = Buffer.from(text, "latin1");
  const place = at % answer.length;
  if (change === "byte") answer[place] = byte;
  return { method, answer: change === "cut" ? answer.subarray(0, place) : answer, splits };
});

type Case = typeof CASE extends fc.Arbitrary<infer T> ? T : never;

/** What a client makes of an answer. */
type Outcome =
  | { readonly refused: string; readonly isComplete?: boolean }
  | Record<"status" | "reason" | "headers" | "body", unknown>;

/** The cases of the moment. */
let cases: readonly Case[] = [];

const server = await serveTcp((socket) => {
  socket.setNoDelay(true);
  socket.once("data", async (asked: Buffer) => {
    const [, index, how] = /^\S+ \/(\d+)\/(\w+)/.exec(asked.toString("latin1"))!;
    const { answer, splits } = cases[Number(index)]!;
    const places = how === "whole" ? [] : splits.map((at) => at % (answer.length + 1));
    const edges = [0, ...places.sort((a, b) => a - b), answer.length];
    for (const [number, edge] of edges.slice(1).entries()) {
      const part = answer.subarray(edges[number], edge);
      await new Promise((resolve) => socket.write(part, () => setImmediate(resolve)));
    }
    socket.end();
  });
});
after(() => server[Symbol.asyncDispose]());

function askNode(path: string, method: string): Promise<Outcome> {
  return new Promise((resolve) => {
    let answer: IncomingMessage | undefined;
    let failure: unknown;
    const parts: Buffer[] = [];
    const sent = request(`${server.url}${path}`, { method, agent: false }, (incoming) => {
      answer = incoming;
      incoming.on("data", (part) => parts.push(part)).on("error", (error) => failure ??= error);
    });
    sent.on("error", (error) => failure ??= error);
    sent.on("close", () => {
      const isComplete = answer?.complete ?? false;
      if (failure !== undefined || !isComplete) {
        return resolve({ refused: codeOf(failure) ?? "no answer", isComplete });
      }
      const { statusCode: status, statusMessage: reason, rawHeaders: raw } = answer!;
      const headers = raw.flatMap((name, at) =>
        at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1]]] : []
      );
      resolve({ status, reason, headers, body: Buffer.concat(parts).toString("latin1") });
    });
    sent.end();
  });
}

const connection = await resolveConnection({
  args: ["ping", "--server", server.url],
  env: {},
  cwd: "/nowhere",
});
const send = ownTransport(connection);

async function askOurs(path: string, method: string): Promise<Outcome> {
  const parts: Uint8Array[] = [];
  const { signal } = new AbortController();
  const target = { server: connection.servers[0]!, path };
  try {
    const { status, reason, headers, body, discard } = await send(
      { ...target, method, headers: {}, body: undefined, signal },
    );
    try {
      for await (const part of body) parts.push(part);
    } finally {
      discard();
    }
    return { status, reason, headers, body: Buffer.concat(parts).toString("latin1") };
  } catch (error) {
    const refused = codeOf(error) ?? String(error);
    assert.match(refused, /^(HPE_\w+|HTTP2_ONLY|ECONNRESET)$/);
    return { refused };
  }
}

/** What Node.js takes and we refuse. No Admin API sends it, and to refuse is always safe. */
const STRICTER: readonly (readonly [why: string, answer: RegExp])[] = [
  ["another protocol", /^(HTTP\/(0\.9|2\.0)|RTSP\/1\.0|HTTP\/1\.[01] 101) /m],
  ["no status that there is", /^HTTP\/1\.[01] 0\d\d/m],
  ["a status line that ends twice", /^HTTP\/1\.[01] .*\r\r/m],
  ["an empty line before the status line", /(^|\r\n\r\n)[\r\n]+HTTP\//],
  ["a coding that we do not have, or none", /^transfer-encoding:(?![ \t]*chunked[ \t]*$)/im],
  ["chunk extensions in quotes, without a name or value, or long", /^[\da-f]+;/im],
  ["one more answer, which Node.js ignores", /\r\n\r\n[^]*H(T|$)/],
];

/** What Node.js refuses and we take: what is refused there is nothing that we read. */
const LOOSER: readonly (readonly [why: string, answer: RegExp])[] = [
  ["a length among the fields after the chunks", /\r\n0+(;.*)?\r\n[^]*content-length:/i],
  [
    "an interim answer that says it is the last",
    /^HTTP\/1\.(0 1\d\d|1 1\d\d[^]*connection: close)/im,
  ],
];

async function compare({ method, answer }: Case, index: number): Promise<void> {
  const [theirs, ours, split] = await Promise.all([
    askNode(`/${index}/whole`, method),
    askOurs(`/${index}/whole`, method),
    askOurs(`/${index}/split`, method),
  ]);
  const text = answer.toString("latin1");
  const isAmong = (known: typeof STRICTER) => known.some(([, pattern]) => pattern.test(text));
  for (const own of [ours, split]) {
    if ("refused" in own) {
      assert.ok("refused" in theirs || isAmong(STRICTER), `We refuse it with ${own.refused}`);
    } else if ("refused" in theirs) {
      // What follows an answer may come when nobody listens any more.
      const isLate = own === split && theirs.isComplete;
      assert.ok(isLate || isAmong(LOOSER), `Node.js refuses it with ${theirs.refused}`);
    } else assert.deepEqual(own, theirs);
  }
}

fuzz(
  "`ownTransport()` reads an answer as Node.js does, or refuses it",
  fc.array(CASE, { minLength: TOGETHER, maxLength: TOGETHER }),
  async (batch) => {
    cases = batch;
    const results = await Promise.allSettled(batch.map(compare));
    results.forEach((result, index) => {
      if (result.status === "fulfilled") return;
      const { method, answer, splits } = batch[index]!;
      const shown = JSON.stringify({ method, answer: answer.toString("latin1"), splits });
      throw new Error(`With ${shown}`, { cause: result.reason });
    });
  },
  { batch: TOGETHER },
);
