import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { Buffer } from "node:buffer";
import { parse } from "dotenv";
import fc from "fast-check";
import parseDuration from "parse-duration";
import { needsBackend, readAdcArguments } from "../../src/adc/arguments.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { ConnectionError, SourceError, UsageError } from "../../src/errors.ts";
import { childEnvironment, handOver } from "../../src/run/environment.ts";
import { resolveToken } from "../../src/token/resolve.ts";
import { dotenvSource, envSource, flagSource } from "../../src/token/sources/variables.ts";
import { ClapExit, readWords } from "../stand_ins/adc/clap.mjs";
import { loadDotenvy } from "../stand_ins/adc/dotenvy.mjs";
import { readAsAdc, VARIABLES as NAMES } from "../support/adc_program.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { assertConnection, expectedConnection, expectedToken } from "./expected_connection.ts";
import type { AdcOptions } from "./expected_connection.ts";
import { fuzz } from "./fuzz.ts";
import { createCertificate } from "../sandbox/certificate.ts";

const { cert: PEM, key: KEY } = createCertificate("test", { use: "client" });

const folder = await temporaryFolder({
  "ca.pem": PEM,
  "cert.pem": PEM,
  "key.pem": KEY,
  "--token": PEM,
  "plain.txt": "",
});
after(() => folder[Symbol.asyncDispose]());

const HOST = fc.stringMatching(/^[a-z]{1,5}(\.[a-z]{2})?(:[1-9]\d{0,3})?(\/[a-z]{0,3}){0,2}$/);
const ADDRESS = fc.tuple(fc.constantFrom("http://", "https://", "HTTPS://u:p@"), HOST)
  .map((parts) => parts.join(""));

/** Values, most of which can be used, in the notation of each option. */
const VALUES = {
  backend: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom("apisix", "api7ee", "apisix-standalone") },
    fc.constantFrom("", "API7EE", "api7ee ", "kong"),
  ),
  server: fc.oneof(
    { weight: 20, arbitrary: ADDRESS },
    {
      weight: 5,
      arbitrary: fc.tuple(ADDRESS, fc.constantFrom(",", ", ", " , "), ADDRESS)
        .map((parts) => parts.join("")),
    },
    fc.constantFrom("", "gw.example.com", "ftp://gw", "http://g w", "http://gw?q=1", "http://gw#f"),
    fc.constantFrom(" http://gw", "http://", "http://[::1]:9180", "http:gw", "http://gw,", ","),
    fc.constantFrom("http:/gw", "http:///gw", "http:\\\\gw", "http://gw?", "http://gw#"),
    fc.constantFrom("http://gw ", "http://gw\n", "\t http://gw", "\ufeffhttp://gw"),
  ),
  token: fc.oneof(
    { weight: 20, arbitrary: fc.stringMatching(/^(a7ee-|a7adm-|)[\w=,-]{1,12}$/) },
    fc.constantFrom("K\n", " K ", "\ufeffK", "K1, K2", "K,", "a7ee-a b", '"a7ee-a"', "K\x01"),
    fc.constantFrom("", " ", "a b", "'quoted'", "a\tb", "\u00e9", "--token", "--token=x", "-f"),
  ),
  gatewayGroup: fc.oneof(
    { weight: 9, arbitrary: fc.stringMatching(/^[A-Za-z][\w \u00e9-]{0,8}$/) },
    fc.constantFrom("", " ", "--server", "-f", "--"),
  ),
  timeout: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.tuple(
        fc.nat(9_999),
        fc.constantFrom("ms", "s", "m", "h", "h", ".5s", "m1s", ""),
      )
        .map((parts) => parts.join("")),
    },
    fc.constantFrom("", "soon", "-1s", "s", "1e400s", "--verbose", "0", "25d", "1e3", ".5s"),
  ),
  file: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom("ca.pem", "cert.pem", "key.pem", "./ca.pem") },
    fc.constantFrom("", ".", "plain.txt", "missing.pem", "--token", join(folder.path, "ca.pem")),
  ),
  switch: fc.oneof(
    { weight: 9, arbitrary: fc.constant("true") },
    fc.constantFrom("", "0", "No", " off ", "1", "yes", "TRUE", "null"),
  ),
  word: fc.constantFrom("a", "", "-", "--", "--token", "--token=t", "-f", "-h", "--help", "a=b"),
};

const CONNECTION_FLAGS = [
  ...["--backend", "--server", "--token", "--gateway-group", "--timeout", "--ca-cert-file"],
  ...["--tls-client-cert-file", "--tls-client-key-file", "--tls-skip-verify"],
];

/** ADC's options, each with the notation of its values. */
const FLAGS: Readonly<Record<string, keyof typeof VALUES>> = {
  "--backend": "backend",
  "--server": "server",
  "--token": "token",
  "--gateway-group": "gatewayGroup",
  "--timeout": "timeout",
  "--ca-cert-file": "file",
  "--label-selector": "word",
  "--include-resource-type": "word",
  "--exclude-resource-type": "word",
  "--verbose": "word",
};

/** Those of each command. */
const COMMANDS: Readonly<Record<string, { readonly valued: string[]; readonly bare: string[] }>> = {
  ping: { valued: [], bare: [] },
  dump: { valued: ["-o", "--output"], bare: ["--with-id"] },
  diff: { valued: ["-f", "--file", "--remote-state-file"], bare: ["--no-lint"] },
  sync: {
    valued: ["-f", "--file", "--request-concurrent", "--remote-state-file"],
    bare: ["--no-lint"],
  },
  validate: { valued: ["-f", "--file"], bare: ["--no-lint"] },
};

/** One option in the spellings that commander takes: `--name value`, `--name=value`, `-nvalue`. */
function valued(flag: string): fc.Arbitrary<string[]> {
  return fc.tuple(VALUES[FLAGS[flag] ?? "word"], fc.boolean()).map(([value, joined]) => {
    if (!joined) return [flag, value];
    return [flag.startsWith("--") ? `${flag}=${value}` : `${flag}${value}`];
  });
}

function wordsOf(command: string): fc.Arbitrary<string[]> {
  const own = COMMANDS[command]!;
  const pair = fc.tuple(VALUES.file, VALUES.file, fc.boolean()).map(([cert, key, turned]) => {
    const both = [["--tls-client-cert-file", cert], ["--tls-client-key-file", key]];
    return (turned ? both.reverse() : both).flat();
  });
  const option = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...Object.keys(FLAGS)).chain(valued) },
    { weight: 3, arbitrary: valued("--token") },
    pair,
    fc.constantFrom("--tls-skip-verify", "--no-managed-by-label", ...own.bare).map((flag) => [
      flag,
    ]),
    ...own.valued.length === 0 ? [] : [fc.constantFrom(...own.valued).chain(valued)],
  );
  // An option whose value is missing takes the next one for it; and ADC has words of its own for strays.
  const odd = fc.oneof(
    fc.constantFrom(...Object.keys(FLAGS), "--tls-client-key-file").map((flag) => [flag]),
    VALUES.word.map((word) => [word]),
    fc.constantFrom<string[]>(["--help"], ["-h"], ["--version"], ["--unknown"], ["-o", "x"]),
  );
  return fc.tuple(
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc.uniqueArray(option, {
          maxLength: 6,
          selector: ([word = ""]) => word.split("=")[0]!,
        }),
      },
      // Some of them are there twice.
      { weight: 1, arbitrary: fc.array(option, { maxLength: 4 }) },
    ),
    fc.oneof(
      { weight: 7, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.tuple(fc.nat(), odd) },
    ),
  ).map(([options, stray]) => {
    if (stray !== undefined) options.splice(stray[0] % (options.length + 1), 0, stray[1]);
    return [command, ...options.flat()];
  });
}

const VARIABLES = fc.record({
  ADC_BACKEND: VALUES.backend,
  ADC_SERVER: VALUES.server,
  ADC_TOKEN: VALUES.token,
  ADC_GATEWAY_GROUP: VALUES.gatewayGroup,
  ADC_CA_CERT_FILE: VALUES.file,
  ADC_TLS_CLIENT_CERT_FILE: VALUES.file,
  ADC_TLS_CLIENT_KEY_FILE: VALUES.file,
  ADC_TLS_SKIP_VERIFY: VALUES.switch,
  adc_server: VALUES.server,
}, { requiredKeys: [] });

/** Some of the variables: with all of them, nearly every case would have a value that is refused. */
const SOME_VARIABLES = fc.tuple(VARIABLES, fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }))
  .map(([variables, kept]) =>
    Object.fromEntries(Object.entries(variables).filter((_, index) => kept[index]))
  );

/** A line that people write and that not every ADC reads alike; or that only looks so. */
const ODD_LINE = fc.tuple(
  fc.constantFrom("", "", "export ", "  "),
  fc.constantFrom(...Object.values(NAMES), "X", "X"),
  fc.constantFrom("=", "=", "=", " = ", ": "),
  fc.constantFrom(["", ""], ["'", "'"], ['"', '"'], ["`", "`"], ['"', ""], ["", "'"], [
    "`\n",
    "\n`",
  ]),
  fc.constantFrom(
    "http://gw",
    "http://$X",
    "${X}",
    "api7ee",
    "true",
    "K$",
    "a b",
    "a\\n",
    "it's",
    "a\\",
  ),
  fc.constantFrom("", "", " # c", "  # don't", "#c", " "),
  fc.constantFrom("\n", "\n", "\r\n", "\n\n"),
).map(([start, name, sign, [open, close], value, comment, end]) =>
  start + name + sign + open + value + close + comment + end
);

/** A `.env`: lines that both read alike, and in some of them others. */
const FILE = fc.tuple(
  SOME_VARIABLES.map((file) =>
    Object.entries(file).map(([name, value]) => `${name}="${value}"\n`).join("")
  ),
  fc.oneof(
    { weight: 5, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.array(ODD_LINE, { maxLength: 3 }).map((lines) => lines.join("")) },
  ),
  fc.boolean(),
).map(([lines, odd, turned]) => turned ? odd + lines : lines + odd);

/** What the Rust ADC makes of words: its options; or the one that it refuses, if any. */
function readAsRust(words: readonly string[], env: Readonly<Record<string, string>>) {
  try {
    return { options: readWords(words, env, folder.path).options as Record<string, unknown> };
  } catch (error) {
    if (!(error instanceof ClapExit)) throw error;
    return { refused: (error as unknown as { option?: string }).option };
  }
}

function withDotenvy(text: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const all = { ...env };
  loadDotenvy(Buffer.from(text), all);
  return all;
}

/** A connection in the notation of both, for comparison. */
function summaryOf(
  { backend = "apisix", server = "http://localhost:9180", gatewayGroup = "default", ...more }:
    & AdcOptions
    & Readonly<Record<string, unknown>>,
  timeout: number | null,
): unknown {
  return {
    backend,
    servers: server.split(",").map((each) => new URL(each).href),
    gatewayGroup,
    timeout,
    skipVerify: more.tlsSkipVerify === true,
    token: more.token,
  };
}

/** The connection is that of both ADCs, each with what adc-run hands over and `.env` as it reads that. */
async function checkHandedOver(
  connection: Connection,
  { env, text }: { readonly env: Record<string, string>; readonly text: string },
): Promise<void> {
  const child = childEnvironment(connection, env);
  const sources = [flagSource(), envSource({ env }), dotenvSource()];
  const resolved = await resolveToken({ connection, sources }).catch(() => undefined);
  if (resolved === undefined) return;
  handOver(child, resolved, connection);
  const given = Object.fromEntries(
    Object.entries(child).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { argv: words } = connection.args;
  const expected = summaryOf({
    backend: connection.backend.value,
    server: connection.serverValue.reveal(),
    gatewayGroup: connection.gatewayGroup.value,
    tlsSkipVerify: connection.tls.skipVerify.value,
    token: resolved.token.reveal(),
  }, connection.timeoutMs.value);
  const adc = readAsAdc(words, { ...parse(text), ...given });
  assert.ok(adc.kind === "run");
  const options: AdcOptions = adc.options;
  assert.deepEqual(summaryOf({ ...options }, parseDuration(options.timeout ?? "10s")), expected);
  const rust = readAsRust(words, withDotenvy(text, given));
  if (rust.options !== undefined) {
    seen.both += 1;
    assert.deepEqual(summaryOf(rust.options, rust.options.timeout as number), expected);
  } else assert.ok(!CONNECTION_FLAGS.includes(rust.refused ?? ""), rust.refused);
}

/** How many cases there were, of each kind. */
const seen = { resolved: 0, refused: 0, tokens: 0, both: 0, information: 0, others: 0 };

/** The error of a call that must be refused, which is no defect and shows no token. */
async function refusal(call: Promise<unknown>): Promise<Error> {
  const error: unknown = await call.then((value) => assert.fail(inspect(value)), (error) => error);
  assert.ok(error instanceof Error);
  return error;
}

async function checkToken(
  connection: Connection,
  { env, token }: { readonly env: Record<string, string>; readonly token: string | undefined },
): Promise<void> {
  // adc-run passes over a blank one and says so; ADC takes it, and asks without a token.
  if (token === undefined || token.trim() === "") return;
  const sources = [flagSource(), envSource({ env }), dotenvSource()];
  const found = resolveToken({ connection, sources });
  const expected = expectedToken(token, connection.backend.value);
  if (expected !== undefined) {
    assert.equal((await found).token.reveal(), expected);
    seen.tokens += 1;
  } else {
    assert.ok(await refusal(found) instanceof SourceError);
  }
}

/** An option of another command of ADC: adc-run takes what follows it for its value, and ADC does not know it. */
function hasForeign([command = "", ...words]: readonly string[]): boolean {
  const own = COMMANDS[command]?.valued ?? [];
  return words.some((word) =>
    ["-f", "-o"].some((flag) => word.startsWith(flag) && !own.includes(flag))
  );
}

fuzz(
  "adc-run connects where every ADC would, for any flags, variables and `.env`, in any order",
  fc.record({
    words: fc.constantFrom(...Object.keys(COMMANDS)).chain(wordsOf),
    env: SOME_VARIABLES,
    text: FILE,
  }),
  async ({ words, env, text }) => {
    const cwd = folder.path;
    writeFileSync(join(cwd, ".env"), text);
    const adcEnv: Record<string, string> = { ...parse(text), ...env };
    const rustEnv = withDotenvy(text, env);
    const adc = readAsAdc(words, adcEnv);
    const call = resolveConnection({ args: words, env, cwd });
    if (
      adc.kind === "error" && adc.code === "commander.optionMissingArgument" && !hasForeign(words)
    ) {
      assert.ok(await refusal(call) instanceof UsageError);
      return;
    }
    if (adc.kind !== "run") {
      // Stray words are ADC's to complain about.
      seen[adc.kind === "information" ? "information" : "others"] += 1;
      const error: unknown = await call.then(() => undefined, (error) => error);
      if (error instanceof UsageError) return;
      assert.ok(error === undefined || error instanceof ConnectionError, String(error));
      const { kind } = adc;
      assert.equal(kind === "information" && needsBackend(await readAdcArguments(words)), false);
      return;
    }
    const options: AdcOptions = adc.options;
    const flags = readAsAdc(words);
    assert.ok(flags.kind === "run");
    const skipVerify = flags.options.tlsSkipVerify === true
      ? undefined
      : adcEnv.ADC_TLS_SKIP_VERIFY;
    const expected = expectedConnection(options, { cwd, skipVerify, flags: flags.options });
    const isAlike = Object.entries(NAMES).every(([key, name]) =>
      key === "token" || key in flags.options || adcEnv[name] === rustEnv[name]
    );
    const rust = readAsRust(words, rustEnv);
    const refusesFlag = CONNECTION_FLAGS.includes(rust.refused ?? "");
    if (expected === undefined || !isAlike || refusesFlag) {
      seen.refused += 1;
      assert.ok(await refusal(call) instanceof ConnectionError);
      return;
    }
    const connection = await call.catch((error) => {
      // What else the Rust ADC would have said, it no longer gets to.
      const isUnclear = rust.options === undefined || text.includes("$");
      if (isUnclear && error instanceof ConnectionError) return undefined;
      throw error;
    });
    if (connection === undefined) return void (seen.refused += 1);
    seen.resolved += 1;
    await checkHandedOver(connection, { env, text });
    assertConnection(connection, expected);
    const isTokenAlike = "token" in flags.options || adcEnv.ADC_TOKEN === rustEnv.ADC_TOKEN ||
      env.ADC_TOKEN?.trim();
    if (isTokenAlike && !text.includes("$")) {
      await checkToken(connection, { env, token: options.token });
    }
    // What is left for ADC's argv says the same, without a token.
    const { token: _, ...rest } = flags.options;
    assert.deepEqual(readAsAdc(connection.args.argv), { ...flags, options: rest });
  },
);

test("the cases above are of every kind", () => {
  const { resolved, refused, tokens, both, information, others } = seen;
  const total = resolved + refused + information + others;
  const context = inspect(seen);
  // About half of what is usual: 500 cases vary.
  assert.ok(resolved >= total / 10 && refused >= total / 10 && tokens >= total / 50, context);
  assert.ok(both >= total / 100, context);
});
