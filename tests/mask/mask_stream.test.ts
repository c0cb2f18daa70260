import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { inspect } from "node:util";
import type { TimerHandle, Timers } from "../../src/system/deadline.ts";
import { MaskStream } from "../../src/mask/mask.ts";
import { Replacer } from "../../src/mask/replacer.ts";
import { matcherOf } from "../support/naive_mask.ts";

const TOKEN = "a7ee-0123456789";

class ManualTimer implements TimerHandle {
  readonly callback: () => void;
  readonly delay: number;
  referenced = true;

  constructor(callback: () => void, delay: number) {
    this.callback = callback;
    this.delay = delay;
  }

  unref(): void {
    this.referenced = false;
  }
}

/** Timers that only a test moves on. */
class ManualTimers implements Timers {
  readonly timeouts = new Set<ManualTimer>();
  readonly immediates = new Set<ManualTimer>();

  setTimeout(callback: () => void, delay: number): TimerHandle {
    const timer = new ManualTimer(callback, delay);
    this.timeouts.add(timer);
    return timer;
  }

  setImmediate(callback: () => void): TimerHandle {
    const timer = new ManualTimer(callback, 0);
    this.immediates.add(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    this.timeouts.delete(handle as ManualTimer);
  }

  clearImmediate(handle: TimerHandle): void {
    this.immediates.delete(handle as ManualTimer);
  }

  get pending(): ManualTimer[] {
    return [...this.timeouts, ...this.immediates];
  }

  /** The idle time passes. */
  elapse(): void {
    for (const timer of [...this.timeouts]) {
      this.timeouts.delete(timer);
      timer.callback();
    }
  }

  /** All input that was there has been read. */
  poll(): void {
    for (const timer of [...this.immediates]) {
      this.immediates.delete(timer);
      timer.callback();
    }
  }
}

function maskStream(timers?: Timers): MaskStream {
  const replacer = new Replacer(matcherOf([TOKEN]), Buffer.from("***"));
  return new MaskStream(replacer, { idleTime: 50, ...(timers && { timers }) });
}

/** Newer platforms return one buffer for each call, older ones all. */
function available(stream: MaskStream): string {
  let output = "";
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) output += chunk;
  return output;
}

test("`MaskStream` lets held bytes go when the input is idle", () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  stream.write("Token? a7ee-");
  assert.equal(available(stream), "Token? ");
  assert.deepEqual(timers.pending.map((timer) => timer.delay), [50]);
  timers.elapse();
  timers.poll();
  assert.equal(available(stream), "a7ee-");
  assert.deepEqual(timers.pending, []);
});

test("`MaskStream` masks the rest of a secret whose start was let go", () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  stream.write("<a7ee-");
  timers.elapse();
  timers.poll();
  stream.write("0123456789>");
  assert.equal(available(stream), "<a7ee-***>");
});

test("`MaskStream` waits anew after each chunk", () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  for (const char of TOKEN.slice(0, -1)) {
    const before = timers.pending;
    stream.write(char);
    assert.equal(timers.pending.length, 1);
    assert.notEqual(timers.pending[0], before[0]);
  }
  stream.write(TOKEN.slice(-1));
  assert.deepEqual(timers.pending, []);
  assert.equal(available(stream), "***");
});

test("`MaskStream` reads input that is there already before it lets anything go", () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  stream.write("<a7ee-");
  timers.elapse();
  stream.write("0123456789>");
  timers.poll();
  assert.equal(available(stream), "<***>");
});

test("`MaskStream` does not take a slow reader for idle input", async () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  stream.write(Buffer.alloc(100_000, "."));
  stream.write("<a7ee-");
  stream.write("0123456789>");
  timers.elapse();
  timers.poll();
  assert.ok(stream.writableLength > 0, "the reader holds the writer up");
  stream.end();
  let output = "";
  for await (const chunk of stream) output += chunk;
  assert.equal(output.slice(100_000), "<***>");
});

test("`MaskStream` starts the idle time when a slow reader reads on", () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  stream.write(`${".".repeat(100_000)}<a7ee-`);
  timers.elapse();
  timers.poll();
  assert.deepEqual(timers.pending, []);
  assert.equal(available(stream).slice(100_000), "<");
  assert.equal(timers.pending.length, 1);
  timers.elapse();
  timers.poll();
  assert.equal(available(stream), "a7ee-");
});

test("`MaskStream` lets held bytes go at the end and leaves no timer", async () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  stream.write("a7ee-");
  assert.equal(timers.pending.length, 1);
  stream.end("012");
  let output = "";
  for await (const chunk of stream) output += chunk;
  assert.equal(output, "a7ee-012");
  assert.deepEqual(timers.pending, []);
});

test("`MaskStream` leaves no timer when it is destroyed", async () => {
  for (const elapsed of [false, true]) {
    const timers = new ManualTimers();
    const stream = maskStream(timers);
    stream.write("a7ee-");
    if (elapsed) timers.elapse();
    assert.equal(timers.pending.length, 1);
    stream.destroy();
    await once(stream, "close");
    assert.deepEqual(timers.pending, []);
  }
});

test("`MaskStream` does not keep the process alive while it waits", () => {
  const timers = new ManualTimers();
  const stream = maskStream(timers);
  stream.write("a7ee-");
  assert.deepEqual(timers.pending.map((timer) => timer.referenced), [false]);
  // What follows lasts one turn of the loop, which has to be awake for it.
  timers.elapse();
  assert.deepEqual(timers.pending.map((timer) => timer.referenced), [true]);
});

test("`MaskStream` lets held bytes go by the timers of the platform", async () => {
  // The stream's own timer keeps no process alive, so something else must, without waking the loop.
  let alive: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    alive = setTimeout(() => reject(new Error("The loop slept on")), 20_000);
  });
  try {
    const stream = maskStream();
    stream.write("a7ee-");
    const [chunk] = await Promise.race([once(stream, "data"), late]);
    assert.equal(String(chunk), "a7ee-");
  } finally {
    clearTimeout(alive);
  }
});

test("`MaskStream` takes no more than its buffers hold while nobody reads", async () => {
  const stream = maskStream();
  const chunk = Buffer.alloc(32 * 1024, ".");
  let accepted = 0;
  for (let i = 0; i < 100; i++) stream.write(chunk, () => accepted++);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(stream.readableLength <= 128 * 1024, `${stream.readableLength} bytes buffered`);
  assert.ok(accepted < 5, `${accepted} chunks accepted`);
  stream.end();
  let length = 0;
  for await (const piece of stream) length += piece.length;
  assert.equal(length, 100 * chunk.length);
});

test("`MaskStream` works between a fast source and a slow sink", async () => {
  const line = `X-API-KEY: ${TOKEN}\n`;
  const text = Buffer.from(line.repeat(20_000));
  function* chunks(): Generator<Uint8Array> {
    for (let at = 0; at < text.length; at += 9973) yield text.subarray(at, at + 9973);
  }
  let output = "";
  const sink = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, callback) {
      output += chunk;
      setImmediate(callback);
    },
  });
  await pipeline(Readable.from(chunks()), maskStream(), sink);
  assert.equal(output, line.replace(TOKEN, "***").repeat(20_000));
});

test("`MaskStream` shows no secret when it is inspected", () => {
  const stream = maskStream(new ManualTimers());
  stream.write(TOKEN.slice(0, -1));
  const shown = inspect(stream, { depth: Infinity, showHidden: true });
  assert.ok(!shown.includes(TOKEN.slice(0, -1)));
  assert.ok(!shown.includes(inspect(Buffer.from(TOKEN.slice(0, 8))).slice(8, -1)));
});
