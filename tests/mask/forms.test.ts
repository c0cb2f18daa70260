import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { inspect } from "node:util";
import { encodedForms, textForms } from "../../src/mask/forms.ts";

const AWKWARD = "pä ss/w+ö'r\"d\\!*(~)\n€=&<:$,>\u{1f511}";

function secretForms(value: string): ReadonlySet<string> {
  return new Set([...textForms(value), ...encodedForms(value)]);
}

/** The forms as text; all but the first are ASCII or UTF-8 bytes. */
function forms(value: string): Set<string> {
  return new Set(
    [...secretForms(value)].map((form) => Buffer.from(form, "latin1").toString("utf8")),
  );
}

function assertHas(value: string, form: string): void {
  assert.ok(forms(value).has(form), `no form ${form}`);
}

function lowerEscapes(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

test("`textForms()` has none for an empty secret", () => {
  assert.equal(secretForms("").size, 0);
});

test("`textForms()` has the secret itself, of a single character too", () => {
  assert.deepEqual([...secretForms("x")], ["x"]);
  assertHas(AWKWARD, AWKWARD);
});

test("`textForms()` has what `encodeURIComponent()` and `encodeURI()` write", () => {
  for (const encode of [encodeURIComponent, encodeURI]) {
    assertHas(AWKWARD, encode(AWKWARD));
    assertHas(AWKWARD, lowerEscapes(encode(AWKWARD)));
    assertHas(AWKWARD, encode(AWKWARD).replaceAll("%20", "+"));
  }
});

test("`textForms()` has what `URLSearchParams` writes", () => {
  const encoded = new URLSearchParams([["", AWKWARD]]).toString().slice(1);
  assertHas(AWKWARD, encoded);
  assertHas(AWKWARD, lowerEscapes(encoded));
});

test("`textForms()` has the strict encoding of RFC 3986", () => {
  const encoded = encodeURIComponent(AWKWARD)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  assertHas(AWKWARD, encoded);
  assertHas(AWKWARD, lowerEscapes(encoded));
});

test("`textForms()` has what Python's `quote()` writes", () => {
  const key = "q1/Zk+7vT9w=$x:@,y;";
  const encoded = encodeURIComponent(key).replaceAll("%2F", "/");
  assertHas(key, encoded);
  assertHas(key, encoded.replaceAll("%", "%25"));
});

test("`textForms()` has what `new URL()` makes of each part of an address", () => {
  const key = "q1Zk+7v=T9%w'!x:y;z<^[`{|}]>\"";
  const url = new URL("http://host");
  url.username = key;
  assertHas(key, url.username);
  assertHas(key, url.username.replaceAll("%", "%25"));
  for (const caret of ["^", "%5E"]) {
    assertHas(key, new URL(`http://host/${key}`).pathname.slice(1).replace(/\^|%5E/, caret));
  }
  assertHas(key, new URL(`http://host/?${key}`).search.slice(1));
  assertHas(key, new URL(`http://host/#${key}`).hash.slice(1));
});

test("`textForms()` has what Go's `url.PathEscape()` and `url.UserPassword()` write", () => {
  const key = "q1/Zk+7vT9w=$x:@,y;";
  assertHas(key, "q1%2FZk+7vT9w=$x:@%2Cy%3B");
  assertHas(key, "q1%2FZk+7vT9w=$x%3A%40,y;");
});

test("`textForms()` has query parameters as axios writes them", () => {
  const encoded = encodeURIComponent(AWKWARD)
    .replaceAll("%3A", ":").replaceAll("%24", "$").replaceAll("%2C", ",").replaceAll("%20", "+");
  assertHas(AWKWARD, encoded);
});

test("`textForms()` has JSON strings, with slashes and other characters escaped or not", () => {
  const json = JSON.stringify(AWKWARD).slice(1, -1);
  assertHas(AWKWARD, json);
  assertHas(AWKWARD, json.replaceAll("/", "\\/"));
  assertHas("é/€", "\\u00e9/\\u20ac");
  assertHas("é/€", "\\u00E9\\/\\u20AC");
  assertHas("\u{1f511}", "\\ud83d\\udd11");
  assertHas("a<b>&c", "a\\u003cb\\u003e\\u0026c");
});

test("`textForms()` has what `util.inspect()` writes", () => {
  const options = { compact: true, breakLength: Infinity };
  assertHas(AWKWARD, inspect(AWKWARD, options).slice(1, -1));
  assertHas("it's \\ \x1b[0m", "it\\'s \\\\ \\x1B[0m");
  assertHas("it's \\ \x1b[0m", "it\\'s \\\\ \\x1b[0m");
  assertHas("'\"`\t", inspect("'\"`\t", options).slice(1, -1));
});

test("`textForms()` has hexadecimal digits in both cases", () => {
  assertHas("jklm", "6a6b6c6d");
  assertHas("jklm", "6A6B6C6D");
});

for (const offset of [0, 1, 2]) {
  test(`\`encodedForms()\` has all of base64 that is certain at byte offset ${offset}`, () => {
    for (
      const value of ["a7ee-example", "a7ee-example1", "a7ee-example12", AWKWARD, "\xff>>>???"]
    ) {
      // A character is certain if no neighbour changes it.
      const encoded = [0x00, 0xff].map((byte) =>
        Buffer.concat([
          Buffer.alloc(offset, byte),
          Buffer.from(value),
          Buffer.alloc(4, byte),
        ]).toString("base64").slice(0, -2)
      );
      const [zeros, ones] = encoded as [string, string];
      let first = 0;
      while (first < offset * 8 / 6) first++;
      let end = first;
      while (zeros[end] === ones[end]) end++;
      assert.notEqual(zeros[first - 1], first === 0 ? "" : ones[first - 1]);
      const form = zeros.slice(first, end);
      assert.ok(end - first >= 8);
      assertHas(value, form);
      assertHas(value, form.replaceAll("+", "-").replaceAll("/", "_"));
    }
  });
}

test("`textForms()` leaves out base64 and hexadecimal forms of less than eight characters", () => {
  assert.deepEqual([...secretForms("abc")], ["abc"]);
  assert.deepEqual([...secretForms("abcd")], ["abcd", "61626364"]);
  assert.deepEqual(
    [...secretForms("jklmno")],
    ["jklmno", "amtsbW5v", "6a6b6c6d6e6f", "6A6B6C6D6E6F"],
  );
});

test("`textForms()` takes a lone surrogate for what UTF-8 makes of it", () => {
  assertHas("a\ud83db", "a\ufffdb");
});
