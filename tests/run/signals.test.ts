import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { it } from "node:test";
import { forwardSignals, sendSignal } from "../../src/run/signals.ts";

const SIGNALS = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"];

it("`forwardSignals()` passes each signal on, and nothing once it is stopped", () => {
  const port = new EventEmitter();
  const sent: string[] = [];
  const stop = forwardSignals({ port, terminal: false, send: (signal) => sent.push(signal) });
  for (const signal of SIGNALS) port.emit(signal);
  assert.deepEqual(sent, SIGNALS);
  stop();
  assert.deepEqual(port.eventNames(), []);
});

it("`forwardSignals()` hears a terminal's Ctrl-C, which the child has had, and passes the rest on", () => {
  const port = new EventEmitter();
  const sent: string[] = [];
  forwardSignals({ port, terminal: true, send: (signal) => sent.push(signal) });
  // A signal that nobody listens to would end the process before its child.
  for (const signal of SIGNALS) assert.equal(port.emit(signal), true, signal);
  assert.deepEqual(sent, SIGNALS.filter((signal) => signal !== "SIGINT"));
});

it("`forwardSignals()` does without signals that the system does not know", () => {
  const port = new EventEmitter();
  const sent: string[] = [];
  const stop = forwardSignals({
    port: {
      on: (signal, listener) => {
        if (signal === "SIGUSR1") throw new Error("unknown signal");
        return port.on(signal, listener);
      },
      off: (signal, listener) => port.off(signal, listener),
    },
    terminal: false,
    send: (signal) => sent.push(signal),
  });
  port.emit("SIGTERM");
  assert.deepEqual(sent, ["SIGTERM"]);
  stop();
  assert.deepEqual(port.eventNames(), []);
});

it("`sendSignal()` reaches a process, and bears one that has ended", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  sendSignal(child.pid!, "SIGTERM");
  const [, signal] = await once(child, "exit");
  assert.equal(signal, "SIGTERM");
  sendSignal(child.pid!, "SIGTERM");
});
