/**
 * Which tests must not be skipped.
 *
 * @module
 */

import process from "node:process";
import { findOnPath } from "../../src/system/programs.ts";

/**
 * Tells whether a skipped test would be a failure here.
 *
 * @param word What the test needs: `keychain`, `node`, `terminal` and the like.
 * @param required The words, apart by commas or spaces.
 * @default ADC_RUN_TEST_REQUIRE
 * @returns `true` where it must run.
 */
export function isRequired(
  word: string,
  required: string = process.env.ADC_RUN_TEST_REQUIRE ?? "",
): boolean {
  return required.split(/[\s,]+/).includes(word);
}

/**
 * Whether tests are to be skipped for want of programs, in a form for `node:test`'s option `skip`; said
 * aloud, and not accepted where it is required.
 *
 * @param word What stands for the programs in `ADC_RUN_TEST_REQUIRE`.
 * @param programs Their names.
 * @returns `false`, or the reason.
 */
export function skipWithoutPrograms(word: string, programs: readonly string[]): string | false {
  const where = { env: { PATH: process.env.PATH }, cwd: process.cwd() };
  const missing = programs.filter((name) => findOnPath(name, where) === undefined);
  if (missing.length === 0 || isRequired(word)) return false;
  const reason = `not installed: ${missing.join(", ")}`;
  process.stderr.write(`SKIPPED (${word}): ${reason}\n`);
  return reason;
}
