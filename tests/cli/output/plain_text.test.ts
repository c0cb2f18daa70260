import assert from "node:assert/strict";
import { it } from "node:test";
import { inLines, inOneLine } from "../../../src/cli/output/report.ts";

it("`inLines()` and `inOneLine()` leave nothing that draws on a terminal", () => {
  const text = "a\x1b[2J\x07b\nc\u2028d\x9be\tf";
  assert.equal(inLines(text), "a [2J b\nc\u2028d e f");
  assert.equal(inOneLine(text), "a [2J b c d e f");
});
