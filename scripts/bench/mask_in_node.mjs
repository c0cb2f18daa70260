/**
 * Runs under Node.js: `node mask_in_node.mjs INSTALLATION LOG SECRETS RUNS`. Passes a log through the mask
 * of the installed package, in memory, and prints the milliseconds of each run and the replacements.
 */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";

/** What one read from a pipe gives. */
const CHUNK = 64 * 1024;

const [installation, log, secrets, runs] = process.argv.slice(2);
const main = createRequire(`${installation}/`).resolve("adc-run");
const { createMask, Secret } = await import(pathToFileURL(main).href);

const bytes = await readFile(log);
const values = JSON.parse(secrets).map((secret) => new Secret(secret));

function source() {
  let position = 0;
  return new Readable({
    highWaterMark: CHUNK,
    read() {
      const chunk = bytes.subarray(position, position += CHUNK);
      this.push(chunk.length === 0 ? null : chunk);
    },
  });
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, callback) => callback() });

const times = [];
let replaced = 0;
for (let run = 0; run <= Number(runs); run++) {
  const mask = createMask(values);
  const started = performance.now();
  await pipeline(source(), mask.stream(), nowhere());
  const took = performance.now() - started;
  // The first run is for the compiler.
  if (run > 0) times.push(took);
  replaced = mask.count;
}
process.stdout.write(`${JSON.stringify({ times, replaced })}\n`);
