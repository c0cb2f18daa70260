import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Secret } from "../../src/secret.ts";
import { describeLoadFailure, KeychainError, keychainOn } from "../../src/token/keychain.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import type { KeychainSession } from "../support/keychain_session.ts";

const PROGRAM = fileURLToPath(new URL("keychain_program.ts", import.meta.url));
const RUNTIME = "deno" in process.versions ? ["run", "--allow-all", "--quiet"] : [];
const ACCOUNT = "https://gateway.example.com:7443";

/** Calls `systemKeychain()` within a session, and gives the answers. */
async function call(session: KeychainSession, ...words: string[]): Promise<unknown[]> {
  const command = [process.execPath, ...RUNTIME, PROGRAM, ...words];
  const { code, stdout, stderr } = await session.run(command);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function lookUp(session: KeychainSession, account: string) {
  return session.run(["secret-tool", "lookup", "service", "adc-run", "username", account]);
}

test("a keychain on Windows says when a token is too long for it", async () => {
  const token = "a7ee-" + "z".repeat(1_276);
  const set = keychainOn("win32").set(ACCOUNT, new Secret(token));
  const error = await set.then(() => assert.fail(), (error: unknown) => error);
  assert.ok(error instanceof KeychainError);
  assert.equal(error.message, "the token has 1281 characters, but Windows stores at most 1280");
  assert.match(error.suggestion!, /--storage file/);
});

test("a binding that does not load is told from one that is not installed", () => {
  const chain = (...messages: string[]) =>
    messages.reduceRight<Error | undefined>(
      (cause, message) => new Error(message, { cause }),
      undefined,
    );
  const missing = [
    "Cannot find native binding. npm has a bug related to optional dependencies",
    "Cannot find module './keyring.linux-x64-gnu.node'\nRequire stack:\n- /x/index.js",
    "Cannot find module '@napi-rs/keyring-linux-x64-gnu'",
  ];
  const absent = "@napi-rs/keyring is not installed for this system";
  assert.equal(describeLoadFailure(chain(...missing)), absent);
  assert.equal(describeLoadFailure(chain("Cannot find package '@napi-rs/keyring'")), absent);
  assert.equal(describeLoadFailure(chain(missing[0]!, "Unsupported OS: plan9")), absent);
  for (
    const found of [
      "/lib/libc.so.6: version `GLIBC_2.99' not found (required by /x/keyring.node)",
      "libdbus-1.so.3: cannot open shared object file: No such file or directory",
      "/x/keyring.node: invalid ELF header",
      "Module did not self-register",
    ]
  ) {
    assert.equal(
      describeLoadFailure(chain(missing[0]!, missing[1]!, found)),
      `@napi-rs/keyring does not load: ${found}`,
    );
  }
  assert.match(describeLoadFailure(chain("Requires ffi access, allow-ffi")), /^Deno may not load/);
});

describe("the Secret Service", { skip: keychainSkip() }, () => {
  test("`systemKeychain()` stores, replaces, reads and removes an entry", async () => {
    await using session = await startKeychainSession();
    const other = "https://gateway.example.com";
    assert.deepEqual(
      await call(
        session,
        ...["get", ACCOUNT, "set", ACCOUNT, "a7ee-one", "get", ACCOUNT, "get", other],
        ...[
          "set",
          ACCOUNT,
          "a7ee-two",
          "get",
          ACCOUNT,
          "set",
          other,
          "\u00e4 \u{1f511}\n",
          "get",
          other,
        ],
        ...["delete", ACCOUNT, "delete", ACCOUNT, "get", ACCOUNT, "get", other],
      ),
      [
        ...["no entry", "set", "a7ee-one", "no entry"],
        ...["set", "a7ee-two", "set", "\u00e4 \u{1f511}\n"],
        ...[true, false, "no entry", "\u00e4 \u{1f511}\n"],
      ],
    );
  });

  test("`systemKeychain()` keeps the bare token where `secret-tool` finds it, and the other way", async () => {
    await using session = await startKeychainSession();
    await call(session, "set", ACCOUNT, "a7ee-example");
    assert.equal((await lookUp(session, ACCOUNT)).stdout, "a7ee-example");
    const attributes = ["service", "adc-run", "username", "http://h:1", "target", "default"];
    await session.run(["secret-tool", "store", "--label=x", ...attributes], { input: "a7ee-x" });
    assert.deepEqual(await call(session, "get", "http://h:1"), ["a7ee-x"]);
    await call(session, "delete", ACCOUNT);
    assert.equal((await lookUp(session, ACCOUNT)).code, 1);
  });

  test("`systemKeychain()` finds an entry again after a restart", async () => {
    await using session = await startKeychainSession();
    await call(session, "set", ACCOUNT, "a7ee-example");
    await session.turn("unlocked");
    assert.deepEqual(await call(session, "get", ACCOUNT), ["a7ee-example"]);
  });

  test("`systemKeychain()` tells a locked keychain from one without an entry", async () => {
    await using session = await startKeychainSession();
    await call(session, "set", ACCOUNT, "a7ee-example");
    await session.turn("locked");
    const locked = { failure: "locked", message: "it is locked" };
    const words = ["get", ACCOUNT, "set", ACCOUNT, "a7ee-two", "get", "https://other.example"];
    assert.deepEqual(await call(session, ...words), [locked, locked, "no entry"]);
    await session.turn("unlocked");
    assert.deepEqual(await call(session, "get", ACCOUNT), ["a7ee-example"]);
  });

  test("`systemKeychain()` says that there are two entries, and the command that removes one", async () => {
    await using session = await startKeychainSession();
    await call(session, "set", ACCOUNT, "a7ee-one");
    const words = ["service", "adc-run", "username", ACCOUNT];
    const other = [...words, "target", "default"];
    await session.run(["secret-tool", "store", "--label=x", ...other], { input: "a7ee-two" });
    const answers = await call(session, "get", ACCOUNT, "set", ACCOUNT, "x", "delete", ACCOUNT);
    for (const answer of answers as { failure: string; message: string; suggestion: string }[]) {
      assert.equal(answer.failure, "failed");
      assert.equal(answer.message, `it has 2 entries for "${ACCOUNT}"`);
      const clear = `secret-tool clear service adc-run username '${ACCOUNT}'`;
      assert.ok(answer.suggestion.includes(`"${clear}"`), answer.suggestion);
      assert.match(answer.suggestion, /such as "target default"/);
    }
    await session.run(["secret-tool", "clear", ...other]);
    assert.deepEqual(await call(session, "get", ACCOUNT), ["a7ee-one"]);
  });

  test("`systemKeychain()` tells a keychain that hangs", async () => {
    await using session = await startKeychainSession("hanging");
    const silent = { failure: "silent", message: "it does not respond" };
    assert.deepEqual(await call(session, "get", ACCOUNT), [silent]);
  });

  test("`systemKeychain()` waits for a keychain that takes three seconds", async () => {
    await using session = await startKeychainSession();
    await call(session, "set", ACCOUNT, "a7ee-example");
    await session.turn("hanging");
    const answers = call(session, "get", ACCOUNT, "set", ACCOUNT, "a7ee-two", "get", ACCOUNT);
    setTimeout(session.resume, 3_000);
    assert.deepEqual(await answers, ["a7ee-example", "set", "a7ee-two"]);
  });

  test("`systemKeychain()` says that there is no keychain in a session without one", async () => {
    await using session = await startKeychainSession("no-service");
    const message = "no Secret Service is running in this session";
    const unavailable = { failure: "unavailable", message };
    const words = ["get", ACCOUNT, "set", ACCOUNT, "a7ee-one", "delete", ACCOUNT];
    assert.deepEqual(await call(session, ...words), [unavailable, unavailable, unavailable]);
  });

  test("`systemKeychain()` says that there is no keychain without a session", async () => {
    await using session = await startKeychainSession("no-bus");
    const message = "no Secret Service is running in this session";
    assert.deepEqual(await call(session, "get", ACCOUNT), [{ failure: "unavailable", message }]);
    for (const address of ["unix:path=/no/such/socket", "", "/dev/null", "disabled:"]) {
      const command = [process.execPath, ...RUNTIME, PROGRAM, "get", ACCOUNT];
      const env = { DBUS_SESSION_BUS_ADDRESS: address };
      const { stdout, stderr } = await session.run(command, { env });
      assert.equal(stderr, "");
      assert.equal(JSON.parse(stdout)[0].failure, "unavailable", `${address}: ${stdout}`);
    }
  });
});
