import type { Node, ParseError } from "jsonc-parser";
import { ProfileFileError, type StoredProfile, type StoredWorkflow } from "./profile_settings.ts";
import { type Issue, validateProfiles } from "./validate.ts";

export interface ParsedProfiles {
  readonly use: string | undefined;
  readonly profiles: ReadonlyMap<string, StoredProfile>;
  readonly workflows: ReadonlyMap<string, StoredWorkflow>;
}

export async function parseProfiles(
  text: string,
  { path, project }: { readonly path: string; readonly project: boolean },
): Promise<ParsedProfiles> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the error as its cause: that quotes the file.
    throw await syntaxError(text, path);
  }
  const issue = validateProfiles(value, { project });
  if (issue !== undefined) {
    const { found, suggestion } = issue;
    throw new ProfileFileError(found, { path, suggestion, ...await placeOfIssue(text, issue) });
  }
  // No good file nests deeply, so this comes last.
  if (countKeys(text) !== keysIn(value)) {
    const duplicate = await findDuplicateKey(text);
    if (duplicate !== undefined) {
      const { key, place } = duplicate;
      throw new ProfileFileError(`"${key.slice(0, 80)}" is here twice`, { path, ...place });
    }
  }
  const { use, profiles = {}, workflows = {} } = value as {
    readonly use?: string;
    readonly profiles?: Readonly<Record<string, StoredProfile>>;
    readonly workflows?: Readonly<Record<string, StoredWorkflow>>;
  };
  return {
    use,
    profiles: new Map(Object.entries(profiles)),
    workflows: new Map(Object.entries(workflows)),
  };
}

async function syntaxError(text: string, path: string): Promise<ProfileFileError> {
  if (text.trim() === "") {
    return new ProfileFileError("it is empty", {
      path,
      suggestion: "Delete it, or write {} to it.",
    });
  }
  const errors: ParseError[] = [];
  await treeOf(text, errors);
  const [first] = errors;
  const words = first && WORDS[first.error];
  return new ProfileFileError(words === undefined ? "it is not JSON" : `it is not JSON: ${words}`, {
    path,
    ...(first && placeOf(text, first.offset)),
  });
}

/** How many keys stand in a JSON text: each string before a colon is one. */
function countKeys(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) {
    if (colon !== undefined) count++;
  }
  return count;
}

function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value).reduce<number>((sum, each) => sum + keysIn(each), 0);
  return Array.isArray(value) ? inside : inside + Object.keys(value).length;
}

interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** What a parser says, in words. The numbers are jsonc-parser's `ParseErrorCode`, which is erased. */
const WORDS: Readonly<Record<number, string>> = {
  1: "unexpected character",
  2: "malformed number",
  3: "setting name missing",
  4: "value missing",
  5: "colon missing",
  6: "comma missing",
  7: "} missing",
  8: "] missing",
  9: "unexpected text after the end",
  10: "comments are not allowed",
  11: "unterminated comment",
  12: "unterminated string",
  13: "malformed number",
  14: "malformed escape",
  15: "malformed escape",
  16: "control character in a string",
};

async function placeOfIssue(text: string, issue: Issue): Promise<TextPlace> {
  const { findNodeAtLocation } = await import("jsonc-parser");
  const root = await treeOf(text);
  const path = [...issue.path];
  for (; root !== undefined; path.pop()) {
    const node = findNodeAtLocation(root, path);
    if (node === undefined) continue;
    const key = issue.at === "key" ? node.parent?.children?.[0] : undefined;
    return placeOf(text, (key ?? node).offset);
  }
  return placeOf(text, 0);
}

/** Finds a key that stands twice in one object, of which JSON keeps the last without a word. */
async function findDuplicateKey(
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
