import assert from "node:assert/strict";
import { test } from "node:test";
import { Agent } from "undici";
import type { HttpDispatcher } from "../../src/context.ts";
import { AdcRunError } from "../../src/errors.ts";
import { lendToken } from "../../src/lifecycle/token_for_run.ts";
import type { Fault } from "../sandbox/faults.ts";
import { assertDiscreet, failureOf, type Fixture, prepare } from "../support/lifecycle_fixture.ts";

const NOW = Date.UTC(2100, 0, 1);
const END = NOW / 1000 + 90;

/** Lends a token for 90 s; `closed` tells how often what it was made with was closed. */
async function lend(
  { connection, logIn, stores }: Fixture,
  { signal, dispatcher }: { signal?: AbortSignal; dispatcher?: HttpDispatcher } = {},
) {
  const { api, user } = await logIn();
  let closed = 0;
  const close = () => {
    closed++;
    return Promise.resolve();
  };
  const terms = { connection, stores, ttl: 90_999, dispatcher, signal, now: () => NOW };
  const lent = await lendToken({ api, user, close }, terms);
  return { ...lent, closed: () => closed };
}

test("`lendToken()` makes a token of a name of its own, which ends by itself", async () => {
  await using it = await prepare();
  const { token, lease, closed } = await lend(it);
  assert.match(lease.name, /^adc-run-ephemeral-[0-9a-f]{8}$/);
  assert.equal(lease.expiresAt, END);
  const [made, ...others] = it.sandbox.tokens;
  assert.deepEqual(others, []);
  assert.deepEqual([made!.name, made!.value, made!.expiresAt, made!.user?.username], [
    lease.name,
    token.reveal(),
    END,
    "ann",
  ]);
  const [entry] = await it.stores.journal.list();
  const { kind, name, id, expiresAt, account, storage } = entry!;
  assert.deepEqual([kind, name, id, expiresAt], ["ephemeral", lease.name, made!.id, END]);
  assert.deepEqual([account, storage], [undefined, undefined]);
  assert.equal(closed(), 0);
  assertDiscreet(lease, [token.reveal()]);
});

test("releasing a lent token revokes it, closes the session, and clears the journal", async () => {
  await using it = await prepare();
  const { lease, closed } = await lend(it);
  it.changes();
  await lease.release();
  assert.deepEqual(it.changes(), [`DELETE /api/tokens/${it.sandbox.tokens[0]!.id}`]);
  assert.deepEqual([it.live(), await it.stores.journal.list(), closed()], [[], [], 1]);
});

test("releasing a lent token again, or twice at once, does nothing more", async () => {
  await using it = await prepare();
  const { lease, closed } = await lend(it);
  it.changes();
  await Promise.all([lease.release(), lease.release()]);
  await lease.release();
  assert.equal(it.changes().length, 1);
  assert.equal(closed(), 1);
});

test("releasing a lent token that is gone already is no failure", async () => {
  await using it = await prepare();
  const { token, lease } = await lend(it);
  it.sandbox.revokeToken(token.reveal());
  await lease.release();
  assert.deepEqual(await it.stores.journal.list(), []);
});

test("a lent token revokes itself where the session may not do it any more", async () => {
  for (const status of [401, 403]) {
    await using it = await prepare();
    const { token, lease, closed } = await lend(it);
    it.sandbox.fault({ method: "DELETE" }, { kind: "status", status }, { times: 1 });
    await lease.release();
    const asking = it.sandbox.requests.filter(({ method }) => method === "DELETE")
      .map(({ apiKey }) => apiKey);
    assert.equal(asking.length, 2);
    assert.ok(asking[0] === undefined && asking[1] === token.reveal());
    assert.deepEqual([it.live(), await it.stores.journal.list(), closed()], [[], [], 1]);
  }
});

test("a lent token that is revoked, and whose session is over, is given back", async () => {
  await using it = await prepare();
  const { token, lease } = await lend(it);
  it.sandbox.revokeToken(token.reveal());
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 401 });
  await lease.release();
  assert.deepEqual(await it.stores.journal.list(), []);
});

test("a lent token that a proxy does not let revoke stays in the journal", async () => {
  const basic = { "www-authenticate": 'Basic realm="corp"' };
  const refusals: readonly Fault[] = [
    { kind: "status", status: 401, headers: basic, body: "<html>log in</html>" },
    { kind: "status", status: 401, body: { message: "Unauthorized" } },
    { kind: "status", status: 404, body: { error_msg: "404 page not found" } },
    { kind: "status", status: 400, body: { message: "no such path" } },
  ];
  for (const refusal of refusals) {
    await using it = await prepare();
    const { lease } = await lend(it);
    it.sandbox.fault({ method: "DELETE" }, refusal);
    const error = await failureOf(lease.release());
    assert.match(error.message, /^Cannot revoke token "adc-run-ephemeral-/);
    assert.deepEqual((await it.stores.journal.list()).map(({ name }) => name), it.live());
    assert.equal(it.live().length, 1);
  }
});

test("a lent token revokes itself with the dispatcher that it was given", async () => {
  await using it = await prepare();
  const sent: string[] = [];
  const agent = new Agent();
  const dispatcher = agent.compose((dispatch) => (options, handler) => {
    sent.push(options.method);
    return dispatch(options, handler);
  });
  const { lease } = await lend(it, { dispatcher });
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 401 }, { times: 1 });
  await lease.release();
  await agent.close();
  assert.deepEqual([sent, it.live()], [["DELETE"], []]);
});

test("a lent token that cannot be revoked stays in the journal, and that is said", async () => {
  await using it = await prepare();
  const { token, lease, closed } = await lend(it);
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500, body: { message: "no" } });
  const error = await failureOf(lease.release());
  assert.ok(error instanceof AdcRunError);
  assert.equal(error.exitCode, 69);
  const start = `Cannot revoke token "${lease.name}", created for this run: DELETE `;
  assert.ok(error.message.startsWith(start), error.message);
  assert.match(error.suggestion!, /^The next run as ann on this server tries again; /);
  assert.match(error.suggestion!, /expires on 2100-01-01 anyway\.$/);
  assert.deepEqual((await it.stores.journal.list()).map(({ name }) => name), [lease.name]);
  assert.deepEqual(it.live(), [lease.name]);
  assert.equal(closed(), 1);
  assertDiscreet(error, [token.reveal()]);
});

test("releasing a lent token ends with its signal, and the token stays in the journal", async () => {
  await using it = await prepare();
  const { lease, closed } = await lend(it);
  const controller = new AbortController();
  const hold = it.sandbox.hold({ method: "DELETE" });
  const releasing = failureOf(lease.release({ signal: controller.signal }));
  await hold.arrived;
  controller.abort(new Error("it was interrupted"));
  const error = await releasing;
  hold.release();
  assert.ok(error instanceof AdcRunError);
  assert.match(error.message, /: it was interrupted$/);
  assert.equal((await it.stores.journal.list()).length, 1);
  assert.equal(closed(), 1);
});

test("`lendToken()` closes nothing itself where no token was made", async () => {
  await using it = await prepare();
  it.sandbox.fault({ method: "POST", path: "/api/tokens" }, { kind: "status", status: 403 });
  const error = await failureOf(lend(it));
  assert.ok(error instanceof AdcRunError);
  assert.equal(error.exitCode, 77);
  assert.deepEqual(await it.stores.journal.list(), []);
});

test("`lendToken()` that is given up leaves no token behind", async () => {
  await using it = await prepare();
  const controller = new AbortController();
  const reason = new Error("enough");
  const hold = it.sandbox.hold({ method: "POST", path: "/api/tokens" }, "after");
  const lending = failureOf(lend(it, { signal: controller.signal }));
  await hold.arrived;
  controller.abort(reason);
  hold.release();
  assert.equal(await lending, reason);
  assert.equal(it.sandbox.tokens.length, 1);
  assert.deepEqual(it.live(), []);
});
