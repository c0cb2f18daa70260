import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import dotenv from "dotenv";
import fc from "fast-check";
import { resolveConnection } from "../../src/connection/connection.ts";
import { readEnvFile } from "../../src/connection/env_file.ts";
import { isUtf16 } from "../../src/system/files.ts";
import { ConnectionError, EXIT, SourceError } from "../../src/errors.ts";
import { NoTokenError, resolveToken } from "../../src/token/resolve.ts";
import { dotenvSource } from "../../src/token/sources/variables.ts";
import { loadDotenvy } from "../stand_ins/adc/dotenvy.mjs";
import { readAsAdc } from "../support/adc_program.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { assertConnection, expectedConnection, expectedToken } from "./expected_connection.ts";
import { fuzz } from "./fuzz.ts";
import { createCertificate } from "../sandbox/certificate.ts";

const PAIR = createCertificate("test", { use: "client" });

const folder = await temporaryFolder({ "ca.pem": PAIR.cert });
after(() => folder[Symbol.asyncDispose]());
const cwd = folder.path;
const path = join(cwd, ".env");

/** In every value that is a secret, and in nothing that adc-run says by itself. */
const CANARY = "cAnArY";

const NAMES = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("ADC_TOKEN", "API_KEY") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("ADC_SERVER", "ADC_BACKEND", "ADC_GATEWAY_GROUP"),
  },
  fc.constantFrom(
    "ADC_CA_CERT_FILE",
    "ADC_TLS_SKIP_VERIFY",
    "adc_token",
    "X.ADC_TOKEN",
    "__proto__",
  ),
);

const VALUES = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom("a7ee-", "a7adm-", "", " "),
      fc.constantFrom(CANARY, `${CANARY}$HOME`, `\${HOME}${CANARY}`, `${CANARY}\\n`, `${CANARY}\\`),
      fc.string({ unit: fc.constantFrom(..."ab1=:,$\\ #'\"`\n\r\t\u00e9"), maxLength: 6 }),
    ).map((parts) => parts.join("")),
  },
  fc.constantFrom("http://gw", "https://gw:7443", "http://a,http://b", "gw", "apisix", "api7ee"),
  fc.constantFrom("apisix-standalone", "ca.pem", "true", "0", "", "default", " "),
  fc.string({ unit: "binary", maxLength: 8 }),
);

/** One line as people write them, and as they should not. */
const LINE = fc.tuple(
  fc.constantFrom("", "", "", "export ", "  ", "\texport\t", "# ", "export"),
  NAMES,
  fc.constantFrom("=", "=", "=", " = ", ":", ": ", "\t=", "", "==", "=\n"),
  fc.constantFrom(["", ""], ["'", "'"], ['"', '"'], ["`", "`"], ['"', ""], ["", "'"], [" ", " "]),
  VALUES,
  fc.constantFrom("", "", " # comment", "#comment", " ", " #'", '"'),
  fc.constantFrom("\n", "\n", "\r\n", "\r", "\n\n", ""),
).map(([start, name, sign, [open, close], value, comment, end]) =>
  start + name + sign + open + value + close + comment + end
);

/** A file: lines, some characters that matter, or any bytes; a byte order mark in front of some. */
const FILE = fc.tuple(
  fc.constantFrom("", "", "", "\ufeff"),
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: LINE.map((line) => Buffer.from(line)) },
      {
        weight: 2,
        arbitrary: fc.string({
          unit: fc.constantFrom("ADC_TOKEN", "API_KEY", CANARY, ..."=:'\"`#\\$ \t\r\n\0", "\u2028"),
        }).map((text) => Buffer.from(text)),
      },
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    ),
    { maxLength: 6 },
  ),
).map(([mark, parts]) => Buffer.concat([Buffer.from(mark), ...parts]));

/** What `dotenv` puts into ADC's environment. */
function asAdcReads(bytes: Uint8Array): Record<string, string> {
  writeFileSync(path, bytes);
  const env: Record<string, string> = {};
  const { error } = dotenv.config({ path, quiet: true, processEnv: env });
  assert.equal(error, undefined);
  return env;
}

/** What the Rust ADC finds there. */
function asRustAdcReads(bytes: Uint8Array): Record<string, string> {
  const env: Record<string, string> = {};
  loadDotenvy(bytes, env);
  return env;
}

/** A value that is expanded is refused, though what comes out may be the same by chance. */
function mayExpand(bytes: Buffer): boolean {
  return bytes.includes("$");
}

/** What a line of the file may decide, but for the token. */
const SETTINGS = [
  "ADC_BACKEND",
  "ADC_SERVER",
  "ADC_GATEWAY_GROUP",
  "ADC_CA_CERT_FILE",
  "ADC_TLS_SKIP_VERIFY",
];

const elsewhere = await resolveConnection({ env: {}, cwd: "/nowhere" });

/** Tells what came of a search for the token. */
async function tokenIn(bytes: Uint8Array): Promise<string | Error> {
  writeFileSync(path, bytes);
  const connection = { ...elsewhere, envFile: await readEnvFile(".env", cwd) };
  try {
    return (await resolveToken({ connection, sources: [dotenvSource()] })).token.reveal();
  } catch (error) {
    assert.ok(error instanceof Error);
    const shown = error.message + JSON.stringify({ ...error, cause: String(error.cause) });
    assert.ok(!shown.includes(CANARY), "It shows a token");
    return error;
  }
}

fuzz("adc-run takes the token of `.env` that every ADC would read", FILE, async (bytes) => {
  const { ADC_TOKEN, API_KEY = "" } = asAdcReads(bytes);
  const taken = await tokenIn(bytes);
  const blank = ADC_TOKEN === undefined || ADC_TOKEN.trim() === "";
  // ADC does not know this name: adc-run gives it the value as ADC_TOKEN.
  const wanted = !blank ? ADC_TOKEN : /^a7(ee|adm)-/.test(API_KEY.trim()) ? API_KEY : undefined;
  if (isUtf16(bytes)) return assert.ok(taken instanceof SourceError, String(taken));
  const expected = wanted && expectedToken(wanted, "apisix");
  const isRefused = taken instanceof SourceError && taken.exitCode === EXIT.config;
  const isAlike = ADC_TOKEN === asRustAdcReads(bytes).ADC_TOKEN;
  if (!blank && expected !== undefined && (!isAlike || mayExpand(bytes) && isRefused)) {
    return assert.ok(isRefused, String(taken));
  }
  if (wanted === undefined) assert.ok(taken instanceof NoTokenError, String(taken));
  else if (expected !== undefined) assert.equal(taken, expected);
  else {
    assert.ok(taken instanceof SourceError, String(taken));
    assert.equal(taken.exitCode, EXIT.data);
  }
});

fuzz("adc-run reads each variable of `.env` as every ADC would", FILE, async (bytes) => {
  if (isUtf16(bytes)) return;
  const env = asAdcReads(bytes);
  const file = await readEnvFile(".env", cwd);
  assert.deepEqual(Object.fromEntries(file.entries()), { ...env });
  const other = asRustAdcReads(bytes);
  const isAlike = SETTINGS.every((name) => env[name] === other[name]);
  const adc = readAsAdc(["sync"], env);
  assert.ok(adc.kind === "run");
  const expected = expectedConnection(adc.options, { cwd, skipVerify: env.ADC_TLS_SKIP_VERIFY });
  const call = resolveConnection({ args: ["sync"], env: {}, cwd });
  if (expected !== undefined && isAlike) {
    const connection = await call.catch((error) => {
      if (mayExpand(bytes) && error instanceof ConnectionError) return undefined;
      throw error;
    });
    if (connection !== undefined) assertConnection(connection, expected);
    return;
  }
  await assert.rejects(call, ConnectionError);
});
