/**
 * ADC's time limits, read by `parse-duration`, the parser that ADC uses.
 *
 * @module
 */

/**
 * Reads a duration such as `30s` or `1h10m`.
 *
 * @param text The duration; a bare number is in milliseconds, as for ADC.
 * @returns Milliseconds, or `undefined` where ADC would fall back to 10 s without a word, or could not
 * use what it read.
 */
export async function readDuration(text: string): Promise<number | undefined> {
  const { default: parse } = await import("parse-duration");
  const milliseconds = parse(text);
  return milliseconds === null || !Number.isFinite(milliseconds) || milliseconds < 0
    ? undefined
    : milliseconds;
}
