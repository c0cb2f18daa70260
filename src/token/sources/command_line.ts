/**
 * Splits a command at its spaces, as a shell would, but expands nothing.
 *
 * Single quotes keep everything, double quotes keep everything but `\"` and `\\`, and a backslash outside
 * of quotes keeps the next character. A text that starts with `[` is a JSON array of words.
 */
export function splitCommand(text: string): readonly string[] {
  if (text.trimStart().startsWith("[")) return readArray(text);
  const words: string[] = [];
  const pattern = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(\s+)|(.)/gs;
  let word: string | undefined;
  for (const [, single, double, escaped, plain, space, stray] of text.matchAll(pattern)) {
    if (stray !== undefined) throw new SyntaxError(`${stray} is not closed`);
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") +
        (single ?? double?.replace(/\\(["\\])/g, "$1") ?? escaped ?? plain ?? "");
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

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
