/**
 * The picture of a session.
 *
 * @module
 */

import { drawTerminal } from "./draw_terminal.ts";
import { readScreen, type Row } from "./screen.ts";
import { runSession } from "./session.ts";

const COLUMNS = 100;

/**
 * Runs a session and draws it.
 *
 * @returns The SVG's text: the same each time, as long as adc-run says the same.
 * @throws {Error} The session went wrong, or printed what must not be in a picture.
 */
export async function sessionPicture(): Promise<string> {
  const rows = withoutEmptyEnd(readScreen(await runSession(COLUMNS), COLUMNS));
  return drawTerminal(rows, {
    columns: COLUMNS,
    title: "adc-run",
    description:
      "A terminal in which adc-run logs in and stores a token in the keychain, shows where the token " +
      "comes from, runs ADC with it, refuses a revoked token with a reason, and masks a token that " +
      "ADC prints.",
  });
}

function withoutEmptyEnd(rows: readonly Row[]): readonly Row[] {
  return rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1);
}
