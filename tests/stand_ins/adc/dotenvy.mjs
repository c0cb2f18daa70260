/**
 * The Rust ADC's `.env`: what dotenvy 0.15 makes of a file, checked against it. It sets variables as it goes
 * along, so that what stands before a line that it cannot read is there.
 *
 * @module
 */

const SPACE = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** A line that ends the reading. */
class Unreadable extends Error {}

/**
 * Loads a file's variables into an environment; one that is there stays.
 *
 * @param bytes The file's content.
 * @param env The environment, which is changed.
 * @returns Whether the whole file could be read.
 */
export function loadDotenvy(bytes, env) {
  const data = {};
  try {
    for (const line of logicalLines(bytes)) {
      const pair = parseLine(line, (name) => env[name] ?? data[name] ?? "");
      if (pair === undefined) continue;
      const [name, value] = pair;
      // The variable cannot be set, and the program ends.
      if (value.includes("\0")) throw new Unreadable();
      data[name] = value;
      env[name] ??= value;
    }
    return true;
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

/** Lines as they belong together: quotes and a backslash at the end of a line join it with the next. */
function* logicalLines(bytes) {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let line = "";
  let state = "complete";
  for (const text of physicalLines(bytes.subarray(start))) {
    const before = line.length;
    line += text;
    if (trimStart(line).startsWith("#")) {
      yield "";
      [line, state] = ["", "complete"];
      continue;
    }
    let comment;
    for (let at = before; at < line.length && comment === undefined; at++) {
      if (state === "white" && line[at] === "#") comment = at;
      else state = nextState(state, line[at]);
    }
    if (comment !== undefined) yield line.slice(0, comment);
    else if (state === "complete") yield line.replace(/\r?\n$/, "");
    else continue;
    [line, state] = ["", "complete"];
  }
  if (state !== "complete") throw new Unreadable();
}

function nextState(state, character) {
  switch (state) {
    case "escape":
      return "complete";
    case "weak":
      return character === "\\" ? "weak-escape" : character === '"' ? "complete" : "weak";
    case "strong":
      return character === "\\" ? "strong-escape" : character === "'" ? "complete" : "strong";
    case "weak-escape":
      return "weak";
    case "strong-escape":
      return "strong";
  }
  if (character === "\\") return "escape";
  if (character === '"') return "weak";
  if (character === "'") return "strong";
  const isBlank = SPACE.test(character) && character !== "\n" && character !== "\r";
  return state === "complete" && isBlank ? "white" : "complete";
}

function* physicalLines(bytes) {
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from) + 1 || bytes.length;
    try {
      yield new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(bytes.subarray(from, end));
    } catch {
      throw new Unreadable();
    }
    from = end;
  }
}

function trimStart(text) {
  let at = 0;
  while (at < text.length && SPACE.test(text[at])) at++;
  return text.slice(at);
}

function trimEnd(text) {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1])) end--;
  return text.slice(0, end);
}

function parseLine(line, lookUp) {
  let rest = trimStart(trimEnd(line));
  if (rest === "" || rest.startsWith("#")) return undefined;
  const takeName = () => {
    const [name] = /^[A-Za-z_][A-Za-z0-9_.]*/.exec(rest) ?? [];
    if (name === undefined) throw new Unreadable();
    rest = trimStart(rest.slice(name.length));
    return name;
  };
  let name = takeName();
  if (name === "export" && !rest.startsWith("=")) name = takeName();
  if (!rest.startsWith("=")) throw new Unreadable();
  rest = trimStart(rest.slice(1));
  return [name, rest.startsWith("#") ? "" : parseValue(rest, lookUp)];
}

function parseValue(rest, lookUp) {
  let value = "";
  let mode = "bare";
  let after;
  let variable;
  const fillIn = () => {
    value += lookUp(variable.replace(/^\{/, ""));
    variable = undefined;
  };
  for (const character of rest) {
    if (mode === "end") {
      if (character === "#") break;
      if (character !== " " && character !== "\t") throw new Unreadable();
    } else if (mode === "escape") {
      if (!"\\'\"$ n".includes(character)) throw new Unreadable();
      value += character === "n" ? "\n" : character;
      mode = after;
    } else if (mode === "strong") {
      if (character === "'") mode = "bare";
      else value += character;
    } else if (variable?.startsWith("{")) {
      if (character === "}") fillIn();
      else variable += character;
    } else if (variable !== undefined && /[\p{Alphabetic}\p{N}]/u.test(character)) {
      variable += character;
    } else if (variable === "" && character === "{") variable = "{";
    else if (variable !== undefined) {
      fillIn();
      if (character === "$") variable = "";
      // Whatever it is, a quote and a backslash too.
      else value += character;
    } else if (character === "$") variable = "";
    else if (character === "\\") [after, mode] = [mode, "escape"];
    else if (mode === "weak") {
      if (character === '"') mode = "bare";
      else value += character;
    } else if (character === "'") mode = "strong";
    else if (character === '"') mode = "weak";
    else if (character === " " || character === "\t") mode = "end";
    else value += character;
  }
  if (mode === "weak" || mode === "strong" || variable?.startsWith("{")) throw new Unreadable();
  if (variable !== undefined) fillIn();
  return value;
}
