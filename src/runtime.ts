import process from "node:process";

/** Tells Node.js from the runtimes that take its place. */
export function isNode(): boolean {
  const { versions } = process as { versions: Record<string, string | undefined> };
  return versions.deno === undefined && versions.bun === undefined;
}
