import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import { test } from "node:test";
import type { RawAnswer } from "../../../src/admin_api/raw_request.ts";
import {
  forTerminal,
  headOf,
  indentJson,
  keepStart,
  memberText,
  writePieces,
} from "../../../src/cli/commands/api_output.ts";
import { createMask } from "../../../src/mask/mask.ts";
import { Secret } from "../../../src/secret.ts";

async function* pieces(...texts: readonly (string | Uint8Array)[]) {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text as string));
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function sink(onWrite: (chunk: Buffer) => void): Writable {
  return new Writable({
    highWaterMark: 1,
    write: (chunk, _encoding, done) => {
      onWrite(chunk);
      setImmediate(done);
    },
  });
}

const EMPTY = createMask([]);

test("`indentJson()` lays out what `JSON.stringify()` would, whatever the spacing", () => {
  for (
    const value of [
      {},
      [],
      [[], {}, [[]], { a: {} }],
      { a: 1, b: [true, null, -1.5e3], c: { d: 'q"\\ {[,:]}', e: "" } },
      "text",
      0,
      null,
    ]
  ) {
    const laidOut = JSON.stringify(value, null, 2);
    for (
      const text of [JSON.stringify(value), laidOut, ` \t\r\n${JSON.stringify(value, null, 7)} `]
    ) {
      assert.equal(indentJson(text), laidOut);
    }
  }
});

test("`indentJson()` changes no number, no name that is there twice, and no escape", () => {
  assert.equal(
    indentJson('{"n":12345678901234567890,"n":1.0,"s":"\\u0041\\/"}'),
    '{\n  "n": 12345678901234567890,\n  "n": 1.0,\n  "s": "\\u0041\\/"\n}',
  );
});

test("`indentJson()` escapes what draws on a terminal", () => {
  assert.equal(indentJson('["\u009b31m\u007f\u202e"]'), '[\n  "\\u009b31m\\u007f\\u202e"\n]');
});

test("`memberText()` cuts out a value as it is written", () => {
  for (
    const [json, text] of [
      ['{"list":[1,{"list":[2]}],"total":2}', '[1,{"list":[2]}]'],
      ['{ "a" : {"list":1} , "list" : [ 1 , 2 ] }', "[ 1 , 2 ]"],
      ['{"list":[1],"l\\u0069st":[12345678901234567890]}', "[12345678901234567890]"],
      ['{"x":"list","list":"]}"}', '"]}"'],
      ['{"x":["list"],"y":{"list":3}}', undefined],
      ['{"list":null}', "null"],
      ["{}", undefined],
    ] as const
  ) {
    assert.equal(memberText(json, "list"), text, json);
  }
});

test("`forTerminal()` lays out JSON, however it arrives", async () => {
  const json = '{"a":["ü",1]}';
  const bytes = Buffer.from(json);
  const expected = '{\n  "a": [\n    "ü",\n    1\n  ]\n}\n';
  assert.equal(await textOf(forTerminal(pieces(json))), expected);
  const single = [...bytes].map((byte) => Uint8Array.of(byte));
  assert.equal(await textOf(forTerminal(pieces(...single))), expected);
  assert.equal(await textOf(forTerminal(pieces("\n ", `${json}\n\n`))), expected);
  assert.equal(await textOf(forTerminal(pieces('"text"'))), '"text"\n');
  assert.equal(await textOf(forTerminal(pieces())), "");
});

test("`forTerminal()` lets nothing draw on the terminal", async () => {
  const evil = "a\x1b[2J\x07\tb\r\n\u009b31mc\u202ed\0";
  assert.equal(await textOf(forTerminal(pieces(evil))), "a[2J\tb\n31mcd\n");
  assert.equal(await textOf(forTerminal(pieces(`{${evil}`))), "{a[2J\tb\n31mcd\n");
  assert.equal(await textOf(forTerminal(pieces(Uint8Array.of(0xc2), Uint8Array.of(0x9b)))), "");
});

test("`forTerminal()` shows what is no JSON before all of it is there", async () => {
  async function* endless() {
    while (true) yield await Promise.resolve(Buffer.from("line\n"));
  }
  let seen = "";
  for await (const piece of forTerminal(endless())) {
    seen += Buffer.from(piece).toString();
    if (seen.length > 100) break;
  }
  assert.ok(seen.startsWith("line\nline\n"));
});

test("`forTerminal()` holds no more than 16 MiB back", async () => {
  const chunk = Buffer.alloc(1024 * 1024, "1");
  let sent = 0;
  async function* endless() {
    yield Buffer.from("[");
    while (sent++ < 64) yield await Promise.resolve(chunk);
  }
  for await (const _ of forTerminal(endless())) break;
  assert.ok(sent <= 17, `${sent} MiB`);
});

test("`forTerminal()` shows the half of an answer that came, and throws", async () => {
  async function* cut() {
    yield await Promise.resolve(Buffer.from('{"a":'));
    throw new Error("cut off");
  }
  let seen = "";
  await assert.rejects(async () => {
    for await (const piece of forTerminal(cut())) seen += Buffer.from(piece).toString();
  }, { message: "cut off" });
  assert.equal(seen, '{"a":\n');
});

test("`headOf()` shows the status and the headers, without the values of cookies", () => {
  const answer = {
    status: 200,
    reason: "OK",
    headers: [["a", "b\x1b[2J"], ["set-cookie", "sid=secret; Path=/"], ["set-cookie", "x"]],
  } as unknown as RawAnswer;
  assert.equal(
    String(headOf(answer)),
    "HTTP/1.1 200 OK\r\na: b[2J\r\nset-cookie: sid=***; Path=/\r\nset-cookie: x\r\n\r\n",
  );
  assert.equal(
    String(headOf({ ...answer, reason: "", headers: [] })),
    "HTTP/1.1 200\r\n\r\n",
  );
});

test("`keepStart()` keeps 64 KiB of a body that passes", async () => {
  const short = keepStart(pieces("ab", "c"));
  assert.equal(short.cut(), true, "nothing has passed yet");
  assert.equal(await textOf(short.body), "abc");
  assert.deepEqual([short.text(), short.cut(), short.full()], ["abc", false, false]);
  const long = keepStart(pieces("x".repeat(40_000), "y".repeat(40_000)));
  assert.equal((await textOf(long.body)).length, 80_000);
  assert.deepEqual([long.text().length, long.cut(), long.full()], [64 * 1024, true, true]);
});

test("`writePieces()` masks across pieces and leaves every other byte as it was", async () => {
  const chunks: Buffer[] = [];
  const mask = createMask([new Secret("a7ee-canary")]);
  const bytes = Uint8Array.of(0, 255, 128);
  await writePieces(pieces("a7ee-", "canary", bytes), sink((chunk) => chunks.push(chunk)), {
    mask,
  });
  assert.deepEqual(Buffer.concat(chunks), Buffer.concat([Buffer.from("***"), bytes]));
  assert.equal(mask.count, 1);
});

test("`writePieces()` reads no faster than its output is taken", async () => {
  let [made, taken] = [0, 0];
  let most = 0;
  async function* many() {
    for (made = 0; made < 500; made++) yield await Promise.resolve(Buffer.alloc(64 * 1024));
  }
  await writePieces(
    many(),
    sink((chunk) => {
      taken += chunk.length;
      most = Math.max(most, made * 64 * 1024 - taken);
    }),
    { mask: EMPTY },
  );
  assert.equal(taken, 500 * 64 * 1024);
  assert.ok(most < 1024 * 1024, `${most} bytes were held`);
});

test("`writePieces()` throws what its pieces throw", async () => {
  const failure = new Error("cut off");
  async function* cut() {
    yield await Promise.resolve(Buffer.from("abc"));
    throw failure;
  }
  let seen = "";
  await assert.rejects(
    writePieces(cut(), sink((chunk) => seen += String(chunk)), { mask: EMPTY }),
    (error) => error === failure,
  );
});

test("`writePieces()` ends quietly when its reader is gone, and leaves the body", async () => {
  let left = false;
  async function* endless() {
    try {
      while (true) yield await Promise.resolve(Buffer.alloc(1024));
    } finally {
      left = true;
    }
  }
  const broken = (code: string) =>
    new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
    });
  await writePieces(endless(), broken("EPIPE"), { mask: EMPTY });
  assert.equal(left, true);
  await assert.rejects(writePieces(endless(), broken("ENOSPC"), { mask: EMPTY }), {
    message: "Cannot write the output: no space left (ENOSPC)",
    exitCode: 74,
  });
});
