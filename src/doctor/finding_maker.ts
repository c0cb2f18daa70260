import { createMask } from "../mask/mask.ts";
import type { Mask } from "../mask/mask.ts";
import { SHORTEST_SECRET } from "../secret.ts";
import type { Secret } from "../secret.ts";
import { failureOf } from "./finding.ts";
import type { CheckName, Finding, Found } from "./finding.ts";

/** What a check gives: one finding or several. */
type Made = Found | readonly Found[];

/** Makes findings of what checks give. */
export interface FindingMaker {
  /** Makes a check: what it throws is a finding as well. */
  (check: CheckName, look: () => Made | Promise<Made>): AsyncGenerator<Finding, void, void>;
  /** Takes secrets out from now on, which a server or a file may put into a finding. */
  hide(secrets: readonly Secret[]): void;
}

/** Makes a maker of findings. */
export function findingMaker(signal: AbortSignal | undefined): FindingMaker {
  let mask: Mask | undefined;
  async function* make(
    check: CheckName,
    look: () => Made | Promise<Made>,
  ): AsyncGenerator<Finding, void, void> {
    signal?.throwIfAborted();
    for (const finding of [await attempt(look, signal)].flat()) {
      yield mask === undefined ? { check, ...finding } : { check, ...masked(finding, mask) };
    }
  }
  return Object.assign(make, {
    hide: (secrets: readonly Secret[]) => {
      const long = secrets.filter((secret) => secret.reveal().length >= SHORTEST_SECRET);
      if (long.length > 0) mask = createMask(long);
    },
  });
}

async function attempt(
  look: () => Made | Promise<Made>,
  signal: AbortSignal | undefined,
): Promise<Made> {
  try {
    return await look();
  } catch (error) {
    signal?.throwIfAborted();
    return failureOf(error);
  }
}

function masked(finding: Found, mask: Mask): Found {
  const { found, suggestion, data } = finding;
  return {
    ...finding,
    found: mask.text(found),
    ...(suggestion !== undefined && { suggestion: mask.text(suggestion) }),
    ...(data && { data: JSON.parse(mask.text(JSON.stringify(data))) }),
  };
}
