import type { Environment } from "../../connection/origin.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { PINS } from "./pins.ts";
import type { Release } from "./release.ts";

/** Where a sum can come from. */
export interface ChecksumOptions {
  /** The environment: `ADC_RUN_ADC_SHA256`. */
  readonly env: Environment;
  readonly sha256?: string | undefined;
  /** The sums that are known, by version and system. */
  readonly pins?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The SHA-256 that an archive must have: the one given, else `ADC_RUN_ADC_SHA256`, else the one pinned.
 * Nothing is installed without one.
 */
export function checksumFor(
  release: Release,
  { env, sha256, pins = PINS }: ChecksumOptions,
): string {
  const form = "it is no SHA-256 sum, which has 64 hexadecimal digits";
  if (sha256 !== undefined) {
    const sum = readSum(sha256);
    if (sum === undefined) throw new UsageError(`Cannot use --sha256: ${form}`);
    return sum;
  }
  if (env.ADC_RUN_ADC_SHA256) {
    const sum = readSum(env.ADC_RUN_ADC_SHA256);
    if (sum === undefined) {
      throw new AdcRunError(`Cannot use ADC_RUN_ADC_SHA256: ${form}`, EXIT.config);
    }
    return sum;
  }
  const { version, system, archive } = release;
  const pinned = Object.hasOwn(pins, version) ? pins[version]![system] : undefined;
  if (pinned !== undefined) return pinned;
  throw new AdcRunError(
    `Cannot install ADC ${version}: the SHA-256 sum of "${archive}" is not known`,
    EXIT.config,
    {
      suggestion: "Give it with --sha256 or ADC_RUN_ADC_SHA256. GitHub shows it beside the file: " +
        `https://github.com/api7/adc/releases/tag/v${version}`,
    },
  );
}

/** GitHub shows a sum as `sha256:…`. */
function readSum(text: string): string | undefined {
  const [, sum] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text.trim().toLowerCase()) ?? [];
  return sum;
}
