/**
 * Rows of words, one below the other.
 *
 * @module
 */

/**
 * Writes rows so that their cells stand below each other.
 *
 * @param rows The rows; the first decides how many columns there are.
 * @returns The lines, without white space at their ends.
 */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    widths.map((width, column) => (row[column] ?? "").padEnd(width)).join("  ").trimEnd()
  ).join("\n");
}
