import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { VERDICTS } from "../../src/check/verdict.ts";
import { GLOBAL_OPTIONS, namesOf } from "../../src/cli/global_options.ts";
import { COMMANDS } from "../../src/cli/manual/manual.ts";
import { BACKENDS } from "../../src/connection/backends.ts";
import { EXIT, EXIT_MEANINGS } from "../../src/errors.ts";
import { PROFILE_SCHEMA } from "../../src/profiles/profile_settings.ts";
import { SOURCE_NAMES } from "../../src/token/sources.ts";
import { repository } from "./markdown.ts";

/** The rows of the table whose first heading is given, without the marks of code. */
async function tableOf(page: string, heading: string): Promise<readonly (readonly string[])[]> {
  const lines = (await readFile(repository + page, "utf8")).split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  assert.notEqual(start, -1, `${page} has a table "${heading}"`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.replaceAll("`", "").trim())
  );
}

test("the reference lists the options before the command, and their variables", async () => {
  const cells = (await tableOf("docs/reference.md", "option")).flat().join(" ");
  const options = GLOBAL_OPTIONS.map((option) => namesOf(option).long);
  assert.deepEqual(
    new Set(cells.match(/(?<![\w-])--[a-z-]+/g)),
    new Set(options),
  );
  const readme = await readFile(`${repository}docs/reference.md`, "utf8");
  for (const { variable } of GLOBAL_OPTIONS) {
    if (variable !== undefined) assert.ok(readme.includes(`\`${variable}\``), variable);
  }
});

test("the reference shows every command", async () => {
  const readme = await readFile(`${repository}docs/reference.md`, "utf8");
  for (const { name } of COMMANDS) {
    const words = name.split(" ").join("\\b.*\\b");
    assert.match(readme, new RegExp(`adc-run (.* )?${words}\\b`), name);
  }
});

test("the reference lists the sources, in their order", async () => {
  const rows = await tableOf("docs/reference.md", "#");
  assert.deepEqual(
    rows.map(([number, name]) => [number, name]),
    SOURCE_NAMES.map((name, index) => [String(index + 1), name]),
  );
  assert.ok(
    (await readFile(`${repository}docs/reference.md`, "utf8")).includes(`\`${SOURCE_NAMES}\``),
  );
});

test("the reference says what each verdict means and exits with", async () => {
  assert.deepEqual(
    await tableOf("docs/reference.md", "verdict"),
    Object.entries(VERDICTS).map(([name, { summary, exit }]) => [name, summary, String(exit)]),
  );
});

test("the reference says what each exit code means", async () => {
  const rows = await tableOf("docs/reference.md", "code");
  assert.deepEqual(
    rows.slice(1, -1),
    Object.entries(EXIT).map(([name, code]) => [
      String(code),
      EXIT_MEANINGS[name as keyof typeof EXIT],
    ]),
  );
});

test("the page on compatibility lists the backends", async () => {
  const rows = await tableOf("docs/compatibility.md", "backend");
  assert.deepEqual(rows.map(([name]) => name).sort(), Object.keys(BACKENDS).sort());
});

test("`schema.json` is what `PROFILE_SCHEMA` says", async () => {
  assert.equal(
    await readFile(`${repository}schema.json`, "utf8"),
    JSON.stringify(PROFILE_SCHEMA, null, 2) + "\n",
    "Write it anew: deno run -A src/cli/bin.ts profile schema > schema.json",
  );
});
