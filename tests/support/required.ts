/**
 * Which tests must not be skipped.
 *
 * @module
 */

import process from "node:process";

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
