import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { it } from "node:test";
import { oneSignal } from "../../src/connection/one_signal.ts";

it("`oneSignal()` ends with the first of its signals, for the same reason", () => {
  for (const which of [0, 1]) {
    const controllers = [new AbortController(), new AbortController()];
    const { signal, release } = oneSignal(
      [...controllers.map((each) => each.signal), undefined],
      0,
    );
    assert.equal(signal.aborted, false);
    const reason = new Error("enough");
    controllers[which]!.abort(reason);
    assert.equal(signal.reason, reason);
    release();
  }
});

it("`oneSignal()` has ended where one of its signals had", () => {
  const reason = new Error("before");
  const { signal, release } = oneSignal([undefined, AbortSignal.abort(reason)], 1_000);
  assert.equal(signal.reason, reason);
  release();
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

it("`oneSignal()` lets go of its signals, and of its time", async () => {
  const controller = new AbortController();
  const { signal, release } = oneSignal([controller.signal], 1);
  release();
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  controller.abort();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(signal.aborted, false);
});
