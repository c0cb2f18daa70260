import process from "node:process";

/**
 * Splits a command at its spaces, as a shell would, but expands nothing.
 *
 * Single quotes keep everything, double quotes keep everything but `\"` and `\\`, and a backslash outside
 * of quotes keeps the next character. On Windows, where paths are full of them, a backslash keeps a quote, and
 * stands for itself elsewhere. A text that starts with `[` is a JSON array of words.
 */
export function splitCommand(
  text: string,
  platform: string = process.platform,
): readonly string[] {
  if (text.trimStart().startsWith("[")) return readArray(text);
  const words: string[] = [];
  const [pattern, escapes] = platform === "win32" ? ON_WINDOWS : ELSEWHERE;
  let word: string | undefined;
  for (const [, single, double, escaped, plain, space, stray] of text.matchAll(pattern)) {
    if (stray !== undefined) throw new SyntaxError(`${stray} is not closed`);
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") +
        (single ?? double?.replace(escapes, "$1") ?? escaped ?? plain ?? "");
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

const ELSEWHERE = [
  /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(\s+)|(.)/gs,
  /\\(["\\])/g,
] as const;

const ON_WINDOWS = [
  /'([^']*)'|"((?:[^"\\]|\\"|\\(?!"))*)"|\\(["'])|([^\s'"\\]+|\\)|(\s+)|(.)/gs,
  /\\(")/g,
] as const;

function readArray(text: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError("it starts with [ but is not JSON");
  }
  if (Array.isArray(value) && value.every((word) => typeof word === "string")) return value;
  throw new SyntaxError("it is a JSON array, but not of strings");
}
