import { AdcRunError, codeOf, EXIT, messageOf } from "../errors.ts";
import { createMask } from "../mask/mask.ts";
import type { Mask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH } from "../secret.ts";
import type { Secret } from "../secret.ts";

/** The name of a check; it stays the same from version to version. */
export type CheckName =
  | "adc"
  | "config"
  | "env-file"
  | "connection"
  | "files"
  | "server"
  | "tls"
  | "backend"
  | "token"
  | "group"
  | "keychain"
  | "clock"
  | "proxy"
  | "traps";

/** What is looked at, in this order. */
export const CHECKS: readonly CheckName[] = [
  "adc",
  "config",
  "env-file",
  "connection",
  "files",
  "server",
  "tls",
  "backend",
  "token",
  "group",
  "keychain",
  "clock",
  "proxy",
  "traps",
];

/** What one check found; a check that finds several things has several findings. */
export interface Finding {
  /** The check. */
  readonly check: CheckName;
  /**
   * `failed`: a run would fail, or a secret lies open. `warning`: worth a look. `skipped`: there was
   * nothing to look at, or what the check needs is missing.
   */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** What was found, without any secret. */
  readonly found: string;
  /** What to do about it; absent where there is nothing to do. */
  readonly suggestion?: string;
  /** What the command line exits with because of a failure. */
  readonly exitCode?: number;
  /** The same as data; what there is depends on the check. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A finding whose check is yet to be named. */
export type Found = Omit<Finding, "check">;

/** Makes a failure of what was thrown. */
export function failureOf(error: unknown): Found & { readonly exitCode: number } {
  if (error instanceof AdcRunError) {
    const { message, suggestion, exitCode } = error;
    return {
      status: "failed",
      found: message,
      exitCode,
      ...(suggestion !== undefined && { suggestion }),
    };
  }
  if (error instanceof Error && error.name === "NotCapable") {
    return {
      status: "failed",
      found: `Deno's permissions do not suffice: ${error.message}`,
      suggestion: "The README lists the permissions that adc-run needs.",
      exitCode: EXIT.config,
    };
  }
  return {
    status: "failed",
    found: `the check could not be made: ${codeOf(error) ?? messageOf(error)}`,
    exitCode: EXIT.software,
  };
}

/** What a check gives: one finding or several. */
type Made = Found | readonly Found[];

/** Makes findings of what checks give. */
interface FindingMaker {
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
      const long = secrets.filter((secret) => secret.reveal().length >= MIN_SECRET_LENGTH);
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
