import { UsageError } from "../errors.ts";

/** Takes a list apart. */
export function splitList(value: string): string[] {
  return value.split(",").map((each) => each.trim()).filter((each) => each !== "");
}

/** Takes the one list of an option apart, which a second one would replace without a word. */
export function onlyList(name: string, value: string, before: unknown): string[] {
  if (!Array.isArray(before)) return splitList(value);
  throw new UsageError(`Cannot use ${name} twice`, {
    suggestion: "Write all names in one, apart by commas.",
  });
}

/** A whole number from 1 to 1,000, or `undefined` where a text is none. */
export function countOf(text: string): number | undefined {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 1000 ? count : undefined;
}
