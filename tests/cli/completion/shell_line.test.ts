import assert from "node:assert/strict";
import { it } from "node:test";
import { splitLine } from "../../../src/cli/completion/complete.ts";

it("`splitLine()` takes a line apart as bash does, and expands nothing", () => {
  for (
    const [line, words] of [
      ["", [""]],
      ["adc-run", ["adc-run"]],
      ["adc-run ", ["adc-run", ""]],
      ["a  b\tc", ["a", "b", "c"]],
      ["a 'b c' \"d e\"", ["a", "b c", "d e"]],
      ["a 'b c", ["a", "b c"]],
      ['a "b\\"c\\d', ["a", 'b"c\\d']],
      ["a b\\ c", ["a", "b c"]],
      ["a '' b", ["a", "", "b"]],
      ["a --x=b\\", ["a", "--x=b"]],
      ["a $(x) `y` $Z ~ *", ["a", "$(x)", "`y`", "$Z", "~", "*"]],
    ] as const
  ) {
    assert.deepEqual(splitLine(line), words, line);
  }
});
