import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { it } from "node:test";
import { deadline, unlessAborted } from "../../src/system/deadline.ts";

it("`deadline()` ends with the first of its signals, for the same reason", () => {
  for (const which of [0, 1]) {
    const controllers = [new AbortController(), new AbortController()];
    const { signal, clear } = deadline(0, [...controllers.map((each) => each.signal), undefined]);
    assert.equal(signal.aborted, false);
    const reason = new Error("enough");
    controllers[which]!.abort(reason);
    assert.equal(signal.reason, reason);
    clear();
  }
});

it("`deadline()` has ended where one of its signals had", () => {
  const reason = new Error("before");
  const { signal, clear } = deadline(1_000, [undefined, AbortSignal.abort(reason)]);
  assert.equal(signal.reason, reason);
  clear();
});

it("`deadline()` ends after its time like `AbortSignal.timeout()`", async () => {
  const errors = await Promise.all(
    [deadline(5).signal, AbortSignal.timeout(5)].map((signal) =>
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

it("`deadline()` goes on to follow its signals when its limit was lifted", async () => {
  const controller = new AbortController();
  const { signal, clear } = deadline(1, [controller.signal]);
  clear();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(signal.aborted, false);
  controller.abort();
  assert.equal(signal.aborted, true);
});

it("`deadline()` listens to no signal, which many requests may have in common", () => {
  const { signal } = new AbortController();
  for (let count = 0; count < 20; count++) deadline(0, [signal]);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

it("`unlessAborted()` gives what the promise gives, and else the signal's reason", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
  const failure = new Error("failure");
  await assert.rejects(unlessAborted(Promise.reject(failure), signal), failure);
  const reason = new Error("enough");
  const late = unlessAborted(new Promise(() => {}), signal);
  controller.abort(reason);
  await assert.rejects(late, reason);
  await assert.rejects(unlessAborted(new Promise(() => {}), signal), reason, "before it began");
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
