/**
 * A row of the fault table: what goes wrong, and what adc-run has to make of it.
 *
 * @module
 */

import type { SandboxOptions } from "../sandbox/sandbox_options.ts";
import { isRequired } from "../support/required.ts";
import type { Scene } from "./scene.ts";

/** What every row says. */
interface Row {
  /** What goes wrong. */
  readonly fault: string;
  /** The check's verdict, or the error's name in `--json`; a dash where adc-run itself does not fail. */
  readonly verdict: string;
  /** What adc-run exits with; some faults have one code for each thing that is tried. */
  readonly exit: number | string;
  /** What keeps the run from going on for ever. */
  readonly bound: string;
}

/** A fault that is shown here. */
export interface ProvenFault extends Row {
  /** How the sandbox is started. @default api7ee over HTTP */
  readonly sandbox?: SandboxOptions;
  /** Why it cannot be shown on this machine. @default false */
  readonly skip?: string | false;
  /**
   * Lets it go wrong, end to end, and looks at what came of it. That no secret came out, and that a
   * stored token is still there, is looked at afterwards for every fault.
   */
  readonly prove: (scene: Scene) => Promise<void>;
}

/** A fault that another test shows already. */
export interface CoveredFault extends Row {
  /** The tests: the file, and the beginning of the name as it is written there. */
  readonly shownBy: readonly (readonly [file: string, name: string])[];
}

/** A row of the table. */
export type Fault = ProvenFault | CoveredFault;

/** Rows that belong together. */
export interface FaultGroup {
  /** The heading. */
  readonly title: string;
  /** The file that the proofs are in. */
  readonly file: string;
  /** The rows. */
  readonly faults: readonly Fault[];
}

/** Whether a fault is shown here. */
export function isProven(fault: Fault): fault is ProvenFault {
  return "prove" in fault;
}

/**
 * Says aloud why something cannot be shown on this machine. Where `ADC_RUN_TEST_REQUIRE` has the word in
 * its list it must be shown, whatever is missing.
 *
 * @param word The word.
 * @param reason What is missing, or `undefined` if nothing is.
 * @param required The value of `ADC_RUN_TEST_REQUIRE`.
 * @returns The reason to skip, or `false`.
 */
export function skipUnless(
  word: string,
  reason: string | undefined,
  required: string | undefined,
): string | false {
  if (reason === undefined || isRequired(word, required ?? "")) return false;
  return reason;
}
