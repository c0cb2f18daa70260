import type { AdcArguments } from "./adc_arguments.ts";

const NONE: AdcArguments = {
  command: undefined,
  flags: {},
  tokens: [],
  words: [],
  information: false,
};

/** Reads ADC's words. */
export async function readAdcArguments(words: readonly string[]): Promise<AdcArguments> {
  if (words.length === 0) return NONE;
  const { parseAdcArguments } = await import("./parse_adc_arguments.ts");
  return parseAdcArguments(words);
}
