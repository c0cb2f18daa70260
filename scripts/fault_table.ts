/**
 * Prints the fault table, as it is kept in docs/faults.md:
 * `deno run -A scripts/fault_table.ts > docs/faults.md`.
 *
 * @module
 */

import process from "node:process";
import { faultTable } from "../tests/faults/fault_table.ts";

process.stdout.write(faultTable());
