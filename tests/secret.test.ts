import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { Secret, tokenPrefix } from "../src/secret.ts";

const VALUE = "a7ee-example";
const SHOWN = "a7ee-*** (9261e1c1)";

test("`Secret` gives its value to nobody but `reveal()`", () => {
  const secret = new Secret(VALUE);
  assert.equal(secret.reveal(), VALUE);
  const shown = [
    String(secret),
    `${secret}`,
    secret.toString(),
    JSON.parse(JSON.stringify(secret)),
    inspect(secret),
    format("%s", secret),
    format("%o", secret),
    "" + secret,
  ];
  assert.deepEqual(new Set(shown), new Set([SHOWN]));
});

test("`Secret` stays redacted deep inside other values", () => {
  const holder = { list: [new Secret(VALUE)], map: new Map([["token", new Secret(VALUE)]]) };
  for (const text of [inspect(holder, { depth: 9, showHidden: true }), JSON.stringify(holder)]) {
    assert.ok(!text.includes("example"), text);
  }
  assert.match(inspect(holder), /a7ee-\*\*\* \(9261e1c1\)/);
});

test("`Secret` has no property that holds its value", () => {
  const secret = new Secret(VALUE);
  const names: (string | symbol)[] = [];
  for (let each: object | null = secret; each !== null; each = Object.getPrototypeOf(each)) {
    names.push(...Reflect.ownKeys(each));
  }
  const values = names.map((name) => (secret as unknown as Record<string | symbol, unknown>)[name]);
  assert.ok(values.every((value) => value !== VALUE));
  assert.deepEqual(Object.keys(secret), []);
  assert.deepEqual({ ...secret }, {});
});

test("`Secret` shows the prefix of API7's tokens and nothing of any other value", () => {
  assert.equal(new Secret("a7adm-example").redacted, "a7adm-***");
  assert.equal(new Secret("a7ee-").redacted, "a7ee-***");
  for (const other of ["", "plain", "A7EE-example", "xa7ee-example", "a7e", " a7ee-example"]) {
    assert.equal(new Secret(other).redacted, "***");
  }
});

test("`Secret` has a fingerprint that is the start of the value's SHA-256", () => {
  // printf '' | sha256sum; printf ü | sha256sum
  assert.equal(new Secret("").fingerprint, "e3b0c442");
  assert.equal(new Secret("\u00fc").fingerprint, "607474ca");
  assert.notEqual(new Secret("a7ee-1").fingerprint, new Secret("a7ee-2").fingerprint);
});

test("`tokenPrefix()` knows the two kinds of API7's tokens", () => {
  assert.equal(tokenPrefix("a7ee-x"), "a7ee-");
  assert.equal(tokenPrefix("a7adm-x"), "a7adm-");
  assert.equal(tokenPrefix("a7x-x"), undefined);
  assert.equal(tokenPrefix(""), undefined);
});
