/** The ADC that adc-run is tested with, and that is installed where no version is named. */
export const TESTED_ADC = "0.28.0";

/** A version, without the `v` of its tag. It becomes a folder's name. */
const VERSION = /^\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z]+([.-][0-9A-Za-z]+)*)?$/;

/** Tells whether a text is a version that can be installed. */
export function isVersion(text: string): boolean {
  return text.length <= 64 && VERSION.test(text);
}
