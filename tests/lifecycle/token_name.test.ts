import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { UsageError } from "../../src/errors.ts";
import {
  defaultTokenName,
  MAX_TOKEN_NAME_LENGTH,
  numberedTokenName,
  requireTokenName,
  uniqueTokenName,
} from "../../src/lifecycle/mint_token.ts";

/** One character, two UTF-16 units. */
const KEY = "\u{1F511}";

function length(name: string): number {
  return [...name].length;
}

test("`defaultTokenName()` names the user and the machine", () => {
  assert.equal(defaultTokenName("ci-bot", "laptop"), "adc-run ci-bot@laptop");
  assert.ok(`adc-run ci-bot@${hostname()}`.startsWith(defaultTokenName("ci-bot")));
});

test("`defaultTokenName()` is cut to 40 characters", () => {
  const exact = defaultTokenName("u".repeat(24), "machine");
  assert.equal(exact, `adc-run ${"u".repeat(24)}@machine`);
  assert.equal(length(exact), 40);
  assert.equal(defaultTokenName("u".repeat(24), "machines"), exact);
  assert.equal(defaultTokenName("u".repeat(99), "machine"), `adc-run ${"u".repeat(32)}`);
});

test("token names are cut between characters, and end in none that is empty", () => {
  const name = defaultTokenName(KEY.repeat(50), "machine");
  assert.equal(name, `adc-run ${KEY.repeat(32)}`);
  assert.equal(defaultTokenName(`${"u".repeat(31)} v`, "machine"), `adc-run ${"u".repeat(31)}`);
  assert.equal(numberedTokenName(KEY.repeat(40), 2), `${KEY.repeat(38)} 2`);
  assert.match(uniqueTokenName(KEY.repeat(40)), new RegExp(`^(${KEY}){31}-[0-9a-f]{8}$`, "u"));
});

test("`numberedTokenName()` keeps the number where the name is too long", () => {
  assert.equal(numberedTokenName("adc-run ci-bot@laptop", 2), "adc-run ci-bot@laptop 2");
  assert.equal(numberedTokenName("n".repeat(40), 2), `${"n".repeat(38)} 2`);
  assert.equal(numberedTokenName("n".repeat(40), 17), `${"n".repeat(37)} 17`);
});

test("`uniqueTokenName()` is another name each time, of at most 40 characters", () => {
  const names = Array.from({ length: 50 }, () => uniqueTokenName("n".repeat(40)));
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^n{31}-[0-9a-f]{8}$/);
  assert.match(uniqueTokenName("adc-run-ephemeral"), /^adc-run-ephemeral-[0-9a-f]{8}$/);
});

test("`uniqueTokenName()` replaces a suffix of its own, and none that merely looks like one", () => {
  const once = uniqueTokenName("mine");
  const twice = uniqueTokenName(once);
  assert.notEqual(twice, once);
  assert.match(twice, /^mine-[0-9a-f]{8}$/);
  for (const name of ["mine-0123456", "mine-012345678", "mine-0123456g", "mine 01234567"]) {
    assert.match(uniqueTokenName(name), new RegExp(`^${name}-[0-9a-f]{8}$`));
  }
});

test("`requireTokenName()` counts characters, and refuses what is empty or too long", () => {
  for (const name of ["a", "n".repeat(40), KEY.repeat(40), " a "]) {
    assert.equal(requireTokenName(name), name);
  }
  const refused: readonly [name: string, message: RegExp][] = [
    ["", /: the name is empty$/],
    [" \t", /: the name is empty$/],
    ["n".repeat(41), /has 41 characters, but the server allows at most 40$/],
    [KEY.repeat(41), /has 41 characters/],
  ];
  for (const [name, message] of refused) {
    assert.throws(
      () => requireTokenName(name),
      (error) =>
        error instanceof UsageError && error.exitCode === 64 && message.test(error.message),
    );
  }
  assert.equal(MAX_TOKEN_NAME_LENGTH, 40);
});
