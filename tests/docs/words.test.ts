import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);

async function namesIn(folder: string, end: string): Promise<readonly string[]> {
  const names = await readdir(new URL(folder, ROOT), { recursive: true });
  return names.filter((name) => name.endsWith(end)).map((name) => `${folder}${name}`);
}

/** Comments are for whoever changes the code, and are not held to the list. */
function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
}

test("messages and pages say what CONTRIBUTING's list says, and not the rest", async () => {
  const contributing = await readFile(new URL("CONTRIBUTING.md", ROOT), "utf8");
  const [, list = ""] = /\n## Words\n([\s\S]*?)\n## /.exec(contributing) ?? [];
  const phrases = [...list.matchAll(/^\|[^|]*\|([^|]*)\|$/gm)]
    .flatMap(([, not]) => [...not!.matchAll(/`([^`]+)`/g)].map(([, phrase]) => phrase!));
  assert.ok(phrases.length > 30);
  const pattern = new RegExp(`\\b(${phrases.join("|").replaceAll(" ", "\\s+")})\\b`, "gi");
  const pages = [
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "action.yml",
    "schema.json",
    "templates/adc-run.yml",
    "CONTRIBUTING.md",
    "deno.json",
    "docs/report.schema.json",
    ".ci/run",
    ...await namesIn(".github/workflows/", ".yml"),
  ];
  const files = [...pages, ...await namesIn("docs/", ".md"), ...await namesIn("src/", ".ts")];
  const found: string[] = [];
  for (const file of files) {
    const text = (await readFile(new URL(file, ROOT), "utf8")).replace(list, "");
    const read = file.endsWith(".ts") ? withoutComments(text) : text;
    for (const [phrase] of read.matchAll(pattern)) found.push(`${file}: ${phrase}`);
  }
  assert.deepEqual(found, []);
});
