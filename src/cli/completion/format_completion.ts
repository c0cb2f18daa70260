import type { Candidate, Completion } from "./complete_option.ts";

/** A shell may do something else with any other character, so no word with one is offered. */
const HARMLESS = /^[\w.,=@%+/-][\w.,:=@%+/-]*$/;

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f]+/g;

/**
 * Writes a completion down: a line for each word, with a tab and what it means, and a last line that starts
 * with a colon: `:none`, `:files`, `:files=` (behind the equals sign), or `:command N` (the words from number
 * N on are another command's).
 */
export function formatCompletion({ candidates, rest }: Completion): string {
  const lines = candidates.filter(({ value }) => HARMLESS.test(value)).map(describe);
  const last = typeof rest === "string" ? `:${rest}` : `:command ${rest.commandAt}`;
  return [...lines, last, ""].join("\n");
}

function describe({ value, text }: Candidate): string {
  return text === "" ? value : `${value}\t${text.replace(CONTROLS, " ")}`;
}
