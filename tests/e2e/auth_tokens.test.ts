import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { standIn } from "../support/adc_run.ts";
import { testHomes } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import {
  fingerprint,
  LOG_IN,
  PASSWORD,
  takeTurns,
  tokenFixture,
  USER,
} from "../support/token_fixture.ts";
import { onWindows } from "../support/windows.ts";

const homes = await testHomes("every engine");
const nextHome = takeTurns(homes);
const skip = keychainSkip();
const DAY = 24 * 60 * 60;
const PING = ["--adc", standIn("adc.mjs"), "ping"];

/** A token in the list of `auth list --json`. */
interface Listed {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly current: boolean;
  readonly stale: boolean;
  readonly expired: boolean;
}

for (const [index, home] of homes.entries()) {
  const tokenPath = index % 2 === 0 ? "/api/settings/tokens" : "/api/tokens";

  describe(`stored tokens on ${home.name}`, () => {
    it("are listed, rotated, revoked and given up", async () => {
      let back = 200 * DAY * 1000;
      await using it = await tokenFixture(home, {
        tokenPath,
        maxPageSize: 2,
        now: () => Date.now() - back,
      });
      const { sandbox } = it;
      const old = sandbox.addToken({ user: USER, name: "from last spring" });
      back = 10 * DAY * 1000;
      const end = Math.floor(Date.now() / 1000) - DAY;
      sandbox.addToken({ user: USER, name: "over", expiresAt: end });
      sandbox.addToken({ user: USER, name: "unused" });
      back = 0;
      await it.logIn("--storage=file", "--name", "mine");
      const mine = sandbox.tokens.find(({ name }) => name === "mine")!;

      const listed = await it.run(["auth", "list", "--json"]);
      assert.equal(listed.code, 0, listed.stderr);
      const { tokens } = JSON.parse(listed.stdout) as { tokens: Listed[] };
      assert.deepEqual(
        new Set(tokens.map(({ name }) => name)),
        new Set(["mine", "from last spring", "over", "unused"]),
      );
      const named = (name: string) => tokens.find((token) => token.name === name)!;
      const { id, expiresAt } = mine;
      assert.deepEqual(
        [named("mine").id, named("mine").expiresAt, named("mine").current, named("mine").stale],
        [id, expiresAt, true, false],
      );
      assert.ok(named("mine").lastUsedAt, "it was used for the check");
      assert.deepEqual([named("over").expired, named("over").expiresAt], [true, end]);
      assert.deepEqual([named("unused").expired, named("unused").expiresAt ?? null], [false, null]);
      assert.equal(named("unused").lastUsedAt ?? null, null);
      assert.equal(named("from last spring").stale, true, "unused for months");
      for (const { name, current } of tokens) assert.equal(current, name === "mine");

      const text = await it.run(["auth", "list"]);
      assert.equal(text.code, 0, text.stderr);
      for (const { name } of tokens) assert.ok(text.stdout.includes(name), text.stdout);

      const values = [mine.value];
      for (const words of [["--json"], ["--expires-in", "7d1h"]]) {
        const rotated = await it.run(["auth", "rotate", ...words]);
        assert.equal(rotated.code, 0, rotated.stderr);
        const stored = await it.storedInFile();
        assert.ok(stored !== undefined && !values.includes(stored), "a new one is stored");
        values.push(stored);
        await it.assertSettled(["from last spring", "mine", "unused"]);
        const live = sandbox.liveTokens.find(({ name }) => name === "mine")!;
        assert.equal(live.value, stored);
        const [record, ...more] = await it.entries("state.json");
        assert.deepEqual(more, []);
        assert.deepEqual(
          [record?.["fingerprint"], record?.["name"], record?.["id"]],
          [fingerprint(stored), "mine", live.id],
        );
        if (words.includes("--json")) {
          const report = JSON.parse(rotated.stdout);
          assert.deepEqual([report.id, report.name, report.fingerprint], [
            live.id,
            "mine",
            fingerprint(stored),
          ]);
        } else assert.ok(live.expiresAt < Date.now() / 1000 + 8 * DAY);
        const ping = await it.run(PING);
        assert.equal(ping.code, 0, ping.stderr);
      }

      const timid = await it.run(["auth", "revoke", "unused"]);
      assert.equal(timid.code, 64, timid.stderr);
      assert.match(timid.stderr, /--yes/);
      const unknown = await it.run(["auth", "revoke", "unused", "nobody", "--yes"]);
      assert.equal(unknown.code, 64, unknown.stderr);
      assert.match(unknown.stderr, /nobody/);
      await it.assertSettled(["from last spring", "mine", "unused"]);
      const revoked = await it.run(["auth", "revoke", "unused", old.id, "--yes", "--json"]);
      assert.equal(revoked.code, 0, revoked.stderr);
      JSON.parse(revoked.stdout);
      await it.assertSettled(["mine"]);

      const bare = await it.run(["auth", "token"], { prints: "to stdout" });
      assert.equal(bare.stdout, `${values.at(-1)}\n`);
      const requests = sandbox.requests.length;
      const nothing = await it.run(["auth", "token"], {
        prints: "to stdout",
        env: { ADC_RUN_CONFIG_DIR: `${it.config}-2`, API7_USERNAME: USER, API7_PASSWORD: PASSWORD },
      });
      assert.equal(nothing.code, 77, "nothing is minted for it");
      const status = await it.run(["auth", "status"], {
        env: { ADC_RUN_CONFIG_DIR: `${it.config}-2`, API7_USERNAME: USER, API7_PASSWORD: PASSWORD },
      });
      assert.equal(status.code, 77, "nor for this");
      assert.match(
        status.stdout + status.stderr,
        new RegExp(`login +a run would log in as ${USER}`),
      );
      assert.equal(sandbox.requests.length, requests);

      const out = await it.run(["auth", "logout"]);
      assert.equal(out.code, 0, out.stderr);
      assert.equal(await it.storedInFile(), undefined);
      await it.assertSettled([]);
      assert.deepEqual(await it.entries("state.json"), []);
      const again = await it.run(["auth", "logout"]);
      assert.equal(again.code, 0, again.stderr);
      assert.match(again.stderr, /no token is stored for http/);
      await it.assertDiscreet();
    });

    it("are described by auth status, with where they are and when they end", async () => {
      await using it = await tokenFixture(home, { tokenPath });
      await it.logIn("--storage=file", "--expires-in=3d", "--name=short-lived");
      const { value, expiresAt } = it.onlyToken();
      const day = new Date(expiresAt * 1000).toISOString().slice(0, 10);

      const status = await it.run(["auth", "status", "-v"]);
      assert.equal(status.code, 0, status.stderr);
      const text = status.stdout + status.stderr;
      for (const part of ["short-lived", USER, "tokens.json", day, fingerprint(value)]) {
        assert.ok(text.includes(part), `${part} in:\n${text}`);
      }
      assert.match(text, /warning: .*file/, "a file is less than a keychain");
      const json = await it.run(["auth", "status", "--json"]);
      assert.equal(json.code, 0, json.stderr);
      const report = JSON.parse(json.stdout);
      assert.equal(report.token.source, "store");
      assert.equal(report.check.verdict, "valid");
      assert.equal(report.owner.username, USER);
      assert.ok(json.stdout.includes("short-lived") && json.stdout.includes(String(expiresAt)));
      const names = report.sources.map(({ source }: { source: string }) => source);
      assert.deepEqual(
        names,
        ["flag", "env", "file", "dotenv", "command", "store", "keychain", "admin-api"],
      );

      const ping = await it.run(PING);
      assert.equal(ping.code, 0, ping.stderr);
      assert.match(ping.stderr, /warning: .*short-lived.* expires in .*rotate/);
      const rotated = await it.run(["auth", "rotate", "--expires-in=30d"]);
      assert.equal(rotated.code, 0, rotated.stderr);
      assert.doesNotMatch((await it.run(PING)).stderr, /warning/);
      await it.assertDiscreet();
    });
  });
}

describe("a token whose time is over", () => {
  const home = nextHome();
  it(`is refused with the day of its end, on ${home.name}`, async () => {
    let ahead = 0;
    await using it = await tokenFixture(home, { now: () => Date.now() + ahead });
    await it.logIn("--storage=file", "--expires-in=3d");
    // Neither clock can be waited for: the server's goes ahead, and what is known is set back.
    ahead = 4 * DAY * 1000;
    const path = join(it.config, "state.json");
    const state = JSON.parse(await readFile(path, "utf8"));
    state.tokens[0].expiresAt = Date.UTC(2026, 0, 2) / 1000;
    await writeFile(path, JSON.stringify(state));
    const ping = await it.run(PING);
    assert.equal(ping.code, 77, ping.stderr);
    assert.match(ping.stderr, /expired on 2026-01-02/);
    await it.logIn("--storage=file");
    assert.equal((await it.run(PING)).code, 0);
    assert.equal(await it.storedInFile(), it.onlyToken().value);
  });
});

describe("auth rotate that fails leaves the stored token as it is", () => {
  const home = nextHome();
  it(`when the server does not make another, or refuses it, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    const { sandbox } = it;
    await it.logIn("--storage=file");
    const { name, value } = it.onlyToken();
    const unchanged = async () => {
      assert.equal(await it.storedInFile(), value);
      await it.assertSettled([name]);
    };
    sandbox.fault({ method: "POST", path: "/api/tokens" }, { kind: "status", status: 403 });
    assert.equal((await it.run(["auth", "rotate"])).code, 77);
    sandbox.clearFaults();
    await unchanged();

    // The new token alone is refused.
    sandbox.hooks.onReply = ({ method, path }) => {
      if (method !== "POST" || path !== "/api/tokens") return;
      sandbox.fault("/api/gateway_groups", { kind: "status", status: 403 });
    };
    assert.equal((await it.run(["auth", "rotate"])).code, 77);
    sandbox.hooks.onReply = undefined;
    sandbox.clearFaults();
    await unchanged();
    assert.equal((await it.run(["auth", "rotate"])).code, 0);
    assert.notEqual(it.onlyToken().value, value);
    await it.assertDiscreet();
  });

  const another = nextHome();
  it(`when the new one cannot be written, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    const { sandbox } = it;
    await it.logIn("--storage=file");
    const { name, value } = it.onlyToken();
    const file = join(it.config, "tokens.json");
    const content = await readFile(file, "utf8");
    sandbox.hooks.onReply = async ({ method, path }) => {
      if (method !== "POST" || path !== "/api/tokens") return;
      await rm(file);
      await mkdir(file);
    };
    const ended = await it.run(["auth", "rotate"]);
    assert.equal(ended.code, 74, ended.stderr);
    sandbox.hooks.onReply = undefined;
    await rm(file, { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
    assert.equal(it.onlyToken().value, value);
    assert.equal((await it.run(["auth", "list"])).code, 0);
    await it.assertSettled([name]);
  });

  const third = nextHome();
  it(`when there is none, on ${third.name}`, async () => {
    await using it = await tokenFixture(third);
    const ended = await it.run(["auth", "rotate"]);
    assert.equal(ended.code, 77, ended.stderr);
    assert.match(ended.stderr, /auth login/);
    assert.deepEqual(it.sandbox.requests, []);
  });

  const fourth = nextHome();
  it(`when the expiry is nonsense or the server is gone, on ${fourth.name}`, async () => {
    await using it = await tokenFixture(fourth);
    await it.logIn("--storage=file");
    const { name, value } = it.onlyToken();
    const requests = it.sandbox.requests.length;
    for (const expiry of ["0", "-1d", "soon"]) {
      const ended = await it.run(["auth", "rotate", `--expires-in=${expiry}`]);
      assert.equal(ended.code, 64, ended.stderr);
    }
    assert.equal(it.sandbox.requests.length, requests);
    await it.sandbox.stop();
    assert.equal((await it.run(["auth", "rotate"])).code, 69);
    assert.equal((await it.run(["auth", "list"])).code, 69);
    await it.sandbox.restart();
    assert.equal(await it.storedInFile(), value);
    await it.assertSettled([name]);
  });
});

describe("several at once", () => {
  const home = nextHome();
  it(`rotations leave one live token, the stored one, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    await it.logIn("--storage=file", "--name=mine");
    const rotate = (index: number) => it.run(["auth", "rotate"], { home: homes[index]! });
    const endings = await Promise.all([...homes.keys()].map(rotate));
    for (const { code, stderr } of endings) assert.equal(code, 0, stderr);
    assert.equal(await it.storedInFile(), it.onlyToken().value);
    await it.assertSettled(["mine"]);
    assert.equal((await it.entries("state.json")).length, 1);
  });

  const another = nextHome();
  it(`runs go on while the token is rotated under them, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    await it.logIn("--storage=file", "--name=mine");
    const [rotated, ...runs] = await Promise.all([
      it.run(["auth", "rotate"]),
      ...homes.map((home) => it.run(["auth", "token"], { home, prints: "to stdout" })),
    ]);
    assert.equal(rotated.code, 0, rotated.stderr);
    const values = it.sandbox.tokens.map(({ value }) => `${value}\n`);
    for (const { code, stdout, stderr } of runs) {
      assert.equal(code, 0, stderr);
      assert.ok(values.includes(stdout), "a whole token, the old or the new");
    }
    await it.assertSettled(["mine"]);
  });
});

describe("auth login as somebody else", () => {
  for (const over of [false, true]) {
    const home = nextHome();
    it(`revokes the other's token, if it is ${over ? "not " : ""}alive, on ${home.name}`, async () => {
      await using it = await tokenFixture(home);
      it.sandbox.addUser({ username: "ann", password: PASSWORD });
      const words = ["auth", "login", "--username", "ann", "--password-stdin", "--storage=file"];
      const first = await it.run(words, { input: PASSWORD });
      assert.equal(first.code, 0, first.stderr);
      if (over) it.sandbox.revokeToken(it.onlyToken().id);
      await it.logIn("--storage=file", "--replace");
      assert.equal(it.onlyToken().user?.username, USER);
      assert.equal(await it.storedInFile(), it.onlyToken().value);
      await it.assertSettled([it.onlyToken().name]);
      assert.equal((await it.entries("state.json")).length, 1);
      await it.assertDiscreet();
    });
  }
});

describe("auth rotate in the keychain", () => {
  const home = nextHome();
  it(`replaces the entry, and tells a token that it did not make, on ${home.name}`, {
    skip,
  }, async () => {
    await using it = await tokenFixture(home);
    await using session = await startKeychainSession();
    const env = session.env;
    const lookUp = async () => {
      const words = ["secret-tool", "lookup", "service", "adc-run", "username", it.sandbox.url];
      return (await session.run(words)).stdout.trimEnd();
    };
    assert.equal((await it.run([...LOG_IN], { env, input: PASSWORD })).code, 0);
    const { name, value } = it.onlyToken();
    const rotated = await it.run(["auth", "rotate"], { env });
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.notEqual(await lookUp(), value);
    assert.equal(await lookUp(), it.onlyToken().value);
    await it.assertSettled([name]);

    // Locked in the middle: the old token is still the stored one.
    const kept = await lookUp();
    it.sandbox.hooks.onReply = async ({ method, path }) => {
      if (method === "POST" && path === "/api/tokens") await session.turn("locked");
    };
    const failed = await it.run(["auth", "rotate"], { env });
    assert.equal(failed.code, 74, failed.stderr);
    it.sandbox.hooks.onReply = undefined;
    await session.turn("unlocked");
    assert.equal(await lookUp(), kept);
    await it.assertSettled([name]);

    const out = await it.run(["auth", "logout"], { env });
    assert.equal(out.code, 0, out.stderr);
    assert.equal(await lookUp(), "");
    await it.assertSettled([]);
    await it.assertDiscreet();
  });
});

describe("auth logout", () => {
  const home = nextHome();
  it(`removes nothing while the server is gone, unless with --keep, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    await it.logIn("--storage=file");
    const { name, value } = it.onlyToken();
    await it.sandbox.stop();
    const ended = await it.run(["auth", "logout"]);
    assert.equal(ended.code, 69, ended.stderr);
    assert.equal(await it.storedInFile(), value);
    const kept = await it.run(["auth", "logout", "--keep"]);
    assert.equal(kept.code, 0, kept.stderr);
    await it.sandbox.restart();
    assert.equal(await it.storedInFile(), undefined);
    await it.assertSettled([name]);
    assert.deepEqual(await it.entries("state.json"), []);
  });

  const proxied = nextHome();
  it(`removes nothing where a proxy refuses to revoke, on ${proxied.name}`, async () => {
    await using it = await tokenFixture(proxied);
    await it.logIn("--storage=file");
    const { name, value } = it.onlyToken();
    it.sandbox.fault({ method: "DELETE" }, {
      kind: "status",
      status: 401,
      headers: { "www-authenticate": 'Basic realm="corp"' },
      body: "<html>log in</html>",
    });
    const ended = await it.run(["auth", "logout"]);
    assert.equal(ended.code, 77, ended.stderr);
    assert.match(ended.stderr, /Nothing was removed/);
    assert.equal(await it.storedInFile(), value);
    await it.assertSettled([name]);
  });

  const another = nextHome();
  it(`removes a token that was revoked elsewhere, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    await it.logIn("--storage=file");
    it.sandbox.revokeToken(it.onlyToken().id);
    const status = await it.run(["auth", "status"]);
    assert.equal(status.code, 77, status.stderr);
    const ended = await it.run(["auth", "logout", "--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    JSON.parse(ended.stdout);
    assert.equal(await it.storedInFile(), undefined);
    assert.deepEqual(await it.entries("state.json"), []);
  });

  const third = nextHome();
  it(`revokes a token of --with-token only if it is sure which it is, on ${third.name}`, async () => {
    await using it = await tokenFixture(third);
    const { sandbox } = it;
    const token = sandbox.addToken({ user: USER, name: "from the Dashboard" });
    const other = sandbox.addToken({ user: USER, name: "another" });
    const logIn = async () => {
      const words = ["auth", "login", "--with-token", "--storage=file"];
      const login = await it.run(words, { input: `${token.value}\n` });
      assert.equal(login.code, 0, login.stderr);
      assert.match(login.stderr, /stored unencrypted in a file/);
      assert.equal(await it.storedInFile(), token.value);
    };
    await logIn();
    const unsure = await it.run(["auth", "logout"]);
    assert.equal(unsure.code, 0, unsure.stderr);
    assert.match(unsure.stderr, /warning: The token .* is still valid on the server/);
    assert.equal(await it.storedInFile(), undefined);
    await it.assertSettled(["another", "from the Dashboard"]);

    await logIn();
    const forbid = { kind: "status", status: 403 } as const;
    const allow = sandbox.fault({ method: "GET", path: /tokens$/ }, forbid);
    const forbidden = await it.run(["auth", "logout"]);
    allow();
    assert.equal(forbidden.code, 0, forbidden.stderr);
    assert.match(forbidden.stderr, /warning: The token .* is still valid on the server/);
    assert.equal(await it.storedInFile(), undefined);

    await logIn();
    sandbox.revokeToken(other.id);
    const ended = await it.run(["auth", "logout"]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(await it.storedInFile(), undefined);
    await it.assertSettled([]);
    await it.assertDiscreet();
  });
});

describe("auth revoke", () => {
  const home = nextHome();
  it(`never revokes another user's token, or one of two it cannot tell, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    const { sandbox } = it;
    await it.logIn("--storage=file", "--name=mine");
    const foreign = sandbox.addToken({ user: "ci-bot", name: "foreign" });
    for (const which of [foreign.id, "foreign", "min", ""]) {
      const ended = await it.run(["auth", "revoke", which, "--yes"]);
      assert.equal(ended.code, 64, `${which}: ${ended.stderr}`);
    }
    assert.equal((await it.run(["auth", "revoke", "--yes"])).code, 64);
    assert.deepEqual(it.liveNames(), ["foreign", "mine"]);
  });

  const another = nextHome();
  it(`of the stored token ends it here as well, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    await it.logIn("--storage=file", "--name=mine");
    const ended = await it.run(["auth", "revoke", "mine", "--yes"]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(it.liveNames(), []);
    assert.equal(await it.storedInFile(), undefined);
    assert.equal((await it.run(["auth", "status"])).code, 77);
  });
});

describe("commands that other backends have no use for", () => {
  const home = nextHome();
  it(`say so, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    const env = { ADC_BACKEND: "apisix", ADC_TOKEN: "an-admin-key" };
    for (const words of [["list"], ["rotate"], ["revoke", "x", "--yes"]]) {
      const ended = await it.run(["auth", ...words], { env });
      assert.ok([64, 78].includes(ended.code ?? 0), ended.stderr);
      assert.match(ended.stderr, /api7ee|backend "apisix"/);
    }
    assert.deepEqual(it.sandbox.requests, []);
  });
});

describe("adc-run at a configuration folder that is not its own", () => {
  const home = nextHome();
  it(`refuses token files that others can read, on ${home.name}`, {
    skip: onWindows("mode of a file"),
  }, async () => {
    await using it = await tokenFixture(home);
    await it.logIn("--storage=file");
    const { chmod } = await import("node:fs/promises");
    for (const [path, mode] of [["tokens.json", 0o600], [".", 0o700]] as const) {
      await chmod(join(it.config, path), mode | 0o044);
      const ended = await it.run(PING);
      assert.equal(ended.code, 74, ended.stderr);
      assert.match(ended.stderr, /chmod/);
      await chmod(join(it.config, path), mode);
    }
    assert.equal((await it.run(PING)).code, 0);
  });
});
