import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { adcRun, standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { filesWith, fixture, traces } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import type { Home } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";

const skip = keychainSkip();

const ADC = ["--adc", standIn("adc.mjs")];
const REPORT = ["--adc", standIn("report.mjs")];

/** A sandbox that only a profile leads to. */
async function profileFixture(home: Home) {
  const it = await fixture({ https: true });
  const cwd = it.folder.path;
  const config = join(cwd, "config");
  const outputs: string[] = [];
  async function run(
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ending> {
    const ended = await adcRun(home, words, { cwd, env: { ADC_RUN_CONFIG_DIR: config, ...env } });
    outputs.push(ended.stdout, ended.stderr);
    return ended;
  }
  const target = ["--backend", "api7ee", "--server", it.sandbox.url];
  const tls = ["--ca-cert-file", it.sandbox.ca];
  return {
    ...it,
    cwd,
    config,
    run,
    set: async (name: string, ...words: readonly string[]) => {
      const ended = await run(["profile", "set", name, ...target, ...tls, ...words]);
      assert.equal(ended.status, 0, ended.stderr);
    },
    assertDiscreet: () => {
      for (const output of outputs) {
        assert.ok(!traces(it.token).some((trace) => output.includes(trace)), output);
      }
    },
  };
}

for (const home of await testHomes("one home")) {
  describe(`profiles on ${home.name}`, () => {
    it("lead a run to their server, with -p, by variable and by default", async () => {
      await using it = await profileFixture(home);
      await it.set("prod");
      const env = { ADC_TOKEN: it.token };
      const nowhere = await it.run([...ADC, "sync", "-f", "adc.yaml"], env);
      assert.notEqual(nowhere.status, 0);
      assert.equal(it.sandbox.requests.length, 0);
      for (
        const [options, more] of [
          [["-p", "prod"], {}],
          [[], { ADC_RUN_PROFILE: "prod" }],
        ] as const
      ) {
        const ended = await it.run([...options, ...ADC, "sync", "-f", "adc.yaml"], {
          ...env,
          ...more,
        });
        assert.equal(ended.status, 0, ended.stderr);
        assert.ok(it.sandbox.requests.every(({ apiKey }) => apiKey === it.token));
        assert.ok(it.sandbox.requests.some(({ method }) => method === "PUT"));
      }
      assert.equal((await it.run(["profile", "use", "prod"])).status, 0);
      const ended = await it.run([...REPORT, "sync"], env);
      assert.equal(ended.status, 0, ended.stderr);
      const report = JSON.parse(ended.stdout);
      assert.equal(report.env.ADC_SERVER.value, it.sandbox.url);
      assert.equal(report.env.ADC_BACKEND.value, "api7ee");
      assert.equal(report.env.ADC_CA_CERT_FILE.value, it.sandbox.ca);
      it.assertDiscreet();
    });

    it("run their token command, and only for their own server", async () => {
      await using it = await profileFixture(home);
      const secret = await it.folder.write("secret", `${it.token}\n`);
      await it.set("prod", "--token-command", JSON.stringify(["cat", secret]));
      const ended = await it.run(["-p", "prod", ...ADC, "sync", "-f", "adc.yaml"]);
      assert.equal(ended.status, 0, ended.stderr);
      assert.match(ended.stderr, / \(token command\)$/m);
      const before = it.sandbox.requests.length;
      const elsewhere = await it.run([
        ...["-p", "prod", ...ADC, "sync", "-f", "adc.yaml"],
        ...["--server", it.sandbox.url.replace("localhost", "127.0.0.1")],
      ]);
      assert.notEqual(elsewhere.status, 0);
      assert.ok(!elsewhere.stderr.includes("from command"), elsewhere.stderr);
      assert.equal(it.sandbox.requests.length, before);
      it.assertDiscreet();
    });

    it("take no other server from `.env`, and say both", async () => {
      await using it = await profileFixture(home);
      await it.set("prod");
      await it.folder.write(".env", `ADC_SERVER=https://evil.example.com\nADC_TOKEN=${it.token}\n`);
      const ended = await it.run(["-p", "prod", ...ADC, "sync", "-f", "adc.yaml"]);
      assert.equal(ended.status, 78, ended.stderr);
      assert.ok(ended.stderr.includes(it.sandbox.url), ended.stderr);
      assert.ok(ended.stderr.includes("https://evil.example.com"), ended.stderr);
      assert.equal(it.sandbox.requests.length, 0);
      it.assertDiscreet();
    });

    it("of a project run nothing, whoever asks", async () => {
      await using it = await profileFixture(home);
      const trap = join(it.cwd, "trap");
      const profile = { server: it.sandbox.url, tokenCommand: ["touch", trap] };
      await it.folder.write("adc-run.json", JSON.stringify({ profiles: { prod: profile } }));
      for (
        const words of [
          ["-p", "prod", ...ADC, "sync", "-f", "adc.yaml"],
          ["-p", "prod", "auth", "status"],
          ["-p", "prod", "auth", "token"],
          ["profile", "list"],
          ["profile", "show", "prod"],
        ]
      ) {
        const ended = await it.run(words);
        assert.equal(ended.status, 65, ended.stderr);
        assert.match(ended.stderr, /adc-run\.json": line 1, column \d+: .*tokenCommand/);
      }
      assert.ok(!existsSync(trap));
      assert.equal(it.sandbox.requests.length, 0);
    });

    it("of a malformed file end a run with 65 and the line, before anything is asked", async () => {
      await using it = await profileFixture(home);
      await it.set("prod");
      const file = join(it.config, "config.json");
      const text = (await readFile(file, "utf8")).replace('"server"', '"servr"');
      await it.folder.write("config/config.json", text);
      const ended = await it.run(["-p", "prod", ...ADC, "sync"], { ADC_TOKEN: it.token });
      assert.equal(ended.status, 65, ended.stderr);
      const line = text.split("\n").findIndex((each) => each.includes("servr")) + 1;
      assert.match(
        ended.stderr,
        new RegExp(`line ${line}, column \\d+: there is no setting "servr"`),
      );
      assert.match(ended.stderr, /Did you mean "server"/);
      const set = await it.run(["profile", "set", "prod", "--timeout", "1s"]);
      assert.equal(set.status, 65);
      assert.equal(await readFile(file, "utf8"), text);
      assert.equal(it.sandbox.requests.length, 0);
    });

    it("are all there when many processes write them at once", async () => {
      await using it = await profileFixture(home);
      const names = Array.from({ length: 6 }, (_, index) => `p${index}`);
      const endings = await Promise.all(
        names.map((name) => it.run(["profile", "set", name, "--server", `https://${name}`])),
      );
      assert.deepEqual(endings.map(({ status }) => status), names.map(() => 0));
      const { profiles } = JSON.parse((await it.run(["profile", "list", "--json"])).stdout);
      assert.deepEqual(profiles.map(({ name }: { name: string }) => name).sort(), names);
      assert.deepEqual(await readdir(it.config), ["config.json"]);
    });

    it("come from a7, with tokens that work", async () => {
      await using it = await profileFixture(home);
      await mkdir(join(it.cwd, "a7"));
      const file = await it.folder.write(
        "a7/config.yaml",
        `current-context: local\ncontexts:\n  - name: local\n    server: ${it.sandbox.url}\n` +
          `    token: ${it.token}\n    ca-cert: ${it.sandbox.ca}\n    gateway-group: default\n`,
      );
      const env = { A7_CONFIG_DIR: join(it.cwd, "a7") };
      const ended = await it.run(["profile", "import", "--yes", "--storage", "file"], env);
      assert.equal(ended.status, 0, ended.stderr);
      const synced = await it.run(["-p", "local", ...ADC, "sync", "-f", "adc.yaml"]);
      assert.equal(synced.status, 0, synced.stderr);
      assert.match(synced.stderr, / \(file store\)$/m);
      assert.ok(it.sandbox.requests.every(({ apiKey }) => apiKey === it.token));
      const again = await it.run(["profile", "import", "--yes", "--storage", "file", "-q"], env);
      assert.deepEqual([again.status, again.stderr], [0, ""]);
      it.assertDiscreet();
      assert.deepEqual((await filesWith(it.cwd, [it.token])).sort(), [
        file,
        join(it.config, "tokens.json"),
      ]);
    });

    it("for one server each have a token in the keychain", { skip }, async () => {
      await using it = await profileFixture(home);
      await using session = await startKeychainSession();
      const other = it.sandbox.addToken({ user: "ci-bot" }).value;
      const { cwd, sandbox: { url, ca } } = it;
      const context = (name: string, token: string) =>
        `  - { name: ${name}, server: "${url}", token: ${token}, ca-cert: "${ca}" }\n`;
      await it.folder.write(
        "a7/config.yaml",
        `contexts:\n${context("a", it.token)}${context("b", other)}`,
      );
      const env = {
        NO_COLOR: "1",
        ADC_RUN_CONFIG_DIR: it.config,
        A7_CONFIG_DIR: join(cwd, "a7"),
      };
      const run = (...words: string[]) => session.run([...home.command, ...words], { env, cwd });
      const stored = async (account: string) => {
        const words = ["secret-tool", "lookup", "service", "adc-run", "username", account];
        return (await session.run(words)).stdout.trimEnd();
      };
      const imported = await run("profile", "import", "--yes");
      assert.equal(imported.code, 0, imported.stderr);
      assert.deepEqual([await stored(`a@${url}`), await stored(`b@${url}`)], [it.token, other]);
      assert.equal(await stored(url), "");
      for (const [name, token] of [["a", it.token], ["b", other]] as const) {
        const before = it.sandbox.requests.length;
        const synced = await run("-p", name, ...ADC, "sync", "-f", "adc.yaml");
        assert.equal(synced.code, 0, synced.stderr);
        const requests = it.sandbox.requests.slice(before);
        assert.ok(requests.length > 0 && requests.every(({ apiKey }) => apiKey === token));
      }
      const removed = await run("profile", "remove", "a");
      assert.equal(removed.code, 0, removed.stderr);
      assert.ok(removed.stderr.includes(`account "a@${url}"`), removed.stderr);
      const out = await run("-p", "b", "auth", "logout", "--keep");
      assert.equal(out.code, 0, out.stderr);
      assert.deepEqual([await stored(`a@${url}`), await stored(`b@${url}`)], [it.token, ""]);
      for (const { stdout, stderr } of [imported, removed, out]) {
        assert.ok(![it.token, other].some((token) => `${stdout}${stderr}`.includes(token)));
      }
    });
  });
}
