/**
 * The Markdown pages of this repository, and what can be looked up in them.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The repository's folder, with a slash at its end. */
export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** A page. */
export interface Page {
  /** Its path from the repository's folder. */
  readonly path: string;
  readonly text: string;
}

/** A block of code in a page. */
export interface Sample {
  /** The line of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

/** The pages at the top and in `docs/`. */
export async function pages(): Promise<readonly Page[]> {
  const names = [
    ...await readdir(repository),
    ...(await readdir(`${repository}docs`)).map((name) => `docs/${name}`),
  ];
  const paths = names.filter((name) => name.endsWith(".md")).sort();
  return await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(repository + path, "utf8") })),
  );
}

/** The blocks of one language. */
export function samples(text: string, language: string): readonly Sample[] {
  const fence = new RegExp(`^\`\`\`${language}\\b.*\\n([^]*?)^\`\`\`$`, "gm");
  return [...text.matchAll(fence)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[1]!,
  }));
}

/** Where the links and pictures of a page lead. */
export function links(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
}

/** The anchors that GitHub gives to a page's headings. */
export function anchors(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading] of text.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)) {
    const words = heading!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim();
    const anchor = words.replaceAll(" ", "-");
    let [name, number] = [anchor, 0];
    while (found.has(name)) name = `${anchor}-${++number}`;
    found.add(name);
  }
  return found;
}
