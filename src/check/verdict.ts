import { AdcRunError, EXIT } from "../errors.ts";
import { describeResolved, type ResolvedToken } from "../token/resolve.ts";

/**
 * What the test call found out about a token. Only `rejected` says that the token itself is bad; the reference's
 * table says what the others mean.
 * @category Check
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

interface VerdictTraits {
  readonly exit: number;
  readonly summary: string;
  /** Whether the server knows the token, whatever that may do. */
  readonly tokenKnown: boolean;
  /** Whether the token may do what ADC asks first. */
  readonly tokenAccepted: boolean;
}

const UNKNOWN = { tokenKnown: false, tokenAccepted: false } as const;
const ACCEPTED = { tokenKnown: true, tokenAccepted: true } as const;

export const VERDICTS: Readonly<Record<Verdict, VerdictTraits>> = {
  "valid": {
    exit: 0,
    summary: "the server accepted the token, and the gateway group exists (ping uses none)",
    ...ACCEPTED,
  },
  "no-token": { exit: EXIT.permission, summary: "no source has a token", ...UNKNOWN },
  "rejected": {
    exit: EXIT.permission,
    summary: "401: the token is wrong, expired or revoked",
    ...UNKNOWN,
  },
  "forbidden": {
    exit: EXIT.permission,
    summary: "403, or a viewer key: the token works, but its role is not enough",
    tokenKnown: true,
    tokenAccepted: false,
  },
  "no-gateway-group": {
    exit: EXIT.config,
    summary: "the group does not exist; the message lists existing ones",
    ...ACCEPTED,
  },
  "wrong-server": {
    exit: EXIT.config,
    summary: "redirect, 404, HTML, unexpected JSON: not an Admin API of this backend",
    ...UNKNOWN,
  },
  "tls": {
    exit: EXIT.unavailable,
    summary: "unknown CA, expired, for another name; or a client certificate is required",
    ...UNKNOWN,
  },
  "unreachable": {
    exit: EXIT.unavailable,
    summary: "no such host, connection refused or closed",
    ...UNKNOWN,
  },
  "timeout": { exit: EXIT.unavailable, summary: "no response in time", ...UNKNOWN },
  "server-error": { exit: EXIT.unavailable, summary: "408, 425, 429 or 5xx", ...UNKNOWN },
};

export function isVerdict(word: string): word is Verdict {
  return Object.hasOwn(VERDICTS, word);
}

/**
 * The result of the test call: the verdict, and what a person needs to act on it.
 * @category Check
 */
export interface CheckResult {
  /** What was found out. */
  readonly verdict: Verdict;
  /** The request, for example `GET https://host:7443/api/gateway_groups?…`. */
  readonly request: string;
  /** What came back, with the server's own words quoted. */
  readonly reason: string;
  /** What to do about it; absent where there is nothing to do. */
  readonly suggestion?: string | undefined;
  /** What a person should know though the verdict is `valid`. */
  readonly warning?: string | undefined;
  /** The status code, where there was an answer. */
  readonly httpStatus?: number | undefined;
  /** The names of the gateway groups that do exist, for `no-gateway-group`. */
  readonly gatewayGroups?: readonly string[] | undefined;
}

/**
 * The test call found that ADC would fail.
 * @category Errors
 */
export class CheckError extends AdcRunError {
  /** `"CheckError"`. */
  override readonly name = "CheckError";
  /** What was found out. */
  readonly result: CheckResult;

  /** The token that was checked, and where it came from, where that is known. */
  readonly resolved: ResolvedToken | undefined;

  /**
   * Creates the error from what was found out.
   *
   * @param result What was found out.
   * @param options Where the token came from.
   */
  constructor(
    result: CheckResult,
    options: { readonly resolved?: ResolvedToken | undefined } = {},
  ) {
    const { resolved } = options;
    const token = resolved === undefined ? "" : ` with ${describeResolved(resolved)}`;
    super(`${result.request}${token}: ${result.reason}`, VERDICTS[result.verdict].exit, {
      suggestion: result.suggestion,
    });
    this.result = result;
    this.resolved = resolved;
  }
}
