import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { CheckError } from "../../src/check/verdict.ts";
import { AdcRunError, EXIT } from "../../src/errors.ts";
import type { RunOptions, RunResult } from "../../src/run/options.ts";
import { releaseLease } from "../../src/run/run.ts";
import { runAdc } from "../../src/run/run_adc.ts";
import { watchSignals } from "../../src/run/signals.ts";
import { Secret } from "../../src/secret.ts";
import { ownIdentity } from "../../src/store/process_identity.ts";
import type { TokenLease } from "../../src/token/sources.ts";
import type { Hold } from "../sandbox/holds.ts";
import { failureOf, type Fixture, NOW, prepare } from "../support/lifecycle_fixture.ts";

const watch = watchSignals(undefined);

function lease(release: TokenLease["release"]): TokenLease {
  return { name: "lent", expiresAt: 0, release };
}

/** Runs with a token of ann's in place of ADC something that ends with 4. */
async function run(it: Fixture, more: Partial<RunOptions> = {}): Promise<RunResult> {
  const { value } = it.sandbox.tokens.find(({ name }) => name === "own") ??
    it.sandbox.addToken({ user: "ann", name: "own" });
  const { PATH } = process.env;
  const server = { ADC_BACKEND: "api7ee", ADC_SERVER: it.account };
  return await runAdc(["sync"], {
    env: { ...it.env, ...server, PATH, ADC_TOKEN: value },
    cwd: it.folder.path,
    adc: "sh",
    spawn: (_program, _args, given) => spawn("sh", ["-c", "exit 4"], given),
    onWarning: it.onWarning,
    now: () => NOW,
    ...more,
  });
}

test("`releaseLease()` gives a token back, and has nothing to do without a lease", async () => {
  let released = 0;
  await releaseLease(lease(() => Promise.resolve(void released++)), { watch });
  await releaseLease(undefined, { watch });
  assert.equal(released, 1);
});

test("`releaseLease()` tells what fails and what to do about it, and goes on", async () => {
  const warnings: string[] = [];
  const onWarning = (warning: string) => void warnings.push(warning);
  const failures = [
    new AdcRunError("Cannot revoke", EXIT.unavailable, { suggestion: "Try again." }),
    new AdcRunError("Cannot revoke", EXIT.unavailable),
    new Error("Cannot revoke"),
  ];
  for (const failure of failures) {
    await releaseLease(lease(() => Promise.reject(failure)), { watch, onWarning });
    await releaseLease(lease(() => Promise.reject(failure)), { watch });
  }
  assert.deepEqual(warnings, ["Cannot revoke. Try again.", "Cannot revoke.", "Cannot revoke."]);
});

test("`releaseLease()` gives up at a signal, but for the second of a terminal that is closed", async () => {
  for (const name of ["SIGINT", "SIGTERM", "SIGQUIT"]) {
    const port = new EventEmitter();
    const own = watchSignals(port);
    const warnings: string[] = [];
    const lent = lease(({ signal } = {}) =>
      new Promise((_resolve, reject) => {
        signal!.addEventListener("abort", () => reject(signal!.reason));
        port.emit("SIGHUP");
        assert.equal(signal!.aborted, false);
        port.emit(name);
      })
    );
    await releaseLease(lent, { watch: own, onWarning: (warning) => warnings.push(warning) });
    own.stop();
    assert.deepEqual([warnings, port.eventNames()], [["it was interrupted."], []]);
  }
});

test("`runAdc()` keeps ADC's exit code through a signal while it looks at the token again", async () => {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    await using it = await prepare();
    const signals = new EventEmitter();
    let hold: Hold | undefined;
    const running = run(it, {
      ephemeral: "90s",
      signals,
      spawn: (_program, _args, given) => {
        hold = it.sandbox.hold("/api/gateway_groups");
        void hold.arrived.then(() => assert.ok(signals.emit(name), "the signal ends adc-run"));
        return spawn("sh", ["-c", "exit 4"], given);
      },
    });
    const { exitCode, checkAfter } = await running;
    hold!.release();
    assert.deepEqual([exitCode, checkAfter, it.warnings], [4, undefined, []]);
    assert.deepEqual([it.live(), await it.stores.journal.list()], [["own"], []]);
    assert.deepEqual(signals.eventNames(), [], "no listener stays behind");
  }
});

test("`runAdc()` keeps ADC's exit code where it is aborted while it looks at the token again", async () => {
  await using it = await prepare();
  const controller = new AbortController();
  let hold: Hold | undefined;
  const { exitCode } = await run(it, {
    ephemeral: "90s",
    signal: controller.signal,
    spawn: (_program, _args, given) => {
      hold = it.sandbox.hold("/api/gateway_groups");
      void hold.arrived.then(() => controller.abort());
      return spawn("sh", ["-c", "exit 4"], given);
    },
  });
  hold!.release();
  assert.deepEqual([exitCode, it.live(), await it.stores.journal.list()], [4, ["own"], []]);
});

test("`runAdc()` keeps ADC's exit code where the token cannot be revoked, and says so", async () => {
  await using it = await prepare();
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
  const result = await run(it, { ephemeral: "90s" });
  assert.equal(result.exitCode, 4);
  assert.ok(result.kind === "online");
  const { name } = result.resolved.lease!;
  assert.equal(it.warnings.length, 1);
  assert.match(
    it.warnings[0]!,
    new RegExp(`^Cannot revoke token "${name}", .*\\. The next run`),
  );
  assert.deepEqual(it.live(), ["own", name]);
  assert.deepEqual((await it.stores.journal.list()).map((entry) => entry.name), [name]);
});

test("`runAdc()` revokes what a run that was killed left behind, and says so", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ kind: "ephemeral", name: "left", id });
  assert.equal((await run(it)).exitCode, 4);
  assert.deepEqual([it.live(), await it.stores.journal.list()], [["own"], []]);
  assert.deepEqual(it.warnings, ['Revoked "left", left behind by an interrupted run.']);
});

test("`runAdc()` asks the server nothing where there is nothing to clear up", async () => {
  await using it = await prepare();
  const asked = () => new Set(it.sandbox.requests.map(({ path }) => path));
  await run(it);
  const usual = asked();
  const { id } = it.sandbox.addToken({ user: "ann", name: "running" });
  await it.leave({ name: "running", id, owner: await ownIdentity() });
  await it.leave({ name: "elsewhere", id, origin: "http://127.0.0.1:1" });
  await run(it);
  assert.deepEqual([...asked()], [...usual]);
  assert.ok(!usual.has("/api/me"));
  assert.deepEqual(it.live(), ["own", "running"]);
});

test("`runAdc()` goes on where it cannot clear up, and says so", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ name: "left", id });
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
  assert.equal((await run(it)).exitCode, 4);
  assert.equal(it.warnings.length, 1);
  assert.match(it.warnings[0]!, /^Cannot clean up after an interrupted run: DELETE /);
  assert.equal((await it.stores.journal.list()).length, 1);
});

test("`runAdc()` says that a token ends soon, or that it has ended", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  const { value } = it.sandbox.addToken({ user: "ann", name: "own" });
  const { fingerprint } = new Secret(value);
  const record = { account, origin: account, storage: "file", fingerprint, name: "own" } as const;
  await stores.state.put({ ...record, expiresAt: NOW / 1000 + 3600 });
  await run(it);
  assert.deepEqual(it.warnings, [
    'Token "own" expires in 1 hour, on 2100-01-01 at 01:00 UTC. ' +
    "Rotate it with: adc-run auth rotate",
  ]);
  it.sandbox.revokeToken(value);
  await stores.state.put({ ...record, expiresAt: NOW / 1000 });
  const error = await failureOf(run(it));
  assert.ok(error instanceof CheckError);
  assert.match(error.message, /; the token expired on 2100-01-01$/);
  assert.match(error.suggestion!, /^Replace ADC_TOKEN/);
});
