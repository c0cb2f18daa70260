import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { checkClock } from "../../src/doctor/check_server.ts";
import { checkRunToken } from "../../src/doctor/check_token.ts";
import type { TokenTrial } from "../../src/doctor/check_token.ts";
import type { Found } from "../../src/doctor/finding.ts";
import { Secret } from "../../src/secret.ts";
import type { TokenRecord } from "../../src/store/state.ts";

const NOW = Date.UTC(2100, 0, 1);
const DAY = 24 * 60 * 60;

const connection = await resolveConnection({ args: ["ping"], env: {}, cwd: "." });

function judge(record: Partial<TokenRecord>, source = "keychain"): readonly Found[] {
  const winner = { token: new Secret("a7ee-example-canary"), source, detail: "here", trail: [] };
  const trial = {
    checked: { verdict: "valid", request: "", reason: "" },
    record: { name: "mine", fingerprint: "12345678", ...record } as TokenRecord,
    warnings: [],
    misplaced: false,
  } satisfies TokenTrial;
  const survey = { trail: [], winner, error: undefined };
  return checkRunToken({ connection, survey, trial, now: () => NOW });
}

test("`checkRunToken()` tells when a token ends, and warns a week before", () => {
  const end = (days: number) => judge({ expiresAt: NOW / 1000 + days * DAY });
  assert.match(end(30)[0]!.found, /expires on 2100-01-31/);
  assert.equal(end(30).length, 1);
  assert.match(end(3)[1]!.found, /expires in 3 days/);
  assert.equal(end(3)[1]!.status, "warning");
  assert.match(end(-3)[1]!.found, /should have expired/);
  assert.match(judge({ neverExpires: true })[0]!.found, /never expires/);
  assert.doesNotMatch(judge({})[0]!.found, /expire/);
});

test("`checkRunToken()` warns of a token in a file, and shows none", () => {
  const findings = judge({}, "store");
  assert.match(findings[1]!.found, /unencrypted/);
  assert.ok(!JSON.stringify(findings).includes("canary"));
});

test("`checkClock()` warns from a minute on", () => {
  const server = { display: "https://h" } as Parameters<
    typeof checkClock
  >[0]["contacts"][number]["server"];
  const clock = (skew: number) =>
    checkClock({ contacts: [{ server, failure: undefined, skew }] })[0]!;
  assert.equal(clock(59_000).status, "ok");
  assert.equal(clock(-60_000).status, "ok");
  assert.match(clock(61_000).found, /61 s ahead of/);
  assert.match(clock(-3 * 24 * 3_600_000).found, /3 days behind/);
  assert.equal(checkClock({ contacts: [{ server, failure: undefined }] })[0]!.status, "skipped");
});
