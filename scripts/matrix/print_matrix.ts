/**
 * Prints what passed where, from the reports of the tests: `deno task matrix [--write]`.
 *
 * The reports are the XML files in `test-results/`, which `deno task test` leaves there. With `--write` the
 * table in docs/compatibility.md becomes what is printed.
 *
 * @module
 */

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { HOMES } from "../../tests/support/homes.ts";
import { countTests, formatMatrix } from "./matrix.ts";
import { readJunit } from "./read_junit.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const results = join(root, "test-results");

const names = (await readdir(results)).filter((name) => name.endsWith(".xml"));
const reports = await Promise.all(names.map((name) => readFile(join(results, name), "utf8")));
const cases = reports.flatMap(readJunit);
const all = countTests(cases, Object.keys(HOMES));
const ran = all.homes.filter((_, index) =>
  all.rows.some(({ counts }) => Object.values(counts[index]!).some((count) => count > 0))
);
const table = formatMatrix(countTests(cases, ran));
process.stdout.write(`${table}\n`);
const left = all.homes.filter((home) => !ran.includes(home));
if (left.length > 0) process.stdout.write(`\nNOT RUN: ${left.join(", ")}\n`);

if (process.argv.includes("--write")) {
  const file = join(root, "docs/compatibility.md");
  const text = await readFile(file, "utf8");
  const marked = /(<!-- matrix -->\n)[\s\S]*?(<!-- \/matrix -->)/;
  if (!marked.test(text)) throw new Error("docs/compatibility.md has no place for the matrix");
  await writeFile(file, text.replace(marked, (_, begin, end) => `${begin}\n${table}\n\n${end}`));
}
