import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import type { Fault } from "../sandbox/sandbox.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import type { KeychainSession } from "../support/keychain_session.ts";
import { onWindows, REFUSED } from "../support/windows.ts";
import {
  fingerprint,
  LOG_IN,
  PASSWORD,
  takeTurns,
  tokenFixture,
  USER,
  without,
} from "../support/token_fixture.ts";

const homes = await testHomes();
const nextHome = takeTurns(homes);
const skip = keychainSkip();
const DAY = 24 * 60 * 60;
const DEFAULT_NAME = new RegExp(`^adc-run ${USER}@.`);

/** What the keychain holds for a server. */
async function inKeychain(session: KeychainSession, account: string): Promise<string> {
  const words = ["secret-tool", "lookup", "service", "adc-run", "username", account];
  return (await session.run(words)).stdout.trimEnd();
}

for (const [index, home] of homes.entries()) {
  const tokenPath = index % 2 === 0 ? "/api/tokens" : "/api/settings/tokens";

  describe(`auth login on ${home.name}`, () => {
    it("a password becomes a stored token, and the next login replaces it", { skip }, async () => {
      await using it = await tokenFixture(home, { tokenPath });
      await using session = await startKeychainSession();
      const { sandbox } = it;
      const env = session.env;
      const input = `${PASSWORD}\n`;

      const before = Math.floor(Date.now() / 1000);
      const first = await it.run([...LOG_IN], { env, input });
      const after = Math.ceil(Date.now() / 1000);
      assert.equal(first.code, 0, first.stderr);
      assert.equal(first.stdout, "");
      const one = it.onlyToken();
      const value = one.value;
      assert.match(one.name, DEFAULT_NAME);
      assert.ok(one.name.length <= 40);
      assert.equal(one.user?.username, USER);
      assert.ok(one.expiresAt >= before + 30 * DAY && one.expiresAt <= after + 30 * DAY);
      assert.equal(await inKeychain(session, sandbox.url), value);
      const day = new Date(one.expiresAt * 1000).toISOString().slice(0, 10);
      assert.match(
        first.stderr,
        new RegExp(
          `^adc-run: stored token a7ee-\\*\\*\\* \\(${fingerprint(value)}\\) "${one.name}" of ` +
            `${USER} \\(roles: Developer\\) in the keychain \\(.*\\), expires on ${day}\\n$`,
        ),
      );
      await it.assertSettled([one.name]);

      const ping = await it.run(["--adc", standIn("adc.mjs"), "ping"], { env });
      assert.equal(ping.code, 0, ping.stderr);
      assert.match(ping.stderr, / \(keychain\)$/m);
      assert.equal(sandbox.requests.at(-1)?.apiKey, value);

      const second = await it.run(
        [...LOG_IN, "--name", "the second", "--expires-in", "12h", "--json", "--replace"],
        { env, input },
      );
      assert.equal(second.code, 0, second.stderr);
      const two = it.onlyToken();
      assert.deepEqual([two.name, one.revoked], ["the second", true]);
      assert.equal(await inKeychain(session, sandbox.url), two.value);
      const { owner, ...report } = JSON.parse(second.stdout);
      assert.deepEqual(report, {
        schemaVersion: 1,
        stored: "keychain",
        accounts: [sandbox.url],
        id: two.id,
        name: "the second",
        expiresAt: two.expiresAt,
        redacted: "a7ee-***",
        fingerprint: fingerprint(two.value),
        revoked: one.name,
        warnings: [],
      });
      assert.equal(owner.username, USER);
      await it.assertSettled(["the second"]);

      const third = await it.run([
        ...LOG_IN,
        "--storage",
        "file",
        "--expires-in",
        "never",
        "--replace",
      ], {
        env,
        input,
      });
      assert.equal(third.code, 0, third.stderr);
      assert.match(third.stderr, /, never expires\n/);
      const three = it.onlyToken();
      assert.equal(three.expiresAt, 0);
      assert.equal(await it.storedInFile(), three.value);
      assert.equal(await inKeychain(session, sandbox.url), "", "the old entry is gone");
      await it.assertSettled([three.name]);
      await it.assertDiscreet();
    });

    it("keeps the token in a file on request, readable for its owner alone", {
      skip: onWindows("mode of a file"),
    }, async () => {
      await using it = await tokenFixture(home, { tokenPath });
      const ended = await it.logIn("--storage", "file");
      assert.match(ended.stderr, /stored token a7ee-\*\*\* .* in .*tokens\.json/);
      const token = it.onlyToken();
      assert.equal(await it.storedInFile(), token.value);
      assert.equal((await stat(it.config)).mode & 0o077, 0);
      for (const file of ["tokens.json", "state.json", "journal.json"]) {
        assert.equal((await stat(join(it.config, file))).mode & 0o077, 0, file);
      }
      const [record] = await it.entries("state.json");
      assert.equal(record?.["fingerprint"], fingerprint(token.value));

      const ping = await it.run(["--adc", standIn("adc.mjs"), "ping"]);
      assert.equal(ping.code, 0, ping.stderr);
      assert.match(ping.stderr, / \(file store\)$/m);
      const path = join(it.folder.path, "elsewhere");
      const lost = await it.run(["auth", "token"], { env: { ADC_RUN_CONFIG_DIR: path } });
      assert.equal(lost.code, 77);
      await it.assertSettled([token.name]);
      await it.assertDiscreet();
    });
  });
}

describe("auth login through other doors", () => {
  for (const option of ["Corporate LDAP", "corp-ldap"]) {
    const home = nextHome();
    it(`takes an LDAP user's password with --login-option ${option} on ${home.name}`, async () => {
      await using it = await tokenFixture(home, { maxPageSize: 1 });
      it.sandbox.addUser({ username: "ann", password: PASSWORD, ldap: "corp-ldap" });
      const words = ["--password-stdin", "--login-option", option, "--storage", "file"];
      const ended = await it.run(["auth", "login", "--username", "ann", ...words], {
        input: PASSWORD,
      });
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(it.onlyToken().user?.username, "ann");
      await it.assertSettled([it.onlyToken().name]);
      await it.assertDiscreet();
    });
  }

  const home = nextHome();
  it(`takes user and password from the environment on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    const env = { API7_USERNAME: USER, API7_PASSWORD: PASSWORD };
    const words = ["auth", "login", "--storage", "file"];
    const ended = await it.run(words, { env });
    assert.equal(ended.code, 0, ended.stderr);
    const { id } = it.onlyToken();
    // Another user's name does not go with that password.
    const other = await it.run([...words, "--username", "ci-bot"], { env });
    assert.equal(other.code, 64, other.stderr);
    assert.equal(it.onlyToken().id, id);
    await it.assertDiscreet();
  });

  const another = nextHome();
  it(`assumes API7 Enterprise, and takes ADC's own flags on ${another.name}`, {
    skip: onWindows("shell"),
  }, async () => {
    await using it = await tokenFixture(another);
    const { sandbox } = it;
    const ended = await it.run([
      ...LOG_IN,
      ...["--storage", "file", "--server", sandbox.url, "--ca-cert-file", sandbox.ca],
    ], {
      home: without(another, "ADC_SERVER", "ADC_BACKEND", "ADC_CA_CERT_FILE"),
      input: PASSWORD,
    });
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(await it.storedInFile(), it.onlyToken().value);
    const asked = sandbox.requests.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(asked.slice(0, 2), ["GET /api/login_options", "POST /api/login"]);
  });

  it(`posts no password where nobody named a backend and another answers on ${another.name}`, {
    skip: onWindows("shell"),
  }, async () => {
    for (const backend of ["apisix", "apisix-standalone"] as const) {
      await using it = await fixture({ backend });
      const home = without(another, "ADC_BACKEND");
      const { ADC_BACKEND: _, ...env } = it.env;
      const options = { env, cwd: it.folder.path, input: PASSWORD };
      const words = [...LOG_IN, "--storage", "file"];
      const ended = await adcRun(home, words, options);
      assert.equal(ended.code, 78, ended.stderr);
      assert.match(ended.stderr, /the server answered 404/);
      assert.match(ended.stderr, /No password was sent.*--backend api7ee/);
      assert.ok(it.sandbox.requests.every(({ method, text }) => method === "GET" && text === ""));
      // Who names it has meant it.
      const named = await adcRun(home, [...words, "--backend", "api7ee"], options);
      assert.equal(named.code, 78, named.stderr);
      assert.equal(it.sandbox.requests.at(-1)?.path, "/api/login");
    }
  });

  it(
    `takes only a list for login options on ${another.name}`,
    { skip: onWindows("shell") },
    async () => {
      const bodies = ["<html></html>", { hello: "world" }, { list: {} }, []];
      for (const body of bodies) {
        await using it = await fixture();
        it.sandbox.fault("/api/login_options", { kind: "status", status: 200, body });
        const { ADC_BACKEND: _, ...env } = it.env;
        const options = { env, cwd: it.folder.path, input: PASSWORD };
        const home = without(another, "ADC_BACKEND");
        const ended = await adcRun(home, [...LOG_IN, "--storage", "file"], options);
        assert.equal(ended.code, 78, ended.stderr);
        assert.ok(it.sandbox.requests.every(({ method }) => method === "GET"));
      }
    },
  );
});

describe("auth login and its surroundings", () => {
  const home = nextHome();
  it(`keeps what it knows under XDG_CONFIG_HOME, else ~/.config, on ${home.name}`, {
    skip: onWindows("shell"),
  }, async () => {
    await using it = await tokenFixture(home);
    const { path } = it.folder;
    const anywhere = without(home, "ADC_RUN_CONFIG_DIR", "XDG_CONFIG_HOME");
    const elsewhere = without(home, "ADC_RUN_CONFIG_DIR");
    const words = [...LOG_IN, "--storage=file"];
    const input = PASSWORD;
    const plain = await it.run(words, { home: anywhere, input });
    assert.equal(plain.code, 0, plain.stderr);
    const xdg = await it.run(words, {
      home: elsewhere,
      input,
      env: { XDG_CONFIG_HOME: join(path, "xdg") },
    });
    assert.equal(xdg.code, 0, xdg.stderr);
    const relative = await it.run(["auth", "token"], {
      home: elsewhere,
      env: { XDG_CONFIG_HOME: "xdg" },
      prints: "to stdout",
    });
    const folders = [join(path, ".config", "adc-run"), join(path, "xdg", "adc-run")];
    const stored = await Promise.all(folders.map(async (folder) => {
      const { tokens } = JSON.parse(await readFile(join(folder, "tokens.json"), "utf8"));
      return tokens[it.sandbox.url];
    }));
    assert.deepEqual(it.sandbox.tokens.slice(1).map(({ value }) => value), stored);
    assert.equal(
      relative.stdout,
      `${stored[0]}\n`,
      "a relative XDG_CONFIG_HOME counts for nothing",
    );
    assert.equal(await it.storedInFile(), undefined);
  });

  const another = nextHome();
  it(`finds the tokens of an old server that shows its page for other paths, on ${another.name}`, async () => {
    await using it = await tokenFixture(another, { tokenPath: "/api/settings/tokens" });
    it.sandbox.fault(/^\/api\/tokens/, { kind: "html" });
    await it.logIn("--storage=file");
    assert.equal(await it.storedInFile(), it.onlyToken().value);
    await it.assertSettled([it.onlyToken().name]);
  });

  const third = nextHome();
  it(`warns about the Super Admin, on ${third.name}`, async () => {
    await using it = await tokenFixture(third);
    it.sandbox.addUser({ username: "root", password: PASSWORD, superAdmin: true });
    const words = ["--username", "root", "--password-stdin", "--storage=file"];
    const ended = await it.run(["auth", "login", ...words], { input: PASSWORD });
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /warning: .*"root".* Super Admin/);
    await it.assertDiscreet();
  });
});

describe("auth login that fails leaves nothing behind", () => {
  interface Case {
    readonly title: string;
    readonly words?: readonly string[];
    readonly input?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly code: number;
    readonly message: RegExp;
    readonly prepare?: Parameters<typeof tokenFixture>[1];
    /** Whether not even a connection is made. */
    readonly silent?: boolean;
  }
  const cases: readonly Case[] = [
    { title: "a wrong password", input: "wrong", code: 77, message: /password is incorrect/ },
    {
      title: "a wrong password, in the words of another version",
      input: "wrong",
      prepare: { errorField: "message" },
      code: 77,
      message: /password is incorrect/,
    },
    {
      title: "a password that must be changed",
      words: ["--username", "novice"],
      code: 77,
      message: /password has to be changed/,
    },
    {
      title: "a server without a license",
      prepare: { license: false },
      code: 77,
      message: /license/,
    },
    {
      title: "an option that needs a browser",
      words: ["--login-option", "Single sign-on"],
      code: 77,
      message: /browser[^]*Organization/,
    },
    {
      title: "an option that is not there",
      words: ["--login-option", "Corporate"],
      code: 64,
      message: /Corporate LDAP/,
    },
    {
      title: "an option that is disabled",
      words: ["--login-option", "Old"],
      prepare: {
        loginOptions: [{ id: "old", name: "Old", provider_type: "ldap", disable: true }],
      },
      code: 64,
      message: /turned off|disabled/,
    },
    {
      title: "a name that is too long",
      words: ["--name", "x".repeat(41)],
      code: 64,
      message: /40/,
      silent: true,
    },
    {
      title: "a name that is taken",
      words: ["--name", "taken"],
      code: 65,
      message: /"taken"/,
    },
    ...["soon", "2026-12-24", "0", "0s", "-1d", ""].map((expiry): Case => ({
      title: `--expires-in=${expiry}`,
      words: [`--expires-in=${expiry}`],
      code: 64,
      message: /--expires-in/,
      silent: true,
    })),
    {
      title: "a storage that is not there",
      words: ["--storage", "cloud"],
      code: 64,
      message: /cloud|keychain.*file/,
      silent: true,
    },
    {
      title: "an empty password",
      input: "\n",
      code: 65,
      message: /password/i,
      silent: true,
    },
    {
      title: "another backend",
      env: { ADC_BACKEND: "apisix" },
      code: 78,
      message: /apisix/,
      silent: true,
    },
    {
      title: "a server that does not answer",
      env: { ADC_SERVER: "https://localhost:1" },
      code: 69,
      message: REFUSED,
      silent: true,
    },
  ];
  for (const each of cases) {
    const home = nextHome();
    it(`${each.title} on ${home.name}`, async () => {
      await using it = await tokenFixture(home, each.prepare);
      const { sandbox } = it;
      sandbox.addUser({ username: "novice", password: PASSWORD, mustChangePassword: true });
      sandbox.addToken({ user: USER, name: "taken" });
      const words = [...LOG_IN, "--storage=file", ...(each.words ?? [])];
      const ended = await it.run(words, { input: each.input ?? PASSWORD, env: each.env ?? {} });
      assert.equal(ended.code, each.code, ended.stderr);
      assert.match(ended.stderr, each.message);
      assert.equal(ended.stdout, "");
      if (each.silent) assert.deepEqual(sandbox.requests, []);
      assert.equal(await it.storedInFile(), undefined);
      await it.assertSettled(["taken"]);
      await it.assertDiscreet();
    });
  }

  const home = nextHome();
  it(`nobody to ask for what is missing on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    for (const words of [["--username", USER], ["--password-stdin"], []]) {
      const ended = await it.run(["auth", "login", ...words], { input: PASSWORD });
      assert.equal(ended.code, 64, ended.stderr);
      assert.match(ended.stderr, /--username|API7_USERNAME|--password-stdin|API7_PASSWORD/);
    }
    assert.deepEqual(it.sandbox.requests, []);
  });

  const another = nextHome();
  it(`a server that only .env sets is told nothing on ${another.name}`, {
    skip: onWindows("shell"),
  }, async () => {
    await using it = await tokenFixture(another);
    const { sandbox, folder } = it;
    await folder.write(
      ".env",
      `ADC_SERVER=${sandbox.url}\nADC_BACKEND=api7ee\nADC_CA_CERT_FILE=${sandbox.ca}\n`,
    );
    // An empty variable would hide what the file says.
    const home = without(another, "ADC_SERVER", "ADC_BACKEND", "ADC_CA_CERT_FILE");
    const login = await it.run([...LOG_IN, "--storage=file"], {
      home,
      input: PASSWORD,
    });
    assert.equal(login.code, 78, login.stderr);
    assert.match(login.stderr, /\.env/);
    const ping = await it.run(["--adc", standIn("report.mjs"), "ping"], {
      home,
      env: { API7_USERNAME: USER, API7_PASSWORD: PASSWORD },
    });
    assert.equal(ping.code, 78, ping.stderr);
    assert.deepEqual(sandbox.requests, [], "nothing was sent");
    await it.assertDiscreet();
  });
});

describe("auth login and names", () => {
  const home = nextHome();
  it(`a default name that another token has gets a number, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    await it.logIn("--storage", "file");
    const { name } = it.onlyToken();
    // As if it came from another machine: nothing here knows of it.
    const env = { ADC_RUN_CONFIG_DIR: join(it.folder.path, "other") };
    for (const number of [2, 3]) {
      const elsewhere = await it.run([...LOG_IN, "--storage", "file"], {
        env: { ADC_RUN_CONFIG_DIR: `${env.ADC_RUN_CONFIG_DIR}-${number}` },
        input: PASSWORD,
      });
      assert.equal(elsewhere.code, 0, elsewhere.stderr);
      assert.match(elsewhere.stderr, /warning: .* already has a token/);
    }
    assert.deepEqual(it.liveNames(), [name, `${name} 2`, `${name} 3`].sort());
  });

  const another = nextHome();
  it(`a user name of any kind makes a name that is known again, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    const usernames = [
      "a-user-with-a-name-of-forty-one-letters-x",
      "émile & söhne/1?x=%20#+ 'x'",
      "\u{1F511}".repeat(30),
    ];
    for (const username of usernames) {
      it.sandbox.addUser({ username, password: PASSWORD });
      const words = ["auth", "login", "--username", username, "--password-stdin", "--storage=file"];
      // The one before is another user's.
      const other = await it.run([...words, "--replace"], { input: PASSWORD });
      assert.equal(other.code, 0, other.stderr);
      for (let round = 1; round <= 2; round++) {
        const ended = await it.run(words, { input: PASSWORD });
        assert.equal(ended.code, 0, ended.stderr);
        const { name } = it.onlyToken();
        assert.ok(
          `adc-run ${username}@`.startsWith(name) || name.startsWith(`adc-run ${username}@`),
        );
        assert.ok([...name].length <= 40 && name.isWellFormed());
      }
    }
    await it.assertDiscreet();
  });
});

describe("auth login where the token cannot be kept", () => {
  const states = [
    ["locked", 74, /locked/],
    ["hanging", 74, /does not respond|no response/],
    ["no-bus", 74, /--storage file/],
  ] as const;
  for (const [state, code, message] of states) {
    const home = nextHome();
    it(`says so, and creates none, with a keychain that is ${state}, on ${home.name}`, {
      skip,
    }, async () => {
      await using it = await tokenFixture(home);
      await using session = await startKeychainSession();
      await session.run([
        ...["secret-tool", "store", "--label=x", "service", "other", "username", "x"],
      ], { input: "x" });
      await session.turn(state);
      const ended = await it.run([...LOG_IN], { env: session.env, input: PASSWORD });
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, message);
      await it.assertSettled([]);
      await it.assertDiscreet();
    });
  }

  const home = nextHome();
  it(`revokes it when the keychain goes away meanwhile, on ${home.name}`, { skip }, async () => {
    await using it = await tokenFixture(home);
    await using session = await startKeychainSession();
    it.sandbox.hooks.onReply = async ({ method, path }) => {
      if (method === "POST" && path === "/api/tokens") await session.turn("no-service");
    };
    const ended = await it.run([...LOG_IN], { env: session.env, input: PASSWORD });
    assert.equal(ended.code, 74, ended.stderr);
    assert.equal(it.sandbox.tokens.length, 2, "one was made");
    await it.assertSettled([]);
    await it.assertDiscreet();
  });

  const another = nextHome();
  it(`revokes it when its file cannot be written, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    it.sandbox.hooks.onReply = async ({ method, path }) => {
      if (method === "POST" && path === "/api/tokens") await mkdir(join(it.config, "tokens.json"));
    };
    const ended = await it.run([...LOG_IN, "--storage=file"], { input: PASSWORD });
    assert.equal(ended.code, 74, ended.stderr);
    assert.match(ended.stderr, /tokens\.json/);
    assert.equal(it.sandbox.tokens.length, 2, "one was made");
    assert.deepEqual(it.liveNames(), []);
  });

  const third = nextHome();
  it(`makes none when the configuration folder cannot be written, on ${third.name}`, async () => {
    await using it = await tokenFixture(third);
    await mkdir(join(it.folder.path, "config"));
    await writeFile(it.config, "a file is in the way");
    const ended = await it.run([...LOG_IN, "--storage=file"], { input: PASSWORD });
    assert.equal(ended.code, 74, ended.stderr);
    assert.match(ended.stderr, /config/);
    assert.deepEqual(it.liveNames(), []);
    assert.equal(it.sandbox.openSessions, 0);
  });

  const fourth = nextHome();
  it(`the old token stays stored and alive when the new one cannot be, on ${fourth.name}`, {
    skip,
  }, async () => {
    await using it = await tokenFixture(fourth);
    await using session = await startKeychainSession();
    const env = session.env;
    assert.equal((await it.run([...LOG_IN], { env, input: PASSWORD })).code, 0);
    const { name, value } = it.onlyToken();
    it.sandbox.hooks.onReply = async ({ method, path }) => {
      if (method === "POST" && path === "/api/tokens") await session.turn("locked");
    };
    const ended = await it.run([...LOG_IN], { env, input: PASSWORD });
    assert.equal(ended.code, 74, ended.stderr);
    it.sandbox.hooks.onReply = undefined;
    await session.turn("unlocked");
    assert.equal(await inKeychain(session, it.sandbox.url), value);
    await it.assertSettled([name]);
    const ping = await it.run(["--adc", standIn("adc.mjs"), "ping"], { env });
    assert.equal(ping.code, 0, ping.stderr);
  });
});

describe("auth login over a bad line", () => {
  const faults: readonly (readonly [string, Fault])[] = [
    ["the answer is lost after the token was made", { kind: "reset", when: "done" }],
    ["500 after the token was made", { kind: "status", status: 500, done: true }],
    ["half an answer", { kind: "malformed-json", done: true }],
    ["the request never arrives", { kind: "reset", when: "before" }],
    ["503 instead of a token", { kind: "status", status: 503 }],
  ];
  for (const [title, fault] of faults) {
    const home = nextHome();
    it(`${title}, and one token is created and stored, on ${home.name}`, async () => {
      await using it = await tokenFixture(home);
      it.sandbox.fault({ method: "POST", path: /^\/api\/tokens$/ }, fault, { times: 1 });
      await it.logIn("--storage", "file");
      assert.equal(await it.storedInFile(), it.onlyToken().value);
      await it.assertSettled([it.onlyToken().name]);
      await it.assertDiscreet();
    });
  }

  const home = nextHome();
  it(`no answer twice is a failure, and no token stays, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    it.sandbox.fault({ method: "POST", path: /^\/api\/tokens$/ }, {
      kind: "status",
      status: 500,
    });
    const ended = await it.run([...LOG_IN, "--storage=file"], { input: PASSWORD });
    assert.equal(ended.code, 69, ended.stderr);
    assert.deepEqual(it.liveNames(), []);
    assert.equal(await it.storedInFile(), undefined);
    it.sandbox.clearFaults();
    await it.logIn("--storage", "file");
    await it.assertSettled([it.onlyToken().name]);
  });

  const another = nextHome();
  it(`a token that the check refuses is revoked again, on ${another.name}`, async () => {
    await using it = await tokenFixture(another);
    it.sandbox.fault("/api/gateway_groups", {
      kind: "status",
      status: 403,
      body: { error_msg: "not with this role" },
    });
    const ended = await it.run([...LOG_IN, "--storage=file"], { input: PASSWORD });
    assert.equal(ended.code, 77, ended.stderr);
    assert.match(ended.stderr, /not with this role/);
    assert.equal(await it.storedInFile(), undefined);
    await it.assertSettled([]);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const home = nextHome();
    it(`${signal} while the token is made leaves none, on ${home.name}`, {
      skip: onWindows("signal"),
    }, async () => {
      await using it = await tokenFixture(home);
      const held = it.sandbox.hold({ method: "POST", path: /^\/api\/tokens$/ }, "after");
      const ended = await it.run([...LOG_IN, "--storage=file"], {
        whenStarted: async (child) => {
          child.stdin!.end(PASSWORD);
          await held.arrived;
          process.kill(child.pid!, signal);
        },
      });
      held.release();
      assert.equal(ended.status, signal === "SIGTERM" ? 143 : 130, ended.stderr);
      assert.equal(await it.storedInFile(), undefined);
      assert.deepEqual(it.liveNames(), []);
      assert.equal(it.sandbox.openSessions, 0);
      await it.logIn("--storage=file");
      await it.assertSettled([it.onlyToken().name]);
      await it.assertDiscreet();
    });
  }
});

describe("two logins at once", () => {
  for (const storage of ["file", "keychain"] as const) {
    const home = nextHome();
    it(`leave one live token, the one in the ${storage}, on ${home.name}`, {
      skip: storage === "keychain" && skip,
    }, async () => {
      await using it = await tokenFixture(home);
      await using session = storage === "file" ? undefined : await startKeychainSession();
      const run = () =>
        it.run([...LOG_IN, "--storage", storage], { input: PASSWORD, env: session?.env ?? {} });
      const endings = await Promise.all([run(), run(), run()]);
      for (const { code, stderr } of endings) assert.equal(code, 0, stderr);
      const token = it.onlyToken();
      const stored = session === undefined
        ? await it.storedInFile()
        : await inKeychain(session, it.sandbox.url);
      assert.equal(stored, token.value);
      await it.assertSettled([token.name]);
    });
  }
});
