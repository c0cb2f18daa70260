import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawTerminal } from "../../scripts/picture/draw_terminal.ts";
import { readScreen } from "../../scripts/picture/screen.ts";

/** The rows' texts, with the blanks between runs. */
function texts(output: string, columns = 80): readonly string[] {
  return readScreen(output, columns).map((row) =>
    row.reduce((line, { column, text }) => line.padEnd(column) + text, "")
  );
}

describe("readScreen()", () => {
  it("goes on in the next row where one is full, and not before", () => {
    assert.deepEqual(texts("abcd\r\nabcdef\r\n", 4), ["abcd", "abcd", "ef", ""]);
  });

  it("writes over what stands there behind a carriage return", () => {
    assert.deepEqual(texts("abc\rx\r\n"), ["xbc", ""]);
  });

  it("erases to the end of the row, as what waits at a terminal does", () => {
    assert.deepEqual(texts("\r\x1b[Kwaiting… 1 s\r\x1b[Kok\r\n"), ["ok", ""]);
  });

  it("keeps the column where a line feed comes without a carriage return", () => {
    assert.deepEqual(texts("ab\nc"), ["ab", "  c"]);
  });

  it("tells runs by their looks", () => {
    const [row] = readScreen("\x1b[31merror\x1b[39m: \x1b[1;4mboth\x1b[0m end", 80);
    assert.deepEqual(row, [
      { column: 0, text: "error", color: "red", bold: false, underlined: false },
      { column: 5, text: ":", color: undefined, bold: false, underlined: false },
      { column: 7, text: "both", color: undefined, bold: true, underlined: true },
      { column: 12, text: "end", bold: false, underlined: false },
    ]);
  });

  it("refuses what it cannot draw", () => {
    for (const output of ["\x1b[2J", "\x1b]0;title\x07", "\x1b[48m", "a\bb"]) {
      assert.throws(() => readScreen(output, 80), /Cannot draw/, JSON.stringify(output));
    }
  });
});

describe("drawTerminal()", () => {
  it("escapes what XML would read as its own", () => {
    const svg = drawTerminal(readScreen("<a> & b", 80), {
      columns: 80,
      title: "t",
      description: "d",
    });
    assert.ok(svg.includes(">&lt;a&gt; &amp; b</text>"));
  });
});
