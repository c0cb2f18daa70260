import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { chmod, open, readFile, stat, symlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { main } from "../../src/cli/main.ts";
import { COMMANDS } from "../../src/cli/manual/manual.ts";
import { columnsOf } from "../../src/cli/output/layout.ts";
import { Secret } from "../../src/secret.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { fakeIo, textSink } from "../support/fake_io.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const DAY = 24 * 60 * 60;
const WIDTHS = [60, 80, 200];

/** A machine with a profile, a token in the keychain, and a terminal of some width; 0 is a pipe. */
async function machine() {
  const sandbox = await startSandbox({});
  const folder = await temporaryFolder({ "adc.yaml": "services: []\n" });
  sandbox.addUser({ username: "dev", password: "pass-word" });
  const now = Math.floor(Date.now() / 1000);
  const used = sandbox.addToken({
    user: "dev",
    name: "adc-run dev@laptop",
    expiresAt: now + 30 * DAY - 60,
  });
  const keychain = fakeKeychain();
  const config = `${folder.path}/.config/adc-run`;
  const { origin } = new URL(sandbox.url);
  await folder.write(
    ".config/adc-run/config.json",
    JSON.stringify({
      version: 1,
      profiles: {
        dev: { backend: "api7ee", server: sandbox.url },
        down: { backend: "api7ee", server: "http://127.0.0.1:1" },
      },
    }),
  );
  await keychain.set(`dev@${origin}`, new Secret(used.value));
  const run = async (
    words: readonly string[],
    { columns = 0, env = {}, input = "", shows }: {
      readonly columns?: number;
      readonly env?: Record<string, string>;
      readonly input?: string;
      /** A command may be for that. */
      readonly shows?: "token";
    } = {},
  ) => {
    const written: string[] = [];
    const stream = () => Object.assign(textSink(written), { columns });
    const isTerminal = columns > 0;
    const io = fakeIo({
      env: { ADC_RUN_CONFIG_DIR: config, HOME: folder.path, NO_COLOR: "1", ...env },
      cwd: folder.path,
      keychain,
      stdin: Readable.from([Buffer.from(input)]),
      stdout: stream(),
      stderr: stream(),
      terminals: { stdin: false, stdout: isTerminal, stderr: isTerminal },
    });
    const code = await main(words, io);
    const text = written.join("");
    if (shows === undefined) {
      assert.ok(!text.includes(used.value) && !text.includes("a7ee-zq"), text);
    }
    if (!words.includes("--json")) assert.ok(!text.includes(folder.path), text);
    for (const line of isTerminal ? text.split("\n") : []) {
      assert.ok(
        // An example is there to be copied.
        columnsOf(line) <= columns || !/\S {1,}\S/.test(line.trim()) || /^ {2}adc-run /.test(line),
        `${columns}: ${line}`,
      );
    }
    return { code, text };
  };
  return {
    sandbox,
    folder,
    used,
    run,
    keychain,
    origin,
    config,
    [Symbol.asyncDispose]: async () => {
      await sandbox.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

it("`auth status` says the verdict first, and what is hidden by the winner", async () => {
  await using it = await machine();
  const { fingerprint } = new Secret(it.used.value);
  const fine = await it.run(["-p", "dev", "auth", "status"], { columns: 80 });
  assert.equal(fine.code, 0, fine.text);
  assert.deepEqual(fine.text.trimEnd().split("\n").map((line) => line.replace(/ +/g, " ")), [
    `${it.sandbox.url} api7ee, group default, profile dev`,
    `✓ valid ${fingerprint} from the keychain`,
    " user dev (Developer)",
  ]);
  const env = { ADC_TOKEN: "a7ee-zqwrong" };
  const bad = await it.run(["-p", "dev", "auth", "status"], { columns: 80, env });
  assert.equal(bad.code, 77);
  assert.match(bad.text, /^✗ rejected {2}[0-9a-f]{8} from ADC_TOKEN$/m);
  assert.match(
    bad.text,
    /^ {2}unused {4}the token from the keychain: ADC_TOKEN comes first$/m,
  );
  assert.match(bad.text, /^ {2}reason {4}the server refused the token: 401 "/m);
  assert.match(bad.text, /^ {2}fix {7}Replace ADC_TOKEN, or unset it/m);
  assert.doesNotMatch(bad.text, /GET /);
  const more = await it.run(["-v", "-p", "dev", "auth", "status"], { columns: 80, env });
  assert.match(more.text, /^ {2}request +GET\s+http/m);
  for (const name of ["flag", "dotenv", "admin-api"]) {
    assert.match(more.text, new RegExp(`^ {2}source +${name} `, "m"));
  }
  const piped = await it.run(["-p", "dev", "auth", "status"], { env });
  assert.doesNotMatch(piped.text, /[✓✗]/);
  assert.match(piped.text, /^rejected {2}/m);
});

it("`auth status` has a line for each of several profiles", async () => {
  await using it = await machine();
  for (const words of [["-p", "dev,down", "auth", "status"], ["auth", "status", "--all"]]) {
    const { code, text } = await it.run(words, { columns: 120 });
    assert.equal(code, 77, text);
    assert.match(text, /^✓ dev {3}valid {5}[0-9a-f]{8} from the keychain/m);
    assert.match(text, /^✗ down {2}no token .*adc-run -p down auth status$/m);
  }
  const { text } = await it.run(["auth", "status", "--all", "--json"]);
  const { targets, exitCode, schemaVersion } = JSON.parse(text);
  assert.deepEqual(
    [exitCode, schemaVersion, targets.map((each: { profile: string }) => each.profile)],
    [77, 1, ["dev", "down"]],
  );
});

it("`auth list` has the soonest end first, marks what never ends, and has totals", async () => {
  await using it = await machine();
  const now = Math.floor(Date.now() / 1000);
  it.sandbox.addToken({ user: "dev", name: "token 1" });
  it.sandbox.addToken({ user: "dev", name: "github-actions", expiresAt: now + 90 * DAY - 60 });
  it.sandbox.addToken({ user: "dev", name: "short", expiresAt: now - DAY });
  const { code, text } = await it.run(["-p", "dev", "auth", "list"], { columns: 80 });
  assert.equal(code, 0, text);
  const lines = text.trimEnd().split("\n").filter((line) => !/warning/.test(line));
  assert.equal(lines[0], `4 tokens of dev at ${it.sandbox.url}`);
  assert.deepEqual(lines.slice(2, 6).map((line) => line.slice(2).split(/ {2,}/)[0]), [
    "short",
    "adc-run dev@laptop",
    "github-actions",
    "token 1",
  ]);
  assert.match(lines[2]!, /expired/);
  assert.match(lines[3]!, /\d{4}-\d\d-\d\d {2}30 days/);
  assert.match(lines[5]!, /never !/);
  assert.equal(lines[6], "1 expired, 1 never expires");
  assert.doesNotMatch(text, new RegExp(it.used.id));
  const ids = await it.run(["-p", "dev", "auth", "list", "--ids"], { columns: 200 });
  assert.ok(ids.text.includes(it.used.id));
});

it("`doctor` says problems in full, and how many checks passed", async () => {
  await using it = await machine();
  const { code, text } = await it.run(["-p", "down", "doctor", "--adc", "/bin/true"], {
    columns: 80,
  });
  assert.equal(code, 126, text);
  assert.match(text, /^✗ server {6}.*\n( {14}.*\n)* {14}fix: /m);
  assert.match(text, /^- .*backend.*not checked$/m);
  assert.match(text, /^✓ \d+ more checks passed \(-v\)$/m);
  assert.match(text, /^\d problems?/m);
  const all = await it.run(["-v", "-p", "down", "doctor", "--adc", "/bin/true"], { columns: 80 });
  assert.match(all.text, /^✓ config/m);
  const many = await it.run(["-p", "dev,down", "doctor", "--adc", "/bin/true"], { columns: 80 });
  assert.match(many.text, /^✗ down .*problem.* adc-run -p down doctor$/m);
  const piped = await it.run(["-p", "down", "doctor", "--adc", "/bin/true"]);
  assert.match(piped.text, /^failed {3}server {6}/m);
});

it("an error says what, where and how to fix it, and the request with -v", async () => {
  await using it = await machine();
  const env = { ADC_TOKEN: "a7ee-zqwrong" };
  const words = ["-p", "dev", "--adc", "/bin/true", "ping"];
  const { code, text } = await it.run(words, { env });
  assert.equal(code, 77);
  assert.match(
    text,
    /^adc-run: error: the server refused the token: 401 .*\n {2}token {3}[0-9a-f]{8} from ADC_TOKEN\n/,
  );
  assert.match(text, /\n {2}server {2}http:\/\/.*\n {2}fix {5}.*ADC_TOKEN/);
  assert.doesNotMatch(text, /GET /);
  assert.match((await it.run(["-v", ...words], { env })).text, /\n {2}request {2}GET http/);
  const none = await it.run(["-p", "down", "--adc", "/bin/true", "ping"]);
  assert.match(none.text, /no token for http:\/\/127.0.0.1:1 \(profile down\)\n {2}fix {5}/);
  assert.match(none.text, /\n {2}searched {2}8 sources: adc-run -p down auth status -v\n$/);
  const flags = ["--backend", "api7ee", "--server", "https://h:1"];
  const { text: elsewhere } = await it.run(["--adc", "/bin/true", "ping", ...flags]);
  const call = flags.join(" ");
  assert.ok(elsewhere.includes(`Log in with "adc-run auth login ${call}", or set`), elsewhere);
  assert.ok(elsewhere.endsWith(`8 sources: adc-run auth status -v ${call}\n`), elsewhere);
});

it("where only some sources are asked, each says why it has no token, and only these are advised", async () => {
  await using it = await machine();
  const words = (sources: string) => ["-p", "dev", "--source", sources, "--adc", "/bin/true"];
  const env = await it.run([...words("env"), "ping"]);
  assert.match(env.text, /\n {2}fix {5}Set ADC_TOKEN\.\n {2}source {2}env {2}absent .*ADC_TOKEN/);
  assert.doesNotMatch(env.text, /auth login|searched/);
  const file = await it.run([...words("store,file"), "ping"]);
  assert.match(file.text, /fix {5}Log in with "adc-run -p dev auth login --storage file"\.\n/);
  assert.match(file.text, /\n {2}source {2}file {3}absent /);
  const minted = await it.run([...words("admin-api"), "ping"]);
  assert.match(minted.text, /source {2}admin-api {2}absent .*API7_USERNAME/);
  assert.doesNotMatch(minted.text, / fix /);
  const status = await it.run(["-p", "dev", "--source", "env", "auth", "status"]);
  assert.match(status.text, /no token\n *fix +Set ADC_TOKEN\.\n *source +env {2}absent/);
});

it("a run says in one line where it goes, and with which token", async () => {
  await using it = await machine();
  const { fingerprint } = new Secret(it.used.value);
  const words = ["-p", "dev", "--adc", "/bin/true"];
  const { text } = await it.run([...words, "ping"]);
  assert.equal(text, `adc-run: dev · ${it.sandbox.url} · token ${fingerprint} (keychain)\n`);
  it.sandbox.addGatewayGroup("venus");
  const group = await it.run([...words, "diff", "--gateway-group", "venus"]);
  assert.match(group.text, / · group venus · token /);
  const more = await it.run([...words, "-v", "ping"]);
  assert.match(more.text, /\n {2}backend .*api7ee/);
});

it("`auth list` says that nothing is found, and `auth revoke` what it does not find", async () => {
  await using it = await machine();
  const list = ["-p", "dev", "auth", "list"];
  const { text } = await it.run([...list, "--expiring", "1d", "--unused", "90d"]);
  assert.match(text, /^none of dev's 1 token is expiring within 1d or unused for 90d$/m);
  const found = await it.run([...list, "--expiring", "60d", "--fail"]);
  assert.match(found.text, /found 1 token expiring within 60d/);
  const revoked = await it.run(["-p", "dev", "auth", "revoke", "nosuch"]);
  assert.equal(revoked.code, 64);
  assert.match(revoked.text, /no token with that id or name\n.*see "adc-run auth list"/);
  const own = await it.run(["-p", "dev", "auth", "revoke", "adc-run dev@laptop"]);
  assert.match(own.text, /Confirm with --yes/);
});

it("`auth login` says what a later run has to be told, and what to do with a token that is refused", async () => {
  await using it = await machine();
  const to = ["--server", it.sandbox.url, "--gateway-group", "default", "--storage", "file"];
  const env = { API7_USERNAME: "dev", API7_PASSWORD: "pass-word" };
  await chmod(it.config, 0o700);
  const made = await it.run(["auth", "login", ...to], { env });
  assert.equal(made.code, 0, made.text);
  assert.match(
    made.text,
    /to use it, set ADC_\w+=\S+, .*, ADC_GATEWAY_GROUP=default/,
  );
  const words = ["-p", "dev", "auth", "login", "--with-token"];
  const wrong = await it.run(words, { input: "a7ee-zqwrong" });
  assert.equal(wrong.code, 77);
  assert.match(wrong.text, /fix {5}Copy the whole token again, or create one in the Dashboard/);
});

it("a run says that its token lives for this run alone, and which one it was created with", async () => {
  await using it = await machine();
  const { text } = await it.run(["-p", "dev", "--ephemeral", "--adc", "/bin/true", "ping"]);
  assert.match(text, / · token [0-9a-f]{8} \(for this run, from the keychain\)\n/);
});

it("`auth logout` says what it had to remove, and which stored token is used next", async () => {
  await using it = await machine();
  const { value } = it.sandbox.addToken({ user: "dev", name: "other" });
  await it.keychain.set(it.origin, new Secret(value));
  await it.run(["profile", "use", "dev"]);
  const next = /warning: Another stored token is still used here: service "adc-run", account "http/;
  const first = await it.run(["auth", "logout"]);
  assert.equal(first.code, 0, first.text);
  assert.match(first.text, /removed the token from the keychain/);
  assert.match(first.text, next);
  const again = await it.run(["auth", "logout"]);
  assert.match(again.text, next);
  assert.match(again.text, /no token is stored for dev@http/);
  assert.doesNotMatch((await it.run(["-p", "dev", "auth", "logout"])).text, next);
});

it("`auth status` says that the end of an imported token is not known", async () => {
  await using it = await machine();
  const { value } = it.sandbox.addToken({ user: "dev", name: "mine" });
  const words = ["-p", "dev", "auth", "login", "--with-token", "--replace"];
  const login = await it.run(words, { input: value });
  assert.equal(login.code, 0, login.text);
  const { text } = await it.run(["-p", "dev", "auth", "status"]);
  assert.match(text, /^ *expires +unknown: adc-run did not create this token$/m);
});

it("every screen keeps to the width of the terminal, and breaks no word", async () => {
  await using it = await machine();
  const screens = [
    ["help"],
    ["help", "options"],
    ["help", "json"],
    ["auth", "login", "--help"],
    ["profile", "list"],
    ["-p", "dev", "auth", "status", "-v"],
    ["-p", "dev", "auth", "list", "--ids"],
    ["-p", "down", "doctor", "-v", "--adc", "/bin/true"],
    ["-p", "dev", "--dry-run", "--adc", "/bin/true", "ping"],
    ["-p", "down", "--adc", "/bin/true", "ping"],
    ["-p", "dev,down", "--keep-going", "--adc", "/bin/true", "ping"],
  ];
  for (const words of screens) {
    const { text } = await it.run(words);
    const plain = text.split(/\s+/).filter((word) => !/^(ok|failed|warning|skipped)$/.test(word));
    for (const columns of WIDTHS) {
      const shown = await it.run(words, { columns });
      for (const word of plain.filter((each) => each.length > 3 && !/\d/.test(each))) {
        assert.ok(shown.text.includes(word), `${words.join(" ")} at ${columns}: ${word}`);
      }
    }
  }
});

/** What each command writes with `--json`, by the definition of `report.schema.json` that it must meet. */
const ANSWERS: Readonly<Record<string, readonly (readonly [string, ...string[]])[]>> = {
  "auth login": [
    ["stored", "-p", "dev", "auth", "login", "--username", "dev", "--password-stdin", "--replace"],
    ["failure", "-p", "down", "auth", "login", "--username", "dev", "--password-stdin"],
  ],
  "auth status": [
    ["status", "-p", "dev", "auth", "status"],
    ["status", "-p", "down", "auth", "status"],
    ["targets", "-p", "dev,down", "auth", "status"],
  ],
  "auth token": [["authToken", "-p", "dev", "auth", "token"]],
  "auth list": [["authList", "-p", "dev", "auth", "list"]],
  "auth create": [
    ["authCreate", "-p", "dev", "auth", "create", "job", "--print"],
    ["authCreate", "-p", "dev", "auth", "create", "cron", "--to-file", "cron.txt", "--save"],
    ["failure", "-p", "dev", "auth", "create", "bad", "--to-command", "false"],
  ],
  "auth rotate": [
    ["wouldRotate", "-p", "dev", "auth", "rotate", "--dry-run"],
    ["stored", "-p", "dev", "auth", "rotate"],
    ["workflows", "-p", "dev", "auth", "rotate", "cron"],
    ["workflows", "-p", "dev", "auth", "rotate", "job", "--print"],
    ["workflows", "auth", "rotate", "--due", "1d"],
    ["workflows", "auth", "rotate", "--all", "--dry-run"],
    ["workflows", "-p", "dev", "auth", "rotate", "cron", "--to-command", "false"],
  ],
  "auth revoke": [
    ["failure", "-p", "dev", "auth", "revoke", "--yes", "gone"],
    ["revoked", "-p", "dev", "auth", "revoke", "--yes", "job"],
  ],
  "auth logout": [["removed", "-p", "dev", "auth", "logout"]],
  "profile list": [["profileList", "profile", "list"]],
  "profile show": [["profileShow", "profile", "show", "dev"]],
  "profile set": [["profileSet", "profile", "set", "eu", "--server", "https://eu"]],
  "profile use": [["profileUse", "profile", "use", "eu"], [
    "profileUse",
    "profile",
    "use",
    "--none",
  ]],
  "profile remove": [
    ["profileRemove", "profile", "remove", "eu"],
    ["failure", "profile", "remove", "gone"],
  ],
  "profile import": [
    ["profileImport", "profile", "import", "--file", "a7.yaml", "--dry-run"],
    ["profileImport", "profile", "import", "--file", "a7.yaml", "--yes"],
    ["profileImport", "profile", "import", "--file", "a7.yaml", "--yes"],
  ],
  // What it prints is the server's answer; a failure is adc-run's own.
  "api": [["failure", "-p", "dev", "api", "/api/nowhere"]],
  "doctor": [
    ["doctor", "-p", "down", "doctor", "--adc", "/bin/true"],
    ["targets", "-p", "dev,down", "doctor", "--adc", "/bin/true"],
  ],
  "a run": [
    ["run", "-p", "dev", "--adc", "/bin/true", "ping"],
    ["run", "-p", "dev", "--adc", "/bin/true", "lint"],
    ["run", "-p", "dev", "exec", "--", "false"],
    ["plan", "-p", "dev", "--dry-run", "--adc", "/bin/true", "sync"],
    ["failure", "-p", "down", "--adc", "/bin/true", "ping"],
    ["targets", "-p", "down,dev", "--adc", "/bin/true", "ping"],
    ["targets", "-p", "down,dev", "--keep-going", "--adc", "/bin/true", "ping"],
    ["targets", "-p", "dev,down", "--dry-run", "--adc", "/bin/true", "ping"],
  ],
  "no command": [["version", "--version"], ["failure", "auth", "bogus"]],
};

/** In this order: what is created has to be there when it is rotated or removed. */
const ORDER = ["a run", "auth status", "auth token", "auth list", "auth create"];

it("whatever --json writes is in docs/report.schema.json, command by command", async () => {
  const taking = COMMANDS.filter(({ run, shared = [] }) => run && shared.includes("--json"));
  const others = ["a run", "no command"];
  assert.deepEqual(
    Object.keys(ANSWERS).filter((name) => !others.includes(name)).sort(),
    taking.map(({ name }) => name).sort(),
  );
  await using it = await machine();
  await it.folder.write(
    "a7.yaml",
    `contexts: [{ name: old, server: "${it.sandbox.url}", token: a7ee-canary }, { name: bad }]\n`,
  );
  const path = new URL("../../docs/report.schema.json", import.meta.url);
  const schema = JSON.parse(await readFile(path, "utf8"));
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const validate = ajv.addSchema(schema, "report").compile({ $ref: "report" });
  const names = [...ORDER, ...Object.keys(ANSWERS).filter((name) => !ORDER.includes(name))];
  const stated = new Set<string>();
  for (const [definition, ...words] of names.flatMap((name) => ANSWERS[name]!)) {
    const shows = words.some((word) => ["token", "--print"].includes(word)) ? "token" : undefined;
    const ended = await it.run(["--json", ...words], {
      input: "pass-word\n",
      ...shows && { shows },
    });
    // What `api` was asked for comes first.
    const [text = "no JSON"] = /\{"(?:schemaVersion|token)":.*$/m.exec(ended.text) ?? [];
    const exact = ajv.compile({ $ref: `report#/$defs/${definition}` });
    stated.add(definition);
    if (shows) assert.match(JSON.parse(text).token, /^a7ee-/, words.join(" "));
    for (const each of [validate, exact]) {
      assert.ok(each(JSON.parse(text)), `${words.join(" ")}: ${ended.text}\n${errors(each)}`);
    }
  }
  // No definition is for nothing, and a field that nobody described is one too many.
  const answers = schema.oneOf.map(({ $ref }: { $ref: string }) => $ref.split("/").at(-1));
  assert.deepEqual([...stated].sort(), answers.sort());
  assert.ok(!validate({ schemaVersion: 1, name: "adc-run", version: "1", more: 1 }));
});

function errors(validate: { readonly errors?: readonly unknown[] | null }): string {
  return JSON.stringify(validate.errors?.slice(0, 8), null, 1);
}

it("`--report` writes a run's report into a file that only its owner can read", async () => {
  await using it = await machine();
  const words = ["-p", "dev", "--adc", "/bin/true", "--report", "run.json"];
  await it.folder.write("run.json", "old ".repeat(2000));
  const { code, text } = await it.run([...words, "ping"]);
  assert.equal(code, 0, text);
  assert.doesNotMatch(text, /schemaVersion/);
  const file = `${it.folder.path}/run.json`;
  const report = JSON.parse(await readFile(file, "utf8"));
  assert.deepEqual([report.schemaVersion, report.exitCode, report.check.verdict], [1, 0, "valid"]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const both = await it.run(["--json", ...words, "ping"], { env: { ADC_TOKEN: "a7ee-zqwrong" } });
  assert.equal(both.code, 77);
  const failed = JSON.parse(await readFile(file, "utf8"));
  assert.equal(failed.error.verdict, "rejected");
  assert.deepEqual(JSON.parse(both.text), failed);
  const log = `${it.folder.path}/log`;
  await it.folder.write("log", "before\n");
  const { fd, close } = await open(log, "a").then((file) => ({
    fd: file.fd,
    close: () => file.close(),
  }));
  await it.run(["-p", "dev", "--adc", "/bin/true", "--report", `/dev/fd/${fd}`, "ping"]);
  await close();
  assert.match(await readFile(log, "utf8"), /^before\n\{"schemaVersion":1,/);
  const dash = await it.run(["-p", "dev", "--adc", "/bin/true", "--report", "-", "ping"]);
  assert.equal(dash.code, 64);
  assert.match(dash.text, /cannot use --report "-": expected a file\n/);
  const none = await it.run(["-p", "dev", "--adc", "/bin/true", "--report", "no/such", "ping"]);
  assert.equal(none.code, 74);
  assert.match(
    none.text,
    /cannot write the report to "no\/such": no such file or folder \(ENOENT\)/,
  );
  await symlink("elsewhere.json", `${it.folder.path}/link.json`);
  const linked = await it.run(["-p", "dev", "--adc", "/bin/true", "--report", "link.json", "ping"]);
  assert.equal(linked.code, 74);
  assert.match(linked.text, /cannot write the report to "link\.json": it is a symbolic link/);
  assert.equal(existsSync(`${it.folder.path}/elsewhere.json`), false);
});
