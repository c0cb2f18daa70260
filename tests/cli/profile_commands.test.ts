import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { main } from "../../src/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import type { FakeKeychain } from "../support/fake_keychain.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { createCertificate } from "../sandbox/certificate.ts";

const PAIR = createCertificate("test", { use: "client" });

/** A folder for the configuration and one for the work, and adc-run in them. */
async function setUp(keychain: FakeKeychain = fakeKeychain()) {
  const folder = await temporaryFolder();
  const config = join(folder.path, "config");
  const cwd = join(folder.path, "work");
  await folder.write("work/ca.pem", PAIR.cert);
  async function run(
    words: readonly string[],
    { env = {}, code = 0, input }: {
      readonly env?: Readonly<Record<string, string>>;
      readonly code?: number;
      readonly input?: string;
    } = {},
  ) {
    const io = fakeIo({
      env: { ADC_RUN_CONFIG_DIR: config, A7_CONFIG_DIR: folder.path, ...env },
      cwd,
      keychain,
      ...(input !== undefined && { stdin: Readable.from([input]) }),
    });
    const exitCode = await main(words, io);
    const [out, err] = [io.out.join(""), io.err.join("")];
    assert.equal(exitCode, code, `${words.join(" ")}: ${out}${err}`);
    assert.ok(!`${out}${err}`.includes("zqzq"), `${out}${err}`);
    return { out, err };
  }
  const stored = async () => JSON.parse(await readFile(join(config, "config.json"), "utf8"));
  return { ...folder, config, cwd, keychain, run, stored };
}

test("`profile set` refuses to hide a profile of the project behind one that has no server", async () => {
  await using it = await setUp();
  await it.write(
    "work/adc-run.json",
    JSON.stringify({ version: 1, profiles: { pr: { server: "https://gw" } } }),
  );
  const { err } = await it.run(["profile", "set", "pr", "--username", "x"], { code: 64 });
  assert.match(err, /"pr" is a profile of adc-run\.json; a profile of your own replaces it/);
  assert.match(err, /fix {5}Give --server too, or edit adc-run\.json\./);
  await it.run(["profile", "set", "pr", ...GW]);
  await it.run(["profile", "set", "pr", "--username", "x"]);
});

test("`profile set` says of a new profile that it has another's target, and says it once", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "dev", ...GW]);
  const { err } = await it.run(["profile", "set", "eu", "--use", "dev"]);
  assert.match(err, /Profile "eu" has the same target as "dev"; each has its own token\./);
  const again = await it.run(["profile", "set", "eu", "--username", "x"]);
  assert.doesNotMatch(again.err, /same target/);
});

const GW = ["--backend", "api7ee", "--server", "https://gw.example.com:7443"];

test("`profile set` writes ADC's flags and its own, paths made absolute", async () => {
  await using it = await setUp();
  const { err } = await it.run([
    ...["profile", "set", "prod", ...GW, "--gateway-group", "production", "--timeout=30s"],
    ...["--ca-cert-file", "ca.pem", "--tls-skip-verify", "--username", "robot"],
    ...["--token-command", "op read 'op://a b'", "--sources", "env, keychain"],
  ]);
  assert.match(err, /created profile "prod" in .*config\.json/);
  assert.match(err, /use it with -p prod, or by default: adc-run profile use prod/);
  assert.deepEqual((await it.stored()).profiles.prod, {
    backend: "api7ee",
    server: "https://gw.example.com:7443",
    gatewayGroup: "production",
    timeout: "30s",
    caCertFile: join(it.cwd, "ca.pem"),
    tlsSkipVerify: true,
    username: "robot",
    tokenCommand: "op read 'op://a b'",
    sources: ["env", "keychain"],
  });
});

test("`profile set` changes what is named, and takes out what --unset names", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "prod", ...GW, "--timeout", "30s", "--gateway-group", "a"]);
  const { out } = await it.run([
    ...["profile", "set", "prod", "--gateway-group", "b", "--unset", "timeout,--backend", "--json"],
  ]);
  const settings = { server: "https://gw.example.com:7443", gatewayGroup: "b" };
  assert.deepEqual(JSON.parse(out), {
    schemaVersion: 1,
    profile: "prod",
    created: false,
    file: join(it.config, "config.json"),
    settings,
    warnings: [],
  });
  assert.deepEqual((await it.stored()).profiles.prod, settings);
});

test("`profile set` refuses what no run could use, and secrets", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "prod", ...GW]);
  const before = await it.stored();
  for (
    const [words, message] of [
      [["prod"], /no settings given/],
      [[], /needs a profile name/],
      [["a", "b", ...GW], /takes a profile name/],
      [["a b", ...GW], /"a b": that is not a profile name/],
      [["prod", "--token", "zqzqzqzq"], /never holds a secret[\s\S]*auth login --with-token/],
      [["prod", "--token-command", "echo a7ee-zqzq"], /never holds a secret/],
      [["prod", "--server", "https://u:zqzq@gw"], /never holds a secret/],
      [["prod", "--server", "gw"], /not an http or https URL/],
      [["prod", "--server", ""], /not an http or https URL/],
      [["prod", "--backend", "kong"], /"backend" is not a backend of ADC[\s\S]*api7ee/],
      [["prod", "--timeout", "soon"], /"timeout" is not a duration/],
      [["prod", "--ca-cert-file", ""], /"caCertFile" is not a path/],
      [["prod", "--sources", "env,vault"], /not a source/],
      [["prod", "--sources", ","], /is empty/],
      [["prod", "--token-command", "op 'x"], /cannot be split/],
      [["prod", "--use", "gone"], /no profile "gone"/],
      [["prod", "--use", "prod"], /circle: prod → prod/],
      [["prod", "--unset", "serve"], /no such setting[\s\S]*"server"/],
      [["prod", "--unset", "server", "--server", "https://x"], /both set and unset "server"/],
      [["prod", "--frob"], /unknown option "--frob"/],
    ] as const
  ) {
    const { err } = await it.run(["profile", "set", ...words], { code: 64 });
    assert.match(err, message);
  }
  assert.deepEqual(await it.stored(), before);
});

test("`profile set` warns of what is no error yet", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "a", ...GW]);
  const { err } = await it.run([
    ...["profile", "set", "b", ...GW, "--gateway-group", "default"],
    ...["--tls-client-cert-file", "gone.pem"],
  ]);
  assert.match(err, /same target as "a"; each has its own token/);
  assert.match(err, /".*work\/gone\.pem", which does not exist yet/);
  assert.match(err, /a client certificate needs its key/i);
});

test("`profile list` shows both files, and marks the one in use", async () => {
  await using it = await setUp();
  await it.write("work/adc-run.json", '{"profiles":{"ci":{"server":"https://ci"},"prod":{}}}');
  await it.run(["profile", "set", "prod", ...GW]);
  await it.run(["profile", "set", "stage", "--use", "prod", "--gateway-group", "s"]);
  await it.run(["profile", "use", "stage"]);
  const { out, err } = await it.run(["profile", "list"]);
  const lines = out.trimEnd().split("\n").map((line) =>
    line.split(/ {2,}/).map((each) => each.trim())
  );
  assert.deepEqual(lines, [
    ["", "NAME", "SERVER", "BACKEND"],
    ["", "prod", "https://gw.example.com:7443", "api7ee"],
    ["* stage", "https://gw.example.com:7443", "api7ee, group s"],
    ["", "ci", "https://ci", "-", "in adc-run.json"],
  ]);
  assert.match(err, /"prod" in .*adc-run\.json is hidden by your own/);
  const json = await it.run(["--json", "profile", "list"], { env: { ADC_RUN_PROFILE: "ci,prod" } });
  const { profiles, use } = JSON.parse(json.out);
  assert.equal(use, "stage");
  assert.deepEqual(
    profiles.map((each: Record<string, unknown>) => [each.name, each.project, each.inUse]),
    [["prod", false, true], ["stage", false, false], ["ci", true, true]],
  );
});

test("`profile list` names profiles with one target, and a default that is gone", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "a", "--server", "https://gw:443/"]);
  await it.run(["profile", "set", "b", "--server", "https://GW", "--backend", "apisix"]);
  await it.run(["profile", "set", "c", "--server", "https://gw", "--backend", "api7ee"]);
  const { err } = await it.run(["profile", "list"], { env: { ADC_RUN_PROFILE: "gone" } });
  assert.match(err, /Profiles "a", "b" have the same target/);
  assert.match(err, /ADC_RUN_PROFILE: there is no profile "gone"/);
});

test("`profile list` ends with 65 and the line where a file is malformed", async () => {
  await using it = await setUp();
  await it.write("work/adc-run.json", '{"profiles": {\n  "a": {"tokenCommand": "zqzq"}}}');
  const { err } = await it.run(["profile", "list"], { code: 65 });
  assert.match(err, /adc-run\.json": line 2, column 9: a project's file must not/);
});

test("`profile show` shows where each setting comes from", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "prod", ...GW, "--sources", "env"]);
  await it.run(["profile", "set", "stage", "--use", "prod", "--gateway-group", "s"]);
  await it.run(["profile", "use", "stage"]);
  for (const words of [["stage"], []]) {
    const { out } = await it.run(["profile", "show", ...words]);
    assert.match(out, /^profile +stage +your own, .*config\.json\n/);
    assert.match(out, /\nbackend +api7ee +from profile "prod"\n/);
    assert.match(out, /\ngatewayGroup +s\n/);
    assert.match(out, /\nsources +\["env"\] +from profile "prod"\n$/);
  }
  const { out } = await it.run(["profile", "show", "--json"]);
  assert.deepEqual(JSON.parse(out).settings.gatewayGroup, { value: "s", profile: "stage" });
});

test("`profile show` wants one profile", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "prod", ...GW]);
  const none = await it.run(["profile", "show"], { code: 64 });
  assert.match(none.err, /the profile in use: no profile is/);
  await it.run(["profile", "set", "stage", "--use", "prod"]);
  const many = await it.run(["profile", "show"], {
    env: { ADC_RUN_PROFILE: "prod,stage" },
    code: 78,
  });
  assert.match(many.err, /ADC_RUN_PROFILE lists 2/);
  const status = ["auth", "status"];
  const two = await it.run(status, { env: { ADC_RUN_PROFILE: "prod,stage" }, code: 77 });
  assert.match(two.out, /^prod +no token .*\nstage +no token /);
  const token = ["auth", "token"];
  const one = await it.run(token, { env: { ADC_RUN_PROFILE: "prod,stage" }, code: 78 });
  assert.match(one.err, /cannot use 2 profiles/);
  await it.run(["-p", "prod,stage", ...token], { code: 64 });
  const gone = await it.run(["profile", "show", "prd"], { code: 64 });
  assert.match(gone.err, /no profile "prd"[\s\S]*Did you mean "prod"/);
});

test("`profile use` chooses the default profile and none again", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "prod", ...GW]);
  await it.run(["profile", "use", "prod"]);
  assert.equal((await it.stored()).use, "prod");
  const { err } = await it.run(["profile", "use", "--none"], { env: { ADC_RUN_PROFILE: "x" } });
  assert.match(err, /ADC_RUN_PROFILE is set and takes precedence/);
  assert.equal((await it.stored()).use, undefined);
  await it.run(["profile", "use"], { code: 64 });
  await it.run(["profile", "use", "prod", "--none"], { code: 64 });
  await it.run(["profile", "use", "gone"], { code: 64 });
});

test("`profile remove` removes, and says which token stays where", async () => {
  await using it = await setUp();
  await it.run(["profile", "set", "prod", ...GW]);
  await it.run(["profile", "set", "stage", "--use", "prod"]);
  const { err: used } = await it.run(["profile", "remove", "prod"], { code: 64 });
  assert.match(used, /profile "stage" inherits from it/);
  const record = {
    account: "prod@https://gw.example.com:7443",
    origin: "https://gw.example.com:7443",
    storage: "keychain",
    fingerprint: "00000000",
  };
  await it.write("config/state.json", JSON.stringify({ version: 1, tokens: [record] }));
  const { out, err } = await it.run(["profile", "remove", "prod", "stage", "--json"]);
  assert.deepEqual(JSON.parse(out).removed, ["prod", "stage"]);
  assert.deepEqual(JSON.parse(out).tokens, [{ account: record.account, storage: "keychain" }]);
  assert.match(JSON.parse(out).warnings[0], /stays in the keychain .*auth logout/);
  assert.equal(err, "");
  assert.deepEqual((await it.stored()).profiles, {});
});

test("`profile schema` prints the schema", async () => {
  await using it = await setUp();
  const { out } = await it.run(["profile", "schema"]);
  const schema = await readFile(new URL("../../schema.json", import.meta.url), "utf8");
  assert.equal(out, schema);
});

test("`profile` without a command, or with an unknown one, says what there is", async () => {
  await using it = await setUp();
  const { out } = await it.run(["profile"]);
  assert.match(out, /^Usage: adc-run profile list/);
  const wrong = await it.run(["profile", "remvoe"], { code: 64 });
  assert.match(
    wrong.err,
    /"profile remvoe": did you mean "profile remove"[\s\S]*import and schema/,
  );
  await it.run(["profile", "constructor"], { code: 64 });
});

const A7 = `current-context: local
contexts:
  - name: local
    server: https://localhost:7443
    token: a7ee-zqzq-1
    tls-skip-verify: true
  - { name: "prod eu", server: "https://gw.example.com", token: a7ee-zqzq-2, gateway-group: g1 }
  - { name: bare, server: "https://bare.example.com" }
`;

test("`profile import` makes profiles, and puts their tokens into the keychain alone", async () => {
  await using it = await setUp();
  const file = await it.write("config.yaml", A7);
  const { err } = await it.run(["profile", "import", "--yes"]);
  assert.deepEqual(Object.keys((await it.stored()).profiles), ["local", "prod-eu", "bare"]);
  assert.deepEqual([...it.keychain.entries], [
    ["local@https://localhost:7443", "a7ee-zqzq-1"],
    ["prod-eu@https://gw.example.com", "a7ee-zqzq-2"],
  ]);
  assert.match(err, /imported "[^"]+" as "prod-eu", its token in/);
  assert.match(err, /by id, ADC by name/);
  assert.match(err, /imported "local" as "local", its token in the keychain/);
  assert.match(err, /imported "bare" as "bare", without a token/);
  assert.match(err, /"local" is a7's current context; .*: adc-run profile use local/);
  assert.match(err, /still contains the tokens: remove them/);
  assert.equal(await readFile(file, "utf8"), A7);
  const state = await readFile(join(it.config, "state.json"), "utf8");
  assert.ok(state.includes('"prod-eu@https://gw.example.com"') && !state.includes("zqzq"));
  assert.equal(JSON.parse(state).tokens[0].origin, "https://localhost:7443");
});

test("`profile import` passes over profiles that are there, unless told to overwrite", async () => {
  await using it = await setUp();
  await it.write("config.yaml", A7);
  await it.run(["profile", "set", "local", "--server", "https://mine", "--timeout", "1s"]);
  const { out } = await it.run(["profile", "import", "--yes", "--json"]);
  assert.deepEqual(JSON.parse(out).skipped, [{ context: "local", profile: "local" }]);
  assert.equal((await it.stored()).profiles.local.server, "https://mine");
  assert.equal(it.keychain.entries.has("local@https://localhost:7443"), false);
  await it.run(["profile", "import", "--yes", "--overwrite"]);
  assert.deepEqual((await it.stored()).profiles.local, {
    backend: "api7ee",
    server: "https://localhost:7443",
    tlsSkipVerify: true,
  });
  assert.equal(it.keychain.entries.get("local@https://localhost:7443"), "a7ee-zqzq-1");
});

test("`profile import` keeps another token that is stored already, unless told to overwrite", async () => {
  await using it = await setUp(fakeKeychain({ "local@https://localhost:7443": "a7ee-zqzq-mine" }));
  await it.write("config.yaml", A7);
  const { err } = await it.run(["profile", "import", "--yes"]);
  assert.match(err, /Another token is already stored for "local"/);
  assert.match(err, /imported "local" as "local", without its token\n/);
  assert.equal(it.keychain.entries.get("local@https://localhost:7443"), "a7ee-zqzq-mine");
  await it.run(["profile", "import", "--yes", "--overwrite"]);
  assert.equal(it.keychain.entries.get("local@https://localhost:7443"), "a7ee-zqzq-1");
});

test("`profile import --dry-run` changes nothing", async () => {
  await using it = await setUp();
  await it.write("config.yaml", A7);
  for (const words of [["profile", "import", "--dry-run"], ["--dry-run", "profile", "import"]]) {
    const { err } = await it.run(words);
    assert.match(err, /would import "local" as "local"/);
    assert.doesNotMatch(err, /remove them/);
  }
  assert.deepEqual([...it.keychain.entries], []);
  await assert.rejects(it.stored(), /ENOENT/);
});

test("`profile import` makes no profile whose token could not be stored", async () => {
  await using it = await setUp(
    fakeKeychain({}, { failure: "locked", at: "prod-eu@https://gw.example.com" }),
  );
  await it.write("config.yaml", A7);
  const { err } = await it.run(["profile", "import", "--yes"], { code: 74 });
  assert.match(err, /keychain: it is locked/);
  assert.deepEqual(Object.keys((await it.stored()).profiles), ["local"]);
});

test("`profile import` ends with 65 where a context cannot be imported, and takes the others", async () => {
  await using it = await setUp();
  await it.write(
    "config.yaml",
    `contexts:
  - { name: bad, server: "gw" }
  - { name: spaced, server: "https://gw", token: "a7ee-zqzq zqzq" }
  - { name: ca, server: "https://gw", ca-cert: gone.pem }
  - { name: good, server: "https://gw" }
`,
  );
  const { err } = await it.run(["profile", "import", "--yes"], { code: 65 });
  assert.match(err, /"bad" cannot be imported: "server" is not an http/);
  assert.match(err, /"spaced" cannot be imported: its token cannot be used: it contains a space/);
  assert.match(err, /"ca" cannot be imported: .*gone\.pem/);
  assert.deepEqual(Object.keys((await it.stored()).profiles), ["good"]);
});

test("`profile import` wants a yes, and a file", async () => {
  await using it = await setUp();
  await it.write("config.yaml", A7);
  const { err } = await it.run(["profile", "import"], { code: 64 });
  assert.match(err, /no terminal to prompt on[\s\S]*--yes/);
  const gone = await it.run(["profile", "import", "--yes", "--file", "x"], { code: 64 });
  assert.match(gone.err, /work\/x": no such file/);
  await it.run(["profile", "import", "--storage", "cloud"], { code: 64 });
});

test("`profile import --storage file` needs no keychain", async () => {
  await using it = await setUp(fakeKeychain({}, { failure: "unavailable" }));
  await it.write("config.yaml", A7);
  await it.run(["profile", "import", "--yes", "--storage", "file"]);
  const tokens = JSON.parse(await readFile(join(it.config, "tokens.json"), "utf8")).tokens;
  assert.equal(tokens["local@https://localhost:7443"], "a7ee-zqzq-1");
});
