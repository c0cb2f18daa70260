/**
 * Prints what passed where, from the reports of the tests: `deno task matrix [--write]`.
 *
 * The reports are the XML files in `test-results/`, which `deno task test` leaves there. With `--write` the
 * table in docs/compatibility.md becomes what is printed. Homes that have no report, as Wine after the gate,
 * keep their columns there.
 *
 * @module
 */

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { HOMES } from "../../tests/support/homes.ts";
import { countTests, formatMatrix, keepColumns, readMatrix } from "./matrix.ts";
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
const file = join(root, "docs/compatibility.md");
const text = await readFile(file, "utf8");
const [, begin, kept, end] = /(<!-- matrix -->\n)([\s\S]*?)(<!-- \/matrix -->)/.exec(text) ?? [];
if (kept === undefined) throw new Error("docs/compatibility.md has no place for the matrix");
const left = all.homes.filter((home) => !ran.includes(home));
const matrix = keepColumns(countTests(cases, ran), readMatrix(kept), all.homes);
const table = formatMatrix(matrix);
process.stdout.write(`${table}\n`);
if (left.length > 0) process.stdout.write(`\nNOT RUN: ${left.join(", ")}\n`);

if (process.argv.includes("--write")) {
  await writeFile(
    file,
    text.replace(`${begin}${kept}${end}`, () => `${begin}\n${table}\n\n${end}`),
  );
}
