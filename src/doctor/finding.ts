import { AdcRunError, codeOf, EXIT, messageOf, reasonOf } from "../errors.ts";
import type { CheckName } from "./diagnose.ts";

/**
 * What one check found; a check that finds several things has several findings.
 * @category Doctor
 */
export interface Finding {
  /** The check. */
  readonly check: CheckName;
  /**
   * `failed`: a run would fail, or a secret is exposed. `warning`: worth a look. `skipped`: there was
   * nothing to check, or what the check needs is missing.
   */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** What was found, without any secret. */
  readonly found: string;
  /** What to do about it; absent where there is nothing to do. */
  readonly suggestion?: string | undefined;
  /** What the command line exits with because of a failure. */
  readonly exitCode?: number | undefined;
  /** The same as data; what there is depends on the check. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

export type Found = Omit<Finding, "check">;

type Data = Finding["data"];

export function ok(found: string, data?: Data): Found {
  return { status: "ok", found, data };
}

export function skipped(found: string, data?: Data): Found {
  return { status: "skipped", found, data };
}

export function warning(found: string, suggestion?: string, data?: Data): Found {
  return { status: "warning", found, suggestion, data };
}

export function failed(
  found: string,
  suggestion: string | undefined,
  { exitCode, data }: Pick<Finding, "data"> & { readonly exitCode: number },
): Failure {
  return { status: "failed", found, suggestion, exitCode, data };
}

type Failure = Found & { readonly exitCode: number };

export function failureOf(error: unknown): Failure {
  if (error instanceof AdcRunError) return failed(error.message, error.suggestion, error);
  if (error instanceof Error && error.name === "NotCapable") {
    const suggestion = "For what it needs, see https://github.com/adc-run/adc-run#install";
    const found = `missing Deno permission: ${error.message}`;
    return failed(found, suggestion, { exitCode: EXIT.config });
  }
  const found = `the check failed: ${reasonOf(codeOf(error) ?? messageOf(error))}`;
  return failed(found, undefined, { exitCode: EXIT.software });
}
