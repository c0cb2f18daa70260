import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readDuration } from "../../src/adc/settings.ts";
import { parseProfiles } from "../../src/profiles/parse_profiles.ts";
import { PROFILE_SCHEMA } from "../../src/profiles/profile_settings.ts";
import { SOURCE_NAMES } from "../../src/token/sources.ts";

const validate = new Ajv2020({ strict: true, allErrors: true }).compile(PROFILE_SCHEMA);

async function isRead(value: unknown): Promise<boolean> {
  try {
    await parseProfiles(JSON.stringify(value), { path: "/x", project: false });
    return true;
  } catch {
    return false;
  }
}

const one = (profile: unknown) => ({ profiles: { prod: profile } });

const GOOD: readonly unknown[] = [
  {},
  { profiles: {} },
  { $schema: "https://example.com", version: 1, use: "a", profiles: { a: {} } },
  one({}),
  one({ backend: "apisix" }),
  one({ backend: "api7ee", server: "https://gw:7443", gatewayGroup: "default" }),
  one({ server: "HTTP://[::1]:9180/base/" }),
  one({ server: "https://a7ee-gw.example.com" }),
  one({ backend: "apisix-standalone", server: "http://a:1,http://b:2 , https://c" }),
  one({ timeout: "30s" }),
  one({ timeout: "1h10m" }),
  one({ timeout: "1.5s" }),
  one({ timeout: "500" }),
  one({ caCertFile: "~/ca.pem", tlsClientCertFile: "a b", tlsClientKeyFile: "/a7ee-x" }),
  one({ tlsSkipVerify: true }),
  one({ tlsSkipVerify: false }),
  one({ username: "jürgen smith" }),
  one({ tokenCommand: "op read 'op://a b/c'" }),
  one({ tokenCommand: ["op", "read", ""] }),
  one({ tokenCommand: '["op", "read"]' }),
  one({ sources: ["env"] }),
  one({ sources: [...SOURCE_NAMES] }),
  { profiles: { a: {}, "b.c_d-9": { use: "a" }, constructor: {} } },
  { workflows: {} },
  { workflows: { "GitHub: acme/gateway": { toCommand: "gh secret set ADC_TOKEN" } } },
  {
    profiles: { prod: { allow: ["ping", "diff", "exec", "token", "api"] } },
    workflows: {
      ci: { profile: "prod", expiresIn: "90d", toCommand: ["gh", "secret", "set", "X"] },
      cron: { toFile: "~/token", expiresIn: "never" },
    },
  },
];

const BAD: readonly unknown[] = [
  null,
  [],
  "x",
  { profile: {} },
  { profiles: [] },
  { profiles: null },
  { version: 2 },
  { version: "1" },
  { version: 0 },
  { $schema: 1 },
  { use: "" },
  { use: "a b" },
  { use: null },
  { use: "a7ee-zqzq" },
  { profiles: { "a,b": {} } },
  { profiles: { "a@b": {} } },
  { profiles: { "-a": {} } },
  { profiles: { "": {} } },
  { profiles: { "a\n": {} } },
  { profiles: { ["a".repeat(64)]: {} } },
  { profiles: { "a7adm-zqzq": {} } },
  one(null),
  one([]),
  one("x"),
  one({ token: "x" }),
  one({ Server: "http://x" }),
  one({ backend: "kong" }),
  one({ backend: null }),
  one({ server: "" }),
  one({ server: "gw.example.com" }),
  one({ server: "ftp://gw" }),
  one({ server: "https://u:p@gw" }),
  one({ server: "https://u@gw" }),
  one({ server: "https://gw?x" }),
  one({ server: "https://gw#x" }),
  one({ server: "https://g w" }),
  one({ server: "https://gw/a7ee-zqzq" }),
  one({ server: ["https://gw"] }),
  one({ gatewayGroup: "" }),
  one({ gatewayGroup: " " }),
  one({ gatewayGroup: "a\tb" }),
  one({ timeout: 30 }),
  one({ timeout: "" }),
  one({ timeout: "soon" }),
  one({ timeout: "-1s" }),
  one({ timeout: "1e9s" }),
  one({ caCertFile: "" }),
  one({ caCertFile: "a\0b" }),
  one({ tlsSkipVerify: "true" }),
  one({ tlsSkipVerify: 0 }),
  one({ username: "a7ee-zqzq" }),
  one({ username: "" }),
  one({ tokenCommand: "" }),
  one({ tokenCommand: " " }),
  one({ tokenCommand: [] }),
  one({ tokenCommand: [1] }),
  one({ tokenCommand: { a: 1 } }),
  one({ tokenCommand: "echo a7ee-zqzq" }),
  one({ tokenCommand: ["echo", "a7adm-zqzq"] }),
  one({ sources: [] }),
  one({ sources: "env" }),
  one({ sources: ["vault"] }),
  one({ sources: ["env", "env"] }),
  one({ use: 1 }),
  one({ allow: [] }),
  one({ allow: "sync" }),
  one({ allow: ["sync", "sync"] }),
  one({ allow: ["delete"] }),
  { workflows: [] },
  { workflows: { ci: {} } },
  { workflows: { ci: null } },
  { workflows: { ci: { toFile: "a", toCommand: "b" } } },
  { workflows: { ci: { toFile: "" } } },
  { workflows: { ci: { toCommand: [] } } },
  { workflows: { ci: { toFile: "a", expiresIn: "soon" } } },
  { workflows: { ci: { toFile: "a", expiresIn: 90 } } },
  { workflows: { ci: { toFile: "a", print: true } } },
  { workflows: { ci: { toFile: "a", profile: "a b" } } },
  { workflows: { ["x".repeat(41)]: { toFile: "a" } } },
  { workflows: { "": { toFile: "a" } } },
  { workflows: { "a\nb": { toFile: "a" } } },
  { workflows: { "a7ee-zqzq": { toFile: "a" } } },
  { workflows: { ci: { toCommand: "store a7ee-zqzq" } } },
];

/** What no schema of this kind can say. */
const STRICTER: readonly unknown[] = [
  one({ use: "gone" }),
  { workflows: { ci: { toFile: "a", profile: "gone" } } },
  { workflows: { ci: { toCommand: "gh 'secret" } } },
  { profiles: { a: { use: "b" }, b: { use: "a" } } },
  one({ server: "https://gw:99999" }),
  one({ server: "https://a,https://b" }),
  one({ tokenCommand: "op 'read" }),
  one({ tokenCommand: "['op'" }),
  one({ tokenCommand: "'' x" }),
  one({ tokenCommand: ["", "x"] }),
  one({ tokenCommand: ["a\0b"] }),
];

test("`PROFILE_SCHEMA` and `parseProfiles()` take the same files", async () => {
  for (const value of GOOD) {
    assert.ok(validate(value), `${JSON.stringify(value)}: ${JSON.stringify(validate.errors)}`);
    assert.ok(await isRead(value), JSON.stringify(value));
  }
});

test("`PROFILE_SCHEMA` and `parseProfiles()` refuse the same files", async () => {
  for (const value of BAD) {
    assert.ok(!validate(value), `the schema takes ${JSON.stringify(value)}`);
    assert.ok(!await isRead(value), `the reader takes ${JSON.stringify(value)}`);
  }
});

test("`parseProfiles()` refuses what a schema cannot", async () => {
  for (const value of STRICTER) {
    assert.ok(validate(value), JSON.stringify(value));
    assert.ok(!await isRead(value), JSON.stringify(value));
  }
});

test("every time limit that a profile can have is one that ADC reads", async () => {
  for (const text of ["1ms", "2s", "3m", "4h", "5d", "1h10m", "1.5s", "500", "999999999d"]) {
    assert.ok(await isRead(one({ timeout: text })), text);
    assert.ok((await readDuration(text) ?? 0) > 0, text);
  }
});
