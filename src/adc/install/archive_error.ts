import { AdcRunError, EXIT } from "../../errors.ts";

/** Makes the error for an archive that is not unpacked. */
export function archiveError(found: string, cause?: unknown): AdcRunError {
  return new AdcRunError(`Cannot unpack ADC: ${found}`, EXIT.data, {
    suggestion: "Look at where the archive and its sum come from: it is none of ADC's releases.",
    cause,
  });
}
