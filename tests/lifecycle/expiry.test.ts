import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/errors.ts";
import {
  day,
  DEFAULT_LIFETIME,
  DEFAULT_TTL,
  describeEnd,
  endOf,
  endsSoon,
  hasEnded,
  readLifetime,
  readTtl,
} from "../../src/lifecycle/expiry.ts";
import { failureOf } from "../support/lifecycle_fixture.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** The last millisecond but one of a day. */
const NOW = Date.UTC(2026, 11, 24, 23, 59, 59, 999);
const SECONDS = Date.UTC(2026, 11, 24) / 1000;

test("`readLifetime()` reads durations, and `never`", async () => {
  const cases: readonly [text: string, lifetime: number | undefined][] = [
    ["30d", 30 * DAY],
    ["12h", 12 * HOUR],
    ["1d12h", 36 * HOUR],
    ["1.5h", 90 * 60 * 1000],
    ["2 weeks", 14 * DAY],
    ["1s", 1000],
    ["36500d", 36_500 * DAY],
    ["never", undefined],
  ];
  for (const [text, lifetime] of cases) {
    assert.equal(await readLifetime(text, "--expires-in"), lifetime, text);
  }
});

async function refusal(text: string): Promise<string> {
  const error = await failureOf(readLifetime(text, "--expires-in"));
  assert.ok(error instanceof UsageError, text);
  assert.equal(error.exitCode, 64);
  const start = `Cannot use --expires-in "${text}": `;
  assert.ok(error.message.startsWith(start), error.message);
  assert.notEqual(error.suggestion, undefined);
  return error.message.slice(start.length);
}

test("`readLifetime()` refuses what is no duration, a date and a bare number included", async () => {
  const garbage = ["", " ", "soon", "30", "30x", "d", "2026-12-24", "24.12.2026", "12:30"];
  for (
    const text of [...garbage, "30d!", "Never", "NaN", "Infinity", "1d, later", "24 Dec 2026", "1M"]
  ) {
    assert.equal(await refusal(text), "it is not a duration", text);
  }
});

test("`readLifetime()` refuses an end that does not lie ahead", async () => {
  for (const text of ["0d", "0s", "-1d", "-30d", "0.5s", "999ms", "-0d"]) {
    assert.equal(await refusal(text), "the token would have expired already", text);
  }
});

test("`readLifetime()` refuses more than 100 years", async () => {
  for (const text of ["36501d", "101y", "999999999d"]) {
    assert.equal(await refusal(text), "that is more than 100 years", text);
  }
});

test("`endOf()` counts in whole seconds, and knows never", () => {
  assert.equal(endOf(1000, NOW), SECONDS + 24 * 3600);
  assert.equal(endOf(DEFAULT_LIFETIME, SECONDS * 1000), SECONDS + 30 * 24 * 60 * 60);
  assert.equal(endOf(undefined, NOW), undefined);
});

test("`readTtl()` reads how long a token for one run lives, which is not for ever", async () => {
  assert.equal(await readTtl(DEFAULT_TTL), 3_600_000);
  const message = 'Cannot use ephemeral "never": a token for one run must expire';
  await assert.rejects(readTtl("never"), { name: "UsageError", message });
});

test("`describeEnd()` names the day in UTC, and whether it is over", () => {
  assert.equal(day(SECONDS), "2026-12-24");
  assert.equal(day(SECONDS - 1), "2026-12-23");
  assert.equal(describeEnd(undefined, NOW), "never expires");
  assert.equal(describeEnd(SECONDS + 48 * 3600, NOW), "expires on 2026-12-26");
  assert.equal(describeEnd(SECONDS - 300, SECONDS * 1000), "expired on 2026-12-23 at 23:55 UTC");
  assert.equal(describeEnd(SECONDS + 300, SECONDS * 1000), "expires on 2026-12-24 at 00:05 UTC");
});

test("`hasEnded()` is true from the very second on", () => {
  assert.equal(hasEnded(SECONDS, SECONDS * 1000 - 1), false);
  assert.equal(hasEnded(SECONDS, SECONDS * 1000), true);
  assert.equal(hasEnded(undefined, NOW), false);
});

test("`endsSoon()` speaks up from 7 days before the end to the end", () => {
  const at = (left: number) => endsSoon(SECONDS, SECONDS * 1000 - left);
  assert.equal(at(7 * DAY + 1), undefined);
  assert.equal(at(7 * DAY), "in 7 days");
  assert.equal(at(6 * DAY + 1), "in 7 days");
  assert.equal(at(2.5 * DAY), "in 3 days");
  assert.equal(at(DAY + 1), "in 2 days");
  assert.equal(at(DAY - 1), "in 24 hours");
  assert.equal(at(5 * 60_000), "in 5 minutes");
  assert.equal(at(1), "in 1 minute");
  assert.equal(at(0), undefined);
  assert.equal(at(-DAY), undefined);
  assert.equal(endsSoon(undefined, NOW), undefined);
});
