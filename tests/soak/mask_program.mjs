/**
 * Sends much through one stream of a mask: `mask_program.mjs MODULE MEBIBYTES`, where MODULE is the library.
 *
 * Prints one line of JSON: how much came out, where it was wrong, how often the mask found something, and
 * the most memory that the process ever held, in bytes.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { blocksIn, Comparison, period, repeat } from "./periodic.mjs";

const [library, megabytes] = process.argv.slice(2);
const { createMask, Secret } = await import(library);

/** What one read from a pipe brings at most. */
const CHUNK = 2 ** 16;

const token = `a7ee-${Buffer.from("soak").toString("hex").repeat(6)}`;
const { text, masked } = period(token);
const { block } = repeat(text);
const mask = createMask([new Secret(token)]);
const comparison = new Comparison(masked);

// The chunks run on across the blocks, so that no two blocks are cut in the same places.
function* chunks() {
  const length = blocksIn(Number(megabytes), block) * block.length;
  const twice = Buffer.concat([block, block]);
  for (let at = 0; at < length; at += CHUNK) {
    const from = at % block.length;
    yield twice.subarray(from, from + Math.min(CHUNK, length - at));
  }
}

const sink = new Writable({
  write: (chunk, _encoding, done) => {
    comparison.take(chunk);
    done();
  },
});
const start = performance.now();
await pipeline(Readable.from(chunks(), { objectMode: true }), mask.stream(), sink);
const milliseconds = performance.now() - start;
const peak = Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
const { length, wrongAt } = comparison;
process.stdout.write(
  `${JSON.stringify({ length, wrongAt, count: mask.count, peak, milliseconds })}\n`,
);
