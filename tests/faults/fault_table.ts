/**
 * All faults, and the table that people read.
 *
 * @module
 */

import { ANSWER_FAULTS } from "./answer_faults.ts";
import { CONNECTION_FAULTS } from "./connection_faults.ts";
import { DISK_FAULTS } from "./disk_faults.ts";
import { isProven } from "./fault.ts";
import type { Fault, FaultGroup } from "./fault.ts";
import { KEYCHAIN_FAULTS } from "./keychain_faults.ts";
import { PROCESS_FAULTS } from "./process_faults.ts";
import { TEXT_FAULTS } from "./text_faults.ts";
import { TLS_FAULTS } from "./tls_faults.ts";

/** Every fault, in groups. */
export const FAULTS: readonly FaultGroup[] = [
  CONNECTION_FAULTS,
  TLS_FAULTS,
  ANSWER_FAULTS,
  KEYCHAIN_FAULTS,
  DISK_FAULTS,
  PROCESS_FAULTS,
  TEXT_FAULTS,
];

const INTRODUCTION = `# Faults

What can go wrong in production, and how adc-run responds. Each row is a test: it runs adc-run
itself, on every engine, against a server or system with that fault, and checks the exit code, the
message and \`--json\`. It also searches all output, and every file left behind, for the token in each
of its encodings, and checks that a stored token is still there. A run that does not end is killed
and counts as failed.

The verdict is that of the check; elsewhere it is the error's name in \`--json\`, or a dash if the
failure is not adc-run's. \`scripts/fault_table.ts\` generates this table from the tests.
`;

/**
 * The table as Markdown.
 *
 * @returns The page's source.
 */
export function faultTable(): string {
  const sections = FAULTS.map(({ title, file, faults }) =>
    `## ${title}\n\n${
      table([
        ["fault", "verdict", "exit", "bounded by", "shown by"],
        ...faults.map((fault) => cells(fault, file)),
      ])
    }\n`
  );
  return [INTRODUCTION, ...sections].join("\n");
}

function cells(fault: Fault, file: string): readonly string[] {
  const shownBy = isProven(fault)
    ? `\`${file}\``
    : fault.shownBy.map(([path, name]) => `\`${path}\`: ${name.replace(/^\$\{\w+\}, /, "")}`)
      .join("; ");
  const verdict = fault.verdict.replace(/^[a-z-]+$|\w+Error/g, "`$&`");
  return [fault.fault, verdict, String(fault.exit), fault.bound, shownBy];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head!), rule, ...body.map(line)].join("\n");
}
