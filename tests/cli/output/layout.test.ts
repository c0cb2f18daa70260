import assert from "node:assert/strict";
import { it } from "node:test";
import { columns } from "../../../src/cli/output/layout.ts";

const ROWS = [
  ["NAME", "EXPIRES", "LAST USED", ""],
  ["github-actions", "2027-02-25", "today", "* used here"],
  ["short", "expired", "never", ""],
];

it("`columns()` puts the last cell below its row where the row is too long", () => {
  assert.equal(
    columns(ROWS, { width: 60 }),
    `NAME            EXPIRES     LAST USED
github-actions  2027-02-25  today      * used here
short           expired     never`,
  );
  assert.equal(
    columns(ROWS, { width: 40 }),
    `NAME            EXPIRES     LAST USED
github-actions  2027-02-25  today
    * used here
short           expired     never`,
  );
});

it("`columns()` keeps to the width also where no columns fit", () => {
  const narrow = columns(ROWS, { width: 20, indent: "  " });
  assert.ok(narrow.split("\n").every((line) => line.length <= 20), narrow);
  for (const word of ROWS.flat()) assert.ok(narrow.replace(/\s+/g, " ").includes(word), word);
});
