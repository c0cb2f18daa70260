/** A column of a table. */
export interface Column {
  /** What stands above it. */
  readonly title: string;
  /** Numbers stand to the right. @default "right" */
  readonly align?: "left" | "right";
}

/**
 * Sets a table in plain text.
 *
 * @param columns The columns.
 * @param rows The cells of each row.
 * @returns The lines, a line break behind each.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]!.length))
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) =>
      columns[index]!.align === "left" ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!)
    ).join("  ").trimEnd();
  const titles = columns.map(({ title }) => title);
  const rule = widths.map((width) => "-".repeat(width));
  return [titles, rule, ...rows].map((row) => `${line(row)}\n`).join("");
}
