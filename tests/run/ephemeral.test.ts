import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import { CheckError } from "../../src/check/verdict.ts";
import { CommandError, UsageError } from "../../src/errors.ts";
import { adminApiSource } from "../../src/lifecycle/admin_api_source.ts";
import type { RunOptions } from "../../src/run/options.ts";
import { runAdc } from "../../src/run/run_adc.ts";
import { Secret } from "../../src/secret.ts";
import type { Spawner } from "../../src/system/spawn.ts";
import { runtimeCommand, standIn } from "../stand_ins/run_stand_in.ts";
import { assertDiscreet, failureOf, prepare, USERS } from "../support/lifecycle_fixture.ts";
import type { Fixture } from "../support/lifecycle_fixture.ts";

const TTL = "90s";
const GROUPS = "/api/gateway_groups";

/** A run with a token of ann's, which is the parent of the one that ADC gets. */
function options(it: Fixture, more: Partial<RunOptions> = {}): RunOptions {
  const parent = it.sandbox.tokens.find(({ name }) => name === "parent") ??
    it.sandbox.addToken({ user: "ann", name: "parent" });
  const { PATH, HOME } = process.env;
  return {
    env: {
      ...it.env,
      PATH,
      HOME,
      ADC_BACKEND: "api7ee",
      ADC_SERVER: it.account,
      ADC_TOKEN: parent.value,
      ...more.env,
    },
    cwd: it.folder.path,
    adc: "sh",
    ephemeral: TTL,
    onWarning: it.onWarning,
    spawn: shell("exit 0"),
    ...without(more, "env"),
  };
}

function without<T, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}

/** Runs a shell script in ADC's place; further words are its arguments, made when it starts. */
function shell(script: string, words: () => readonly string[] = () => []): Spawner {
  return (_program, _args, given) => spawn("sh", ["-c", script, "sh", ...words()], given);
}

const NEVER: Spawner = () => assert.fail("nothing may be started");

function collector(): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = new PassThrough();
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => text += chunk);
  return { stream, text: () => text };
}

/** The parent is alive, the one token that was made is not, and nobody has to remember it. */
async function assertRevoked(it: Fixture): Promise<void> {
  assert.deepEqual(it.sandbox.tokens.map(({ revoked }) => revoked), [false, true]);
  assert.deepEqual([it.live(), await it.stores.journal.list()], [["parent"], []]);
  assert.deepEqual(it.warnings, []);
}

test("`runAdc()` with `ephemeral` gives ADC a token of its own, and revokes it", async () => {
  await using it = await prepare();
  const output = collector();
  const [command, ...words] = runtimeCommand(standIn("report.mjs"));
  let alive: readonly string[] = [];
  const result = await runAdc(
    ["sync"],
    options(it, {
      stdout: output.stream,
      spawn: (_program, _args, given) => {
        alive = it.live();
        return spawn(command, words, given);
      },
    }),
  );
  assert.ok(result.kind === "online");
  const { exitCode, resolved } = result;
  assert.equal(exitCode, 0);
  const [parent, made] = it.sandbox.tokens;
  const report = JSON.parse(output.text());
  assert.equal(report.env.ADC_TOKEN.sha256, new Secret(made!.value).fingerprint);
  assert.notEqual(made!.value, parent!.value);
  assert.deepEqual(alive, ["parent", made!.name]);
  assert.match(made!.name, /^adc-run-ephemeral-/);
  assert.equal(resolved.token.reveal(), made!.value);
  assert.deepEqual([resolved.source, resolved.lease?.name], ["env", made!.name]);
  assert.equal(resolved.detail, `ADC_TOKEN: "${made!.name}", for this run only`);
  await assertRevoked(it);
  const check = it.sandbox.requests.find(({ path }) => path === GROUPS);
  assert.equal(check?.apiKey, made!.value, "the token that is checked is the one that ADC gets");
});

test("`runAdc()` revokes the token after ADC's failure, and keeps the exit code", async () => {
  await using it = await prepare();
  const { exitCode, checkAfter } = await runAdc(["sync"], options(it, { spawn: shell("exit 4") }));
  assert.deepEqual([exitCode, checkAfter], [4, undefined]);
  await assertRevoked(it);
});

test("`runAdc()` revokes the token after a check that failed", async () => {
  await using it = await prepare();
  it.sandbox.fault(GROUPS, { kind: "status", status: 403 });
  const error = await failureOf(runAdc(["sync"], options(it, { spawn: NEVER })));
  assert.ok(error instanceof CheckError);
  assert.equal(error.result.verdict, "forbidden");
  await assertRevoked(it);
});

test("`runAdc()` makes no token, and asks the server nothing, where ADC is not found", async () => {
  await using it = await prepare();
  const error = await failureOf(runAdc(["sync"], options(it, { adc: "no-such-adc" })));
  assert.ok(error instanceof CommandError);
  assert.deepEqual(it.sandbox.requests, []);
});

test("`runAdc()` revokes the token where the program does not start", async () => {
  await using it = await prepare();
  const spawn = () => {
    throw Object.assign(new Error("spawn EPERM"), { code: "EPERM" });
  };
  const error = await failureOf(runAdc(["sync"], options(it, { spawn })));
  assert.ok(error instanceof CommandError);
  await assertRevoked(it);
});

test("`runAdc()` revokes the token when it is aborted during the check", async () => {
  await using it = await prepare();
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("enough");
  const hold = it.sandbox.hold(GROUPS);
  const running = failureOf(runAdc(["sync"], options(it, { signal, spawn: NEVER })));
  await hold.arrived;
  controller.abort(reason);
  assert.equal(await running, reason);
  hold.release();
  await assertRevoked(it);
});

test("`runAdc()` revokes the token when it is aborted during the run", async () => {
  await using it = await prepare();
  const controller = new AbortController();
  const stdout = new PassThrough();
  stdout.once("data", () => controller.abort());
  const spawn = shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
  const { signal } = controller;
  const { exitCode } = await runAdc(["sync"], options(it, { signal, stdout, spawn }));
  assert.equal(exitCode, 5);
  await assertRevoked(it);
});

test("`runAdc()` clears up once where a token is made for the run", async () => {
  for (const from of ["env", "admin-api"]) {
    await using it = await prepare();
    const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
    await it.leave({ kind: "ephemeral", name: "left", id });
    const path = `/api/tokens/${id}`;
    it.sandbox.fault({ method: "DELETE", path }, { kind: "status", status: 403 });
    const { env, ...given } = options(it);
    const login = { ...env, API7_USERNAME: "ann", API7_PASSWORD: USERS.ann };
    const { keychain } = it;
    const result = await runAdc(
      ["sync"],
      from === "env" ? { ...given, env } : {
        ...given,
        env: { ...env, ADC_TOKEN: undefined },
        sources: [
          adminApiSource({ env: login, keychain, ephemeral: TTL, onWarning: it.onWarning }),
        ],
      },
    );
    assert.ok(result.kind === "online" && result.resolved.lease !== undefined);
    const attempts = it.sandbox.requests.filter((request) => request.path === path);
    assert.deepEqual(attempts.map(({ method }) => method), ["DELETE"], from);
    assert.equal(it.warnings.length, 1, from);
    assert.match(it.warnings[0]!, /^Cannot clean up after an interrupted run: DELETE /);
  }
});

test("`runAdc()` gives ADC its own token in place of the parent, under any name", async () => {
  await using it = await prepare();
  const { env, ...given } = options(it);
  const { value } = it.sandbox.tokens[0]!;
  await it.folder.write(".env", `API_KEY=${value}\n`);
  let child: NodeJS.ProcessEnv = {};
  await runAdc(["sync"], {
    ...given,
    env: { ...env, COPY: value, OTHER: `${value}-and-more` },
    spawn: (_program, _args, how) => {
      child = how.env ?? {};
      return spawn("sh", ["-c", "exit 0"], how);
    },
  });
  const made = it.sandbox.tokens[1]!.value;
  assert.ok([child.ADC_TOKEN, child.API_KEY, child.COPY].every((each) => each === made));
  assert.ok(child.OTHER === `${value}-and-more`, "only the very value is replaced");
  await runAdc(["sync"], {
    ...given,
    ephemeral: undefined,
    env: { ...env, COPY: value },
    spawn: (_program, _args, how) => {
      child = how.env ?? {};
      return spawn("sh", ["-c", "exit 0"], how);
    },
  });
  assert.ok(child.COPY === value && child.API_KEY === undefined, "it is the run's own token");
});

test("`runAdc()` with `ephemeral` refuses a backend that makes no tokens, and asks nobody", async () => {
  await using it = await prepare();
  const env = { ADC_BACKEND: "apisix" };
  const sources = [{ name: "never", timeoutMs: 1, find: () => assert.fail("it may not be asked") }];
  const error = await failureOf(runAdc(["sync"], options(it, { env, sources, spawn: NEVER })));
  assert.ok(error instanceof UsageError);
  assert.equal(error.exitCode, 64);
  assert.deepEqual(it.sandbox.requests, []);
});

test("`runAdc()` with `ephemeral` says that the parent has expired", async () => {
  await using it = await prepare();
  const given = options(it, { spawn: NEVER });
  const [parent] = it.sandbox.tokens;
  parent!.expiresAt = 1;
  const { fingerprint } = new Secret(parent!.value);
  const { account } = it;
  await it.stores.state.put({
    account,
    origin: account,
    storage: "file",
    fingerprint,
    expiresAt: 1,
  });
  const error = await failureOf(runAdc(["sync"], given));
  assert.ok(error instanceof CheckError);
  assert.equal(error.exitCode, 77);
  assert.match(error.message, /the token expired on 1970-01-01$/);
  assert.equal(it.sandbox.tokens.length, 1);
});

test("`runAdc()` masks the parent, and the token that was made, wherever the parent came from", async () => {
  await using it = await prepare();
  const output = collector();
  const { env, ...given } = options(it);
  const { value } = it.sandbox.tokens[0]!;
  const found = { status: "found", token: new Secret(value), detail: "here" } as const;
  const { masked } = await runAdc(["sync"], {
    ...given,
    env: { ...env, ADC_TOKEN: undefined },
    sources: [{ name: "fixed", timeoutMs: 1000, find: () => Promise.resolve(found) }],
    stdout: output.stream,
    spawn: shell('printf "%s\\n" "$@"', () => it.sandbox.secrets),
  });
  assert.deepEqual([output.text(), masked], ["***\n***\n", 2]);
  await assertRevoked(it);
});

test("`runAdc()` masks the password and the session that a token was made with", async () => {
  await using it = await prepare();
  const output = collector();
  const { env, ...given } = options(it);
  const login = { ...env, ADC_TOKEN: undefined, API7_USERNAME: "ann", API7_PASSWORD: USERS.ann };
  const { masked } = await runAdc(["sync"], {
    ...given,
    env: { ...env, ADC_TOKEN: undefined },
    sources: [adminApiSource({ env: login, keychain: it.keychain, ephemeral: TTL })],
    stdout: output.stream,
    spawn: shell('printf "%s\\n" "$@"', () => [USERS.ann, ...it.sandbox.secrets]),
  });
  // The second is a token of ann's that has no part in the run.
  const { value } = it.sandbox.tokens[0]!;
  assert.deepEqual(output.text().split("\n"), ["***", value, "***", "***", ""]);
  assert.equal(masked, 3);
  assert.equal(it.sandbox.tokens.length, 2, "a token for the run is not exchanged once more");
  assert.equal(it.sandbox.openSessions, 0);
  await assertRevoked(it);
});

test("`runAdc()` with `ephemeral` ends with 77 where the parent may make no tokens", async () => {
  await using it = await prepare();
  const { value } = it.sandbox.addToken({
    user: "ann",
    name: "parent",
    permissions: { tokens: false },
  });
  const error = await failureOf(runAdc(["sync"], options(it, { spawn: NEVER })));
  assert.ok(error instanceof AdminApiError);
  assert.deepEqual([error.failure, error.exitCode], ["forbidden", 77]);
  assert.equal(it.sandbox.tokens.length, 1);
  assert.deepEqual(await it.stores.journal.list(), []);
  assertDiscreet(error, [value]);
});

test("`runAdc()` that is aborted while the token is made leaves none behind", async () => {
  await using it = await prepare();
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("enough");
  const hold = it.sandbox.hold({ method: "POST", path: "/api/tokens" }, "after");
  const running = failureOf(runAdc(["sync"], options(it, { signal, spawn: NEVER })));
  await hold.arrived;
  controller.abort(reason);
  hold.release();
  assert.equal(await running, reason);
  assert.deepEqual(it.sandbox.tokens.map(({ revoked }) => revoked), [false, true]);
});
