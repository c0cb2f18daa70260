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
