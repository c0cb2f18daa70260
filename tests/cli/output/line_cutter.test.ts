import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { it } from "node:test";
import { LineCutter, MAX_PIECE_LENGTH } from "../../../src/cli/output/target_lines.ts";

/** The lines of a text that arrives in chunks of so many bytes; `+` marks what goes on. */
function cut(text: string, size = Infinity): string[] {
  const cutter = new LineCutter();
  const bytes = Buffer.from(text);
  const lines: string[] = [];
  const note = (each: ReturnType<LineCutter["end"]>) =>
    lines.push(...each.map((line) => (line.continued ? "+" : "") + Buffer.from(line.bytes)));
  for (let at = 0; at < bytes.length; at += Math.min(size, bytes.length)) {
    note(cutter.write(bytes.subarray(at, at + size)));
  }
  note(cutter.end());
  return lines;
}

it("`LineCutter` finds the same lines however they are split into chunks", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["one\ntwo\n", ["one", "two"]],
    ["one\ntwo", ["one", "two"]],
    ["\n\na\n", ["", "", "a"]],
    ["one\r\ntwo\r\n", ["one", "two"]],
    ["\r\n\r\na", ["", "", "a"]],
    ["a\r\r\nb", ["a", "b"]],
    ["10%\r20%\r\n", ["10%", "20%"]],
    ["\r10%\r20%\rdone\n", ["10%", "20%", "done"]],
    ["\r\r\rx\r\r\r", ["x"]],
    ["a\rb\n\nc\n", ["a", "b", "", "c"]],
    ["a\r\n\nb", ["a", "", "b"]],
    ["täglich\n✔ fertig\n", ["täglich", "✔ fertig"]],
  ];
  for (const [text, lines] of cases) {
    for (const size of [1, 2, 3, Infinity]) {
      assert.deepEqual(cut(text, size), lines, `${JSON.stringify(text)} in chunks of ${size}`);
    }
  }
});

it("`LineCutter` hands a line that is too long on in pieces, whole characters each", () => {
  const long = `a${"✔".repeat(50_000)}`;
  for (const size of [7, 1000, 65_536, Infinity]) {
    const lines = cut(`${long}\nnext\n`, size);
    assert.equal(lines.at(-1), "next");
    const pieces = lines.slice(0, -1);
    assert.deepEqual(pieces.map((each) => each.startsWith("+")), [false, true, true]);
    assert.ok(pieces.every((each) => Buffer.byteLength(each) <= MAX_PIECE_LENGTH + 1));
    assert.equal(pieces.map((each) => each.replace("+", "")).join(""), long);
  }
});

it("`LineCutter` holds no more than one piece of a line that never ends", () => {
  const cutter = new LineCutter();
  const chunk = Buffer.alloc(1000, "x");
  let out = 0;
  for (let round = 1; round <= 1000; round++) {
    for (const { bytes } of cutter.write(chunk)) out += bytes.length;
    assert.ok(round * chunk.length - out <= MAX_PIECE_LENGTH);
  }
  for (const { bytes } of cutter.end()) out += bytes.length;
  assert.equal(out, 1_000_000);
});

it("`LineCutter` keeps bytes that are not UTF-8", () => {
  const cutter = new LineCutter();
  const bytes = Buffer.alloc(MAX_PIECE_LENGTH + 10, 0x80);
  const pieces = [...cutter.write(bytes), ...cutter.end()].map((line) => line.bytes);
  assert.deepEqual(Buffer.concat(pieces), bytes);
});
