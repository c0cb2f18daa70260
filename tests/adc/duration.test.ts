import assert from "node:assert/strict";
import { test } from "node:test";
import { readDuration } from "../../src/adc/arguments.ts";

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
