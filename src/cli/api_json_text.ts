/** A part of a JSON text: a string, a number or word, or one of the characters between them. */
interface Piece {
  readonly text: string;
  readonly at: number;
}

const STRUCTURE = "{}[],:";

function* piecesOf(json: string): Generator<Piece> {
  let at = 0;
  while (at < json.length) {
    const first = json[at]!;
    let end = at + 1;
    if (first === '"') {
      while (json[end] !== '"') end += json[end] === "\\" ? 2 : 1;
      end += 1;
    } else if (!STRUCTURE.includes(first) && first.trim() !== "") {
      while (end < json.length && !/[\s{}[\],:"]/.test(json[end]!)) end += 1;
    }
    if (first.trim() !== "") yield { text: json.slice(at, end), at };
    at = end;
  }
}

/**
 * What a terminal acts upon and JSON lets through: C1 controls, and what turns the direction of writing.
 */
export const DRAWS_ON_TERMINAL = /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Lays a JSON text out on lines, two spaces a level. Nothing but white space and the spelling of
 * characters that draw on a terminal is changed.
 */
export function indentJson(json: string): string {
  const out: string[] = [];
  let depth = 0;
  let before = "";
  const line = () => out.push("\n", "  ".repeat(depth));
  for (const { text } of piecesOf(json)) {
    const opens = before === "{" || before === "[";
    if (text === "}" || text === "]") {
      depth -= 1;
      if (!opens) line();
    } else if (opens || before === ",") line();
    else if (before === ":") out.push(" ");
    if (text === "{" || text === "[") depth += 1;
    out.push(text.replace(DRAWS_ON_TERMINAL, escaped));
    before = text;
  }
  return out.join("");
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Cuts the value of a name out of a JSON object, as it is written. */
export function memberText(json: string, name: string): string | undefined {
  let found: string | undefined;
  let depth = 0;
  let start: number | undefined;
  let key: string | undefined;
  let end = 0;
  for (const { text, at } of piecesOf(json)) {
    const closes = text === "}" || text === "]";
    if (depth === 1 && start !== undefined && (text === "," || closes)) {
      found = json.slice(start, end);
      start = undefined;
    }
    if (depth === 1 && key !== undefined && text !== ":") {
      if (key === name) start = at;
      key = undefined;
    } else if (depth === 1 && start === undefined && text.startsWith('"')) {
      key = isKey(json, at + text.length) ? JSON.parse(text) : undefined;
    }
    if (text === "{" || text === "[") depth += 1;
    else if (closes) depth -= 1;
    end = at + text.length;
  }
  return found;
}

function isKey(json: string, after: number): boolean {
  while (/\s/.test(json[after] ?? "")) after += 1;
  return json[after] === ":";
}
