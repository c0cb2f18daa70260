import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { testHomes } from "../support/homes.ts";
import { fingerprint, PASSWORD, takeTurns, tokenFixture, USER } from "../support/token_fixture.ts";

const homes = await testHomes("every engine");
const nextHome = takeTurns(homes);
const DAY = 24 * 60 * 60;
const LOG_IN = { API7_USERNAME: USER, API7_PASSWORD: PASSWORD };

/** A fixture whose user has a token to make others with, and a consumer that keeps what it is handed. */
async function workflowFixture(
  home: (typeof homes)[number],
  options: Parameters<typeof tokenFixture>[1] = {},
) {
  const it = await tokenFixture(home, options);
  const parent = it.sandbox.addToken({ user: USER, name: "parent" });
  const secret = join(it.folder.path, "secret");
  return {
    ...it,
    secret,
    // Nothing is known here of any token, as on a CI runner.
    env: { ADC_TOKEN: parent.value },
    toCommand: ["--to-command", `sh -c 'cat > "$0"' ${secret}`],
    /** What the consumer has. */
    held: async () => existsSync(secret) ? await readFile(secret, "utf8") : undefined,
    named: (name: string) => it.sandbox.liveTokens.find((token) => token.name === name),
    configure: async (workflows: object, profiles: object = {}) => {
      await mkdir(it.config, { recursive: true, mode: 0o700 });
      await writeFile(join(it.config, "config.json"), JSON.stringify({ profiles, workflows }));
    },
    /** No secret is anywhere but with the consumer, and in nothing that came out. */
    assertDiscreet: async () => {
      const kept = await readFile(secret).catch(() => undefined);
      if (kept !== undefined) await writeFile(secret, "");
      await it.assertDiscreet();
      if (kept !== undefined) await writeFile(secret, kept);
    },
  };
}

describe("auth create", () => {
  const first = nextHome();
  it(`hands a token to a command, with a token or with one log-in, on ${first.name}`, async () => {
    await using it = await workflowFixture(first);
    const words = ["auth", "create", "github-actions", ...it.toCommand];
    const made = await it.run([...words, "--json"], { env: it.env });
    assert.equal(made.code, 0, made.stderr);
    const token = it.named("github-actions")!;
    assert.equal(await it.held(), token.value);
    assert.ok(Math.abs(token.expiresAt - (Date.now() / 1000 + 90 * DAY)) < 60);
    const { id, name, handedTo } = JSON.parse(made.stdout);
    assert.deepEqual([id, name, handedTo], [token.id, "github-actions", "sh"]);
    await it.assertSettled(["github-actions", "parent"]);
    const again = await it.run(words, { env: it.env });
    assert.equal(again.code, 65, again.stderr);
    assert.match(again.stderr, /Rotate it with: adc-run auth rotate github-actions --to-command …/);

    const before = it.sandbox.tokens.length;
    const other = await it.run(["auth", "create", "gitlab", ...it.toCommand, "--expires-in=7d"], {
      env: LOG_IN,
    });
    assert.equal(other.code, 0, other.stderr);
    assert.match(other.stderr, /created "gitlab" of robot .*expires on .*; handed to sh/);
    assert.equal(it.sandbox.tokens.length, before + 1, "no token but the one that was asked for");
    const logIns = it.sandbox.requests.filter(({ path }) => path === "/api/login");
    assert.equal(logIns.length, 1);
    await it.assertSettled(["github-actions", "gitlab", "parent"]);
    await it.assertDiscreet();
  });

  const second = nextHome();
  it(`writes a file of its own, or to standard output, on ${second.name}`, async () => {
    await using it = await workflowFixture(second);
    const file = ["--to-file", it.secret];
    const made = await it.run(["auth", "create", "cron", ...file], { env: it.env });
    assert.equal(made.code, 0, made.stderr);
    assert.equal(await it.held(), it.named("cron")!.value);
    assert.equal((await stat(it.secret)).mode & 0o777, 0o600);
    const taken = await it.run(["auth", "create", "other", ...file], { env: it.env });
    assert.equal(taken.code, 74, taken.stderr);
    assert.match(taken.stderr, /exists already/);
    const again = await it.run(["auth", "create", "cron", ...file], { env: it.env });
    assert.match(again.stderr, /Rotate it with: adc-run auth rotate cron --to-file \S+\n/);
    // The workflow's own token is enough to renew it.
    const rotated = await it.run(["auth", "rotate", "cron", ...file], {
      env: { ADC_TOKEN_FILE: it.secret },
    });
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.equal(await it.held(), it.named("cron")!.value);
    await it.assertSettled(["cron", "parent"]);

    const printed = await it.run(["auth", "create", "printed", "--print"], {
      env: it.env,
      prints: "to stdout",
    });
    assert.equal(printed.stdout, `${it.named("printed")!.value}\n`);
    const json = await it.run(["auth", "create", "data", "--print", "--json"], {
      env: it.env,
      prints: "to stdout",
    });
    assert.equal(JSON.parse(json.stdout).token, it.named("data")!.value);
    // The old one lives until the new one is written.
    for (const json of [[], ["--json"]]) {
      const again = ["auth", "rotate", "data", "--print", ...json];
      const { stdout, stderr } = await it.run(again, { env: it.env, prints: "to stdout" });
      const { value } = it.named("data")!;
      if (json.length > 0) assert.equal(JSON.parse(stdout).token, value);
      else assert.deepEqual([stdout, /data +rotated/.test(stderr)], [`${value}\n`, true]);
    }
    await it.assertDiscreet();
  });

  const third = nextHome();
  it(`undoes what could not be handed over, and says what may hold it, on ${third.name}`, async () => {
    await using it = await workflowFixture(third);
    await writeFile(it.secret, "somebody's");
    await mkdir(join(it.folder.path, "folder"));
    await symlink("secret", join(it.folder.path, "link"));
    const none = { begun: false };
    const cases:
      readonly (readonly [readonly string[], RegExp, { begun: boolean; code?: number }])[] = [
        [["--to-command", "sh -c 'cat >/dev/null; exit 3'"], /"sh" exited with 3/, { begun: true }],
        [["--to-command", "true"], /"true" did not read all/, { begun: true }],
        [["--to-command", "head -c 9"], /"head" did not read all/, { begun: true }],
        [["--to-command", "sh -c 'cat; exit 1'"], /"sh" exited with 1/, { begun: true }],
        [
          ["--to-command", "there-is-none"],
          /"there-is-none" was not found\n {2}fix {5}No token was created\./,
          none,
        ],
        [["--to-command", ""], /the command is empty/, { ...none, code: 64 }],
        [["--to-command", "sh -c 'x"], /cannot be read/, { ...none, code: 64 }],
        [["--to-file", it.secret], /is not a file of yours with a token/, none],
        [["--to-file", join(it.folder.path, "link")], /is not a file of yours/, none],
        [["--to-file", join(it.folder.path, "folder")], /is not a file of yours/, none],
        [
          ["--to-file", "/nowhere/at/all"],
          /there is no folder "\/nowhere\/at"\n {2}fix {5}No token was created\./,
          none,
        ],
        [[], /where should the token of "broken" go\?/, { ...none, code: 64 }],
        [["--print", "--to-file", "x"], /use one of them/, { ...none, code: 64 }],
      ];
    for (const [words, message, { begun, code = 74 }] of cases) {
      const ended = await it.run(["auth", "create", "broken", ...words], { env: it.env });
      assert.equal(ended.code, code, `${words.join(" ")}: ${ended.stderr}`);
      assert.match(ended.stderr, message);
      assert.equal(/revoked; "\w+" may have kept a copy/.test(ended.stderr), begun, ended.stderr);
      assert.equal(ended.stderr.match(/error:/g)?.length, 1, ended.stderr);
      await it.assertSettled(["parent"]);
    }
    for (const name of ["x".repeat(41), " ", "é".repeat(41)]) {
      const ended = await it.run(["auth", "create", name, ...it.toCommand], { env: it.env });
      assert.equal(ended.code, 64, ended.stderr);
    }
    const key = it.sandbox.addToken({ prefix: "a7adm-" });
    const refused = await it.run(["auth", "create", "broken", ...it.toCommand], {
      env: { ADC_TOKEN: key.value },
    });
    assert.equal(refused.code, 77, refused.stderr);
    assert.match(refused.stderr, /admin key/);
    it.sandbox.revokeToken(key.id);
    await it.assertSettled(["parent"]);
    assert.equal(await readFile(it.secret, "utf8"), "somebody's");
    await it.assertDiscreet();
  });

  const fourth = nextHome();
  it(`hands the command no way to another token, on ${fourth.name}`, async () => {
    await using it = await workflowFixture(fourth);
    const seen = join(it.folder.path, "seen");
    const words = [
      "--to-command",
      `sh -c 'cat > "$0"; env > "$1"; echo ::x::$0' ${it.secret} ${seen}`,
    ];
    const ended = await it.run(["auth", "create", "a", ...words], {
      env: { ...it.env, ...LOG_IN, GH_TOKEN: "their own" },
    });
    assert.equal(ended.code, 0, ended.stderr);
    const env = await readFile(seen, "utf8");
    assert.doesNotMatch(env, /ADC_TOKEN|API7_PASSWORD/);
    assert.match(env, /GH_TOKEN=their own/);
    await it.assertDiscreet();
  });

  for (const home of homes) {
    it(`makes no token that is printed for nobody, on ${home.name}`, async () => {
      await using it = await workflowFixture(home);
      const { value } = it.sandbox.addToken({ user: USER, name: "old" });
      for (const to of ["| true", ">&-", ">/dev/null", ">/dev/full"]) {
        const command = ["bash", "-c", `"$@" ${to}; exit \${PIPESTATUS[0]}`, "bash"];
        const shell = { name: home.name, command: [...command, ...home.command] };
        for (const words of [["create", "new"], ["rotate", "old"]]) {
          for (const json of [[], ["--json"]]) {
            const call = ["auth", ...words, "--print", ...json];
            const ended = await it.run(call, { env: it.env, home: shell });
            assert.equal(ended.code, 74, `${call.join(" ")} ${to}: ${ended.stderr}`);
            await it.assertSettled(["old", "parent"]);
          }
        }
      }
      assert.equal(it.named("old")?.value, value);
      await it.assertDiscreet();
    });
  }

  const saving = nextHome();
  it(`says that a token is handed over that it cannot save, on ${saving.name}`, async () => {
    await using it = await workflowFixture(saving);
    await writeFile(join(it.folder.path, "file"), "");
    const env = { ...it.env, ADC_RUN_CONFIG_DIR: join(it.folder.path, "file", "x") };
    const words = ["auth", "create", "a", "--to-file", it.secret, "--save"];
    const ended = await it.run(words, { env });
    assert.equal(ended.code, 74, ended.stderr);
    assert.match(ended.stderr, /"a" was created and handed to .*secret, but .* not be saved: /);
    assert.equal(await it.held(), it.named("a")!.value);
  });

  const fifth = nextHome();
  it(`leaves no token that nobody knows where the server dies, on ${fifth.name}`, async () => {
    await using it = await workflowFixture(fifth);
    const words = ["auth", "create", "a", ...it.toCommand];
    it.sandbox.hooks.onRequest = ({ method, path }) => {
      // Dead from the moment when the token is there.
      const made = it.sandbox.liveTokens.some(({ name }) => name.startsWith("a~"));
      if (made && !(method === "POST" && path.includes("tokens"))) throw new Error("dead");
    };
    const ended = await it.run(words, { env: it.env });
    assert.equal(ended.code, 69, ended.stderr);
    assert.match(ended.stderr, /could not be revoked .*auth rotate a"/);
    assert.equal(await it.held(), undefined);
    it.sandbox.hooks.onRequest = undefined;
    const next = await it.run(words, { env: it.env });
    assert.equal(next.code, 0, next.stderr);
    assert.equal(await it.held(), it.named("a")!.value);
    await it.assertSettled(["a", "parent"]);
  });
});

describe("auth rotate NAME", () => {
  const unknown = nextHome();
  it(`gives a token that ends no successor that never does, on ${unknown.name}`, async () => {
    await using it = await workflowFixture(unknown);
    const far = Math.floor(Date.now() / 1000) + DAY;
    // Where the server does not say when it was made; before a clock was set right; and for ever.
    for (const [createdAt, expiresAt] of [[NaN, far], [far + DAY, far], [far, 0]] as const) {
      const { id } = it.sandbox.addToken({ user: USER, name: "a", expiresAt });
      const made = it.sandbox.tokens.find((token) => token.id === id)!;
      Object.assign(made, { createdAt });
      const ended = await it.run(["auth", "rotate", "a", ...it.toCommand], { env: it.env });
      assert.equal(ended.code, 0, ended.stderr);
      const successor = it.named("a")!;
      const days = (successor.expiresAt - Date.now() / 1000) / DAY;
      assert.ok(expiresAt === 0 ? successor.expiresAt === 0 : days > 89 && days < 91, `${days}`);
      it.sandbox.revokeToken(successor.id);
    }
  });

  const first = nextHome();
  it(`renews the workflows of config.json: named, due, or all, on ${first.name}`, async () => {
    await using it = await workflowFixture(first);
    const path = (name: string) => join(it.folder.path, name);
    await chmod(it.folder.path, 0o700);
    await it.configure({
      far: { toFile: path("far"), expiresIn: "90d" },
      near: { toFile: path("near"), expiresIn: "10d" },
      gone: { toFile: path("gone") },
    });
    for (const name of ["far", "near"]) {
      const made = await it.run(["auth", "create", name], { env: it.env });
      assert.equal(made.code, 0, made.stderr);
    }
    const before = { far: it.named("far")!.id, near: it.named("near")!.id };
    const dry = await it.run(["auth", "rotate", "--due", "14d", "--dry-run"], { env: it.env });
    assert.equal(dry.code, 64, "one of them has no token");
    assert.match(
      dry.stderr,
      /auth create gone --to-file .*, or delete its entry in "workflows" of/,
    );
    assert.match(dry.stdout, /^near +would rotate/m);
    assert.match(dry.stdout, /^far +not due/m);
    assert.match(dry.stdout, /^gone +failed/m);
    assert.deepEqual([it.named("far")!.id, it.named("near")!.id], [before.far, before.near]);

    const due = await it.run(["auth", "rotate", "--due", "14d", "--json"], { env: it.env });
    const { workflows } = JSON.parse(due.stdout);
    assert.deepEqual(
      workflows.map(({ name, outcome }: Record<string, string>) => [name, outcome]),
      [["far", "not due"], ["near", "rotated"], ["gone", "failed"]],
    );
    assert.equal(it.named("far")!.id, before.far);
    assert.notEqual(it.named("near")!.id, before.near);
    assert.equal(await readFile(path("near"), "utf8"), it.named("near")!.value);

    await it.configure({ far: { toFile: path("far") }, near: { toFile: path("near") } });
    const all = await it.run(["auth", "rotate", "--all"], { env: it.env });
    assert.equal(all.code, 0, all.stderr);
    assert.equal(all.stdout.trim().split("\n").length, 3);
    for (const name of ["far", "near"] as const) {
      assert.notEqual(it.named(name)!.id, before[name]);
      assert.equal(await readFile(path(name), "utf8"), it.named(name)!.value);
    }
    const days = (it.named("near")!.expiresAt - Date.now() / 1000) / DAY;
    assert.ok(days > 9 && days < 11, "as long as the one before was to live");
    await it.assertSettled(["far", "near", "parent"]);

    const unknown = await it.run(["auth", "rotate", "nera"], { env: it.env });
    assert.equal(unknown.code, 64);
    assert.match(unknown.stderr, /Did you mean "near"\?/);
    const both = await it.run(["auth", "rotate", "near", "--all"], { env: it.env });
    assert.equal(both.code, 64);
  });

  const second = nextHome();
  it(`keeps the old token where the new one cannot be handed over, on ${second.name}`, async () => {
    await using it = await workflowFixture(second);
    await it.run(["auth", "create", "a", ...it.toCommand], { env: it.env });
    const { id, value } = it.named("a")!;
    const failed = await it.run(["auth", "rotate", "a", "--to-command", "false"], { env: it.env });
    assert.equal(failed.code, 74, failed.stderr);
    assert.match(failed.stdout, /^a +failed/m);
    assert.equal(it.named("a")!.id, id);
    assert.equal(await it.held(), value);
    await it.assertSettled(["a", "parent"]);
    await it.assertDiscreet();
  });

  const fifth = nextHome();
  it(`renews the token that it is called with, and the others after it, on ${fifth.name}`, async () => {
    await using it = await workflowFixture(fifth);
    const path = (name: string) => join(it.folder.path, name);
    await it.configure({ own: { toFile: path("own") }, other: { toFile: path("other") } });
    for (const name of ["own", "other"]) await it.run(["auth", "create", name], { env: it.env });
    it.sandbox.revokeToken(it.named("parent")!.id);
    for (const round of [1, 2]) {
      const ended = await it.run(["auth", "rotate", "--all"], {
        env: { ADC_TOKEN_FILE: path("own") },
      });
      assert.equal(ended.code, 0, `${round}: ${ended.stderr}`);
      for (const name of ["own", "other"]) {
        assert.equal(await readFile(path(name), "utf8"), it.named(name)!.value);
      }
    }
    await it.assertSettled(["other", "own"]);
  });

  const third = nextHome();
  it(`goes on with one of two that begin at once, on ${third.name}`, async () => {
    await using it = await workflowFixture(third);
    await it.run(["auth", "create", "a", ...it.toCommand], { env: it.env });
    const rotate = (number: number) =>
      it.run(["auth", "rotate", "a", ...it.toCommand], {
        env: { ...it.env, ADC_RUN_CONFIG_DIR: `${it.config}-${number}` },
      });
    for (let round = 1; round <= 3; round++) {
      const { id } = it.named("a")!;
      // Both have looked before either asks for its new token.
      let made = 0;
      const both = Promise.withResolvers<void>();
      it.sandbox.hooks.onRequest = async ({ method, path }) => {
        if (method !== "POST" || !path.includes("tokens")) return;
        if (++made === 2) both.resolve();
        await both.promise;
      };
      const ended = await Promise.all([1, 2].map(rotate));
      const [one, other] = ended.sort((a, b) => Number(a.code) - Number(b.code));
      assert.equal(one!.code, 0, `${one!.stderr}\n${other!.stderr}`);
      assert.equal(other!.code, 69, other!.stderr);
      assert.match(other!.stderr, /another run is replacing it/);
      assert.notEqual(it.named("a")!.id, id);
      assert.equal(await it.held(), it.named("a")!.value, "the consumer's token works");
      await it.assertSettled(["a", "parent"]);
    }
  });

  const fourth = nextHome();
  it(`waits for a run on another machine, and not for ever, on ${fourth.name}`, async () => {
    let back = 0;
    await using it = await workflowFixture(fourth, { now: () => Date.now() - back });
    await it.run(["auth", "create", "a", ...it.toCommand], { env: it.env });
    const rotate = () => it.run(["auth", "rotate", "a", ...it.toCommand], { env: it.env });
    // As the run names it: its workflow, its machine and its process, of which the last two are not here.
    const elsewhere = `a~${fingerprint("a").slice(0, 4)}00000000zz`;
    it.sandbox.addToken({ user: USER, name: elsewhere });
    const early = await rotate();
    assert.equal(early.code, 69, early.stderr);
    assert.match(early.stderr, /another run is replacing it/);
    const listed = await it.run(["auth", "list"], { env: it.env });
    const marked = listed.stdout.split("\n").filter((row) => row.endsWith("unfinished rotation"));
    assert.deepEqual(marked.map((row) => row.trim().split(" ")[0]), [elsewhere]);
    it.sandbox.revokeToken(it.named(elsewhere)!.id);
    back = 11 * 60_000;
    it.sandbox.addToken({ user: USER, name: elsewhere });
    back = 0;
    const late = await rotate();
    assert.equal(late.code, 0, late.stderr);
    assert.equal(await it.held(), it.named("a")!.value);
    await it.assertSettled(["a", "parent"]);
  });
});

describe("a year of a person with three workflows", () => {
  const home = nextHome();
  it(`takes three commands and one log-in, then one command a quarter, on ${home.name}`, async () => {
    let ahead = 0;
    await using it = await workflowFixture(home, { now: () => Date.now() + ahead });
    it.sandbox.hooks.date = () => Date.now() + ahead;
    const login = await it.run(
      [
        "auth",
        "login",
        "--username",
        USER,
        "--password-stdin",
        "--storage=file",
        "--expires-in=never",
      ],
      { input: PASSWORD },
    );
    assert.equal(login.code, 0, login.stderr);
    const names = ["github-actions", "gitlab", "nightly"];
    const held = (name: string) => readFile(join(it.folder.path, name), "utf8");
    for (const name of names) {
      const command = `sh -c 'cat > "$0"' ${join(it.folder.path, name)}`;
      const made = await it.run(["auth", "create", name, "--to-command", command, "--save"]);
      assert.equal(made.code, 0, made.stderr);
    }
    for (let quarter = 1; quarter <= 2; quarter++) {
      ahead = quarter * 80 * DAY * 1000;
      const soon = await it.run(["auth", "list", "--expiring", "14d", "--fail", "--json"]);
      assert.equal(soon.code, 3, soon.stderr);
      const rotated = await it.run(["auth", "rotate", "--due", "14d"]);
      assert.equal(rotated.code, 0, rotated.stderr);
      for (const name of names) assert.equal(await held(name), it.named(name)!.value);
      assert.equal((await it.run(["auth", "list", "--expiring", "14d", "--fail"])).code, 0);
    }
    assert.equal(it.sandbox.requests.filter(({ path }) => path === "/api/login").length, 1);
    assert.ok(fingerprint(await held("gitlab")));
  });
});
