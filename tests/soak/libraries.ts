/**
 * The library in the homes that have one.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { testHomes } from "../support/homes.ts";

/** Where the library runs. */
export interface Library {
  /** For test names. */
  readonly name: string;
  /** The program and its first words; a script and its arguments follow. */
  readonly command: readonly string[];
  /** What the script has to import. */
  readonly module: string;
}

/** What makes `gc()` available. */
const GC = { deno: "--v8-flags=--expose-gc", others: "--expose-gc" } as const;

/**
 * The libraries of the homes that were asked for; a binary has none.
 *
 * @returns Each with what starts it.
 */
export async function libraries(): Promise<readonly Library[]> {
  const homes = (await testHomes()).filter(({ name }) => name !== "binary");
  return await Promise.all(homes.map(async ({ name, command }) => {
    // The last word is adc-run itself, in whose place the script comes.
    const [entry = ""] = command.slice(-1);
    const [program = "", ...words] = command.slice(0, -1);
    const kind = name.replace(/\d+$/, "");
    return {
      name,
      command: kind === "deno"
        // A process that looks at itself in /proc needs all permissions.
        ? [program, ...words.filter((word) => !word.startsWith("--allow-")), "-A", GC.deno]
        : [program, ...words, GC.others],
      module: kind === "deno"
        ? new URL("../../mod.ts", import.meta.url).href
        : await packaged(entry),
    };
  }));
}

/** The main module of the package whose command is in `node_modules/.bin`. */
async function packaged(bin: string): Promise<string> {
  const folder = join(dirname(bin), "..", "adc-run");
  const { exports } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  return pathToFileURL(join(folder, exports["."].default)).href;
}
