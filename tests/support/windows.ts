/**
 * Which tests have nothing to stand on under Windows.
 *
 * @module
 */

import process from "node:process";

/** Why a test is skipped under Windows, in a form for `node:test`'s option `skip`. */
export function onWindows(missing: string): string | false {
  return process.platform === "win32" && `there is no ${missing} on Windows`;
}

/** What is said of a connection that is refused, which Bun under Wine takes for opened, and closed at once. */
export const REFUSED: RegExp = process.env.ADC_RUN_TEST_HOMES === "wine-binary"
  ? /the connection was closed/
  : /ECONNREFUSED|connection was refused/;
