import assert from "node:assert/strict";
import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { TOKEN_REJECTED } from "../../src/check/response.ts";
import type { CheckResult } from "../../src/check/verdict.ts";
import { endWarning, explainRefusal, knownToken } from "../../src/lifecycle/expiry.ts";
import { Secret } from "../../src/secret.ts";
import { openState, type TokenRecord } from "../../src/store/state.ts";
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
  assert.match(warnings[0]!, /state\.json": it is damaged \(it is not JSON\); it was moved to "/);
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

test("`endWarning()` names the token, the day, and how to renew it", async () => {
  const connection = await connect(SERVER);
  const at = (seconds: number, record: TokenRecord | undefined = RECORD) =>
    endWarning(record, { connection, now: seconds * 1000 });
  assert.equal(
    at(END - 3 * DAY),
    'Token "adc-run ann@laptop" expires in 3 days, on 2026-12-24. ' +
      "Rotate it with: adc-run auth rotate",
  );
  assert.match(at(END - 300)!, / expires in 5 minutes, on 2026-12-\d\d at \d\d:\d\d UTC\. Rotate/);
  assert.equal(at(END - 8 * DAY), undefined);
  assert.equal(at(END), undefined);
  assert.equal(endWarning(undefined, { connection, now: END * 1000 - 1 }), undefined);
  const { expiresAt: _end, ...forever } = RECORD;
  assert.equal(at(END - DAY, { ...forever, neverExpires: true }), undefined);
  const { name: _name, ...nameless } = RECORD;
  assert.match(at(END - DAY, nameless)!, new RegExp(`^Token "${TOKEN.fingerprint}" expires`));
});

const REJECTED: CheckResult = {
  verdict: "rejected",
  request: "GET /api/gateway_groups",
  reason: "401",
  suggestion: TOKEN_REJECTED,
};

async function refusal(
  { result = REJECTED, source = "keychain", detail = "here", record, now = END * 1000, env = {} }: {
    readonly result?: CheckResult;
    readonly source?: string;
    readonly detail?: string;
    readonly record?: TokenRecord;
    readonly now?: number;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<CheckResult> {
  const connection = {
    ...await connect(SERVER),
    profile: { name: "dev", file: "config.json", project: false, explicit: true },
  };
  const resolved = { token: TOKEN, source, detail, trail: [] };
  return explainRefusal(result, { record, now, resolved, connection, env });
}

test("`explainRefusal()` adds to a 401 that the token has expired, and to nothing else", async () => {
  const explained = await refusal({ record: RECORD });
  assert.equal(explained.reason, "401; the token expired on 2026-12-24");
  assert.equal(explained.suggestion, "Store a new one with: adc-run -p dev auth login");
  assert.equal((await refusal({ record: RECORD, now: END * 1000 - 1 })).reason, "401");
  assert.equal((await refusal({})).reason, "401");
  const forbidden: CheckResult = { ...REJECTED, verdict: "forbidden" };
  assert.equal(await refusal({ result: forbidden, record: RECORD }), forbidden);
});

test("`explainRefusal()` says how to replace the token where it came from", async () => {
  for (
    const [source, detail, fix, env] of [
      ["flag", "--token", "Replace the value of --token."],
      ["env", "ADC_TOKEN", "Replace ADC_TOKEN, or unset it to use another source."],
      ["env", "API_KEY", "Update the secret that API_KEY is set from.", { CI: "true" }],
      ["file", "/t", "Replace the token in the file that ADC_TOKEN_FILE names."],
      [
        "dotenv",
        "ADC_TOKEN in .env",
        "Replace ADC_TOKEN in .env, or remove it to use another source.",
      ],
      ["command", "pass", "Replace the token that the command prints."],
      ["store", "here", "Store a new one with: adc-run -p dev auth login --storage file"],
      ["keychain", "here", "Store a new one with: adc-run -p dev auth login"],
    ] as const
  ) {
    const { suggestion } = await refusal({ source, detail, ...(env && { env }) });
    assert.equal(suggestion, `${TOKEN_REJECTED} ${fix}`);
  }
  const elsewhere = { ...REJECTED, suggestion: "A proxy answered." };
  assert.equal((await refusal({ result: elsewhere })).suggestion, "A proxy answered.");
  assert.equal((await refusal({ source: "my-own" })).suggestion, TOKEN_REJECTED);
});
