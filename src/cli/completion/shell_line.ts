/**
 * Takes a line apart as bash does, without expanding anything: `$(…)`, variables, `~` and patterns stay
 * as they are written. A quote that is still open ends with the line.
 */
export function splitLine(line: string): readonly string[] {
  const words = [""];
  const add = (text: string) => words.push(words.pop()! + text);
  let quote = "";
  let begun = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index]!;
    const next = line[index + 1];
    if (quote !== "") {
      if (character === quote) quote = "";
      // Between double quotes a backslash is one, but before these.
      else if (quote === '"' && character === "\\" && next && '$`"\\'.includes(next)) {
        add(next);
        index++;
      } else add(character);
    } else if (character === "'" || character === '"') {
      quote = character;
      begun = true;
    } else if (character === "\\") {
      add(next ?? "");
      begun = true;
      index++;
    } else if (/\s/.test(character)) {
      if (words.at(-1) !== "" || begun) words.push("");
      begun = false;
    } else add(character);
  }
  return words;
}
