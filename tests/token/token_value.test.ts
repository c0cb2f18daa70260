import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "../../src/connection/backends.ts";
import { Secret } from "../../src/secret.ts";
import {
  isBlank,
  splitTokens,
  trimToken,
  validateToken,
  withoutTrailingNewline,
} from "../../src/token/token_value.ts";

test("`validateToken()` lets everything pass that can stand in a header as it is", () => {
  for (
    const value of ["a7ee-abc", "x", "a=b==", "a'b\"c", "!#$%&*+-./:;<>?@[]^_`{|}~\\", '"x']
  ) {
    assert.equal(validateToken(new Secret(value), "api7ee"), undefined, value);
  }
});

test("`validateToken()` says what is wrong, and nothing of the value", () => {
  const cases = {
    "": "it is empty",
    "qq qq": "it contains a space",
    "qq,qq": "it contains a comma, which not every ADC accepts",
    "export ADC_TOKEN=qqqq": "it is a whole line of .env, with the name",
    "qq\tqq": "it contains a control character",
    "qqqq\n": "it contains a line break",
    "qq qq\r\nqq": "it contains a line break",
    '"qqqq"': "it is in quotes",
    "'qqqq'": "it is in quotes",
    "`qqqq`": "it is in quotes",
    "qqqq\u00fc": "it contains a character outside printable ASCII",
    "qqqq\u0000": "it contains a NUL byte; it may be UTF-16 text",
    "qqqq\u001b[31m": "it contains a control character",
    "qqqq\u007f": "it contains a control character",
    "\u{1f511}": "it contains a character outside printable ASCII",
    "\u201cqqqq\u201d": "it contains a character outside printable ASCII",
    "\ufeffqqqq": "it contains a character outside printable ASCII",
    "qq\u00a0qq": "it contains a character outside printable ASCII",
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
    validateToken(new Secret("a,a7ee-b c"), "apisix-standalone"),
    "in token 2 of 2: it contains a space",
  );
});

test("`validateToken()` lets a key of Apache APISIX have blanks and quotes, and API7's tokens not", () => {
  for (const backend of ["apisix", "apisix-standalone"] as const) {
    for (const value of ["a b", '"a"', "'a b'"]) {
      assert.equal(validateToken(new Secret(value), backend), undefined, value);
    }
    for (const value of ["a7ee-a b", "a7adm-a b"]) {
      assert.equal(validateToken(new Secret(value), backend), "it contains a space", value);
    }
    assert.equal(validateToken(new Secret("a\tb"), backend), "it contains a control character");
  }
});

test("`trimToken()` leaves out what stands around a token, and an empty last entry of a list", () => {
  const trim = (value: string, backend: Backend) => trimToken(new Secret(value), backend).reveal();
  for (const value of ["K", "K\n", "K ", "\ufeffK", "\t K\r\n\n"]) {
    for (const backend of ["apisix", "api7ee", "apisix-standalone"] as const) {
      assert.equal(trim(value, backend), "K", JSON.stringify(value));
    }
  }
  assert.equal(trim("K1, K2", "apisix-standalone"), "K1,K2");
  assert.equal(trim("K,\n", "apisix-standalone"), "K");
  assert.equal(trim("K,,", "apisix-standalone"), "K,");
  assert.equal(trim("K,", "apisix"), "K,");
  assert.equal(trim(" ", "apisix-standalone"), "");
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
