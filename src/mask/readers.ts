import { Buffer } from "node:buffer";
import { MIN_SECRET_LENGTH, tokenPrefix } from "../secret.ts";
import type { Findings, Reader } from "./findings.ts";
import { encodedForms, MIN_CUT_LENGTH, textForms, utf16Forms, withCuts } from "./forms.ts";
import { HexDumps } from "./hex_dumps.ts";
import { Matcher } from "./matcher.ts";
import { Words } from "./words.ts";

/** Everything that looks for some secrets. Any number of streams can share it. */
export interface Search {
  readonly readers: readonly Reader[];
  /** The first bytes of all forms; a line of ASCII that has none of them, and no dump, has no secret. */
  readonly starts: readonly string[];
}

export function searchFor(secrets: Iterable<string>): Search {
  const patterns = new Map<string, number>();
  const words = new Set<string>();
  for (const secret of new Set(secrets)) {
    const isShort = secret.length < MIN_SECRET_LENGTH;
    for (const [form, cut] of withCuts(secret, textForms)) {
      if (isShort) words.add(form);
      else patterns.set(form, cut);
    }
    for (const [form, cut] of withCuts(secret, encodedForms)) patterns.set(form, cut);
    // Whoever sees a token without its prefix knows the rest, however its hyphen is escaped or wrapped.
    const bare = secret.slice(tokenPrefix(secret)?.length ?? 0);
    if (bare.length >= MIN_CUT_LENGTH) {
      for (const [form, cut] of withCuts(bare, textForms)) patterns.set(form, cut);
    }
  }
  if (patterns.size + words.size === 0) return { readers: [], starts: [] };
  const readers = [new Words(words), new Matcher(patterns, { gaps: true }), new Utf16(patterns)];
  const forms = [...words, ...patterns.keys()];
  // Of UTF-16 it can be a zero.
  const first = new Set([...forms, "\0"].map((form) => form.charCodeAt(0)));
  return {
    readers: [...readers, new HexDumps(readers, first)],
    starts: [...new Set(forms.map((form) => form.slice(0, 3)))],
  };
}

/** Finds forms in UTF-16: in ASCII's and Latin-1's characters every other byte is zero. */
class Utf16 implements Reader {
  readonly #patterns: ReadonlyMap<string, number>;
  /** The first character of each form. */
  readonly #first: ReadonlySet<number>;
  #matcher: Matcher | undefined;

  constructor(patterns: ReadonlyMap<string, number>) {
    this.#patterns = patterns;
    this.#first = new Set(
      [...patterns.keys()].map((form) => Buffer.from(form, "latin1").toString().charCodeAt(0)),
    );
  }

  read(text: Buffer, found: Findings): void {
    const { length } = text;
    let from = text.indexOf(0) - 1;
    if ([...this.#first].some((char) => char > 0xff)) from = 0;
    else if (from === -2) {
      // Without a zero the last byte alone can be the start.
      if (this.#first.has(text[length - 1]!)) found.holdFrom(length - 1);
      return;
    }
    this.#matcher ??= new Matcher(utf16Forms(this.#patterns));
    this.#matcher.readFrom(text, Math.max(0, from), found);
  }
}
