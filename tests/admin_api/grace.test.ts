import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { cleanUpLimit, withGrace } from "../../src/admin_api/session.ts";
import { resolveConnection } from "../../src/connection/connection.ts";

function connectionWith(timeout: string) {
  return resolveConnection({ args: ["ping", "--timeout", timeout], env: {}, cwd: "/nowhere" });
}

test("`withGrace()` passes the signal on, with its reason, but not at once", async () => {
  const connection = await connectionWith("20ms");
  const reason = new Error("given up");
  for (const early of [true, false]) {
    const controller = new AbortController();
    if (early) controller.abort(reason);
    const { signal, end } = withGrace(controller.signal, connection);
    assert.ok(signal !== undefined);
    if (!early) controller.abort(reason);
    assert.equal(signal.aborted, false);
    await once(signal, "abort");
    assert.equal(signal.reason, reason);
    end();
  }
  assert.equal(withGrace(undefined, connection).signal, undefined);
});

test("`withGrace()` forgets the signal at its end", async () => {
  const connection = await connectionWith("2ms");
  const controller = new AbortController();
  const before = withGrace(controller.signal, connection);
  before.end();
  const during = withGrace(controller.signal, connection);
  const after = withGrace(controller.signal, connection);
  controller.abort(new Error("given up"));
  during.end();
  // It has the same delay and is the last to begin.
  await once(after.signal!, "abort");
  assert.deepEqual([before.signal?.aborted, during.signal?.aborted], [false, false]);
});

test("`cleanUpLimit()` is the connection's time limit, and ten seconds where it has none", async () => {
  const connection = await connectionWith("30s");
  const { origin } = connection.timeoutMs;
  for (const [value, limit] of [[30_000, 30_000], [0, 10_000], [1e12, 2 ** 31 - 1]] as const) {
    assert.equal(cleanUpLimit({ ...connection, timeoutMs: { value, origin } }), limit);
  }
});
