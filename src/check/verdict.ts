import { AdcRunError, EXIT } from "../errors.ts";
import type { ResolvedToken } from "../token/resolve.ts";

/**
 * What the test call found out about a token. Only `rejected` says that the token itself is bad.
 *
 * - `valid`: the server took it, and the gateway group exists.
 * - `no-token`: there was none to try.
 * - `rejected`: 401; it is wrong, expired or revoked.
 * - `forbidden`: 403; it works, and its role does not suffice.
 * - `no-gateway-group`: the gateway group does not exist.
 * - `wrong-server`: what answers there is no Admin API of this backend.
 * - `tls`: the certificate, this side's or the server's, was not accepted.
 * - `unreachable`: no such host, refused, or cut off.
 * - `timeout`: no answer within the time limit.
 * - `server-error`: 5xx or 429.
 */
export type Verdict =
  | "valid"
  | "no-token"
  | "rejected"
  | "forbidden"
  | "no-gateway-group"
  | "wrong-server"
  | "tls"
  | "unreachable"
  | "timeout"
  | "server-error";

/** What the command line exits with, by verdict. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = {
  "valid": 0,
  "no-token": EXIT.permission,
  "rejected": EXIT.permission,
  "forbidden": EXIT.permission,
  "no-gateway-group": EXIT.config,
  "wrong-server": EXIT.config,
  "tls": EXIT.unavailable,
  "unreachable": EXIT.unavailable,
  "timeout": EXIT.unavailable,
  "server-error": EXIT.unavailable,
};

/** Tells a verdict from other words. */
export function isVerdict(word: string): word is Verdict {
  return Object.hasOwn(EXIT_CODES, word);
}

/** The result of the test call: the verdict, and what a person needs to act on it. */
export interface CheckResult {
  /** What was found out. */
  readonly verdict: Verdict;
  /** The request, for example `GET https://host:7443/api/gateway_groups?…`. */
  readonly tried: string;
  /** What came back, with the server's own words quoted. */
  readonly found: string;
  /** What to do about it; absent where there is nothing to do. */
  readonly suggestion?: string;
  /** The status code, where there was an answer. */
  readonly status?: number;
  /** The names of the gateway groups that do exist, for `no-gateway-group`. */
  readonly gatewayGroups?: readonly string[];
}

/** The test call found that ADC would fail. */
export class CheckError extends AdcRunError {
  /** `"CheckError"`. */
  override readonly name = "CheckError";
  /** What was found out. */
  readonly result: CheckResult;

  /** The token that was tried, and where it came from, where that is known. */
  readonly resolved: ResolvedToken | undefined;

  /**
   * Makes the error from what was found out.
   *
   * @param result What was found out.
   * @param options Where the token came from.
   */
  constructor(result: CheckResult, options: { readonly resolved?: ResolvedToken } = {}) {
    const { resolved } = options;
    const token = resolved === undefined
      ? ""
      : ` with token ${resolved.token} from ${resolved.source} (${resolved.detail})`;
    super(`${result.tried}${token}: ${result.found}`, EXIT_CODES[result.verdict], {
      suggestion: result.suggestion,
    });
    this.result = result;
    this.resolved = resolved;
  }
}
