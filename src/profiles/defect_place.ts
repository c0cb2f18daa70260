import type { Node, ParseError } from "jsonc-parser";
import type { Defect } from "./find_defect.ts";

/** A place in a text, both counted from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * What a parser says, in words. The numbers are jsonc-parser's `ParseErrorCode`, which is erased.
 */
const WORDS: Readonly<Record<number, string>> = {
  1: "there is a character that does not belong here",
  2: "a number is malformed",
  3: "the name of a setting is missing",
  4: "a value is missing",
  5: "a colon is missing",
  6: "a comma is missing",
  7: "a } is missing",
  8: "a ] is missing",
  9: "the file should end here",
  10: "comments are not allowed",
  11: "a comment is not closed",
  12: "a text is not closed",
  13: "a number is malformed",
  14: "an escape is malformed",
  15: "an escape is malformed",
  16: "there is a control character in a text",
};

/** Finds out where a text is no JSON. */
export async function findSyntaxError(
  text: string,
): Promise<{ readonly found: string; readonly place: TextPlace } | undefined> {
  const errors: ParseError[] = [];
  await treeOf(text, errors);
  const [first] = errors;
  if (first === undefined) return undefined;
  return { found: WORDS[first.error] ?? "it is no JSON", place: placeOf(text, first.offset) };
}

/** Finds the place of a defect. */
export async function placeOfDefect(text: string, defect: Defect): Promise<TextPlace> {
  const { findNodeAtLocation } = await import("jsonc-parser");
  const root = await treeOf(text);
  const path = [...defect.path];
  for (; root !== undefined; path.pop()) {
    const node = findNodeAtLocation(root, path);
    if (node === undefined) continue;
    const key = defect.at === "key" ? node.parent?.children?.[0] : undefined;
    return placeOf(text, (key ?? node).offset);
  }
  return placeOf(text, 0);
}

/** Finds a key that stands twice in one object, of which JSON keeps the last without a word. */
export async function findDuplicateKey(
  text: string,
): Promise<{ readonly key: string; readonly place: TextPlace } | undefined> {
  const visit = (node: Node | undefined): Node | undefined => {
    const seen = new Set<unknown>();
    for (const child of node?.children ?? []) {
      if (node?.type === "object") {
        const key = child.children?.[0];
        if (seen.has(key?.value)) return key;
        seen.add(key?.value);
      }
      const inside = visit(child);
      if (inside !== undefined) return inside;
    }
    return undefined;
  };
  const found = visit(await treeOf(text));
  return found && { key: String(found.value), place: placeOf(text, found.offset) };
}

async function treeOf(text: string, errors: ParseError[] = []): Promise<Node | undefined> {
  const { parseTree } = await import("jsonc-parser");
  try {
    return parseTree(text, errors, { disallowComments: true });
  } catch (error) {
    // The parser calls itself for each level, and somebody nested thousands.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function placeOf(text: string, offset: number): TextPlace {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}
