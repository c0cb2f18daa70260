import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { Automaton } from "../../src/mask/automaton.ts";
import { encodedForms, textForms } from "../../src/mask/forms.ts";
import { Gaps } from "../../src/mask/gaps.ts";
import { HexDumps } from "../../src/mask/hex_dumps.ts";
import { Matcher } from "../../src/mask/matcher.ts";
import { Findings, type Reader, Replacer } from "../../src/mask/replacer.ts";
import { ShiftTable } from "../../src/mask/shift_table.ts";
import { matcherOf, naiveHeld, naiveMask, RandomSource } from "../support/naive_mask.ts";

const STARS = Buffer.from("***");

function replacer(...patterns: string[]): Replacer {
  return new Replacer(matcherOf(patterns), STARS);
}

function joined(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString("latin1");
}

function masked(text: string, ...patterns: string[]): string {
  const target = replacer(...patterns);
  return joined([...target.write(Buffer.from(text, "latin1")), ...target.release()]);
}

/** One random case: patterns, a text with some of them planted, splits and idle releases. */
function check(random: RandomSource, about: string, size: { letters: number; longest: number }) {
  const patterns = new Set<string>();
  const shortest = random.pick([4, 4, 5, 6, 8]);
  for (let i = random.integer(1, 8); i > 0; i--) {
    const length = random.integer(shortest, Math.max(shortest, size.longest));
    const base = random.text(length, size.letters);
    patterns.add(base);
    // Patterns that share a start, an end or their inside are the ones that go wrong.
    if (random.integer(0, 2) === 0 && length > shortest) patterns.add(base.slice(0, shortest));
    if (random.integer(0, 2) === 0 && length > shortest) patterns.add(base.slice(-shortest));
  }
  const all = [...patterns];
  const target = new Replacer(matcherOf(all), STARS);
  let text = "";
  let floor = 0;
  let output = "";
  let expected = "";
  let count = 0;
  for (let i = random.integer(1, 12); i > 0; i--) {
    let chunk = "";
    for (let j = random.integer(0, 3); j > 0; j--) {
      const pattern = random.pick(all);
      const cut = random.integer(0, pattern.length);
      chunk += random.pick([
        pattern,
        pattern.slice(0, cut),
        pattern.slice(cut),
        random.text(random.integer(0, 40), size.letters),
      ]);
    }
    output += joined(target.write(Buffer.from(chunk, "latin1")));
    text += chunk;
    const context = `${about} ${JSON.stringify({ all, text, floor })}`;
    assert.equal(target.held, naiveHeld(text, all, floor), `held, ${context}`);
    if (i > 1 && random.integer(0, 5) > 0) continue;
    output += joined(target.release());
    const part = naiveMask(text, all, { floor });
    expected += part.output;
    count += part.count;
    floor = text.length;
    assert.equal(output, expected, context);
    assert.equal(target.count, count, `count, ${context}`);
    assert.equal(target.held, 0, context);
  }
}

for (const letters of [1, 2, 3, 26, 256]) {
  for (const longest of [4, 12, 60]) {
    const name = `patterns of up to ${longest} bytes over an alphabet of ${letters}`;

    test(`\`Replacer\` agrees with a naive search: ${name}`, () => {
      const random = new RandomSource();
      for (let i = 0; i < 300; i++) {
        check(random, `MASK_TEST_SEED=${random.seed} case ${i}`, { letters, longest });
      }
    });
  }
}

test("`Replacer` agrees with a naive search for a thousand patterns", () => {
  const random = new RandomSource();
  const patterns = Array.from({ length: 1000 }, () => random.text(random.integer(8, 90), 20));
  const target = replacer(...patterns);
  let text = "";
  let output = "";
  for (let i = 0; i < 400; i++) {
    const pattern = random.pick(patterns);
    const chunk = random.text(random.integer(0, 300), 20) + pattern.slice(random.integer(0, 3)) +
      pattern.slice(0, random.integer(0, 8));
    text += chunk;
    output += joined(target.write(Buffer.from(chunk, "latin1")));
  }
  output += joined(target.release());
  const expected = naiveMask(text, patterns);
  assert.equal(output, expected.output, `MASK_TEST_SEED=${random.seed}`);
  assert.equal(target.count, expected.count);
});

test("`Replacer` makes one replacement of occurrences that overlap", () => {
  assert.equal(masked("<onetwothree>", "onetwo", "twothree"), "<***>");
});

test("`Replacer` makes two replacements of occurrences that touch", () => {
  assert.equal(masked("<fourfive>", "four", "five"), "<******>");
  assert.equal(masked("aaaaaaaa", "aaaa", "aaaab"), "***");
  assert.equal(masked("abcdabcd", "abcd", "abcde"), "******");
});

test("`Replacer` replaces the longer of two patterns where one is a prefix of the other", () => {
  assert.equal(masked("token token-long token-lo", "token", "token-long"), "*** *** ***-lo");
});

test("`Replacer` joins touching occurrences that a later one overlaps", () => {
  const target = replacer("abcd", "efgh", "defghi");
  assert.equal(joined(target.write(Buffer.from("<abcdefgh"))), "<");
  assert.equal(target.held, 8);
  assert.equal(joined(target.write(Buffer.from("i>"))), "***>");
  assert.equal(target.count, 1);
});

test("`Replacer` hands out a chunk without a match as the very same object", () => {
  const chunk = Buffer.from("nothing to see here\n");
  const pieces = replacer("a-secret-value").write(chunk);
  assert.equal(pieces.length, 1);
  assert.equal(pieces[0], chunk);
});

test("`Replacer` does not change the chunks that it is given", () => {
  const chunk = Buffer.from("<a-secret-value> a-sec");
  replacer("a-secret-value").write(chunk);
  assert.equal(chunk.toString(), "<a-secret-value> a-sec");
});

test("`Replacer` holds no bytes that are not the start of a match", () => {
  const target = replacer("abcabd");
  assert.equal(joined(target.write(Buffer.from("xxabcab"))), "xx");
  assert.equal(target.held, 5);
  assert.equal(joined(target.write(Buffer.from("c"))), "abc");
  assert.equal(target.held, 3);
  assert.equal(joined(target.write(Buffer.from("z"))), "abcz");
  assert.equal(target.held, 0);
});

test("`Replacer` hands out an occurrence at once if nothing can extend it", () => {
  const target = replacer("abcd", "bcde!");
  assert.equal(joined(target.write(Buffer.from("abcd"))), "");
  assert.equal(joined(replacer("abcd", "xbcde").write(Buffer.from("abcd"))), "***");
});

test("`Replacer` masks the rest of an occurrence whose start was released", () => {
  const target = replacer("a-secret-value");
  target.write(Buffer.from("<a-sec"));
  assert.equal(joined(target.release()), "a-sec");
  assert.equal(joined(target.write(Buffer.from("ret-"))), "");
  assert.equal(joined(target.release()), "ret-");
  assert.equal(joined(target.write(Buffer.from("value>"))), "***>");
  assert.equal(target.count, 1);
});

test("`Replacer` lets the rest pass if a released start turns out to be none", () => {
  const target = replacer("a-secret-value");
  target.write(Buffer.from("<a-sec"));
  target.release();
  assert.equal(joined(target.write(Buffer.from("ond thing"))), "ond thing");
  assert.equal(target.count, 0);
});

test("`Replacer` keeps a union in progress in constant space, however long it gets", () => {
  const target = replacer("a".repeat(30));
  const chunk = Buffer.alloc(65536, "a");
  for (let i = 0; i < 50; i++) assert.deepEqual(target.write(chunk), []);
  assert.equal(target.held, 50 * 65536);
  assert.equal(joined(target.write(Buffer.from("b"))), "***b");
});

test("`Replacer` changes nothing in 100 MB of random bytes but the tokens in them", () => {
  const random = new RandomSource();
  const tokens = Array.from({ length: 5 }, () => `a7ee-${random.text(35, 26)}`);
  const target = replacer(...tokens);
  const noise = randomBytes(1 << 20);
  const expected = createHash("sha1");
  const actual = createHash("sha1");
  let planted = 0;
  let total = 0;
  function feed(chunk: Uint8Array): void {
    total += chunk.length;
    for (const piece of target.write(chunk)) actual.update(piece);
  }
  while (total < 100e6) {
    const from = random.integer(0, noise.length - 1);
    const plain = noise.subarray(from, from + random.integer(0, 200_000));
    expected.update(plain);
    const token = Buffer.from(random.pick(tokens));
    const cut = random.integer(0, token.length);
    if (random.integer(0, 1) === 0) {
      feed(Buffer.concat([plain, token.subarray(0, cut)]));
      feed(token.subarray(cut));
    } else {
      feed(plain);
      feed(token);
    }
    expected.update(STARS);
    planted++;
  }
  for (const piece of target.release()) actual.update(piece);
  assert.equal(target.count, planted, `MASK_TEST_SEED=${random.seed}`);
  assert.equal(actual.digest("hex"), expected.digest("hex"), `MASK_TEST_SEED=${random.seed}`);
});

test("`ShiftTable` looks at few places, for a hundred secrets and in hexadecimal numbers too", () => {
  let lookUps = 0;
  const digest = (text: string) => createHash("sha256").update(text);
  const forms = Array.from({ length: 100 }, (_, index) => {
    const secret = `a7ee-${digest(`secret ${index}`).digest("base64url")}`;
    return [...textForms(secret), ...encodedForms(secret)];
  }).flat();
  const lines = Array.from(
    { length: 1000 },
    (_, index) => `"id": "${digest(`${index}`).digest("hex")}"\n`,
  );
  const { buffer, byteOffset, length } = Buffer.from(lines.join(""));
  const view = new DataView(buffer, byteOffset, length);
  view.getInt32 = (at, littleEndian) => {
    lookUps++;
    return DataView.prototype.getInt32.call(view, at, littleEndian);
  };
  const table = new ShiftTable(forms, { pieces: true });
  for (let at = 0, piece = -1; at < length;) {
    const place = table.find(view, at, piece);
    if (place < 0) piece = ~place;
    at = place < 0 ? table.after(piece) : place + 1;
  }
  assert.ok(lookUps < length / 16 * 2, `${lookUps} in ${length} bytes`);
});

/** Bytes that count each look at them, by methods of the runtime as well. */
function counted(bytes: Buffer, count: (looks: number) => void): Buffer {
  return new Proxy(bytes, {
    get: (target, key) => {
      if (typeof key === "string" && /^\d+$/.test(key)) count(1);
      const value = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const result = value.apply(target, args);
        if (typeof result === "number" || typeof result === "boolean") {
          count((Number(result) > 0 ? Number(result) : target.length) - Number(args[1] ?? 0));
        }
        return result;
      };
    },
  });
}

/** Gaps of which one is directly behind the other, after what begins a secret or not. */
const GAPS: Readonly<Record<string, string>> = {
  "colors": "\x1b[31m",
  "blank lines": "  \n",
  "deleted blanks": " \b",
  "colors and line breaks": "\x1b[31m\n",
};

for (const [name, unit] of Object.entries(GAPS)) {
  test(`\`Gaps\` looks at each byte of many gaps a few times at most: ${name}`, () => {
    const table = new ShiftTable(["a7ee-secret\n31m["], { pieces: true });
    for (const lead of ["", "a", "a7ee-se"]) {
      const text = Buffer.from((lead + unit.repeat(1000)).repeat(3));
      let work = 0;
      const bytes = counted(text, (looks) => work += looks);
      const gaps = new Gaps(table, () => new Automaton(new Map([["a7ee-secret\n31m[", 16]])));
      gaps.read(bytes, { floor: 0, found: new Findings(text.length, { isStart: true }) });
      assert.ok(work <= text.length * 20, `${work} for ${text.length} bytes after ${lead}`);
    }
  });

  test(`\`Gaps\` holds no more than one secret's extent of gaps: ${name}`, () => {
    const target = new Replacer(
      new Matcher(new Map([["a7ee-secret-0123", 16]]), { gaps: true }),
      STARS,
    );
    target.write(Buffer.from("a7ee-se"));
    for (let i = 0; i < 40; i++) target.write(Buffer.from(unit.repeat(1000)));
    assert.ok(target.held <= 70_000, `held ${target.held}`);
  });
}

test("`HexDumps` keeps a bounded part of rows in which occurrences overlap", () => {
  let most = 0;
  const secret = matcherOf(["a".repeat(20)]);
  const dumps = new HexDumps([secret], new Set([0x61]));
  const target = new Replacer({
    read(bytes, found, end) {
      most = Math.max(most, bytes.length);
      dumps.read(bytes, found, end);
    },
  }, STARS);
  const rows = `00000000: ${"6161 ".repeat(8)} ${"a".repeat(16)}\n`.repeat(1000);
  for (let i = 0; i < 10; i++) target.write(Buffer.from(rows));
  assert.ok(most <= rows.length * 2, `read ${most} at once`);
  assert.equal(joined(target.release()).replace(/^0+: /, ""), "***\n");
});

/** What has no line breaks, in rows or not. */
const ENDLESS: Readonly<Record<string, string>> = {
  "digits": "A",
  "zeros": "00 ",
  "groups of four": "6137 6565 ",
  "groups that are no dump": "61 6 16 6 ",
  "numbers": "4711 13 100000 7 ",
  "nothing but the secret": Buffer.from("a7ee-secret ").toString("hex").replace(/../g, "$& "),
};

for (const [name, unit] of Object.entries(ENDLESS)) {
  const text = Buffer.from(unit.repeat(60_000 / unit.length));

  test(`\`HexDumps\` reads an endless line a few times at most, chunk by chunk: ${name}`, () => {
    let work = 0;
    const counter: Reader = { read: (bytes) => work += bytes.length };
    const secret = matcherOf(["a7ee-secret", "\0a\x007"]);
    const dumps = new HexDumps([counter, secret], new Set([0]));
    const target = new Replacer({
      read(bytes, found, end) {
        work += bytes.length;
        dumps.read(bytes, found, end);
      },
    }, STARS);
    for (let at = 0; at < text.length; at += 4096) {
      target.write(text.subarray(at, at + 4096));
      assert.ok(target.held <= 8192, `held ${target.held} at ${at}`);
    }
    assert.ok(work <= text.length * 3, `${work} for ${text.length} bytes`);
  });

  test(`\`HexDumps\` looks at each byte of an endless line a few times at most: ${name}`, () => {
    let work = 0;
    const found = new Findings(text.length, { isStart: true });
    const bytes = counted(text, (looks) => work += looks);
    new HexDumps([], new Set([0])).read(bytes, found, false);
    assert.ok(work <= text.length * 20, `${work} for ${text.length} bytes`);
  });
}
