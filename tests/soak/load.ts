/**
 * How long the soak takes: short in every run of the tests, long in `deno task soak`.
 *
 * @module
 */

import process from "node:process";

/** How many runs follow each other: 20 in every run of the tests, 1,000 in `deno task soak`. */
export const RUNS = numberIn("ADC_RUN_SOAK_RUNS") ?? 20;

/** How many runs there are at once: 4 in every run of the tests, 200 in `deno task soak`. */
export const RUNS_AT_ONCE = Math.ceil(RUNS / 5);

/** How much goes through the mask, in MiB: 64 in every run of the tests, 2,048 in `deno task soak`. */
export const MEGABYTES = numberIn("ADC_RUN_SOAK_MEGABYTES") ?? 64;

/** The most memory that a process of adc-run may ever have held, in bytes, however much goes through it. */
export const MAX_MEMORY = 256 * 2 ** 20;

/**
 * Says how something went that took long, for whoever reads the log of a night.
 *
 * @param what What it was, with its numbers.
 */
export function report(what: string): void {
  process.stderr.write(`soak: ${what}\n`);
}

function numberIn(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= 1) return value;
  throw new Error(`Cannot use ${variable}: "${text}" is no whole number from 1 on`);
}
