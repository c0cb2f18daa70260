/**
 * The process as the command line sees it, so that tests need none.
 *
 * @module
 */

import type { Readable, Writable } from "node:stream";
import type { SignalPort } from "../adc/signals.ts";
import type { Environment } from "../connection/origin.ts";
import type { Keychain } from "../token/keychain.ts";

/** Everything that the command line touches. */
export interface Io {
  /** The environment. */
  readonly env: Environment;
  /** The working directory. */
  readonly cwd: string;
  /** Standard input. */
  readonly stdin: Readable;
  /** Standard output. */
  readonly stdout: Writable;
  /** Standard error. */
  readonly stderr: Writable;
  /** Which of the three lead to a terminal; told apart from the streams, which cost time to open. */
  readonly terminals: {
    readonly stdin: boolean;
    readonly stdout: boolean;
    readonly stderr: boolean;
  };
  /** Where signals arrive. */
  readonly signals: SignalPort;
  /** The keychain, where it is not the system's. */
  readonly keychain?: Keychain;
  /** Told which signal ended the child, so that this process can end the same way. */
  endedBy?(signal: NodeJS.Signals): void;
}

/**
 * Tells whether a person can be asked.
 *
 * @param io The process.
 * @returns `true` where standard input and standard error are terminals, and `CI` is not set.
 */
export function canAsk({ env, terminals }: Io): boolean {
  return terminals.stdin && terminals.stderr && !env.CI;
}

/**
 * Tells whether a terminal sends its signals to the child as well.
 *
 * @param io The process.
 * @returns `true` where any of the three streams is a terminal.
 */
export function hasTerminal({ terminals }: Io): boolean {
  return terminals.stdin || terminals.stdout || terminals.stderr;
}
