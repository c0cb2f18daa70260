/**
 * The process as the command line sees it, so that tests need none.
 *
 * @module
 */

import type { Readable, Writable } from "node:stream";
import type { SignalPort } from "../adc/signals.ts";
import type { Environment } from "../connection/origin.ts";
import type { Keychain } from "../token/keychain.ts";

/** A stream that may lead to a terminal. */
export type Terminal<T> = T & { readonly isTTY?: boolean };

/** Everything that the command line touches. */
export interface Io {
  /** The environment. */
  readonly env: Environment;
  /** The working directory. */
  readonly cwd: string;
  /** Standard input. */
  readonly stdin: Terminal<Readable>;
  /** Standard output. */
  readonly stdout: Terminal<Writable>;
  /** Standard error. */
  readonly stderr: Terminal<Writable>;
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
export function canAsk({ env, stdin, stderr }: Io): boolean {
  return stdin.isTTY === true && stderr.isTTY === true && !env.CI;
}

/**
 * Tells whether a terminal sends its signals to the child as well.
 *
 * @param io The process.
 * @returns `true` where any of the three streams is a terminal.
 */
export function hasTerminal({ stdin, stdout, stderr }: Io): boolean {
  return [stdin, stdout, stderr].some(({ isTTY }) => isTTY === true);
}
