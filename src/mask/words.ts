import type { Buffer } from "node:buffer";
import type { Findings, Reader } from "./findings.ts";

/**
 * Finds short secrets, where they stand alone: the token `test` is no part of `latest`, nor of
 * `test-service`.
 */
export class Words implements Reader {
  readonly #forms: readonly string[];

  constructor(forms: Iterable<string>) {
    this.#forms = [...forms];
  }

  read(text: Buffer, found: Findings, end: boolean): void {
    if (this.#forms.length === 0) return;
    for (const form of this.#forms) this.#find(form, text, { found, end });
    // The byte before tells whether a word begins.
    found.keepFrom(Math.max(0, found.hold - 1));
  }

  #find(
    form: string,
    text: Buffer,
    { found, end }: { readonly found: Findings; readonly end: boolean },
  ): void {
    const isFirst = isWord(form.charCodeAt(0));
    const isLast = isWord(form.charCodeAt(form.length - 1));
    const begins = (at: number): boolean =>
      !isFirst || (at === 0 ? found.isStart : !isWord(text[at - 1]!));
    for (let at = 0; (at = text.indexOf(form, at, "latin1")) >= 0; at++) {
      if (!begins(at)) continue;
      const next = at + form.length;
      if (next < text.length ? !isLast || !isWord(text[next]!) : end || !isLast) {
        found.add(at, next);
      }
      if (next === text.length && isLast) found.holdFrom(at);
    }
    for (let size = Math.min(form.length - 1, text.length); size > 0; size--) {
      const at = text.length - size;
      if (begins(at) && text.toString("latin1", at) === form.slice(0, size)) {
        return found.holdFrom(at);
      }
    }
  }
}

/** Letters, digits, what joins words, and all beyond ASCII. */
function isWord(byte: number): boolean {
  return byte >= 0x80 || byte === 0x5f || byte === 0x2d || (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
