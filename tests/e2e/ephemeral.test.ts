import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { describe, it } from "node:test";
import type { Fault } from "../sandbox/sandbox.ts";
import { standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { testHomes } from "../support/homes.ts";
import type { Home } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import {
  fingerprint,
  LOG_IN,
  PASSWORD,
  takeTurns,
  tokenFixture,
  USER,
} from "../support/token_fixture.ts";
import type { TokenFixture } from "../support/token_fixture.ts";

const homes = await testHomes();
const nextHome = takeTurns(homes);
const skip = keychainSkip();
const ADC = ["--adc", standIn("adc.mjs")];
const REPORT = ["--adc", standIn("report.mjs")];

/** A fixture whose user has one token, in `ADC_TOKEN`, that others are made with. */
async function withParent(
  home: Home,
  options: Parameters<typeof tokenFixture>[1] = {},
): Promise<TokenFixture & { readonly parent: string }> {
  const it = await tokenFixture(home, options);
  const parent = it.sandbox.addToken({ user: USER, name: "parent" }).value;
  return {
    ...it,
    parent,
    run: (words, { env, ...rest } = {}) =>
      it.run(words, { env: { ADC_TOKEN: parent, ...env }, ...rest }),
  };
}

/** The token that lives for a run. */
function ephemeralNames(it: TokenFixture): readonly string[] {
  return it.liveNames().filter((name) => name.startsWith("adc-run-ephemeral-"));
}

for (const [index, home] of homes.entries()) {
  const tokenPath = index % 2 === 0 ? "/api/tokens" : "/api/settings/tokens";

  describe(`--ephemeral on ${home.name}`, () => {
    it("gives ADC a token of its own and revokes it, whatever ADC's end", async () => {
      await using it = await withParent(home, { tokenPath });
      const { sandbox, parent } = it;
      const before = Math.floor(Date.now() / 1000);
      const sync = await it.run(["--ephemeral", ...ADC, "sync", "-f", "adc.yaml"]);
      const after = Math.ceil(Date.now() / 1000);
      assert.equal(sync.code, 0, sync.stderr);
      const first = sandbox.tokens.at(-1)!;
      assert.match(first.name, /^adc-run-ephemeral-/);
      assert.ok(first.expiresAt >= before + 3600 && first.expiresAt <= after + 3600);
      const put = sandbox.requests.find(({ method, path }) =>
        method === "PUT" && path.startsWith("/apisix/admin")
      );
      assert.equal(put?.apiKey, first.value, "ADC uses the new one");
      await it.assertSettled(["parent"]);

      const child = await it.run(["--ephemeral=90s", ...REPORT, "sync", "--exit", "7"]);
      assert.equal(child.code, 7, child.stderr);
      const { env } = JSON.parse(child.stdout);
      const second = sandbox.tokens.at(-1)!;
      assert.equal(env.ADC_TOKEN.sha256, fingerprint(second.value));
      assert.notEqual(second.value, first.value);
      assert.ok(second.expiresAt <= after + 3600);
      await it.assertSettled(["parent"]);

      const killed = await it.run(["--ephemeral", ...REPORT, "sync", "--signal", "SIGKILL"]);
      assert.equal(killed.status, 137, killed.stderr);
      await it.assertSettled(["parent"]);

      // Both the token of the run and the one it was made with are masked.
      const shown = await it.run([
        ...["--ephemeral", "exec", "--", standIn("report.mjs"), "--print-token", "--raw-hex"],
        Buffer.from(`${parent}\n`).toString("hex"),
      ]);
      assert.equal(shown.code, 0, shown.stderr);
      assert.match(shown.stdout, /\*\*\*/);
      await it.assertSettled(["parent"]);

      await it.assertDiscreet();
    });

    it("is over after a signal, during the check or during ADC", async () => {
      await using it = await withParent(home, { tokenPath });
      const { sandbox } = it;
      const signals = [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const;
      for (const [signal, status] of signals) {
        let sent = false;
        const during = await it.run(["--ephemeral", ...REPORT, "sync", "--hang"], {
          onStdout: (text, child) => {
            if (sent || !text.includes("ready")) return;
            sent = true;
            assert.equal(ephemeralNames(it).length, 1);
            process.kill(child.pid!, signal);
          },
        });
        assert.equal(during.status, status, `${signal}: ${during.stderr}`);
        await it.assertSettled(["parent"]);
      }
      const [signal, status] = signals[index % signals.length]!;
      // The check is the first to come with the new token.
      sandbox.hooks.onRequest = async ({ apiKey, path }) => {
        const fresh = apiKey !== undefined && apiKey !== it.parent;
        if (!fresh || path !== "/api/gateway_groups") return;
        checking.resolve();
        await released.promise;
      };
      const checking = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const early = await it.run(["--ephemeral", ...REPORT, "sync"], {
        whenStarted: async (child) => {
          await checking.promise;
          process.kill(child.pid!, signal);
        },
      });
      released.resolve();
      assert.equal(early.status, status, early.stderr);
      assert.equal(early.stdout, "", "ADC did not start");
      await it.assertSettled(["parent"]);
      await it.assertDiscreet();
    });

    it("leaves a token behind when it is killed, which the next run revokes", async () => {
      await using it = await withParent(home, { tokenPath });
      let [left, pid] = ["", 0];
      const gone = await it.run(["--ephemeral", ...REPORT, "sync", "--report", "--hang"], {
        onStdout: (text, child) => {
          if (pid !== 0 || !text.endsWith("ready\n")) return;
          pid = JSON.parse(text.split("\n")[0]!).pid;
          left = ephemeralNames(it)[0]!;
          process.kill(child.pid!, "SIGKILL");
          process.kill(pid, "SIGKILL");
        },
      });
      assert.equal(gone.signal, "SIGKILL");
      assert.deepEqual(it.liveNames(), [left, "parent"].sort());
      assert.deepEqual((await it.entries("journal.json")).map(({ name }) => name), [left]);

      // Another user's run has no right to revoke it, and leaves the note alone.
      const other = await it.run(["--ephemeral", ...REPORT, "sync"], {
        env: { ADC_TOKEN: it.token },
      });
      assert.equal(other.code, 0, other.stderr);
      assert.deepEqual(it.liveNames(), [left, "parent"].sort());

      // Whatever runs next, on whichever runtime.
      const next = await it.run([...REPORT, "sync"], { home: homes[(index + 1) % homes.length]! });
      assert.equal(next.code, 0, next.stderr);
      await it.assertSettled(["parent"]);
      await it.assertDiscreet();
    });

    it("in a pipeline a user and a password are enough for a run", async () => {
      await using it = await tokenFixture(home, { tokenPath });
      const env = { CI: "1", API7_USERNAME: USER, API7_PASSWORD: PASSWORD };
      const ended = await it.run([...REPORT, "sync"], { env });
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stderr, / \(login(, for this run)?\)$/m);
      const report = JSON.parse(ended.stdout);
      const token = it.sandbox.tokens.at(-1)!;
      assert.equal(report.env.ADC_TOKEN.sha256, fingerprint(token.value));
      assert.equal(report.env.API7_PASSWORD.present, false);
      assert.equal(report.env.API7_USERNAME.present, false);
      await it.assertSettled([]);
      assert.equal(await it.storedInFile(), undefined);

      // Where it is told so, the log masks the token of the run as well.
      const before = Math.floor(Date.now() / 1000);
      const sync = await it.run(["--ephemeral=5m", ...ADC, "sync", "-f", "adc.yaml"], {
        env: { ...env, GITHUB_ACTIONS: "true", ADC_RUN_ACTION: "true" },
        prints: "to stderr",
      });
      const after = Math.ceil(Date.now() / 1000);
      assert.equal(sync.code, 0, sync.stderr);
      const { value, expiresAt } = it.sandbox.tokens.at(-1)!;
      assert.ok(sync.stderr.includes(`::add-mask::${value}\n`), "the log learns what to mask");
      assert.ok(expiresAt >= before + 300 && expiresAt <= after + 300);
      await it.assertSettled([]);

      const echo = await it.run(
        ["exec", "--", standIn("report.mjs"), "--env", "COPY"],
        { env: { ...env, COPY: PASSWORD } },
      );
      assert.equal(echo.code, 0, echo.stderr);
      assert.equal(JSON.parse(echo.stdout).env.COPY.value, "***");
      await it.assertSettled([]);
      const wrong = await it.run([...REPORT, "sync"], { env: { ...env, API7_PASSWORD: "wrong" } });
      assert.equal(wrong.code, 77, wrong.stderr);
      assert.equal(wrong.stdout, "");
      await it.assertSettled([]);
      await it.assertDiscreet();
    });
  });
}

describe("--ephemeral and runs side by side", () => {
  const home = nextHome();
  it(`a run that is alive keeps its token, on ${home.name}`, async () => {
    await using it = await withParent(home);
    const ready = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const long = it.run(["--ephemeral", ...REPORT, "sync", "--trap", "SIGUSR2:0"], {
      onStdout: (text) => text.includes("ready") && ready.resolve(),
      whenStarted: async (child) => {
        await over.promise;
        process.kill(child.pid!, "SIGUSR2");
      },
    });
    await Promise.race([ready.promise, long]);
    const [name] = ephemeralNames(it);
    assert.ok(name !== undefined);
    for (const other of homes) {
      for (const words of [["--ephemeral", ...REPORT, "sync"], ["auth", "list"]]) {
        const ended = await it.run(words, { home: other });
        assert.equal(ended.code, 0, ended.stderr);
        assert.deepEqual(ephemeralNames(it), [name], `${words} on ${other.name}`);
      }
    }
    over.resolve();
    assert.equal((await long).code, 0);
    await it.assertSettled(["parent"]);
  });

  const another = nextHome();
  it(`many at once each revoke their own, on ${another.name}`, async () => {
    await using it = await withParent(another);
    const endings = await Promise.all(
      Array.from({ length: 5 }, () => it.run(["--ephemeral", ...REPORT, "sync"])),
    );
    for (const { code, stderr } of endings) assert.equal(code, 0, stderr);
    const seen = endings.map(({ stdout }) => JSON.parse(stdout).env.ADC_TOKEN.sha256);
    assert.equal(new Set(seen).size, 5, "each has another token");
    await it.assertSettled(["parent"]);
  });
});

describe("--ephemeral and a server that goes away", () => {
  const home = nextHome();
  it(`ADC's exit code stays, and the next run revokes the token, on ${home.name}`, async () => {
    await using it = await withParent(home);
    const { sandbox } = it;
    let left = "";
    const stopped = Promise.withResolvers<void>();
    const ended = await it.run(["--ephemeral", ...REPORT, "sync", "--trap", "SIGUSR2:3"], {
      onStdout: async (text, child) => {
        if (left !== "" || !text.includes("ready")) return;
        left = ephemeralNames(it)[0]!;
        await sandbox.stop();
        process.kill(child.pid!, "SIGUSR2");
        stopped.resolve();
      },
    });
    await stopped.promise;
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr, new RegExp(`warning: .*"${left}"`));
    assert.deepEqual((await it.entries("journal.json")).map(({ name }) => name), [left]);
    await sandbox.restart();
    assert.deepEqual(it.liveNames(), [left, "parent"].sort());
    const next = await it.run(["auth", "list"]);
    assert.equal(next.code, 0, next.stderr);
    await it.assertSettled(["parent"]);
    await it.assertDiscreet();
  });

  const another = nextHome();
  it(`a session that cannot end is a warning, too, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    const { sandbox } = it;
    sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
    const env = { CI: "1", API7_USERNAME: USER, API7_PASSWORD: PASSWORD };
    const ended = await it.run([...REPORT, "sync"], { env });
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /warning: .*adc-run-ephemeral-/);
    assert.equal(it.liveNames().length, 1);
    sandbox.clearFaults();
    const next = await it.run([...REPORT, "sync"], { env });
    assert.equal(next.code, 0, next.stderr);
    await it.assertSettled([]);
    await it.assertDiscreet();
  });

  const third = nextHome();
  it(`a token revoked during the run needs no revoking, on ${third.name}`, async () => {
    await using it = await withParent(third);
    let done = false;
    const ended = await it.run(["--ephemeral", ...REPORT, "sync", "--trap", "SIGUSR2:0"], {
      onStdout: (text, child) => {
        if (done || !text.includes("ready")) return;
        done = true;
        it.sandbox.revokeToken(it.sandbox.tokens.at(-1)!.id);
        process.kill(child.pid!, "SIGUSR2");
      },
    });
    assert.equal(ended.code, 0, ended.stderr);
    await it.assertSettled(["parent"]);
  });
});

describe("what an earlier run left behind", () => {
  const home = nextHome();
  it(`does not stop a run while the server refuses to end it, on ${home.name}`, async () => {
    await using it = await withParent(home);
    const { sandbox } = it;
    sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
    for (let left = 1; left <= 2; left++) {
      const ended = await it.run(["--ephemeral", ...REPORT, "sync"]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(ephemeralNames(it).length, left);
    }
    sandbox.clearFaults();
    const next = await it.run([...REPORT, "sync"]);
    assert.equal(next.code, 0, next.stderr);
    await it.assertSettled(["parent"]);
  });

  const another = nextHome();
  it(`does not stop a run where there is no keychain to look into, on ${another.name}`, {
    skip,
  }, async () => {
    await using it = await withParent(another);
    await using session = await startKeychainSession();
    let killed = false;
    const login = await it.run([...LOG_IN], {
      env: session.env,
      whenStarted: (child) => {
        it.sandbox.hooks.onReply = ({ method, path }) => {
          // By now the journal knows where the token was to be stored.
          if (killed || method !== "GET" || path !== "/api/gateway_groups") return;
          killed = process.kill(child.pid!, "SIGKILL");
        };
        child.stdin!.end(PASSWORD);
      },
    });
    assert.equal(login.signal, "SIGKILL");
    assert.equal(it.liveNames().length, 2);
    for (const words of [["--ephemeral"], []]) {
      const run = await it.run([...words, ...REPORT, "sync"]);
      assert.equal(run.code, 0, run.stderr);
    }
    const next = await it.run([...REPORT, "sync"], { env: session.env });
    assert.equal(next.code, 0, next.stderr);
    assert.deepEqual(it.liveNames(), ["parent"]);
  });
});

describe("--ephemeral over a bad line", () => {
  const faults: readonly (readonly [string, "POST" | "DELETE", Fault])[] = [
    ["the answer with the token is lost", "POST", { kind: "reset", when: "done" }],
    ["the request for the token is lost", "POST", { kind: "reset", when: "before" }],
    ["the answer to its end is lost", "DELETE", { kind: "reset", when: "done" }],
    ["503 instead of its end", "DELETE", { kind: "status", status: 503 }],
  ];
  for (const [title, method, fault] of faults) {
    const home = nextHome();
    it(`${title} once, and nothing is left, on ${home.name}`, async () => {
      await using it = await withParent(home);
      it.sandbox.fault({ method, path: /^\/api\/tokens/ }, fault, { times: 1 });
      const ended = await it.run(["--ephemeral", ...REPORT, "sync", "--exit", "2"]);
      assert.equal(ended.code, 2, ended.stderr);
      assert.doesNotMatch(ended.stderr, /warning/);
      await it.assertSettled(["parent"]);
      await it.assertDiscreet();
    });
  }

  const home = nextHome();
  it(`a second signal does not wait for the server, on ${home.name}`, async () => {
    await using it = await withParent(home);
    const held = it.sandbox.hold({ method: "DELETE" });
    let pid = 0;
    const running = it.run(["--ephemeral", ...REPORT, "sync", "--hang"], {
      onStdout: (text, child) => {
        if (pid !== 0 || !text.includes("ready")) return;
        pid = child.pid!;
        process.kill(pid, "SIGTERM");
      },
    });
    await Promise.race([held.arrived, running]);
    process.kill(pid, "SIGTERM");
    const ended = await running;
    assert.equal(ended.status, 143, ended.stderr);
    const names = ephemeralNames(it);
    assert.equal(names.length, 1);
    assert.deepEqual((await it.entries("journal.json")).map(({ name }) => name), names);
    held.release();
    const next = await it.run([...REPORT, "sync"]);
    assert.equal(next.code, 0, next.stderr);
    await it.assertSettled(["parent"]);
  });

  const another = nextHome();
  it(`a parent that is rotated meanwhile leaves nothing for long, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    await it.logIn("--storage=file", "--name=mine");
    const ready = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const long = it.run(["--ephemeral", ...REPORT, "sync", "--trap", "SIGUSR2:4"], {
      onStdout: (text) => text.includes("ready") && ready.resolve(),
      whenStarted: async (child) => {
        await over.promise;
        process.kill(child.pid!, "SIGUSR2");
      },
    });
    await Promise.race([ready.promise, long]);
    const rotated = await it.run(["auth", "rotate"]);
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.equal(it.liveNames().length, 2, "the run goes on with its own token");
    over.resolve();
    assert.equal((await long).code, 4);
    const next = await it.run([...REPORT, "sync"]);
    assert.equal(next.code, 0, next.stderr);
    await it.assertSettled(["mine"]);
    await it.assertDiscreet();
  });
});

describe("--ephemeral that cannot be", () => {
  const cases = [
    ["another backend", { ADC_BACKEND: "apisix" }, [], 64, /api7ee/],
    ["a wrong parent", { ADC_TOKEN: "a7ee-nobody" }, [], 77, /401/],
    ["an expiry that is no duration", {}, ["--ephemeral=soon"], 64, /--ephemeral/],
    ["an expiry that is over", {}, ["--ephemeral=0"], 64, /--ephemeral/],
  ] as const;
  for (const [title, env, words, code, message] of cases) {
    const home = nextHome();
    it(`${title} on ${home.name}`, async () => {
      await using it = await withParent(home);
      const ended = await it.run(["--ephemeral", ...words, ...REPORT, "sync"], { env });
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, message);
      assert.equal(ended.stdout, "", "ADC did not start");
      await it.assertSettled(["parent"]);
    });
  }

  const home = nextHome();
  it(`a role that may make no tokens on ${home.name}`, async () => {
    await using it = await withParent(home);
    const { value } = it.sandbox.addToken({
      user: USER,
      name: "weak",
      permissions: { tokens: false },
    });
    const ended = await it.run(["--ephemeral", ...REPORT, "sync"], { env: { ADC_TOKEN: value } });
    assert.equal(ended.code, 77, ended.stderr);
    assert.equal(ended.stdout, "");
    await it.assertSettled(["parent", "weak"]);
  });

  const another = nextHome();
  it(`a token that the check refuses is revoked again, on ${another.name}`, async () => {
    await using it = await withParent(another);
    const env = { ADC_GATEWAY_GROUP: "nowhere" };
    const ended = await it.run(["--ephemeral", ...REPORT, "sync"], { env });
    assert.equal(ended.code, 78, ended.stderr);
    assert.equal(ended.stdout, "");
    await it.assertSettled(["parent"]);
  });

  const third = nextHome();
  it(`--dry-run leaves no token, and a command without a server makes none, on ${third.name}`, async () => {
    await using it = await withParent(third);
    const dry = await it.run(["--ephemeral", "--dry-run", ...REPORT, "sync"]);
    assert.equal(dry.code, 0, dry.stderr);
    await it.assertSettled(["parent"]);
    const made = it.sandbox.tokens.length;
    const lint = await it.run(["--ephemeral", ...REPORT, "lint"]);
    assert.equal(lint.code, 0, lint.stderr);
    assert.equal(it.sandbox.tokens.length, made);
  });
});

describe("a user and a password in the environment of a person", () => {
  const env = { API7_USERNAME: USER, API7_PASSWORD: PASSWORD };

  const home = nextHome();
  it(`are asked once: the token stays in the keychain, on ${home.name}`, { skip }, async () => {
    await using it = await tokenFixture(home);
    await using session = await startKeychainSession();
    const ping = (): Promise<Ending> =>
      it.run([...ADC, "ping"], { env: { ...session.env, ...env } });
    const first = await ping();
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, / \(login(, for this run)?\)$/m);
    const { name, id } = it.onlyToken();
    assert.match(name, new RegExp(`^adc-run ${USER}@`));
    const second = await ping();
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, / \(keychain\)$/m);
    assert.equal(it.onlyToken().id, id);
    await it.assertSettled([name]);
    await it.assertDiscreet();
  });

  const another = nextHome();
  it(`make a token for the run where there is no keychain, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    const ended = await it.run([...ADC, "ping"], { env });
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(it.sandbox.tokens.length, 2);
    await it.assertSettled([]);
    await it.assertDiscreet();
  });

  const third = nextHome();
  it(`are not asked where a token is found, and --source can leave them out, on ${third.name}`, async () => {
    await using it = await withParent(third);
    const found = await it.run([...ADC, "ping"], { env });
    assert.equal(found.code, 0, found.stderr);
    const left = await it.run(["--source", "store,keychain", ...ADC, "ping"], { env });
    assert.equal(left.code, 77, left.stderr);
    assert.ok(!it.sandbox.requests.some(({ path }) => path.endsWith("/login")));
  });
});
