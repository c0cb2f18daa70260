import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { it } from "node:test";
import { oneSignal } from "../../src/http/http_client.ts";

it("`oneSignal()` ends with the first of its signals, for the same reason", () => {
  for (const which of [0, 1]) {
    const controllers = [new AbortController(), new AbortController()];
    const { signal, liftLimit } = oneSignal(
      [...controllers.map((each) => each.signal), undefined],
      0,
    );
    assert.equal(signal.aborted, false);
    const reason = new Error("enough");
    controllers[which]!.abort(reason);
    assert.equal(signal.reason, reason);
    liftLimit();
  }
});

it("`oneSignal()` has ended where one of its signals had", () => {
  const reason = new Error("before");
  const { signal, liftLimit } = oneSignal([undefined, AbortSignal.abort(reason)], 1_000);
  assert.equal(signal.reason, reason);
  liftLimit();
});

it("`oneSignal()` ends after its time like `AbortSignal.timeout()`", async () => {
  const errors = await Promise.all(
    [oneSignal([], 5).signal, AbortSignal.timeout(5)].map((signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, 60_000);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve(signal.reason);
        });
      })
    ),
  ) as [DOMException, DOMException];
  assert.deepEqual(errors.map(({ name }) => name), ["TimeoutError", "TimeoutError"]);
});

it("`oneSignal()` goes on to follow its signals when its limit was lifted", async () => {
  const controller = new AbortController();
  const { signal, liftLimit } = oneSignal([controller.signal], 1);
  liftLimit();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(signal.aborted, false);
  controller.abort();
  assert.equal(signal.aborted, true);
});

it("`oneSignal()` listens to no signal, which many requests may have in common", () => {
  const { signal } = new AbortController();
  for (let count = 0; count < 20; count++) oneSignal([signal], 0);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
