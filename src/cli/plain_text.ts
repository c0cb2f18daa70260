// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f]+/g;

// deno-lint-ignore no-control-regex
const BREAKS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g;

/** Takes out what draws on a terminal; lines are ours. */
export function inLines(text: string): string {
  return text.replace(CONTROLS, " ");
}

/** Takes out what would make up a line of its own, too. */
export function inOneLine(text: string): string {
  return text.replace(BREAKS, " ");
}
