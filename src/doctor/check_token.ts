import { AdminApi } from "../admin_api/admin_api.ts";
import type { User } from "../admin_api/shapes.ts";
import { checkToken } from "../check/check_token.ts";
import { oneLine } from "../check/response.ts";
import { CheckError, VERDICTS } from "../check/verdict.ts";
import type { CheckResult } from "../check/verdict.ts";
import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin } from "../connection/origin.ts";
import type { Environment, HttpDispatcher } from "../context.ts";
import { EXIT } from "../errors.ts";
import {
  describeEnd,
  endsSoon,
  endWarning,
  explainRefusal,
  hasEnded,
  knownToken,
} from "../lifecycle/expiry.ts";
import { isAdminKey } from "../secret.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";
import { NoTokenError } from "../token/resolve.ts";
import type { Survey } from "../token/resolve.ts";
import { failureOf } from "./finding.ts";
import type { Found } from "./finding.ts";

/** What `judgeToken` is told. */
interface JudgeTokenOptions {
  /** What the sources said. */
  readonly survey: Survey;
  /** What is known of the token; `undefined` where there is none. */
  readonly report: TokenReport | undefined;
  /**
   * Whether what answers is known to be of another kind than expected, so that its words mean nothing.
   */
  readonly misplaced: boolean;
  /** The clock's time, in milliseconds. */
  readonly now: number;
}

/** Says where the token comes from, and what the server says of it. */
export function judgeToken(options: JudgeTokenOptions): readonly Found[] {
  const { survey, report, misplaced, now } = options;
  const { winner, error, trail } = survey;
  if (winner === undefined || report === undefined) {
    const failure = failureOf(error);
    // What each source said is the reason why there is none.
    const said = error instanceof NoTokenError
      ? `: ${trail.map(({ source, detail }) => `${source}: ${detail}`).join("; ")}`
      : "";
    return [{
      suggestion: "Mend the source, or leave it out with --source.",
      ...failure,
      found: failure.found + said,
      data: { sources: trail },
    }];
  }
  const { checked, owner, record } = report;
  const from = `${winner.token} from ${winner.source} (${winner.detail})`;
  const end = record?.expiresAt !== undefined || record?.neverExpires === true
    ? describeEnd(record.expiresAt, now)
    : undefined;
  const data = {
    source: winner.source,
    detail: winner.detail,
    redacted: winner.token.redacted,
    fingerprint: winner.token.fingerprint,
    verdict: checked?.verdict ?? "not-checked",
    ...(owner && {
      owner: { username: owner.username, roles: owner.roles, superAdmin: owner.superAdmin },
    }),
    ...(end !== undefined && { expiresAt: record?.expiresAt ?? null }),
    sources: trail,
  };
  if (checked === undefined) {
    return [{
      status: "skipped",
      found: `${from}: not tried, for the server could not be asked`,
      data,
    }];
  }
  if (misplaced && checked.verdict === "wrong-server") {
    return [{ status: "skipped", found: `${from}: what answers cannot judge it`, data }];
  }
  if (!VERDICTS[checked.verdict].tokenAccepted) {
    return [{ ...failureOf(new CheckError(checked, { resolved: winner })), data }];
  }
  const facts = [
    "the server takes it",
    isAdminKey(winner.token) ? "an admin key, nobody's own" : owner &&
      `${oneLine(owner.username)}'s (roles: ${oneLine(owner.roles.join(", ")) || "none"})`,
    end,
  ].filter((fact) => fact !== undefined);
  return [
    { status: "ok", found: `${from}: ${facts.join(", ")}`, data },
    ...remarks(survey, report, now),
  ];
}

/** What is not right about a token that works. */
function remarks(
  survey: Survey,
  { owner, record }: TokenReport,
  now: number,
): readonly Found[] {
  const findings: Found[] = [];
  if (owner?.superAdmin) {
    findings.push({
      status: "warning",
      found: `it belongs to "${oneLine(owner.username)}", a Super Admin`,
      suggestion: "Make tokens as a user who may do only what ADC needs.",
      data: { superAdmin: true },
    });
  }
  if (endsSoon(record?.expiresAt, now) !== undefined) {
    findings.push({ status: "warning", found: endWarning(record, now)! });
  }
  if (hasEnded(record?.expiresAt, now)) {
    findings.push({
      status: "warning",
      found: "it should have ended by what is noted here, and the server takes it all the same",
      suggestion: "Look at the clocks on both sides.",
    });
  }
  if (survey.winner?.source === "store") {
    findings.push({
      status: "warning",
      found: "it lies in a file, unencrypted",
      suggestion: "A keychain is the better place.",
    });
  }
  return findings;
}

/** Says whether the gateway group is there. */
export function judgeGroup(
  { backend, gatewayGroup }: Connection,
  { survey, report }: Pick<JudgeTokenOptions, "survey" | "report">,
): Found {
  if (!BACKENDS[backend.value].hasGatewayGroups) {
    return { status: "skipped", found: `the backend "${backend.value}" has none` };
  }
  const name = `"${gatewayGroup.value}" (${describeOrigin(gatewayGroup.origin)})`;
  const checked = report?.checked;
  if (survey.winner !== undefined && isAdminKey(survey.winner.token)) {
    return { status: "skipped", found: "ADC names none where the token is an admin key" };
  }
  if (checked?.verdict === "valid") {
    return { status: "ok", found: `${name} is there`, data: { name: gatewayGroup.value } };
  }
  if (checked?.verdict !== "no-gateway-group") {
    return { status: "skipped", found: `${name} could not be looked up` };
  }
  return {
    status: "failed",
    found: `${name}: ${checked.found}`,
    ...(checked.suggestion !== undefined && { suggestion: checked.suggestion }),
    exitCode: EXIT.config,
    data: { name: gatewayGroup.value, gatewayGroups: checked.gatewayGroups ?? [] },
  };
}

/** What is known of a token. */
export interface TokenReport {
  /** What the server says of it; `undefined` where it was not asked. */
  readonly checked: CheckResult | undefined;
  /** Whose it is; `undefined` where nobody says. */
  readonly owner: User | undefined;
  /** The server's version, where it says so. */
  readonly version: string | undefined;
  /** What adc-run itself keeps about it. */
  readonly record: TokenRecord | undefined;
}

/** How a token is looked at. */
interface LookAtTokenOptions {
  readonly connection: Connection;
  readonly env: Environment;
  /** Whether the server is asked at all. */
  readonly ask: boolean;
  /** Told of a state file that cannot be read. */
  readonly onWarning: (warning: string) => void;
  /** Ends the requests. */
  readonly signal: AbortSignal | undefined;
  /** Sends the requests. */
  readonly dispatcher: HttpDispatcher | undefined;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/** Tries a token, and asks whose it is. */
export async function lookAtToken(
  token: Secret,
  options: LookAtTokenOptions,
): Promise<TokenReport> {
  const { connection, ask, signal, now } = options;
  const record = await knownToken(token, options);
  if (!ask) return { checked: undefined, owner: undefined, version: undefined, record };
  const checked = explainRefusal(await checkToken(token, options), record, now());
  if (!VERDICTS[checked.verdict].tokenAccepted || !BACKENDS[connection.backend.value].hasUsers) {
    return { checked, owner: undefined, version: undefined, record };
  }
  const api = await AdminApi.open(connection, { ...options, token });
  // Not to know is no failure: a token may have no right to ask.
  const known = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    const value = await answer.catch(() => undefined);
    signal?.throwIfAborted();
    return value;
  };
  try {
    const owner = isAdminKey(token) ? undefined : await known(api.me({ signal }));
    return { checked, owner, version: await known(api.version({ signal })), record };
  } finally {
    await api.close();
  }
}
