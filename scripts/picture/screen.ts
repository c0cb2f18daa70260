/**
 * What a terminal shows once a program has written to it, as far as adc-run's output needs one: text,
 * colors, line breaks, and lines that go on in the next row.
 *
 * @module
 */

/** How a character looks. */
export interface Style {
  /** @default the terminal's own color */
  readonly color?: Color | undefined;
  readonly bold: boolean;
  readonly underlined: boolean;
}

/** The colors that a terminal has names for, as far as they are used. */
export type Color = "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "grey";

/** Characters side by side that look the same. */
export interface Run extends Style {
  /** The column of its first character, from 0. */
  readonly column: number;
  readonly text: string;
}

/** A row of the screen: its runs from left to right, without blanks at the end. */
export type Row = readonly Run[];

const COLORS: Readonly<Record<number, Color | undefined>> = {
  31: "red",
  32: "green",
  33: "yellow",
  34: "blue",
  35: "magenta",
  36: "cyan",
  39: undefined,
  90: "grey",
};

const PLAIN: Style = { bold: false, underlined: false };

interface Cell {
  readonly character: string;
  readonly style: Style;
}

/**
 * Reads what a program wrote to a terminal.
 *
 * @param output The text, escape sequences included.
 * @param columns How wide the terminal is.
 * @returns The rows from top to bottom.
 * @throws {Error} The output moves the cursor, or does something else that a picture cannot show.
 */
export function readScreen(output: string, columns: number): readonly Row[] {
  const rows: Cell[][] = [[]];
  let column = 0;
  let style = PLAIN;
  // deno-lint-ignore no-control-regex
  for (const [piece, codes] of output.matchAll(/\x1b\[([\d;]*)m|\x1b\[K|[^]/gu)) {
    if (codes !== undefined) {
      style = codes.split(";").map(Number).reduce(restyle, style);
    } else if (piece === "\n") {
      rows.push([]);
    } else if (piece === "\r") {
      column = 0;
    } else if (piece === "\x1b[K") {
      // The sign that adc-run waits, on a busy machine.
      rows.at(-1)!.length = Math.min(rows.at(-1)!.length, column);
    } else if (/\p{Cc}/u.test(piece)) {
      throw new Error(`Cannot draw the character ${JSON.stringify(piece)} of the output`);
    } else {
      if (column === columns) {
        rows.push([]);
        column = 0;
      }
      const row = rows.at(-1)!;
      while (row.length < column) row.push({ character: " ", style: PLAIN });
      row[column] = { character: piece, style };
      column++;
    }
  }
  return rows.map(toRuns);
}

function restyle(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1 || code === 22) return { ...style, bold: code === 1 };
  if (code === 4 || code === 24) return { ...style, underlined: code === 4 };
  if (code in COLORS) return { ...style, color: COLORS[code] };
  throw new Error(`Cannot draw the output's style ${code}`);
}

function toRuns(cells: readonly Cell[]): Row {
  const runs: Run[] = [];
  for (const [column, { character, style }] of cells.entries()) {
    const last = runs.at(-1);
    const goesOn = last !== undefined && last.color === style.color &&
      last.bold === style.bold && last.underlined === style.underlined;
    if (goesOn) runs[runs.length - 1] = { ...last, text: last.text + character };
    else runs.push({ ...style, column, text: character });
  }
  return runs.flatMap(trim);
}

/** Blanks show only where they are underlined, and not even there at a run's ends. */
function trim(run: Run): Run[] {
  const text = run.text.trimStart();
  if (text === "") return [];
  const column = run.column + run.text.length - text.length;
  return [{ ...run, column, text: text.trimEnd() }];
}
