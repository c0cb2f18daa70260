import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "../../src/connection/backends.ts";
import { Secret } from "../../src/secret.ts";
import {
  isBlank,
  splitTokens,
  validateToken,
  withoutTrailingNewline,
} from "../../src/token/token_value.ts";

test("`validateToken()` lets everything pass that can stand in a header as it is", () => {
  for (
    const value of ["a7ee-abc", "x", "a=b==", "a,b", "a'b\"c", "!#$%&*+-./:;<>?@[]^_`{|}~\\", '"x']
  ) {
    assert.equal(validateToken(new Secret(value), "api7ee"), undefined, value);
  }
});

test("`validateToken()` says what is wrong, and nothing of the value", () => {
  const cases = {
    "": "it is empty",
    "qq qq": "it has a space in it",
    " qqqq": "it has a space in it",
    "qqqq ": "it has a space in it",
    "qq\tqq": "it has a space in it",
    "qqqq\n": "it has a line break in it",
    "qq qq\r\nqq": "it has a line break in it",
    '"qqqq"': "it has quotes around it",
    "'qqqq'": "it has quotes around it",
    "`qqqq`": "it has quotes around it",
    "qqqq\u00fc": "it has a character outside printable ASCII",
    "qqqq\u0000": "it has a character outside printable ASCII",
    "qqqq\u001b[31m": "it has a character outside printable ASCII",
    "qqqq\u007f": "it has a character outside printable ASCII",
    "\u{1f511}": "it has a character outside printable ASCII",
    "\u201cqqqq\u201d": "it has a character outside printable ASCII",
    "\ufeffqqqq": "it has a character outside printable ASCII",
    "qq\u00a0qq": "it has a character outside printable ASCII",
  };
  for (const [value, defect] of Object.entries(cases)) {
    assert.equal(validateToken(new Secret(value), "api7ee"), defect);
  }
});

test("`validateToken()` names the token of a list that is wrong", () => {
  assert.equal(validateToken(new Secret("a,b,c"), "apisix-standalone"), undefined);
  assert.equal(
    validateToken(new Secret("a,,c"), "apisix-standalone"),
    "in token 2 of 3: it is empty",
  );
  assert.equal(
    validateToken(new Secret("a,"), "apisix-standalone"),
    "in token 2 of 2: it is empty",
  );
  assert.equal(
    validateToken(new Secret("a, b"), "apisix-standalone"),
    "in token 2 of 2: it has a space in it",
  );
  assert.equal(validateToken(new Secret("a b"), "apisix-standalone"), "it has a space in it");
});

test("`splitTokens()` splits at commas for a list and nowhere else", () => {
  const split = (value: string, backend: Backend) =>
    splitTokens(new Secret(value), backend).map((token) => token.reveal());
  assert.deepEqual(split("a,b", "apisix-standalone"), ["a", "b"]);
  assert.deepEqual(split("a,b", "apisix"), ["a,b"]);
  assert.deepEqual(split("", "apisix-standalone"), [""]);
});

test("`isBlank()` takes white space for nothing", () => {
  for (const value of ["", " ", "\n", "\t \r\n", "\u00a0"]) assert.equal(isBlank(value), true);
  for (const value of ["x", " x ", "\u0000"]) assert.equal(isBlank(value), false);
});

test("`withoutTrailingNewline()` drops one line break at the end and nothing else", () => {
  const cases = {
    "x": "x",
    "x\n": "x",
    "x\r\n": "x",
    "x\n\n": "x\n",
    "x\r\n\r\n": "x\r\n",
    "x\r": "x\r",
    "x \n": "x ",
    "\nx": "\nx",
    "x\ny": "x\ny",
    "\n": "",
    "": "",
  };
  for (const [text, rest] of Object.entries(cases)) {
    assert.equal(withoutTrailingNewline(text), rest, JSON.stringify(text));
  }
});
