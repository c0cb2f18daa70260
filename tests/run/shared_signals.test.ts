import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { it } from "node:test";
import { shareSignals } from "../../src/run/signals.ts";

it("`shareSignals()` listens once for all, and tells all", () => {
  const port = new EventEmitter();
  const shared = shareSignals(port);
  const told: number[] = [];
  const listeners = Array.from({ length: 100 }, (_, index) => () => told.push(index));
  for (const listener of listeners) shared.on("SIGTERM", listener);
  assert.equal(port.listenerCount("SIGTERM"), 1);
  port.emit("SIGTERM");
  assert.equal(told.length, 100);
  for (const listener of listeners.slice(1)) shared.off("SIGTERM", listener);
  port.emit("SIGTERM");
  assert.deepEqual(told.slice(100), [0]);
  shared.off("SIGTERM", listeners[0]!);
  assert.deepEqual(port.eventNames(), []);
});

it("`shareSignals()` bears listeners that come and go while they are told", () => {
  const port = new EventEmitter();
  const shared = shareSignals(port);
  const told: string[] = [];
  const late = () => told.push("late");
  const first = () => {
    told.push("first");
    shared.off("SIGINT", first);
    shared.on("SIGINT", late);
  };
  shared.on("SIGINT", first);
  shared.on("SIGINT", () => told.push("second"));
  port.emit("SIGINT");
  assert.deepEqual(told, ["first", "second"]);
  port.emit("SIGINT");
  assert.deepEqual(told.slice(2), ["second", "late"]);
});

it("`shareSignals()` throws where the port does not know a signal, and forgets it", () => {
  let attempts = 0;
  const shared = shareSignals({
    on: () => {
      attempts++;
      throw new Error("unknown signal");
    },
    off: () => assert.fail("nothing was listened to"),
  });
  const listener = () => {};
  assert.throws(() => shared.on("SIGHUP", listener), /unknown signal/);
  assert.throws(() => shared.on("SIGHUP", listener), /unknown signal/);
  assert.equal(attempts, 2);
  shared.off("SIGHUP", listener);
});
