import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { standIn } from "../support/adc_run.ts";
import { testHomes } from "../support/homes.ts";
import { takeTurns, tokenFixture, USER } from "../support/token_fixture.ts";
import type { TokenFixture } from "../support/token_fixture.ts";

const nextHome = takeTurns(await testHomes("every engine"));
const ADC = ["--adc", standIn("adc.mjs")];
const DIFF = [...ADC, "--fail-on-drift", "diff", "-f", "adc.json"];

async function configure(it: TokenFixture, desc: string): Promise<void> {
  const path = join(it.folder.path, "adc.json");
  await writeFile(path, JSON.stringify({ services: [{ name: "web", desc }] }));
}

/** A program that stands in for ADC and writes a diff.yaml, or does not. */
async function adcThat(it: TokenFixture, script: string): Promise<readonly string[]> {
  const path = join(it.folder.path, "fake-adc");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return ["--adc", path, "--fail-on-drift", "diff", "-f", "adc.json"];
}

async function addProfiles(it: TokenFixture, names: readonly string[]): Promise<void> {
  const { ADC_CA_CERT_FILE: ca } = it.env;
  for (const name of names) {
    const words = ["profile", "set", name, "--backend", "api7ee", "--server", it.sandbox.url];
    const ended = await it.run([...words, ...ca === undefined ? [] : ["--ca-cert-file", ca]]);
    assert.equal(ended.code, 0, ended.stderr);
  }
}

describe("--fail-on-drift", () => {
  const first = nextHome();
  it(`ends in 3 with the numbers, and in 0 without a difference, on ${first.name}`, async () => {
    await using it = await tokenFixture(first);
    const env = { ADC_TOKEN: it.sandbox.addToken({ user: USER }).value };
    await configure(it, "one");
    const plain = await it.run([...ADC, "diff", "-f", "adc.json"], { env });
    assert.equal(plain.code, 0, plain.stderr);
    const created = await it.run(DIFF, { env });
    assert.equal(created.code, 3, created.stderr);
    assert.match(created.stderr, /Drift: 1 to create, 0 to update, 0 to delete/);
    assert.equal((await it.run([...ADC, "sync", "-f", "adc.json"], { env })).code, 0);
    const none = await it.run(DIFF, { env });
    assert.equal(none.code, 0, none.stderr);
    assert.match(none.stderr, /no drift/);
    await configure(it, "two");
    const json = await it.run(["--json", ...DIFF], { env });
    assert.equal(json.code, 3, json.stderr);
    const { drift, exitCode } = JSON.parse(json.stderr);
    assert.deepEqual([drift, exitCode], [{ created: 0, updated: 1, deleted: 0 }, 3]);
    const outputs = join(it.folder.path, "outputs");
    const github = await it.run(DIFF, {
      env: { ...env, GITHUB_ACTIONS: "true", GITHUB_OUTPUT: outputs },
      prints: "to stderr",
    });
    assert.match(github.stderr, /^::error title=adc-run::Drift: 0 to create, 1 to update/m);
    assert.equal(
      await readFile(outputs, "utf8"),
      "drift=true\ncreated=0\nupdated=1\ndeleted=0\n",
    );
    const quiet = await it.run(["-q", ...DIFF], { env: { ...env, ADC_RUN_FAIL_ON_DRIFT: "1" } });
    assert.equal(quiet.code, 3);
    for (const words of [["sync"], ["exec", "--", "true"], ["lint"]]) {
      const wrong = await it.run([...ADC, "--fail-on-drift", ...words], { env });
      assert.equal(wrong.code, 64, wrong.stderr);
      const variable = await it.run(["--adc", "/bin/true", ...words], {
        env: { ...env, ADC_RUN_FAIL_ON_DRIFT: "1" },
      });
      assert.equal(variable.code, 0, variable.stderr);
    }
    await it.assertDiscreet();
  });

  const second = nextHome();
  it(`takes no other file for this run's, and no failure for drift, on ${second.name}`, async () => {
    await using it = await tokenFixture(second);
    const env = { ADC_TOKEN: it.sandbox.addToken({ user: USER }).value };
    await writeFile(join(it.folder.path, "adc.json"), "{}");
    await writeFile(join(it.folder.path, "diff.yaml"), "- type: create\n");
    const cases: readonly (readonly [string, number, RegExp])[] = [
      ["exit 0", 65, /did not write it in this run/],
      ["exit 7", 7, /^(?!.*rift)/s],
      ["echo '[]' > diff.yaml", 0, /no drift/],
      ["echo '- type: rename' > diff.yaml", 65, /the type of entry 1/],
      ["rm diff.yaml", 65, /did not write it/],
      ["rm -f diff.yaml; mkdir diff.yaml", 65, /not a regular file/],
    ];
    for (const [script, code, message] of cases) {
      const ended = await it.run(await adcThat(it, script), { env });
      assert.equal(ended.code, code, `${script}: ${ended.stderr}`);
      assert.match(ended.stderr, message);
      assert.ok((ended.stderr.match(/error:/g)?.length ?? 0) <= 1, ended.stderr);
    }
  });

  const third = nextHome();
  it(`several targets take turns, and keep a file each, on ${third.name}`, async () => {
    await using it = await tokenFixture(third);
    const env = { ADC_TOKEN: it.sandbox.addToken({ user: USER }).value };
    await addProfiles(it, ["a", "b", "c"]);
    await writeFile(join(it.folder.path, "diff.a.yaml"), "stale");
    // Two at once would be seen by each other's file.
    const script = [
      "[ -e busy ] && exit 9; touch busy",
      'case "$ADC_RUN_PROFILE" in',
      "a) exit 4 ;;",
      "b) printf -- '- type: update\\n- type: delete\\n' > diff.yaml ;;",
      "c) echo '[]' > diff.yaml ;;",
      "esac",
      "code=$?; rm busy; exit $code",
    ].join("\n").replace("a) exit 4", "a) rm busy; exit 4");
    const words = await adcThat(it, script);
    const run = (...names: readonly string[]) =>
      it.run(["-p", names.join(), "--parallel", "3", "--keep-going", ...words], { env });
    const drifted = await run("b", "c");
    assert.equal(drifted.code, 3, drifted.stderr);
    assert.match(drifted.stderr, /takes turns/);
    assert.match(drifted.stderr, /b +.* 2 changes \(\+0 ~1 -1\)/);
    assert.match(drifted.stderr, /c +.* no changes/);
    const failed = await run("b", "c", "a");
    assert.equal(failed.code, 4, "what failed comes before what was found");
    const files = (await readdir(it.folder.path)).filter((name) => name.startsWith("diff"));
    assert.deepEqual(files.sort(), ["diff.b.yaml", "diff.c.yaml"], "nothing stale is left");
    assert.equal((await stat(join(it.folder.path, "diff.b.yaml"))).mode & 0o777, 0o600);
    // Without --keep-going drift of one does not hide that of the next.
    const all = await it.run(["-p", "b,c", ...words], { env });
    assert.match(all.stderr, /c +.* no changes/);
  });
});

describe('"allow" in a profile', () => {
  const home = nextHome();
  it(`refuses everything else before a token is touched, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    await addProfiles(it, ["ro", "free"]);
    const set = await it.run(["profile", "set", "ro", "--allow", "ping,diff"]);
    assert.equal(set.code, 0, set.stderr);
    const token = it.sandbox.addToken({ user: USER }).value;
    const marker = join(it.folder.path, "touched");
    const command = { ADC_TOKEN_COMMAND: `sh -c 'echo > ${marker}; echo ${token}'` };
    const refused = [
      ["sync", "-f", "adc.yaml"],
      ["dump"],
      ["exec", "--", "true"],
      ["auth", "token"],
      ["api", "DELETE", "/api/gateway_groups/x"],
      ["api", "/api/x", "-d", "{}"],
    ];
    for (const words of refused) {
      for (const names of ["ro", ...words[0] === "sync" ? ["free,ro"] : []]) {
        const ended = await it.run(
          ["-p", names, ...ADC, ...words].filter((word, index, all) =>
            !(["auth", "api"].includes(words[0]!) &&
              (word === "--adc" || all[index - 1] === "--adc"))
          ),
          { env: command },
        );
        assert.equal(ended.code, 78, `${names} ${words.join(" ")}: ${ended.stderr}`);
        assert.match(ended.stderr, /with profile "ro": it allows only ping, diff/);
      }
    }
    assert.ok(!(await readdir(it.folder.path)).includes("touched"));
    assert.equal(it.sandbox.requests.length, 0);
    const env = { ADC_TOKEN: token };
    const allowed = [[...ADC, "ping"], ["api", "/api/version"], [...ADC, "lint", "-f", "x.json"]];
    await writeFile(join(it.folder.path, "x.json"), "{}");
    for (const words of allowed) {
      const ended = await it.run(["-p", "ro", ...words], { env });
      assert.equal(ended.code, 0, `${words.join(" ")}: ${ended.stderr}`);
    }
    for (const words of [["profile", "show", "ro"], ["-p", "ro", "doctor", "--quiet"]]) {
      const { stdout } = await it.run(words[0] === "-p" ? ["-v", "-p", "ro", "doctor"] : words, {
        env,
      });
      assert.match(stdout, /ping.*diff/);
    }
    // A project narrows, and never widens.
    const project = (allow: readonly string[]) =>
      writeFile(
        join(it.folder.path, "adc-run.json"),
        JSON.stringify({ profiles: { ro: { allow }, free: { allow } } }),
      );
    await project(["ping", "sync"]);
    const wide = await it.run(["-p", "ro", ...ADC, "sync"], { env });
    assert.equal(wide.code, 78, wide.stderr);
    const narrow = await it.run(["-p", "ro", ...ADC, "diff"], { env });
    assert.match(narrow.stderr, /it allows only ping/);
    const limited = await it.run(["-p", "free", ...ADC, "dump"], { env });
    assert.match(limited.stderr, /it allows only ping, sync/);
    await it.run(["profile", "use", "free"]);
    assert.equal((await it.run([...ADC, "dump"], { env })).code, 78, "the default one as well");
    await mkdir(join(it.folder.path, "elsewhere"));
  });
});

describe("auth list for a nightly job", () => {
  const home = nextHome();
  it(`finds what ends soon and what is not used, on ${home.name}`, async () => {
    const DAY = 24 * 60 * 60;
    let back = 100 * DAY * 1000;
    await using it = await tokenFixture(home, { now: () => Date.now() - back });
    it.sandbox.addToken({ user: USER, name: "forgotten" });
    back = 0;
    const end = (days: number) => Math.floor(Date.now() / 1000) + days * DAY;
    it.sandbox.addToken({ user: USER, name: "near", expiresAt: end(10) });
    it.sandbox.addToken({ user: USER, name: "over", expiresAt: end(-1) });
    it.sandbox.addToken({ user: USER, name: "far", expiresAt: end(80) });
    const env = { ADC_TOKEN: it.sandbox.addToken({ user: USER, name: "used" }).value };
    const list = async (...words: readonly string[]) => {
      const ended = await it.run(["auth", "list", "--json", ...words], { env });
      const { tokens = [] } = JSON.parse(ended.stdout || "{}");
      return [ended.code, tokens.map(({ name }: { name: string }) => name).sort().join()] as const;
    };
    assert.deepEqual(await list("--expiring", "14d"), [0, "near,over"]);
    assert.deepEqual(await list("--unused", "90d"), [0, "forgotten"]);
    assert.deepEqual(
      await list("--expiring", "14d", "--unused", "90d", "--fail"),
      [3, "forgotten,near,over"],
    );
    assert.deepEqual(await list("--expiring", "2h", "--unused", "200d", "--fail"), [3, "over"]);
    assert.deepEqual(await list("--unused", "200d", "--fail"), [0, ""]);
    assert.deepEqual((await list("--fail"))[0], 64);
    assert.deepEqual((await list("--unused", "soon"))[0], 64);
    assert.deepEqual((await list("--unused", "never"))[0], 64);
    assert.deepEqual((await list("--user", "alice"))[0], 64);
    assert.equal((await list("--user", USER))[1], "far,forgotten,near,over,used");
    const text = await it.run(["auth", "list", "--expiring", "14d", "--fail"], { env });
    assert.match(text.stderr, /error: found 2 tokens expiring within 14d/);
  });
});
