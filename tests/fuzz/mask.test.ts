import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Transform } from "node:stream";
import { inspect } from "node:util";
import fc from "fast-check";
import { encodedForms, textForms } from "../../src/mask/forms.ts";
import { createMask, MaskStream } from "../../src/mask/mask.ts";
import { Replacer } from "../../src/mask/replacer.ts";
import { Secret } from "../../src/secret.ts";
import type { TimerHandle, Timers } from "../../src/system/deadline.ts";
import { matcherOf, naiveMask } from "../support/naive_mask.ts";
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
  const forms = secrets.flatMap((secret) => [...textForms(secret), ...encodedForms(secret)]);
  // Shorter ones are words.
  return [...new Set(forms)].filter((form) => form.length >= 4);
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
    const bytes = Buffer.from(replacement);
    const replacer = new Replacer(matcherOf(forms), bytes);
    const stream = new MaskStream(replacer, { idleTime: NEVER });
    const output = collect(stream);
    const chunks = chunksOf(text, cuts);
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    await once(stream, "end");
    const expected = naiveMask(text, forms, { replacement: bytes.toString("latin1") });
    assert.equal(output.text, expected.output);
    assert.equal(replacer.count, expected.count);
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
    const replacer = new Replacer(matcherOf(forms), Buffer.from("***"));
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
  "percent signs twice": (text) => encodeURIComponent(encodeURIComponent(text)),
  "JSON in JSON": (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  "JSON, all that may be": (text) =>
    JSON.stringify(text).slice(1, -1).replace(/\\.|[<>&'+`]|[^ -~]/g, (char) => {
      const code = char === '\\"' ? '"' : char;
      return code[1]
        ? code
        : `\\u${code.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`;
    }),
  "HTML, decimal": (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  "HTML, hexadecimal": (text) =>
    text.replace(/[&<>"'`=/]/g, (char) => `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`),
  "HTML with names": (text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
  "CSV": (text) => text.replaceAll('"', '""'),
  "SQL": (text) => text.replaceAll("'", "''"),
  "a shell's single quotes": (text) => text.split("'").join("'\\''"),
  "a shell's double quotes": (text) => text.replace(/["$`\\]/g, "\\$&"),
  "Python's bytes": (text) => pythonBytes(text),
  "Perl's octal": (text) =>
    [...Buffer.from(text)].map((byte) =>
      ({ 9: "\\t", 10: "\\n", 13: "\\r", 27: "\\e", 92: "\\\\" })[byte] ??
        (byte < 32 || byte > 126
          ? `\\${byte.toString(8).padStart(3, "0")}`
          : String.fromCharCode(byte))
    ).join(""),
  "YAML": (text) =>
    [...text].map((char) => {
      const code = char.codePointAt(0)!;
      const hex = code.toString(16).toUpperCase();
      return ({
        "\0": "\\0",
        "\t": "\\t",
        "\n": "\\n",
        "\x1b": "\\e",
        "\u2028": "\\L",
        '"': '\\"',
        "\\": "\\\\",
      })[char] ?? (code >= 32 && code < 127
        ? char
        : code < 256
        ? `\\x${hex.padStart(2, "0")}`
        : code < 65536
        ? `\\u${hex.padStart(4, "0")}`
        : `\\U${hex.padStart(8, "0")}`);
    }).join(""),
};

function pythonBytes(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return [...Buffer.from(text)].map((byte) => {
    const char = String.fromCharCode(byte);
    return ({ 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" })[byte] ??
      (byte < 32 || byte > 126
        ? `\\x${byte.toString(16).padStart(2, "0")}`
        : char === quote
        ? `\\${char}`
        : char);
  }).join("");
}

/** Text in rows of a dump. */
function dump(
  bytes: Buffer,
  { width, row }: {
    readonly width: number;
    readonly row: (offset: number, hex: readonly string[], characters: string) => string;
  },
): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += width) {
    const part = bytes.subarray(at, at + width);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, "0"));
    const characters = [...part].map((byte) =>
      byte < 32 || byte > 126 ? "." : String.fromCharCode(byte)
    );
    text += `${row(at, hex, characters.join(""))}\n`;
  }
  return text;
}

function broken(text: string, width: number, gap: string): string {
  return text.replace(new RegExp(`.{${width}}(?=.)`, "g"), `$&${gap}`);
}

interface Layout {
  /** How programs lay out what they print, with a number for what they can choose. */
  readonly write: (text: string, width: number) => Buffer | string;
  /** What a reader makes of it. */
  readonly read: (output: Buffer) => string;
}

const seen = (output: Buffer): string => output.toString("latin1");
const unbroken = (output: Buffer): string =>
  // deno-lint-ignore no-control-regex
  seen(output).replace(/\x1b\[[\d;]*m|\x1b\]8;[^\x07]*\x07|\\?\r?\n[ \t]*([0-9a-f]{4}: )?/g, "");
/** Digits anywhere, but for those of an offset. */
const undumped = (output: Buffer): string =>
  seen(output).split("\n").map((line) => {
    const digits = line.replace(/^[0-9a-f]+:? +/, "").match(/\b([0-9a-f]{2}){1,2}\b/g);
    return Buffer.from((digits ?? []).join(""), "hex").toString("latin1");
  }).join("") + seen(output).replace(/^.*? {2,}|\n/gm, "");

const LAYOUTS: Readonly<Record<string, Layout>> = {
  "plain": { write: (text) => text, read: seen },
  "lines": { write: (text, width) => broken(text, width, "\n"), read: unbroken },
  "lines with an indent": {
    write: (text, width) => broken(text, width, "\r\n    "),
    read: unbroken,
  },
  "continued lines": { write: (text, width) => broken(text, width, "\\\n  "), read: unbroken },
  "curl --trace-ascii": { write: (text, width) => broken(text, width, "\n0040: "), read: unbroken },
  "a color for each character": {
    write: (text) => text.replace(/./g, "\x1b[38;5;12m$&\x1b[0m"),
    read: unbroken,
  },
  "colors and links": {
    write: (text, width) => broken(text, width % 9 + 1, "\x1b[1;31m\x1b]8;;http://x/\x07"),
    read: unbroken,
  },
  "UTF-16LE": {
    write: (text) => Buffer.from(text, "utf16le"),
    read: (output) => seen(output).replaceAll("\0", ""),
  },
  "UTF-16BE": {
    write: (text) => Buffer.from(text, "utf16le").swap16(),
    read: (output) => seen(output).replaceAll("\0", ""),
  },
  "a Buffer": {
    write: (text) => `<Buffer ${Buffer.from(text).toString("hex").replace(/..(?=.)/g, "$& ")}>`,
    read: undumped,
  },
  "colons": {
    write: (text) => Buffer.from(text).toString("hex").replace(/..(?=.)/g, "$&:"),
    read: (output) => undumped(Buffer.from(seen(output).replaceAll(":", " "))),
  },
  "xxd": {
    write: (text, width) =>
      dump(Buffer.from(text), {
        width: Math.max(8, width & ~1),
        row: (offset, hex, characters) =>
          `${offset.toString(16).padStart(8, "0")}: ${
            hex.join("").replace(/.{4}(?=.)/g, "$& ").padEnd((width & ~1) * 5 / 2)
          }  ${characters}`,
      }),
    read: undumped,
  },
  "hexdump -C": {
    write: (text) =>
      dump(Buffer.from(text), {
        width: 16,
        row: (offset, hex, characters) =>
          `${offset.toString(16).padStart(8, "0")}  ${
            `${hex.slice(0, 8).join(" ")}  ${hex.slice(8).join(" ")}`.padEnd(49)
          } |${characters}|`,
      }),
    read: undumped,
  },
  "od -t x1z": {
    write: (text) =>
      dump(Buffer.from(text), {
        width: 16,
        row: (offset, hex, characters) =>
          `${offset.toString(8).padStart(7, "0")} ${hex.join(" ").padEnd(47)}  >${characters}<`,
      }),
    read: undumped,
  },
  "curl --trace": {
    write: (text) =>
      dump(Buffer.from(text), {
        width: 16,
        row: (offset, hex, characters) =>
          `${offset.toString(16).padStart(4, "0")}: ${
            hex.map((pair) => `${pair} `).join("").padEnd(48)
          }${characters}`,
      }),
    read: undumped,
  },
};

const TOKEN = fc.string({
  unit: fc.constantFrom(..."abcdefghijkmnopqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ0123456789-_"),
  minLength: 32,
  maxLength: 60,
});

fuzz(
  "a mask's stream leaves nothing of a token however it is laid out and split",
  fc.record({
    token: TOKEN,
    layout: fc.constantFrom(...Object.keys(LAYOUTS)),
    encoding: fc.constantFrom(undefined, "base64", "base64url", "hex"),
    before: fc.nat({ max: 40 }),
    width: fc.integer({ min: 16, max: 80 }),
    cuts: fc.array(fc.nat(), { maxLength: 6 }),
  }),
  async ({ token, layout, encoding, before, width, cuts }) => {
    const { write, read } = LAYOUTS[layout]!;
    const inner = encoding === undefined ? token : Buffer.from(token).toString(encoding as "hex");
    const lead = "\u00a7".repeat(before);
    const printed = write(`${".".repeat(before)}${inner}|, and more ...`, width);
    const text = `${seen(Buffer.from(lead))}\n${seen(Buffer.from(printed))}\nend.`;
    const stream = createMask([new Secret(token)], { idleMs: NEVER }).stream();
    const output = collect(stream);
    for (const chunk of chunksOf(text, cuts)) stream.write(chunk);
    stream.end();
    await once(stream, "end");
    assert.ok(output.text.includes("***"), output.text);
    assert.ok(output.text.startsWith(seen(Buffer.from(lead))) && output.text.endsWith("end."));
    const left = read(Buffer.from(output.text, "latin1"));
    const pieces = encoding === undefined ? token : inner.slice(0, -4);
    for (let at = 0; at + 5 <= pieces.length; at++) {
      assert.ok(!left.includes(pieces.slice(at, at + 5)), output.text);
    }
  },
);

fuzz(
  "a mask's stream writes the same for any splits, whatever is in it",
  fc.record({
    secrets: fc.array(fc.oneof(TOKEN, fc.constantFrom("test", "x", "p\u00e4&s", "pass word")), {
      maxLength: 3,
    }),
    parts: fc.array(
      fc.oneof(
        fc.constantFrom(
          ..."\n \\ \r \x1b \x1b[ 1m \x1b[0m \x1b] \x07 \0 0040: 61 : test x | latest a7".split(
            " ",
          ),
        ),
        fc.string({
          unit: fc.constantFrom(..." \n\r\x1b\\:[;m0123456789abcdef\0|"),
          maxLength: 40,
        }),
        fc.record({
          layout: fc.constantFrom(...Object.keys(LAYOUTS)),
          width: fc.integer({ min: 16, max: 40 }),
        }),
      ),
      { maxLength: 8 },
    ),
    cuts: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
  }),
  async ({ secrets, parts, cuts }) => {
    const text = parts.map((part) =>
      typeof part === "string" ? part : seen(Buffer.from(
        LAYOUTS[part.layout]!.write(`|${secrets[part.width % secrets.length] ?? ""}`, part.width),
      ))
    ).join("");
    const mask = createMask(secrets.map((secret) => new Secret(secret)), { idleMs: NEVER });
    const outputs = [];
    for (const chunks of [chunksOf(text, []), chunksOf(text, cuts)]) {
      const stream = mask.stream();
      const output = collect(stream);
      for (const chunk of chunks) stream.write(chunk);
      stream.end();
      await once(stream, "end");
      outputs.push(output.text);
    }
    assert.equal(outputs[1], outputs[0]);
  },
);

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
    const text = `${before}|${form}|${after}`;
    const masked = mask.text(text);
    assert.ok(masked.startsWith(`${before}|***`) && masked.endsWith(`***|${after}`), masked);
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
