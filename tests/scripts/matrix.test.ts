import assert from "node:assert/strict";
import { test } from "node:test";
import { countTests, formatMatrix, keepColumns, readMatrix } from "../../scripts/matrix/matrix.ts";
import { readJunit } from "../../scripts/matrix/read_junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="1" errors="0" time="1">
  <testsuite name="./tests/e2e/run.test.ts" tests="2" disabled="0" errors="0" failures="0">
    <testcase name="adc-run on deno" classname="./tests/e2e/run.test.ts" time="1" line="1" col="1">
    </testcase>
    <testcase name="adc-run on node20" classname="./tests/e2e/run.test.ts" time="1" line="1" col="1">
      <failure message="1 failed step">later</failure>
    </testcase>
    <testcase name="a &lt;unit&gt;" classname="./tests/e2e/run.test.ts" time="1" line="1" col="1"/>
  </testsuite>
  <testsuite name="ext:deno_node/testing.ts" tests="3" disabled="0" errors="0" failures="1">
    <testcase name="adc-run on deno &gt; keeps &quot;it&quot;" classname="ext:deno_node/testing.ts" time="1">
    </testcase>
    <testcase name="adc-run on node20 &gt; keeps &quot;it&quot;" classname="ext:deno_node/testing.ts" time="1">
      <failure message="no">at line 1</failure>
    </testcase>
    <testcase name="adc-run on node20 &gt; asks" classname="ext:deno_node/testing.ts" time="1">
      <skipped/>
    </testcase>
  </testsuite>
</testsuites>
`;

test("`readJunit()` gives each test that has no parts, with its file and its end", () => {
  const file = "e2e/run.test.ts";
  assert.deepEqual(readJunit(REPORT), [
    { file, name: "a <unit>", outcome: "passed" },
    { file, name: 'adc-run on deno > keeps "it"', outcome: "passed" },
    { file, name: 'adc-run on node20 > keeps "it"', outcome: "failed" },
    { file, name: "adc-run on node20 > asks", outcome: "skipped" },
  ]);
});

test("`formatMatrix()` shows what passed, failed and was skipped, area by area", () => {
  const cases = [
    ...readJunit(REPORT),
    { file: "faults/faults.test.ts", name: "on deno > gzip", outcome: "passed" as const },
  ];
  assert.deepEqual(formatMatrix(countTests(cases, ["deno", "node20"])).split("\n"), [
    "| area           | deno | node20              |",
    "| -------------- | ---- | ------------------- |",
    "| faults: faults | 1    | –                   |",
    "| run            | 1    | 1 FAILED, 1 skipped |",
    "| **all**        | 2    | 1 FAILED, 1 skipped |",
  ]);
});

test("`keepColumns()` takes the columns of homes without a report out of a table that was kept", () => {
  const kept = [
    "| area    | deno | bun | wine                   |",
    "| ------- | ---- | --- | ---------------------- |",
    "| api     | 7    | 3   | 12, 2 FAILED           |",
    "| old     | 7    | –   | –                      |",
    "| run     | 7    | –   | 1, 1 FAILED, 3 skipped |",
    "| **all** | 21   | 3   | 13                     |",
  ].join("\n");
  const matrix = countTests(readJunit(REPORT), ["deno", "node20"]);
  const both = keepColumns(matrix, readMatrix(kept), ["deno", "bun", "node20", "node22", "wine"]);
  assert.deepEqual(formatMatrix(both).split("\n"), [
    "| area    | deno | bun | node20              | wine                    |",
    "| ------- | ---- | --- | ------------------- | ----------------------- |",
    "| api     | –    | 3   | –                   | 12, 2 FAILED            |",
    "| run     | 1    | –   | 1 FAILED, 1 skipped | 1, 1 FAILED, 3 skipped  |",
    "| **all** | 1    | 3   | 1 FAILED, 1 skipped | 13, 3 FAILED, 3 skipped |",
  ]);
  assert.deepEqual(keepColumns(matrix, readMatrix(""), ["deno", "node20"]), matrix);
});
