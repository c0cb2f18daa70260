import assert from "node:assert/strict";
import { test } from "node:test";
import { readDuration, readTimeLimit } from "../../src/adc/settings.ts";
import { readDuration as readAsRustAdc } from "../stand_ins/adc/clap.mjs";

test("`readDuration()` reads durations as ADC does", async () => {
  const durations = {
    "10s": 10_000,
    "1h10m": 4_200_000,
    "500": 500,
    "500ms": 500,
    "1.5s": 1_500,
    "1 minute 30 seconds": 90_000,
    "0": 0,
    "0s": 0,
  };
  for (const [text, milliseconds] of Object.entries(durations)) {
    assert.equal(await readDuration(text), milliseconds, text);
  }
});

test("`readDuration()` gives whole milliseconds, and none only for none", async () => {
  // 16.1 * 1000 is 16100.000000000002, which no timer takes.
  assert.equal(await readDuration("16.1s"), 16_100);
  assert.equal(await readDuration("1.005s"), 1_005);
  assert.equal(await readDuration("0.2ms"), 1);
});

test("`readDuration()` refuses what ADC would silently take for 10 s, or could not use", async () => {
  for (const text of ["", "soon", "s", "-1s", "-5", "1e999", "Infinity", "ten seconds"]) {
    assert.equal(await readDuration(text), undefined, text);
  }
});

test("`readTimeLimit()` takes from a flag what both ADCs read alike, and says how to write the rest", async () => {
  const alike = {
    "30s": 30_000,
    "1m30s": 90_000,
    "1h10m": 4_200_000,
    "1h 10m": 4_200_000,
    "500ms": 500,
    "2 minutes": 120_000,
    "24d": 2_073_600_000,
    "2147483647ms": 2_147_483_647,
    " 30  s\n": 30_000,
    "1h\t10 m ": 4_200_000,
  };
  for (const [text, milliseconds] of Object.entries(alike)) {
    assert.deepEqual(await readTimeLimit(text, { handedOn: "as it is" }), { milliseconds }, text);
    assert.equal(readAsRustAdc(text), milliseconds, text);
  }
  const refused: readonly [text: string, found: RegExp, suggestion: RegExp][] = [
    ["5000", /not every ADC reads "5000"/, /^Use "5s"\.$/],
    ["1.5s", /not every ADC reads/, /^Use "1500ms"\.$/],
    [".5s", /not every ADC reads/, /^Use "500ms"\.$/],
    ["1e3", /not every ADC reads/, /^Use "1s"\.$/],
    ["1M", /not every ADC reads/, /^Use "60s"\.$/],
    ["30S", /not every ADC reads/, /^Use "30s"\.$/],
    ["1 0s", /not/, /./],
    ["1,000ms", /not every ADC reads/, /^Use "1s"\.$/],
    ["0", /no limit to one ADC/, /^Use a value such as/],
    ["0s", /no limit to one ADC/, /^Use a value such as/],
    ["25d", /fail at once$/, /^Use "24d" or less\.$/],
    ["1y", /fail at once$/, /or less/],
    ["2147483648", /fail at once$/, /or less/],
    ["2147483648ms", /fail at once$/, /or less/],
    ["soon", /is not a duration$/, /^Use a value such as/],
    ["", /is not a duration$/, /^Use a value such as/],
  ];
  for (const [text, found, suggestion] of refused) {
    const limit = await readTimeLimit(text, { handedOn: "as it is" });
    assert.ok("found" in limit, text);
    assert.match(limit.found, found, text);
    assert.match(limit.suggestion, suggestion, text);
  }
});

test("`readTimeLimit()` takes any spelling of a time that is handed on in another", async () => {
  const read = (text: string) => readTimeLimit(text, { handedOn: "in milliseconds" });
  assert.deepEqual(await read("1.5s"), { milliseconds: 1_500 });
  assert.deepEqual(await read("5000"), { milliseconds: 5_000 });
  for (const text of ["0", "25d"]) assert.ok("found" in await read(text), text);
});
