/**
 * An archive that is not what a release is.
 *
 * @module
 */

import { AdcRunError, EXIT } from "../../errors.ts";

/**
 * Makes the error for an archive that is not unpacked.
 *
 * @param found What is wrong with it.
 * @param cause What led to it.
 * @default undefined
 * @returns The error, to be thrown.
 */
export function archiveError(found: string, cause?: unknown): AdcRunError {
  return new AdcRunError(`Cannot unpack ADC: ${found}`, EXIT.data, {
    suggestion: "Look at where the archive and its sum come from: it is none of ADC's releases.",
    cause,
  });
}
