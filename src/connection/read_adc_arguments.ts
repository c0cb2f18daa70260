/**
 * ADC's words, for which the parser is loaded where there are any.
 *
 * @module
 */

import type { AdcArguments } from "./adc_arguments.ts";

const NONE: AdcArguments = {
  command: undefined,
  flags: {},
  tokens: [],
  words: [],
  information: false,
};

/**
 * Reads ADC's words.
 *
 * @param words ADC's command and all that follows it; none where another program is run.
 * @returns What they say.
 * @throws {UsageError} An option that needs a value stands last.
 */
export async function readAdcArguments(words: readonly string[]): Promise<AdcArguments> {
  if (words.length === 0) return NONE;
  const { parseAdcArguments } = await import("./parse_adc_arguments.ts");
  return parseAdcArguments(words);
}
