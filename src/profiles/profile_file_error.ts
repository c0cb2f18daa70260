import { AdcRunError, EXIT } from "../errors.ts";
import type { AdcRunErrorOptions } from "../errors.ts";

/** What a {@linkcode ProfileFileError} carries beside its message. */
export interface ProfileFileErrorOptions extends AdcRunErrorOptions {
  /** The file. */
  readonly path: string;
  /** The line, counted from 1, where one can be named. */
  readonly line?: number | undefined;
  /** The column, counted from 1, where one can be named. */
  readonly column?: number | undefined;
}

/** A file of profiles cannot be read, or holds what it must not. */
export class ProfileFileError extends AdcRunError {
  /** `"ProfileFileError"`. */
  override readonly name = "ProfileFileError";
  /** The file. */
  readonly path: string;
  /** The line, counted from 1. */
  readonly line: number | undefined;
  /** The column, counted from 1. */
  readonly column: number | undefined;

  /**
   * Makes the error; its exit code is 65.
   *
   * @param found What was found, to follow a colon.
   * @param options The file, the place in it, the suggestion and the cause.
   */
  constructor(found: string, options: ProfileFileErrorOptions) {
    const { path, line, column } = options;
    const place = line === undefined ? "" : `line ${line}, column ${column}: `;
    super(`Cannot use the profiles in "${path}": ${place}${found}`, EXIT.data, options);
    this.path = path;
    this.line = line;
    this.column = column;
  }
}
