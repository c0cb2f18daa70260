import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import { it } from "node:test";
import { isColorful } from "../../../src/cli/output/layout.ts";
import { TargetLines } from "../../../src/cli/output/target_lines.ts";

const NAMES = ["staging", "eu"];

/** A stream that keeps what it gets; a held write waits until it is let go. */
function sink(held = false): Writable & { readonly writes: string[]; readonly letGo: () => void } {
  const writes: string[] = [];
  let waiting: (() => void) | undefined;
  const stream = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(chunk.toString());
      if (held) waiting = done;
      else done();
    },
  });
  return Object.assign(stream, {
    writes,
    letGo: () => {
      held = false;
      waiting?.();
    },
  });
}

function lines(to: Writable, colorful = false): TargetLines {
  return new TargetLines(to, { names: NAMES, colorful });
}

function written(stream: Writable, text: string | Uint8Array): Promise<Error | null | undefined> {
  return new Promise((resolve) => stream.write(text, (error) => resolve(error)));
}

it("`TargetLines` puts the target's name before each line, padded to the longest", async () => {
  const to = sink();
  const all = lines(to);
  const [staging, eu] = [all.stream("staging"), all.stream("eu")];
  await written(staging, "one\ntwo\n");
  await written(eu, "three\n");
  await all.settled();
  assert.equal(to.writes.join(""), "staging | one\nstaging | two\neu      | three\n");
});

it("`TargetLines` lets no two targets share a line", async () => {
  const to = sink();
  const all = lines(to);
  const [staging, eu] = [all.stream("staging"), all.stream("eu")];
  await written(staging, "first ");
  await written(eu, "other\nhalf");
  await written(staging, "second\n");
  eu.finish();
  staging.finish();
  await all.settled();
  assert.deepEqual(to.writes.filter((each) => each !== ""), [
    "eu      | other\n",
    "staging | first second\n",
    "eu      | half\n",
  ]);
});

it("`TargetLines` marks the pieces of a line that is too long", async () => {
  const to = sink();
  const all = lines(to);
  const stream = all.stream("eu");
  await written(stream, `${"x".repeat(100_000)}\n`);
  await all.settled();
  assert.match(to.writes.join(""), /^eu {6}\| x{65536}\neu {6}\+ x{34464}\n$/);
});

it("`TargetLines` gives names their colors, and ends colors that a line left on", async () => {
  const to = sink();
  const all = lines(to, true);
  await written(all.stream("staging"), "plain\n\x1b[31mred\n");
  await written(all.stream("eu"), "other\n");
  await all.settled();
  assert.equal(
    to.writes.join(""),
    "\x1b[36mstaging |\x1b[39m plain\n" +
      "\x1b[36mstaging |\x1b[39m \x1b[31mred\x1b[0m\n" +
      "\x1b[33meu      |\x1b[39m other\n",
  );
});

it("`TargetLines` leaves bytes of a line as they are", async () => {
  const chunks: Buffer[] = [];
  const to = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  const all = lines(to);
  const bytes = Buffer.from([0xff, 0x00, 0x80, 0x1b]);
  await written(all.stream("eu"), Buffer.concat([bytes, Buffer.from("\n")]));
  await all.settled();
  assert.deepEqual(Buffer.concat(chunks).subarray(10, -1), bytes);
});

it("`TargetLines` makes writers wait for a slow reader", async () => {
  const to = sink(true);
  const all = lines(to);
  const streams = [all.stream("staging"), all.stream("eu")];
  let done = 0;
  const writing = streams.map((stream) => written(stream, "line\n").then(() => done++));
  let settled = false;
  const settling = all.settled().then(() => settled = true);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([done, settled], [0, false]);
  to.letGo();
  await Promise.all([...writing, settling]);
  assert.equal(done, 2);
});

it("`TargetLines` fails all writers, those to come too, once the stream takes no more", async () => {
  const gone: Error = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  const to = new Writable({ write: (_chunk, _encoding, done) => done(gone) });
  to.on("error", () => {});
  const all = lines(to);
  const [staging, eu] = [all.stream("staging"), all.stream("eu")];
  const failures: unknown[] = [];
  eu.once("error", (error) => failures.push(error));
  staging.write("line\n");
  await all.settled();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(failures, [gone]);
  assert.equal(all.failure, gone);
  const late = all.stream("staging");
  late.once("error", (error) => failures.push(error));
  assert.equal(await written(late, "line\n"), gone);
  await all.settled();
  all.report("eu").write("adc-run: said\n");
});

it("`TargetLines` takes a stream that throws for one that fails, as Deno's own do", async () => {
  const to = sink();
  const full = Object.assign(new Error("full"), { code: "ENOSPC" });
  to.write = () => {
    throw full;
  };
  const all = lines(to);
  const stream = all.stream("eu");
  assert.equal(await written(stream, "line\n"), full);
  await all.settled();
  assert.equal(all.failure, full);
});

it("`TargetLines` leaves one listener of each kind on the stream, and none when it is closed", () => {
  const to = sink();
  const before = to.eventNames().length;
  const all = lines(to);
  for (let index = 0; index < 100; index++) all.stream("eu").write("x\n");
  for (const name of ["drain", "error", "close"]) assert.equal(to.listenerCount(name), 1, name);
  all.close();
  assert.equal(to.eventNames().length, before);
});

it("`TargetLines` keeps lines for a CI system at the start of a line, if they are adc-run's own", async () => {
  const to = sink();
  const all = lines(to);
  all.report("eu").write("adc-run: token found\n");
  all.report("eu").write("::add-mask::secret\n");
  all.report("eu").write("::error title=adc-run::Cannot go on\n");
  await written(all.stream("eu"), "::set-env name=x::from the child\n");
  await all.settled();
  assert.equal(
    to.writes.join(""),
    "eu      | adc-run: token found\n::add-mask::secret\n::error title=adc-run::eu: Cannot go on\neu      | ::set-env name=x::from the child\n",
  );
});

it("`TargetLines` looks like a terminal to whoever decides on the child's colors", () => {
  const to = Object.assign(sink(), { isTTY: true, getColorDepth: () => 8 });
  const stream = lines(to).stream("eu") as unknown as NodeJS.WriteStream;
  assert.deepEqual([stream.isTTY, stream.getColorDepth()], [true, 8]);
  assert.equal(lines(sink()).stream("eu").isTTY, false);
});

it("`TargetLines` tells whoever keeps lines for a CI system out of files where its lines go", () => {
  const to = Object.assign(sink(), { fd: 2 });
  assert.equal((lines(to).report("eu") as unknown as { fd: number }).fd, 2);
});

it("`isColorful()` heeds NO_COLOR and FORCE_COLOR", () => {
  assert.equal(isColorful({}, true), true);
  assert.equal(isColorful({}, false), false);
  assert.equal(isColorful({ NO_COLOR: "1" }, true), false);
  assert.equal(isColorful({ FORCE_COLOR: "1" }, false), true);
  assert.equal(isColorful({ FORCE_COLOR: "0" }, true), false);
});
