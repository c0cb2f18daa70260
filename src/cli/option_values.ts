/**
 * Values of options, on the command line and in variables alike.
 *
 * @module
 */

/** Takes a list apart. */
export function splitList(value: string): string[] {
  return value.split(",").map((each) => each.trim()).filter((each) => each !== "");
}

/** A whole number from 1 to 1,000, or `undefined` where a text is none. */
export function countOf(text: string): number | undefined {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 1000 ? count : undefined;
}
