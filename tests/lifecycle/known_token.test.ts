import assert from "node:assert/strict";
import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { CheckResult } from "../../src/check/verdict.ts";
import { endWarning, explainRefusal, knownToken } from "../../src/lifecycle/expiry.ts";
import { Secret } from "../../src/secret.ts";
import { openState } from "../../src/store/state.ts";
import type { TokenRecord } from "../../src/store/state.ts";
import { connect as connectTo } from "../support/asking.ts";
import { connect } from "../support/lifecycle_fixture.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const SERVER = "http://127.0.0.1:1";
const TOKEN = new Secret("a7ee-canary-known");
const END = Date.UTC(2026, 11, 24, 12) / 1000;
const DAY = 24 * 60 * 60;
const RECORD: TokenRecord = {
  account: SERVER,
  origin: SERVER,
  storage: "file",
  fingerprint: TOKEN.fingerprint,
  name: "adc-run ann@laptop",
  expiresAt: END,
};

test("`knownToken()` finds a token by its value and its server, wherever it came from", async () => {
  await using folder = await temporaryFolder();
  const env = { ADC_RUN_CONFIG_DIR: folder.path };
  await openState(folder.path).put(RECORD);
  const connection = await connect(SERVER);
  assert.deepEqual(await knownToken(TOKEN, { connection, env }), RECORD);
  assert.equal(await knownToken(new Secret("another"), { connection, env }), undefined);
  const elsewhere = await connect("http://127.0.0.1:2");
  assert.equal(await knownToken(TOKEN, { connection: elsewhere, env }), undefined);
  const apisix = await connectTo(`sync --server ${SERVER}`);
  assert.equal(await knownToken(TOKEN, { connection: apisix, env }), undefined);
});

test("`knownToken()` warns once of a damaged state that is set aside, and goes on", async () => {
  await using folder = await temporaryFolder({ "state.json": "{" });
  await chmod(join(folder.path, "state.json"), 0o600);
  const env = { ADC_RUN_CONFIG_DIR: folder.path };
  const warnings: string[] = [];
  const onWarning = (warning: string) => void warnings.push(warning);
  const connection = await connect(SERVER);
  assert.equal(await knownToken(TOKEN, { connection, env, onWarning }), undefined);
  assert.equal(await knownToken(TOKEN, { connection, env, onWarning }), undefined);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /state\.json": it is damaged, it is not JSON; it was moved to "/);
  const [aside, ...others] = await readdir(folder.path);
  assert.match(aside!, /^state\.json\.damaged-/);
  assert.deepEqual(others, []);
});

test("`knownToken()` warns of a state that cannot be read, and goes on", async () => {
  await using folder = await temporaryFolder({ "state.json/a-file": "" });
  const env = { ADC_RUN_CONFIG_DIR: folder.path };
  const warnings: string[] = [];
  const onWarning = (warning: string) => void warnings.push(warning);
  const connection = await connect(SERVER);
  assert.equal(await knownToken(TOKEN, { connection, env, onWarning }), undefined);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^Cannot use ".*state\.json": it is a directory$/);
});

test("`endWarning()` names the token, the day, and how to renew it", () => {
  const at = (seconds: number, record: TokenRecord | undefined = RECORD) =>
    endWarning(record, seconds * 1000);
  assert.equal(
    at(END - 3 * DAY),
    'The token "adc-run ann@laptop" expires in 3 days, on 2026-12-24. ' +
      'Renew it with "adc-run auth rotate".',
  );
  assert.equal(at(END - 8 * DAY), undefined);
  assert.equal(at(END), undefined);
  assert.equal(endWarning(undefined, END * 1000 - 1), undefined);
  const { expiresAt: _end, ...forever } = RECORD;
  assert.equal(at(END - DAY, { ...forever, neverExpires: true }), undefined);
  const { name: _name, ...nameless } = RECORD;
  assert.match(at(END - DAY, nameless)!, new RegExp(`^The token "${TOKEN.fingerprint}" expires`));
});

test("`explainRefusal()` adds to a 401 that the token's time is over, and to nothing else", () => {
  const rejected: CheckResult = {
    verdict: "rejected",
    tried: "GET /api/gateway_groups",
    found: "401",
    suggestion: "Log in again.",
  };
  const explained = explainRefusal(rejected, RECORD, END * 1000);
  assert.equal(explained.found, "401; the token expired on 2026-12-24");
  assert.equal(explained.suggestion, 'Make a new one with "adc-run auth login".');
  assert.deepEqual({ ...explained, found: "401", suggestion: "Log in again." }, rejected);
  assert.equal(explainRefusal(rejected, RECORD, END * 1000 - 1), rejected);
  assert.equal(explainRefusal(rejected, undefined, END * 1000), rejected);
  const forbidden: CheckResult = { ...rejected, verdict: "forbidden" };
  assert.equal(explainRefusal(forbidden, RECORD, END * 1000), forbidden);
});
