/**
 * What passed where.
 *
 * @module
 */

import type { Outcome, TestCase } from "./read_junit.ts";

/** How often each way to end came about. */
export type Count = Readonly<Record<Outcome, number>>;

/** A table of counts: the areas of the suite, and where they ran. */
export interface Matrix {
  /** The homes, in the order of the columns. */
  readonly homes: readonly string[];
  /** The areas, with a count for each home. */
  readonly rows: readonly { readonly area: string; readonly counts: readonly Count[] }[];
}

const NONE: Count = { passed: 0, failed: 0, skipped: 0 };

/**
 * Counts tests by area and home. The home of a test is in its name, or in that of what it is a part of.
 *
 * @param cases The tests.
 * @param homes The homes, in the order of the columns.
 * @returns The matrix, without the tests that run in no home.
 */
export function countTests(cases: readonly TestCase[], homes: readonly string[]): Matrix {
  const counts = new Map<string, Map<string, Count>>();
  for (const { file, name, outcome } of cases) {
    const home = homes.find((each) => new RegExp(`\\bon ${each}(?![\\w-])`).test(name));
    if (home === undefined) continue;
    const area = areaOf(file);
    const row = counts.get(area) ?? new Map<string, Count>();
    const before = row.get(home) ?? NONE;
    counts.set(area, row.set(home, { ...before, [outcome]: before[outcome] + 1 }));
  }
  return {
    homes,
    rows: [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([area, row]) => ({
      area,
      counts: homes.map((home) => row.get(home) ?? NONE),
    })),
  };
}

/**
 * Writes a matrix as a Markdown table.
 *
 * @param matrix The matrix.
 * @returns The lines.
 */
export function formatMatrix({ homes, rows }: Matrix): string {
  const total = homes.map((_, index) => rows.map(({ counts }) => counts[index]!).reduce(add, NONE));
  const table = [
    ["area", ...homes],
    ...rows.map(({ area, counts }) => [area, ...counts.map(formatCount)]),
    ["**all**", ...total.map(formatCount)],
  ];
  const widths = table[0]!.map((_, column) =>
    Math.max(3, ...table.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = table;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join(
    "\n",
  );
}

/**
 * Reads what {@linkcode formatMatrix} wrote.
 *
 * @param table The lines.
 * @returns The matrix.
 */
export function readMatrix(table: string): Matrix {
  const lines = table.split("\n").filter((line) => line.startsWith("| "));
  const [head = [], , ...body] = lines.map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  return {
    homes: head.slice(1),
    rows: body.filter(([area]) => area !== "**all**").map(([area = "", ...cells]) => ({
      area,
      counts: cells.map(readCount),
    })),
  };
}

/**
 * Takes over the columns of homes that have none from a matrix that was kept.
 *
 * @param matrix The matrix.
 * @param kept The other one.
 * @param homes All homes, in the order of the columns.
 * @returns Both.
 */
export function keepColumns(matrix: Matrix, kept: Matrix, homes: readonly string[]): Matrix {
  const columns = homes.flatMap((home) => {
    const from = [matrix, kept].find((each) => each.homes.includes(home));
    return from === undefined ? [] : [{ home, from, index: from.homes.indexOf(home) }];
  });
  const areas = new Set([...matrix.rows, ...kept.rows].map(({ area }) => area));
  const rows = [...areas].sort().map((area) => ({
    area,
    counts: columns.map(({ from, index }) =>
      from.rows.find((row) => row.area === area)?.counts[index] ?? NONE
    ),
  }));
  return {
    homes: columns.map(({ home }) => home),
    rows: rows.filter(({ counts }) => counts.some((count) => formatCount(count) !== "–")),
  };
}

function readCount(cell: string): Count {
  const of = (pattern: RegExp) => Number(pattern.exec(cell)?.[1] ?? 0);
  return {
    passed: of(/^(\d+)(?=,|$)/),
    failed: of(/(\d+) FAILED/),
    skipped: of(/(\d+) skipped/),
  };
}

function formatCount({ passed, failed, skipped }: Count): string {
  const parts = [
    ...(passed > 0 ? [`${passed}`] : []),
    ...(failed > 0 ? [`${failed} FAILED`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return parts.join(", ") || "–";
}

function add(a: Count, b: Count): Count {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** `e2e/auth_login.test.ts` is about `auth login`. */
function areaOf(file: string): string {
  const [folder, name = folder!] = file.replace(/\.test\.ts$/, "").split("/");
  return (folder === "e2e" ? name : `${folder}: ${name}`).replaceAll("_", " ");
}
