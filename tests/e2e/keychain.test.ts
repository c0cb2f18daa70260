import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";

const skip = keychainSkip();

for (const home of await testHomes()) {
  describe(`the keychain on ${home.name}`, { skip }, () => {
    it("auth login checks a token and stores it, and everything else finds it there", async () => {
      await using it = await fixture({ https: true });
      await using session = await startKeychainSession();
      const { token, sandbox, folder: { path: cwd } } = it;
      const run = (words: readonly string[], input?: string) =>
        session.run([...home.command, ...words], {
          env: { ...it.env, NO_COLOR: "1" },
          cwd,
          ...(input !== undefined && { input }),
        });

      const login = await run(["auth", "login", "--with-token"], `${token}\n`);
      assert.equal(login.code, 0, login.stderr);
      assert.match(
        login.stderr,
        /stored token a7ee-\*\*\* .* of ci-bot \(roles: .*\) in the keychain/,
      );
      const lookUp = ["secret-tool", "lookup", "service", "adc-run", "username", sandbox.url];
      const stored = await session.run(lookUp);
      assert.equal(stored.stdout.trimEnd(), token);

      const status = await run(["auth", "status", "--json"]);
      assert.equal(status.code, 0, status.stderr);
      const { token: winner, check, owner } = JSON.parse(status.stdout);
      assert.deepEqual([winner.source, check.verdict, owner.username], [
        "keychain",
        "valid",
        "ci-bot",
      ]);
      assert.ok(!status.stdout.includes(token));

      const bare = await run(["auth", "token"]);
      assert.equal(bare.stdout, `${token}\n`);

      const ping = await run(["--adc", standIn("adc.mjs"), "ping"]);
      assert.equal(ping.code, 0, ping.stderr);
      assert.match(ping.stderr, / \(keychain\)$/m);

      const kept = await run(["auth", "logout", "--keep"]);
      assert.equal(kept.code, 0, kept.stderr);
      assert.equal((await session.run(lookUp)).stdout, "");
      assert.ok(!sandbox.tokens.some(({ revoked }) => revoked), "it stays valid on the server");
      assert.match((await run(["auth", "logout", "--keep"])).stderr, /no token is stored/);
      assert.equal((await run(["auth", "status"])).code, 77);

      for (const { stdout, stderr } of [login, status, ping, kept]) {
        assert.ok(!stdout.includes(token) && !stderr.includes(token));
      }
    });

    it("auth login stores nothing that the server refuses, or that is malformed", async () => {
      await using it = await fixture();
      await using session = await startKeychainSession();
      const { token, sandbox, folder: { path: cwd } } = it;
      const login = (input: string, env: Record<string, string> = {}) =>
        session.run([...home.command, "auth", "login", "--with-token"], {
          env: { ...it.env, ...env },
          cwd,
          input,
        });
      for (
        const [input, code, message] of [
          ["a7ee-nobody-knows-this-one", 77, /401/],
          [`"${token}"`, 65, /quotes/],
          [`${token}\n${token}`, 65, /line break/],
          ["", 65, /no token on standard input/],
        ] as const
      ) {
        const ended = await login(input);
        assert.equal(ended.code, code, ended.stderr);
        assert.match(ended.stderr, message);
        assert.ok(!input || !ended.stderr.includes(input));
      }
      const lookUp = ["secret-tool", "lookup", "service", "adc-run", "username", sandbox.url];
      assert.equal((await session.run(lookUp)).stdout, "");
      const shadowed = await login(token, { ADC_TOKEN: "another-token" });
      assert.equal(shadowed.code, 0, shadowed.stderr);
      assert.match(
        shadowed.stderr,
        /warning: Source "env" still takes precedence over the keychain/,
      );
    });

    it("warns about the Super Admin", async () => {
      await using it = await fixture();
      await using session = await startKeychainSession();
      const { sandbox, folder: { path: cwd } } = it;
      sandbox.addUser({ username: "root", password: "pass-word", superAdmin: true });
      const token = sandbox.addToken({ user: "root" }).value;
      const command = [...home.command, "auth", "login", "--with-token"];
      const login = await session.run(command, { env: it.env, cwd, input: token });
      assert.equal(login.code, 0, login.stderr);
      assert.match(login.stderr, /warning: The token belongs to "root", a Super Admin/);
    });

    // That one which hangs is a fourth is shown in `tests/faults/`, once for each engine.
    it("no entry, no keychain and a locked one are three different answers", async () => {
      await using it = await fixture();
      await using session = await startKeychainSession();
      const { token, folder: { path: cwd } } = it;
      const run = (words: readonly string[], input?: string) =>
        session.run([...home.command, ...words], {
          env: it.env,
          cwd,
          ...(input !== undefined && { input }),
        });
      const ping = ["-v", "--adc", standIn("report.mjs"), "ping"];
      const empty = await run(ping);
      assert.equal(empty.code, 77);
      assert.match(empty.stderr, /keychain +absent +the keychain has no entry for http/);
      assert.equal((await run(["auth", "login", "--with-token"], token)).code, 0);

      await session.turn("locked");
      const locked = await run(ping);
      assert.equal(locked.code, 74);
      assert.match(locked.stderr, /the keychain failed: it is locked/);

      await session.turn("no-bus");
      const none = await run(ping);
      assert.equal(none.code, 77);
      assert.match(none.stderr, /keychain +absent +no keychain/);
      const login = await run(["auth", "login", "--with-token"], token);
      assert.equal(login.code, 74);
      assert.match(login.stderr, /cannot store the token in the keychain: no Secret Service/);

      await session.turn("unlocked");
      const back = await run(ping);
      assert.equal(back.code, 0, back.stderr);
      const seen = JSON.parse(back.stdout).env.ADC_TOKEN.sha256;
      assert.equal(seen, createHash("sha256").update(token).digest("hex").slice(0, 8));
    });
  });
}

for (const home of await testHomes()) {
  it(`a D-Bus that takes a connection and never answers holds nobody up, on ${home.name}`, async () => {
    await using it = await fixture();
    const path = `${it.folder.path}/bus`;
    const bus = createServer(() => {}).listen(path);
    await once(bus, "listening");
    const env = { ...it.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
    const words = ["--source", "keychain", "exec", "--", "true"];
    const ended = await adcRun(home, words, { env, cwd: it.folder.path });
    assert.equal(ended.status, 74, ended.stderr);
    assert.match(ended.stderr, /it does not respond|no response within/);
    bus.close();
  });
}
