/**
 * A program that stays, and runs ADC again and again: `library_program.mjs MODULE RUNS`, where MODULE is the
 * library.
 *
 * `SOAK_ADC` is the program in ADC's place, and `SOAK_PRINTED` what it prints when the token is masked.
 * Everything that could pile up is shared by all runs: the signal port, a stream for the output, an
 * `AbortSignal`.
 *
 * Prints one line of JSON: what the process held after each run, and what it still listens to.
 *
 * @module
 */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";

const [library, runs] = process.argv.slice(2);
const { CheckError, runAdc } = await import(library);
const { SOAK_ADC: adc, SOAK_PRINTED: printed, ADC_TOKEN: _, ...env } = process.env;

const warnings = [];
process.on("warning", ({ name, message }) => warnings.push(`${name}: ${message}`));

let text = "";
const stdout = new Writable({
  write: (chunk, _encoding, done) => {
    text += chunk;
    done();
  },
});
const { signal } = new AbortController();
const shared = { env, cwd: process.cwd(), adc, stdout, signals: process, signal };

async function succeed(number) {
  const code = number % 100;
  const result = await runAdc(["sync", "-f", String(code)], shared);
  assert.deepEqual([result.exitCode, result.masked, text], [code, 1, printed]);
  assert.equal(result.resolved.source, "keychain");
}

async function haveItsOwn(number) {
  const code = number % 100;
  const words = ["sync", "-f", String(code)];
  const result = await runAdc(words, { ...shared, ephemeral: "1h" });
  assert.equal(result.exitCode, code);
  assert.match(text, /^[0-9a-f]{64} {2}-\nleak: \*\*\*\n$/);
  assert.notEqual(text, printed);
}

async function beRefused() {
  const refused = { ...shared, env: { ...env, ADC_TOKEN: "a7ee-nobody-knows-this-one" } };
  await assert.rejects(
    runAdc(["sync", "-f", "0"], refused),
    (error) => error instanceof CheckError && error.result.verdict === "rejected",
  );
  assert.equal(text, "");
}

async function beAborted() {
  const controller = new AbortController();
  const aborting = new Writable({
    write: (_chunk, _encoding, done) => {
      controller.abort();
      done();
    },
  });
  const signals = AbortSignal.any([signal, controller.signal]);
  // It prints, and ends at no file's name until it is told to.
  const result = await runAdc(["sync", "-f", "wait"], {
    ...shared,
    stdout: aborting,
    signal: signals,
  });
  assert.deepEqual([result.exitCode, result.signal], [143, "SIGTERM"]);
}

async function notStart() {
  await assert.rejects(
    runAdc(["sync", "-f", "0"], { ...shared, adc: "/nowhere/adc" }),
    ({ exitCode }) => exitCode === 127,
  );
}

const KINDS = [succeed, haveItsOwn, succeed, beRefused, succeed, beAborted, succeed, notStart];

/** The processes whose parent this one is, ended ones that nobody has waited for as well. */
function children() {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return readFileSync(`/proc/${name}/status`, "latin1").includes(`\nPPid:\t${process.pid}\n`);
    } catch {
      return false;
    }
  }).length;
}

function held() {
  globalThis.gc();
  const status = readFileSync("/proc/self/status", "latin1");
  const { heapUsed, external } = process.memoryUsage();
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    heap: heapUsed + external,
    resident: Number(/VmRSS:\s*(\d+)/.exec(status)[1]) * 1024,
    threads: Number(/Threads:\s*(\d+)/.exec(status)[1]),
    children: children(),
  };
}

const samples = [];
const start = performance.now();
for (let number = 0; number < Number(runs); number++) {
  text = "";
  await KINDS[number % KINDS.length](number).catch((error) => {
    throw new Error(`Run ${number} went wrong`, { cause: error });
  });
  // What ends behind the run's back gets its turn.
  for (let count = 0; count < 5; count++) await turn();
  samples.push(held());
}
const milliseconds = performance.now() - start;

const listeners = {
  signals: process.eventNames().filter((name) => String(name).startsWith("SIG")),
  stdout: stdout.eventNames().filter((name) => stdout.listenerCount(name) > 0),
  abort: getEventListeners(signal, "abort").length,
};
process.stdout.write(`${JSON.stringify({ samples, listeners, warnings, milliseconds })}\n`);
