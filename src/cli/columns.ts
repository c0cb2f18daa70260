/** Writes rows so that their cells stand below each other. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    widths.map((width, column) => (row[column] ?? "").padEnd(width)).join("  ").trimEnd()
  ).join("\n");
}
