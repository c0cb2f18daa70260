import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Transform } from "node:stream";
import { inspect } from "node:util";
import fc from "fast-check";
import { secretForms } from "../../src/mask/forms.ts";
import { createMask, MaskStream } from "../../src/mask/mask.ts";
import { Matcher } from "../../src/mask/matcher.ts";
import { Replacer } from "../../src/mask/replacer.ts";
import { Secret } from "../../src/secret.ts";
import type { TimerHandle, Timers } from "../../src/system/idle_timer.ts";
import { naiveMask } from "../support/naive_mask.ts";
import { fuzz } from "./fuzz.ts";

/** Longer than any run: nothing is let go for having been held too long. */
const NEVER = 2 ** 31 - 1;

/** Characters that some form escapes, of one to four bytes. */
const ESCAPED = [..."\"'\\/<>&%+ ~!*()=?#\n\t\0\u001b\u007f\u00e9\u2028\u20ac\u{1f511}"];

const SECRETS = fc.array(
  fc.oneof(
    // Many occurrences, and many that overlap.
    { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 9 }) },
    { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom("a", "b", "\ud83d", ...ESCAPED) }) },
    { weight: 2, arbitrary: fc.string({ unit: "binary" }) },
    fc.base64String({ minLength: 4 }).map((text) => `a7ee-${text}`),
  ),
  { maxLength: 4 },
);

/** A part of what a program prints: noise, or a part of a form of a secret, chosen by three numbers. */
const PARTS = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: fc.constantFrom("a", "b", "A", "%", "\\", "="), maxLength: 12 }),
    fc.tuple(fc.nat(), fc.nat(), fc.nat()),
    fc.nat(),
  ),
  { maxLength: 12 },
);

const OUTPUT = { secrets: SECRETS, parts: PARTS, cuts: fc.array(fc.nat(), { maxLength: 12 }) };

type Part = Uint8Array | string | number | readonly number[];

/** What is written, as a byte string. */
function written(parts: readonly Part[], forms: readonly string[]): string {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    if (part instanceof Uint8Array) return Buffer.from(part).toString("latin1");
    if (forms.length === 0) return "";
    const [which, ...ends] = typeof part === "number" ? [part] : part;
    const form = forms[which! % forms.length]!;
    const [from = 0, to = form.length] = ends.map((end) => end % (form.length + 1));
    return form.slice(from, to);
  }).join("");
}

/** The same, in chunks; empty ones too. */
function chunksOf(text: string, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b);
  return [...places, text.length].map((end, index) =>
    Buffer.from(text.slice(places[index - 1] ?? 0, end), "latin1")
  );
}

function formsOf(secrets: readonly string[]): string[] {
  return [...new Set(secrets.flatMap((secret) => [...secretForms(secret)]))];
}

/** Collects what comes out. */
function collect(stream: Transform): { text: string } {
  const output = { text: "" };
  stream.on("data", (chunk: Buffer) => output.text += chunk.toString("latin1"));
  return output;
}

fuzz(
  "a mask's stream agrees with a naive search, for any secrets, bytes and splits",
  fc.record({ ...OUTPUT, replacement: fc.constantFrom("***", "", "a", "\u2026ab") }),
  async ({ secrets, parts, cuts, replacement }) => {
    const forms = formsOf(secrets);
    const text = written(parts, forms);
    const bytes = Buffer.from(replacement).toString("latin1");
    const mask = createMask(secrets.map((secret) => new Secret(secret)), {
      replacement,
      idleTime: NEVER,
    });
    const stream = mask.stream();
    const output = collect(stream);
    const chunks = chunksOf(text, cuts);
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    await once(stream, "end");
    const expected = naiveMask(text, forms, { replacement: bytes });
    assert.equal(output.text, expected.output);
    assert.equal(mask.count, expected.count);
    assert.equal(Buffer.concat(chunks).toString("latin1"), text, "The input was changed");
  },
);

/** Timers that fire when they are told to. */
class ManualTimers implements Timers {
  readonly #due = new Set<() => void>();

  setTimeout(callback: () => void): TimerHandle {
    this.#due.add(callback);
    return Object.assign(callback, { unref: () => {} });
  }

  setImmediate(callback: () => void): TimerHandle {
    return this.setTimeout(callback);
  }

  clearTimeout(handle: TimerHandle): void {
    this.#due.delete(handle as TimerHandle & (() => void));
  }

  clearImmediate(handle: TimerHandle): void {
    this.clearTimeout(handle);
  }

  /** All that is due, and what that makes due. */
  fire(): void {
    for (const callback of this.#due) {
      this.#due.delete(callback);
      callback();
    }
  }
}

fuzz(
  "a mask's stream that pauses anywhere agrees with a naive search that begins there anew",
  fc.record({ ...OUTPUT, pauses: fc.array(fc.boolean(), { maxLength: 13 }) }),
  async ({ secrets, parts, cuts, pauses }) => {
    const forms = formsOf(secrets);
    const text = written(parts, forms);
    const timers = new ManualTimers();
    const replacer = new Replacer(new Matcher(forms), Buffer.from("***"));
    let count = 0;
    const stream = new MaskStream(replacer, {
      idleTime: 50,
      timers,
      onReplaced: (more) => count += more,
    });
    const output = collect(stream);
    let expected = "";
    let expectedCount = 0;
    let [floor, end] = [0, 0];
    for (const [index, chunk] of chunksOf(text, cuts).entries()) {
      await new Promise((resolve) => stream.write(chunk, resolve));
      end += chunk.length;
      if (pauses[index] !== true) continue;
      timers.fire();
      const part = naiveMask(text.slice(0, end), forms, { floor });
      expected += part.output;
      expectedCount += part.count;
      floor = end;
      assert.equal(output.text, expected, `after ${end} bytes`);
    }
    stream.end();
    await once(stream, "end");
    const rest = naiveMask(text, forms, { floor });
    assert.equal(output.text, expected + rest.output);
    assert.equal(count, expectedCount + rest.count);
  },
);

/** Ways in which programs write a secret down, by other code than the mask's. */
const WRITERS: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "encodeURIComponent()": (text) => encodeURIComponent(text),
  "encodeURI()": (text) => encodeURI(text),
  "URLSearchParams": (text) => new URLSearchParams({ q: text }).toString().slice(2),
  "JSON": (text) => JSON.stringify(text).slice(1, -1),
  "JSON in ASCII": (text) =>
    JSON.stringify(text).slice(1, -1).replace(
      /[\u0080-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  "util.inspect()": (text) => inspect(text, { maxStringLength: null }).slice(1, -1),
  "hexadecimal": (text) => Buffer.from(text).toString("hex"),
};

const LONG_SECRET = fc.string({
  unit: fc.constantFrom(..."abyzAZ0189-_.:", ...ESCAPED),
  minLength: 8,
  maxLength: 30,
});

fuzz(
  "a mask finds a secret in whatever way a program writes it down",
  fc.record({
    secret: LONG_SECRET,
    way: fc.constantFrom(...Object.keys(WRITERS)),
    before: fc.string(),
    after: fc.string(),
  }),
  ({ secret, way, before, after }) => {
    const form = WRITERS[way]!(secret);
    const mask = createMask([new Secret(secret)]);
    const text = `${before}\n${form}\n${after}`;
    const masked = mask.text(text);
    assert.ok(masked.startsWith(`${before}\n***`) && masked.endsWith(`***\n${after}`), masked);
    assert.ok(!masked.includes(form), masked);
  },
);

fuzz(
  "a mask leaves no five bytes of a secret in a longer text that is in base64",
  fc.record({
    secret: LONG_SECRET,
    before: fc.string({ maxLength: 9 }),
    after: fc.string({ maxLength: 9 }),
    encoding: fc.constantFrom("base64", "base64url"),
  }),
  ({ secret, before, after, encoding }) => {
    // Neither side holds any of it.
    fc.pre([...secret].every((char) => !(before + after).includes(char)));
    const mask = createMask([new Secret(secret)]);
    const masked = mask.text(Buffer.from(before + secret + after).toString(encoding));
    const bytes = Buffer.from(secret);
    for (const piece of masked.split("***")) {
      for (let skipped = 0; skipped < 4; skipped++) {
        const left = Buffer.from(piece.slice(skipped), encoding);
        for (let at = 0; at + 5 <= bytes.length; at++) {
          assert.ok(!left.includes(bytes.subarray(at, at + 5)), masked);
        }
      }
    }
  },
);
