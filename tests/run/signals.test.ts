import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { constants } from "node:os";
import { it } from "node:test";
import { Interrupted, sendSignal, watchSignals } from "../../src/run/signals.ts";

const ENDING = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"];
const SIGNALS = [...ENDING, "SIGUSR1", "SIGUSR2", "SIGWINCH"];

it("`watchSignals()` ends the run by a signal that comes before the child", () => {
  for (const name of ENDING) {
    const port = new EventEmitter();
    const watch = watchSignals(port, "linux");
    assert.deepEqual(port.eventNames().toSorted(), ENDING.toSorted());
    assert.ok(port.emit(name), "it ends nobody");
    const { reason } = watch.interrupted;
    assert.ok(reason instanceof Interrupted);
    assert.deepEqual([reason.signal, reason.exitCode], [
      name,
      128 + constants.signals[reason.signal],
    ]);
    watch.stop();
    assert.deepEqual(port.eventNames(), []);
  }
});

it("`watchSignals()` passes each signal on to the child, and nothing once it is stopped", () => {
  const port = new EventEmitter();
  const sent: string[] = [];
  const watch = watchSignals(port, "linux");
  watch.passTo((signal) => sent.push(signal));
  for (const signal of SIGNALS) port.emit(signal);
  assert.deepEqual(sent, SIGNALS);
  assert.equal(watch.interrupted.aborted, false);
  watch.stop();
  assert.deepEqual(port.eventNames(), []);
});

it("`watchSignals()` cuts short one step of the clean-up by a signal that comes during it", () => {
  for (const name of SIGNALS) {
    const port = new EventEmitter();
    const watch = watchSignals(port, "linux");
    watch.passTo(() => {});
    port.emit(name);
    const first = watch.cleanUp();
    assert.equal(first.aborted, false, "what came before does not count");
    assert.ok(port.emit(name), "it ends nobody");
    const second = watch.cleanUp();
    const cuts = ENDING.includes(name);
    assert.deepEqual([first.aborted, second.aborted], [cuts, false]);
    port.emit(name);
    assert.deepEqual([watch.interrupted.aborted, second.aborted], [false, cuts]);
    watch.stop();
    assert.deepEqual(port.eventNames(), []);
  }
});

it("`watchSignals()` does without signals that the system does not know", () => {
  for (const unknown of ["SIGUSR1", "SIGQUIT"]) {
    const port = new EventEmitter();
    const sent: string[] = [];
    const watch = watchSignals({
      on: (signal, listener) => {
        if (signal === unknown) throw new Error("unknown signal");
        return port.on(signal, listener);
      },
      off: (signal, listener) => {
        assert.notEqual(signal, unknown);
        return port.off(signal, listener);
      },
    });
    watch.passTo((signal) => sent.push(signal));
    port.emit("SIGTERM");
    assert.deepEqual(sent, ["SIGTERM"]);
    watch.stop();
    assert.deepEqual(port.eventNames(), []);
  }
});

it("`sendSignal()` reaches a process, and bears one that has ended", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  sendSignal(child.pid!, "SIGTERM", {});
  const [, signal] = await once(child, "exit");
  assert.equal(signal, "SIGTERM");
  sendSignal(child.pid!, "SIGTERM", {});
});

it("`watchSignals()` sends nothing on Windows, where the console has sent it, and takes Ctrl-Break for SIGTERM", () => {
  const port = new EventEmitter();
  const sent: string[] = [];
  const watch = watchSignals(port, "win32");
  watch.passTo((signal) => sent.push(signal));
  for (const signal of ["SIGINT", "SIGBREAK", "SIGHUP"]) assert.ok(port.emit(signal), signal);
  assert.deepEqual(sent, []);
  const hurry = watch.cleanUp();
  port.emit("SIGBREAK");
  assert.ok(hurry.aborted);

  const early = watchSignals(port, "win32");
  port.emit("SIGBREAK");
  const { reason } = early.interrupted;
  assert.deepEqual([reason.signal, reason.exitCode], ["SIGTERM", 143]);
});
