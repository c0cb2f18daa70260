import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "dotenv";
import { reportLines } from "../../src/doctor/check_env_file.ts";

test("`reportLines()` names the lines that set nothing", () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ["", []],
    ["A=1\nB=2\n", []],
    ["# comment\n\n  # another\nA=1", []],
    ["A 1\nB=2\nnonsense\n", [1, 3]],
    ["A=1\r\nB 2\r\nC=3\r\n", [2]],
    ["export A=1\nexport B\n", [2]],
    ["A: 1\nB:1\n", [2]],
    ["A='one\ntwo\nthree'\nB\n", [4]],
    ['A="one\n# no comment\n"\nB=1\n', []],
    ["\ufeffA=1\n", []],
    ["A=\nB = 2\n=3\n", [3]],
    ["A=a#b\nÄ=1\n", [2]],
  ];
  for (const [text, lines] of cases) {
    assert.deepEqual(reportLines(text).ignored, lines, JSON.stringify(text));
  }
});

test("`reportLines()` sees the variables that `dotenv` sees", () => {
  const pieces = [
    "A=1",
    "B 2",
    "C: 3",
    "export D=4",
    "E='x\ny'",
    'F="a\nb',
    "G=`z`",
    "#H=1",
    "=",
    "I=",
  ];
  for (let seed = 0; seed < 1000; seed++) {
    const lines = Array.from(
      { length: 3 },
      (_, index) => pieces[Math.floor(seed / 10 ** index) % 10]!,
    );
    const text = lines.map((line, index) => line.replace(/[A-I]/, (name) => `${name}${index}`))
      .join("\n");
    assert.deepEqual([...new Set(reportLines(text).names)], Object.keys(parse(text)), text);
  }
});

test("`reportLines()` names each variable that is set more than once, once", () => {
  assert.deepEqual(reportLines("A=1\nB=1\nA=2\nA=3\n").repeated, ["A"]);
  assert.deepEqual(reportLines("A=1\nB=1\n#A=2\n").repeated, []);
});
