import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { main } from "../../src/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";
import { type Fixture, fixture, traces } from "../support/fixture.ts";

/** What adc-run does in a folder whose `.env` somebody else may have written. */
async function run(
  it: Fixture,
  args: readonly string[],
  { env = {}, input = "" }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
  } = {},
): Promise<{ readonly code: number; readonly err: string }> {
  const io = fakeIo({
    cwd: it.folder.path,
    env: { HOME: `${it.folder.path}/home`, ADC_BACKEND: "api7ee", ...env },
    stdin: Readable.from([input]),
  });
  const code = await main(args, io);
  const err = io.err.join("");
  for (const trace of traces(it.token)) assert.ok(!(err + io.out.join("")).includes(trace), err);
  return { code, err };
}

test("`auth login --with-token` sends nothing to a server that `.env` alone names, unasked", async () => {
  await using it = await fixture();
  await it.folder.write(".env", `ADC_SERVER=${it.sandbox.url}\n`);
  const words = ["auth", "login", "--with-token", "--storage", "file"];
  const refused = await run(it, words, { input: it.token });
  assert.equal(refused.code, 78, refused.err);
  assert.match(refused.err, /the server .* is set only by ADC_SERVER in \.env/);
  assert.deepEqual(it.sandbox.requests, []);
  // Nothing is sent where nothing is checked, and nobody has to agree.
  const unchecked = await run(it, [...words, "--no-check"], { input: it.token });
  assert.equal(unchecked.code, 0, unchecked.err);
  assert.deepEqual(it.sandbox.requests, []);
  const meant = { env: { ADC_SERVER: it.sandbox.url }, input: it.token };
  for (const [more, options] of [[["--yes"], { input: it.token }], [[], meant]] as const) {
    const sent = await run(it, [...words, ...more], options);
    assert.equal(sent.code, 0, sent.err);
  }
  assert.ok(it.sandbox.requests.every(({ apiKey }) => apiKey === it.token));
});

test("`api` and `auth status` warn of a token from elsewhere at a server that `.env` alone names", async () => {
  await using it = await fixture();
  await it.folder.write(".env", `ADC_SERVER=${it.sandbox.url}\n`);
  for (const words of [["api", "/api/version"], ["auth", "status"]]) {
    const env = { ADC_TOKEN: it.token };
    const stray = await run(it, words, { env });
    assert.equal(stray.code, 0, stray.err);
    assert.match(
      stray.err,
      /The token from ADC_TOKEN goes to the server set in \.env, a file that comes/,
    );
    const meant = await run(it, words, { env: { ...env, ADC_SERVER: it.sandbox.url } });
    assert.equal(meant.code, 0, meant.err);
    assert.doesNotMatch(meant.err, /\.env/);
  }
});

test("`auth rotate` and `auth logout` keep the stored token from what `.env` has it go through", async () => {
  await using it = await fixture({ https: true });
  const env = { ADC_SERVER: it.sandbox.url };
  const login = ["auth", "login", "--with-token", "--storage", "file", "--ca-cert-file"];
  const kept = await run(it, [...login, it.sandbox.ca], { env, input: it.token });
  assert.equal(kept.code, 0, kept.err);
  const { length } = it.sandbox.requests;
  const lures = [
    "ADC_TLS_SKIP_VERIFY=true",
    `ADC_CA_CERT_FILE=${it.sandbox.ca}`,
    "HTTPS_PROXY=http://127.0.0.1:1",
    "npm_config_https_proxy=http://127.0.0.1:1",
  ];
  for (const line of lures) {
    await it.folder.write(".env", `${line}\n`);
    for (const command of ["rotate", "logout"]) {
      const { code, err } = await run(it, ["auth", command], { env });
      assert.equal(code, 78, `${line}: ${err}`);
      const [name] = line.split("=");
      assert.ok(err.includes(`cannot use the stored token: ${name} in .env would decide`), err);
      assert.match(err, /No token was sent/);
    }
  }
  assert.equal(it.sandbox.requests.length, length);
  // Said by the user, it is another thing; and the token was still there.
  await it.folder.write(".env", "");
  const own = { ...env, ADC_CA_CERT_FILE: it.sandbox.ca };
  const done = await run(it, ["auth", "logout"], { env: own });
  assert.equal(done.code, 0, done.err);
  assert.ok(it.sandbox.requests.length > length);
});
