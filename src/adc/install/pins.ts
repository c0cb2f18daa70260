// Made by scripts/pin_adc.ts; see CONTRIBUTING.md.

/** The SHA-256 sums of ADC's release archives, by version and system. */
export const PINS: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
