import process from "node:process";
import {
  AdcRunError,
  type AdcRunErrorOptions,
  codeOf,
  EXIT,
  reasonOf,
  throwIfNotCapable,
} from "../errors.ts";

interface StoreErrorOptions extends AdcRunErrorOptions {
  readonly path: string;
  /** The system's code, such as `ENOSPC`. @default none */
  readonly code?: string | undefined;
}

/**
 * A file or folder of adc-run's own cannot be read, written, locked or trusted.
 * @category Errors
 */
export class StoreError extends AdcRunError {
  /** `"StoreError"`, or the name of a subclass. */
  override readonly name: string = "StoreError";
  /** The file or folder. */
  readonly path: string;
  /** The system's code, such as `ENOSPC`, where the system said so. */
  readonly code: string | undefined;

  /** Creates the error; its exit code is 74. */
  constructor(message: string, options: StoreErrorOptions) {
    super(message, EXIT.source, options);
    this.path = options.path;
    this.code = options.code;
  }
}

/** A file of adc-run's own holds something else than adc-run writes. It may be replaced. */
export class DamagedFileError extends StoreError {
  override readonly name: string = "DamagedFileError";
}

/** Where another folder would do. */
const ELSEWHERE: readonly string[] = ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR"];

export function storeError(
  what: string,
  path: string,
  cause: unknown,
  platform: string = process.platform,
): unknown {
  throwIfNotCapable(cause);
  const code = codeOf(cause);
  if (code === undefined || cause instanceof AdcRunError) return cause;
  // Windows answers so as well where a file may not be written; it was waited for.
  const open = platform === "win32" && ["EBUSY", "EPERM", "EACCES"].includes(code);
  const suggestion = open
    ? "Close the program that has it open, or set a writable folder with ADC_RUN_CONFIG_DIR."
    : ELSEWHERE.includes(code)
    ? "Set a writable folder with ADC_RUN_CONFIG_DIR."
    : undefined;
  const message = `Cannot ${what} "${path}": ${reasonOf(code)}`;
  return new StoreError(message, { path, code, suggestion, cause });
}
