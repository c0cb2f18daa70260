/**
 * Reads a duration such as `30s` or `1h10m` as ADC does; `undefined` where ADC would fall back to 10 s
 * without a word.
 */
export async function readDuration(text: string): Promise<number | undefined> {
  const { default: parse } = await import("parse-duration");
  const milliseconds = parse(text);
  if (milliseconds === null || !Number.isFinite(milliseconds) || milliseconds < 0) return undefined;
  // 16.1 s comes out as 16100.000000000002, which no timer takes; and 0 would mean no limit.
  return milliseconds === 0 ? 0 : Math.max(1, Math.round(milliseconds));
}
