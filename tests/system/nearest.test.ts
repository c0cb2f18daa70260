import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "../../src/system/nearest.ts";

test("`nearest()` finds what was meant behind a letter missing, too many, wrong, or swapped", () => {
  const known = ["auth", "profile", "doctor", "completion"];
  for (
    const [word, meant] of [
      ["profle", "profile"],
      ["proffile", "profile"],
      ["profike", "profile"],
      ["porfile", "profile"],
      ["PROFILE", "profile"],
      ["profile", "profile"],
      ["atuh", "auth"],
      ["dcotr", undefined],
      ["compltoin", "completion"],
    ] as const
  ) {
    assert.equal(nearest(word, known), meant, word);
  }
});

test("`nearest()` lets a third of the word be wrong, at least one letter and at most three", () => {
  assert.equal(nearest("ab", ["abc"]), "abc");
  assert.equal(nearest("abcde", ["abcdefg"]), undefined);
  assert.equal(nearest("abcdef", ["abcdefgh"]), "abcdefgh");
  assert.equal(nearest("abcdefghijkl", ["abcdefghixyz"]), "abcdefghixyz");
  assert.equal(nearest("abcdefghijklmnop", ["abcdefghijklwxyz"]), undefined);
});

test("`nearest()` finds nothing where no letter is right", () => {
  for (const word of ["", "x", "zq"]) assert.equal(nearest(word, ["a", "ls", ""]), undefined, word);
});

test("`nearest()` takes the nearest, and the first of two that are equally near", () => {
  assert.equal(nearest("staging2", ["staging1", "staging", "staging22"]), "staging1");
  assert.equal(nearest("stagin", ["stagings", "staging"]), "staging");
});

test("`nearest()` passes over words that are far longer than any name", () => {
  const long = "a".repeat(1_000_000);
  assert.equal(nearest(long, [`${long}b`]), undefined);
  assert.equal(nearest("abc", [long]), undefined);
});
