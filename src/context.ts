import process from "node:process";
import type { Secret } from "./secret.ts";

/**
 * What requests can be sent with: any of undici's dispatchers, its `MockAgent` among them.
 * @category Run
 */
export interface HttpDispatcher {
  /**
   * Sends a request.
   *
   * @param options undici's `DispatchOptions`.
   * @param handler undici's `DispatchHandler`.
   * @returns Whether more may be sent at once.
   */
  dispatch(options: object, handler: object): boolean;
}

/**
 * A keychain, as far as adc-run needs one.
 * @category Token sources
 */
export interface Keychain {
  /**
   * Reads an entry.
   *
   * @param account The entry's account, usually a server's origin.
   * @returns The password, or `undefined` where there is no such entry.
   * @throws {KeychainError} The keychain could not be asked.
   */
  get(account: string): Promise<Secret | undefined>;
  /**
   * Writes an entry, or replaces it.
   *
   * @param account The entry's account.
   * @param password The password.
   * @throws {KeychainError} The keychain could not be written.
   */
  set(account: string, password: Secret): Promise<void>;
  /**
   * Removes an entry.
   *
   * @param account The entry's account.
   * @returns Whether there was one.
   * @throws {KeychainError} The keychain could not be written.
   */
  delete(account: string): Promise<boolean>;
}

/**
 * The environment as a plain record; `process.env` is one.
 * @category Run
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/** On Windows the names of variables are the same in any case. */
export function variableName(name: string, platform: string = process.platform): string {
  return platform === "win32" ? name.toUpperCase() : name;
}

/** The environment of a process has its names in any case on Windows, a copy of it only as they are written. */
export function variableIn(
  env: Environment,
  name: string,
  platform: string = process.platform,
): string | undefined {
  if (env[name] !== undefined || platform !== "win32") return env[name];
  const other = Object.keys(env).find((each) => each.toUpperCase() === name.toUpperCase());
  return other === undefined ? undefined : env[other];
}

/** Tells whether this is a pipeline, where nobody answers and nothing is kept. */
export function isPipeline({ CI = "" }: Environment): boolean {
  return !["", "0", "false"].includes(CI.trim().toLowerCase());
}

/**
 * What every call looks at, handed on as one value: nothing below the command line has it from elsewhere.
 * @category Run
 */
export interface Context {
  /** The environment, usually `process.env`. */
  readonly env: Environment;
  /** The working directory. */
  readonly cwd: string;
  /**
   * The keychain.
   *
   * @default the system's
   */
  readonly keychain?: Keychain | undefined;
  /**
   * Sends the requests instead of a client of adc-run's own; undici's `MockAgent`, say. The caller closes it.
   */
  readonly dispatcher?: HttpDispatcher | undefined;
  /** Ends what is under way. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The clock, in milliseconds.
   *
   * @default Date.now
   */
  readonly now?: (() => number) | undefined;
  /** Told what a person should know, a sentence each. */
  readonly onWarning?: ((warning: string) => void) | undefined;
}
