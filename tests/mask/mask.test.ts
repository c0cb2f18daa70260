import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Transform } from "node:stream";
import { test } from "node:test";
import { inspect } from "node:util";
import { encodedForms, textForms } from "../../src/mask/forms.ts";
import { createMask, type Mask } from "../../src/mask/mask.ts";
import { Secret } from "../../src/secret.ts";

const TOKEN = "a7ee-Example/Token+0";

function secretForms(value: string): readonly string[] {
  return [...textForms(value), ...encodedForms(value)];
}

async function through(mask: Mask, ...chunks: readonly Uint8Array[]): Promise<Buffer> {
  const stream = mask.stream();
  const output: Uint8Array[] = [];
  stream.on("data", (chunk) => output.push(chunk));
  for (const chunk of chunks) stream.write(chunk);
  await new Promise((resolve) => stream.on("end", resolve).end());
  return Buffer.concat(output);
}

function maskOf(...values: string[]): Mask {
  return createMask(values.map((value) => new Secret(value)));
}

test("`createMask()` masks a token split over two chunks", async () => {
  const stream = maskOf(TOKEN).stream();
  assert.ok(stream instanceof Transform);
  stream.write(`X-API-KEY: ${TOKEN.slice(0, 7)}`);
  stream.end(`${TOKEN.slice(7)}\n`);
  let output = "";
  for await (const chunk of stream) output += chunk;
  assert.equal(output, "X-API-KEY: ***\n");
});

test("`createMask()` masks every form split at every position", async () => {
  const mask = maskOf(TOKEN, "pä'ss \u{1f511}\"/w");
  const forms = [TOKEN, "pä'ss \u{1f511}\"/w"].flatMap(secretForms);
  assert.ok(forms.length > 30);
  for (const form of forms) {
    const text = Buffer.from(`<${form}>`, "latin1");
    for (let at = 0; at <= text.length; at++) {
      const output = await through(mask, text.subarray(0, at), text.subarray(at));
      assert.equal(output.toString(), "<***>");
    }
    const bytes = Array.from(text, (_, at) => text.subarray(at, at + 1));
    assert.equal((await through(mask, ...bytes)).toString(), "<***>");
  }
});

test("`createMask()` masks UTF-16 split at every position, after a text without a zero in it", async () => {
  // In UTF-16 the second does not start as it does in UTF-8.
  for (const secret of ["horse-battery-42", "ärger-battery-42"]) {
    const mask = maskOf(secret);
    const little = Buffer.from(secret, "utf16le");
    for (const form of [little, Buffer.from(little).swap16()]) {
      const whole = Buffer.concat([Buffer.from("pin: "), form, Buffer.from("!")]);
      const expected = await through(mask, whole);
      assert.ok(!expected.includes(form.subarray(2, -2)));
      for (let at = 0; at <= whole.length; at++) {
        const output = await through(mask, whole.subarray(0, at), whole.subarray(at));
        assert.deepEqual(output, expected, `${secret} ${at}`);
      }
    }
  }
});

test("`createMask()` masks a token inside a longer text in base64", () => {
  const mask = maskOf(TOKEN);
  for (const user of ["", "u", "us", "user", "user:"]) {
    for (const rest of ["", "\n", "\r\n", "xyz"]) {
      for (const encoding of ["base64", "base64url"] as const) {
        const encoded = Buffer.from(`${user}${TOKEN}${rest}`).toString(encoding);
        const output = mask.text(`Basic ${encoded};`);
        assert.match(output, /^Basic [\w+/-]{0,7}\*\*\*[\w+/=-]{0,7};$/);
      }
    }
  }
});

const LONG = "a7ee-Kd83hZqPz0mWv5LtYc1RxNf7GuJb9SeAo2Xi4Vn6TgHr8DkBw";

test("`createMask()` masks a secret that is cut short after 16 characters or more", () => {
  for (let length = 16; length < LONG.length; length++) {
    assert.equal(maskOf(LONG).text(`<${LONG.slice(0, length)}...>`), "<***...>");
  }
  assert.equal(maskOf(LONG).text(LONG.slice(0, 15)), LONG.slice(0, 15));
  const dump = inspect(Buffer.from(LONG));
  assert.equal(maskOf(LONG).text(dump), dump.replace(/(?<=<Buffer ).*(?= \.\.\.)/, "***"));
});

test("`createMask()` masks a token whose prefix is escaped, wrapped or missing", () => {
  const token = `a7ee-${"0123456789abcdef".repeat(3)}`;
  for (const hyphen of ["\\-", "\\u002D", "\\x2d", "&#45;", "%2D", "-\n> ", "_", ""]) {
    const text = token.replace("-", hyphen);
    assert.equal(maskOf(token).text(text), `a7ee${hyphen}***`);
    assert.equal(maskOf(token).text(`a7ee ${text.slice(-48, -20)}|`), "a7ee ***|");
  }
});

for (const width of [16, 100, 1500]) {
  test(`\`createMask()\` masks a secret in rows of ${width} bytes, split anywhere near a row's end`, async () => {
    for (const [before, lineEnd] of [[9, "\n"], [9, " \n"], [0, "\r\n"], [1, "\n"]] as const) {
      const bytes = Buffer.from(`${"-".repeat(width - before)}${LONG}${"-".repeat(width)}`);
      const row = new RegExp(`(.{${width * 3 - 1}}) `, "g");
      const rows = bytes.toString("hex").replace(/../g, "$& ").replace(row, `$1${lineEnd}`);
      const text = Buffer.from(`<\n${rows}\n>`);
      const whole = (await through(maskOf(LONG), text)).toString();
      assert.match(whole, /^<\n(2d[ \r\n]+)+\*\*\*([ \r\n]+2d)+[ \r\n]+>$/);
      const rowEnd = text.indexOf("\n", 2);
      for (let cut = rowEnd - 30; cut < rowEnd + 30; cut++) {
        const parts = [text.subarray(0, cut), text.subarray(cut)];
        assert.equal((await through(maskOf(LONG), ...parts)).toString(), whole, `cut at ${cut}`);
      }
    }
  });
}

test("`createMask()` leaves the header that JSON Web Tokens share", () => {
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");
  const mask = maskOf(`${header}.eyJzdWIiOiJhIn0.c2lnbmF0dXJl`);
  assert.equal(mask.text(`${header}.e30.b3RoZXI`), `${header}.e30.b3RoZXI`);
});

test("`createMask()` masks a secret broken over two lines at any place, split anywhere", async () => {
  // A backslash may be a part of a secret, too.
  const mask = maskOf(LONG, "pass\\word");
  const encoded = Buffer.from(LONG).toString("base64");
  for (const form of [LONG, encoded]) {
    for (
      const gap of [
        "\n",
        "\r\n",
        "\n        ",
        "\\\n  ",
        "\n0040: ",
        "\r",
        "\r\r\n",
        // What `less` and `readline` write at a full margin.
        " \b",
        " \r",
        "\x9b1m",
        "\xc2\x9b1;31m",
        "\x1b[0m\x1b[1;31m",
        "\x1b(B\x1b[m",
        "\x1b[m\x0f",
        "\x1bPq\x1b\\\x1b_G\x1b\\\x1b^p\x1b\\\x1bXs\x1b\\",
      ]
    ) {
      for (let at = 1; at < form.length - 2; at++) {
        const written = `<line\n${form.slice(0, at)}${gap}${form.slice(at)}>\n`;
        const text = Buffer.from(written, "latin1");
        const whole = await through(mask, text);
        assert.match(whole.toString(), /^<line\n\*\*\*[\w=]{0,2}>\n$/, `${gap} at ${at}`);
        const cut = at * 7 % text.length;
        const parts = await through(mask, text.subarray(0, cut), text.subarray(cut));
        assert.equal(parts.toString(), whole.toString());
      }
    }
  }
});

test("`createMask()` masks a JSON string continued on the next line at any place", () => {
  const mask = maskOf('pa/ss"word/abcdefghijklmnop');
  const json = 'pa\\/ss\\"word\\/abcdefghijklmnop';
  for (let at = 1; at < json.length; at++) {
    assert.equal(mask.text(`<${json.slice(0, at)}\\\n${json.slice(at)}>`), "<***>");
  }
});

test("`createMask()` masks what a terminal's margin breaks, whatever is in the line before", () => {
  // A piece of the secret alone is not to hide the next one.
  const line = `${LONG.slice(20, 36)} ${" \b-".repeat(200)} ${LONG.slice(20, 36)} \b - `;
  for (const gap of [" \b", "\r"]) {
    for (const at of [1, 10, 20, 40]) {
      const text = `${line}<${LONG.slice(0, at)}${gap}${LONG.slice(at)}>`;
      assert.equal(maskOf(LONG).text(text), `${line}<***>`, `at ${at}`);
    }
  }
});

test("`createMask()` masks what is broken after each 16 characters or more", () => {
  for (let width = 16; width <= LONG.length; width++) {
    const lines = `${"-".repeat(7)}${LONG}`.replace(new RegExp(`.{${width}}`, "g"), "$&\n");
    assert.match(maskOf(LONG).text(`${lines}|`), /^-------\*\*\*\n?\|$/);
  }
});

test("`createMask()` leaves colors and line breaks alone that are not within a secret", async () => {
  const text = `a\n  a7ee\n\x1b[1ma\x1b[0m\x1ba7\n\x1b[?${"1;".repeat(200)}m\n\n\x1b]8;;a7ee`;
  for (const size of [1, 3, text.length]) {
    const chunks = [];
    for (let at = 0; at < text.length; at += size) {
      chunks.push(Buffer.from(text.slice(at, at + size)));
    }
    assert.equal((await through(maskOf(LONG), ...chunks)).toString(), text);
  }
});

test("`createMask()` takes no more of what could be a gap than it must", () => {
  const stream = maskOf(LONG).stream();
  const held = `${LONG.slice(0, 9)}\x1b]8;;`;
  stream.write(`<${held}`);
  assert.equal(String(stream.read()).length, 1);
  stream.write("x".repeat(5000));
  assert.equal(String(stream.read()).length, held.length + 5000);
});

test("`createMask()` masks short secrets where they stand alone", async () => {
  const mask = maskOf("test", "x", "p&s");
  assert.equal(
    mask.text("test latest test1 test-a X-API-KEY: test, 'test' p%26s (p&amp;s) x apisix xy"),
    "*** latest test1 test-a X-API-KEY: ***, '***' *** (***) *** apisix xy",
  );
  for (
    const [text, masked] of [["la test", "la ***"], ["latest", "latest"], ["testing", "testing"]]
  ) {
    for (let at = 0; at <= text!.length; at++) {
      const parts = [text!.slice(0, at), text!.slice(at)].map((part) => Buffer.from(part));
      assert.equal((await through(mask, ...parts)).toString(), masked);
    }
  }
});

test("`createMask()` masks secrets that overlap as one and a longer one as a whole", () => {
  const mask = maskOf("first-second", "second-third", "first-se");
  assert.equal(mask.text("first-second-third, first-sec"), "***, ***c");
});

test("`createMask()` leaves invalid UTF-8 as it is", async () => {
  const noise = Buffer.from([0xff, 0xc3, 0x28, 0x00, 0xe2, 0x82]);
  const token = Buffer.from(TOKEN);
  const output = await through(maskOf(TOKEN), Buffer.concat([noise, token, noise]), noise);
  assert.deepEqual(output, Buffer.concat([noise, Buffer.from("***"), noise, noise]));
});

test("`createMask()` counts the replacements of all streams and not those in texts", async () => {
  const mask = maskOf(TOKEN);
  assert.equal(mask.count, 0);
  await through(mask, Buffer.from(`${TOKEN} ${TOKEN}`));
  await through(mask, Buffer.from(`${TOKEN}${TOKEN}`), Buffer.from(TOKEN));
  mask.text(TOKEN);
  assert.equal(mask.count, 5);
});

test("`createMask()` keeps its streams apart", async () => {
  const mask = maskOf(TOKEN);
  const [left, right] = [mask.stream(), mask.stream()];
  left.write(TOKEN.slice(0, 9));
  right.write(TOKEN.slice(9));
  right.end();
  left.end();
  let output = "";
  for await (const chunk of left) output += chunk;
  for await (const chunk of right) output += chunk;
  assert.equal(output, TOKEN);
});

test("`createMask()` lets all through without secrets or with empty ones", async () => {
  for (const mask of [createMask([]), maskOf("", "")]) {
    assert.equal((await through(mask, Buffer.from("any text"))).toString(), "any text");
    assert.equal(mask.text("any text"), "any text");
    assert.equal(mask.text(""), "");
  }
});

test("`createMask()` writes the replacement that it is told to, even none", () => {
  const secrets = [new Secret(TOKEN)];
  assert.equal(createMask(secrets, { replacement: "‹token›" }).text(`<${TOKEN}>`), "<‹token›>");
  assert.equal(createMask(secrets, { replacement: "" }).text(`<${TOKEN}>`), "<>");
  assert.equal(createMask(secrets, { replacement: "" }).text(TOKEN), "");
});

test("`createMask()` leaves a text without a secret alone, lone surrogates too", () => {
  assert.equal(maskOf(TOKEN).text("a\ud83db"), "a\ud83db");
  assert.equal(maskOf(TOKEN).text(`é\u{1f511}${TOKEN}é`), "é\u{1f511}***é");
});

test("`createMask()` rejects an idle time that is no time", () => {
  for (const idleTime of [-1, NaN, Infinity, 2 ** 31]) {
    assert.throws(() => createMask([], { idleMs: idleTime }), RangeError);
  }
});

test("`createMask()` makes a mask that shows no secret", () => {
  const mask = maskOf(TOKEN);
  mask.text(`warm up ${TOKEN}`);
  for (const value of [mask, mask.stream()]) {
    const shown = inspect(value, { depth: Infinity, showHidden: true, getters: true });
    for (const form of secretForms(TOKEN)) assert.ok(!shown.includes(form));
    assert.ok(!shown.includes("7ee-"));
  }
  assert.equal(JSON.stringify(mask), "{}");
});

test("a mask finds a dump directly below another, whose rows are shorter", () => {
  const secret = "a7ee-0123456789abcdef0123456789abcdef";
  const pairs = [...Buffer.from(secret)].map((byte) => byte.toString(16).padStart(2, "0"));
  const row = `00000000  ${"41 ".repeat(8)} ${"41 ".repeat(8)} |${"A".repeat(16)}|`;
  const mask = createMask([new Secret(secret)]);
  assert.equal(mask.text(`${row}\n7c:${pairs.join(":")}\n`), `${row}\n7c:***\n`);
});

test("a mask's stream reads a dump the same wherever it is split, whatever is around it", async () => {
  const pairs = [...Buffer.from(LONG)].map((byte) => byte.toString(16).padStart(2, "0"));
  const rows = (width: number, offset: string, before: string): string =>
    pairs.join("").replace(new RegExp(`(..){1,${width}}`, "g"), (row) => {
      const hex = row.replace(/..(?=.)/g, "$& ").padEnd(width * 3);
      return `${offset}${hex}${before}${Buffer.from(row, "hex")}\n`;
    });
  for (
    const text of [
      // Junk in front of the offset, a row's characters that are digits, and a few bytes on their own.
      `610040: d  d  f${rows(36, "00000000: ", "  ")}`,
      rows(8, "00000008: ", " "),
      rows(20, "0000010 ", ""),
      // `xxd -c 8`
      rows(8, "00000000: ", "").replace(/\b(..) (..)\b/g, "$1$2"),
      `12:34:56 I ${pairs.join(" ")}`,
      `61 61 61 62 30 30 30 30\n|${pairs.join(":")}`,
      "b7c:787c:70:61:73:73:20:77:6f:72:64",
    ]
  ) {
    const mask = maskOf(LONG, "x");
    const bytes = Buffer.from(text);
    const whole = (await through(mask, bytes)).toString();
    assert.ok(whole.includes("***") && !/61[ :]?37|42[ :]?77|kBw/.test(whole), whole);
    for (let at = 0; at <= bytes.length; at++) {
      const parts = await through(mask, bytes.subarray(0, at), bytes.subarray(at));
      assert.equal(parts.toString(), whole, `cut at ${at}`);
    }
  }
});

test("a mask's stream holds a secret that begins in a terminal's string without an end", async () => {
  const secret = "a7ee-0123456789abcdef";
  for (const behind of ["", "\x1b", "\x1b["]) {
    const stream = createMask([new Secret(secret)], { idleMs: 1e9 }).stream();
    const output = stream.toArray();
    stream.write(`m\x1b]|${secret.slice(0, 4)}${behind}`);
    stream.end(`${"\x1b[1m".slice(behind.length)}${secret.slice(4)}`);
    assert.equal(Buffer.concat(await output).toString(), "m\x1b]|***", behind);
  }
});
