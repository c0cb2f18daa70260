#!/usr/bin/env node
/**
 * A child for tests that says what it was given, and ends as it is told.
 *
 * Prints one line of JSON, unless an option asks for bytes or for waiting; then `--report` brings
 * the line back. What is asked is done in this order: report, bytes, ready, end.
 *
 * - `--env NAME[,NAME…]` more variables to report; `ADC_*` and the color variables always are
 * - `--print-token` the token itself in the report, not just the start of its SHA-256
 * - `--stdin` read standard input to its end, and report it
 * - `--stderr` all output to standard error
 * - `--flood BYTES` so many bytes of text
 * - `--raw-hex HEX` exactly these bytes
 * - `--split N` the value of ADC_TOKEN in writes of N bytes each; `--pause MS` between them
 * - `--trap NAME:CODE` catch a signal and exit with a code; prints `ready` and waits
 * - `--hang` prints `ready` and waits
 * - `--exit N`, `--signal NAME` how to end
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";

const SECRETS = ["ADC_TOKEN", "API_KEY", "API7_PASSWORD"];

const { values: options } = parseArgs({
  strict: false,
  options: {
    "env": { type: "string" },
    "report": { type: "boolean" },
    "print-token": { type: "boolean" },
    "stdin": { type: "boolean" },
    "stderr": { type: "boolean" },
    "flood": { type: "string" },
    "raw-hex": { type: "string" },
    "split": { type: "string" },
    "pause": { type: "string" },
    "trap": { type: "string", multiple: true },
    "hang": { type: "boolean" },
    "exit": { type: "string" },
    "signal": { type: "string" },
  },
});
const output = options.stderr ? process.stderr : process.stdout;
const { env } = process;

/** Resolves once the bytes have left, so that each call is a write of its own. */
function write(bytes) {
  return new Promise((resolve, reject) => {
    output.write(bytes, (error) => error ? reject(error) : resolve());
  });
}

function fingerprint(value) {
  return createHash("sha256").update(value).digest("hex").slice(0, 8);
}

function variable(name) {
  const value = env[name];
  if (value === undefined) return { present: false };
  if (SECRETS.includes(name) && !options["print-token"]) {
    return { present: true, sha256: fingerprint(value) };
  }
  return { present: true, value };
}

async function readStdin() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function report() {
  const names = [
    ...Object.keys(env).filter((name) => name.startsWith("ADC_")),
    ...["ADC_TOKEN", "API_KEY", "API7_USERNAME", "API7_PASSWORD", "FORCE_COLOR", "NO_COLOR"],
    ...(options.env?.split(",") ?? []),
  ];
  return {
    argv: process.argv.slice(2),
    cwd: process.cwd(),
    pid: process.pid,
    env: Object.fromEntries([...new Set(names)].map((name) => [name, variable(name)])),
    tty: {
      stdin: process.stdin.isTTY === true,
      stdout: process.stdout.isTTY === true,
      stderr: process.stderr.isTTY === true,
    },
    ...(options.stdin ? { stdin: await readStdin() } : {}),
  };
}

for (const trap of options.trap ?? []) {
  const [name, code] = trap.split(":");
  process.on(name, () => process.exit(Number(code)));
}

const bytesAsked = ["flood", "raw-hex", "split"].some((name) => options[name] !== undefined);
const waits = options.hang === true || options.trap !== undefined;
if (options.report || !(bytesAsked || waits)) await write(`${JSON.stringify(await report())}\n`);

if (options.flood !== undefined) {
  const block = Buffer.from(`${"0123456789abcdef".repeat(4)}\n`.repeat(1000));
  for (let left = Number(options.flood); left > 0; left -= block.length) {
    await write(block.subarray(0, left));
  }
}
if (options["raw-hex"] !== undefined) await write(Buffer.from(options["raw-hex"], "hex"));
if (options.split !== undefined) {
  const token = Buffer.from(env.ADC_TOKEN ?? "");
  const size = Number(options.split);
  for (let at = 0; at < token.length; at += size) {
    await write(token.subarray(at, at + size));
    await delay(Number(options.pause ?? 0));
  }
}

if (waits) {
  await write("ready\n");
  await new Promise(() => setInterval(() => {}, 1 << 30));
}
if (options.signal !== undefined) {
  process.kill(process.pid, options.signal);
  // The signal may arrive a moment later.
  await new Promise(() => setInterval(() => {}, 1 << 30));
}
process.exitCode = Number(options.exit ?? 0);
