/**
 * How the properties are held against random cases.
 *
 * @module
 */

import { randomInt } from "node:crypto";
import process from "node:process";
import { test } from "node:test";
import fc from "fast-check";
import { isEverything } from "../support/homes.ts";

/** How many cases each property gets: 500 in the tests, 2,000 with all homes, 100,000 in `deno task fuzz`. */
const CASES = numberIn("ADC_RUN_FUZZ_CASES", 1) ?? (isEverything ? 2_000 : 500);

/** Where the random numbers start; the same seed gives the same cases. */
const SEED = numberIn("ADC_RUN_FUZZ_SEED", 0) ?? randomInt(2 ** 31);

/** How long a smaller case that fails is looked for, in milliseconds; some have no end of candidates. */
const MAX_SHRINKING = 20_000;

/**
 * Declares a test that holds a property against random cases. Its seed is printed before
 * the first case, for a run that is killed or hangs, and by fast-check beside the smallest case that fails.
 *
 * @param name The test's name.
 * @param cases Where the cases come from.
 * @param check Throws where a case fails.
 * @param options How many cases one value of `cases` holds, where it is a list of them.
 */
export function fuzz<T>(
  name: string,
  cases: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
  { batch = 1 }: { readonly batch?: number } = {},
): void {
  test(name, async () => {
    process.stderr.write(`ADC_RUN_FUZZ_SEED=${SEED} ADC_RUN_FUZZ_CASES=${CASES}: ${name}\n`);
    let deadline = Infinity;
    const property = fc.asyncProperty(cases, async (value) => {
      // Passes, so that fast-check finds nothing smaller and comes to its end.
      if (performance.now() > deadline) return;
      try {
        await check(value);
      } catch (error) {
        if (!fc.PreconditionFailure.isFailure(error)) {
          deadline = Math.min(deadline, performance.now() + MAX_SHRINKING);
        }
        throw error;
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: Math.ceil(CASES / batch) });
  });
}

function numberIn(variable: string, least: number): number | undefined {
  const text = process.env[variable];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= least) return value;
  throw new Error(`Cannot use ${variable}: "${text}" is no whole number from ${least} on`);
}
