import { AdminApi } from "../admin_api/admin_api.ts";
import type { User } from "../admin_api/shapes.ts";
import { checkToken } from "../check/check_token.ts";
import { oneLine } from "../check/response.ts";
import { CheckError, type CheckResult, VERDICTS } from "../check/verdict.ts";
import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin } from "../connection/origin.ts";
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
import type { TokenRecord } from "../store/state.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { Facts, Given } from "./diagnose.ts";
import { failed, failureOf, type Found, ok, skipped, warning } from "./finding.ts";

export interface TokenTrial {
  readonly checked?: CheckResult | undefined;
  readonly owner?: User | undefined;
  readonly version?: string | undefined;
  readonly record?: TokenRecord | undefined;
  readonly warnings: readonly string[];
  /** Whether what answers is known to be of another kind than expected, so that its words mean nothing. */
  readonly misplaced: boolean;
}

export async function tryToken(
  given: Given<"connection" | "survey" | "contacts">,
): Promise<Omit<TokenTrial, "misplaced">> {
  const { connection, contacts, signal, now = Date.now, survey: { winner } } = given;
  const warnings: string[] = [];
  const onWarning = (text: string) => void warnings.push(text);
  if (winner === undefined) return { warnings };
  const { token } = winner;
  const record = await knownToken(token, { ...given, onWarning });
  if (contacts.every(({ failure }) => failure !== undefined)) return { record, warnings };
  const checked = explainRefusal(await checkToken(token, given), {
    ...given,
    resolved: winner,
    record,
    now: now(),
  });
  if (!VERDICTS[checked.verdict].tokenAccepted || !BACKENDS[connection.backend.value].hasUsers) {
    return { checked, record, warnings };
  }
  const api = await AdminApi.open(connection, { ...given, token });
  // Not to know is no failure: a token may have no right to ask.
  const known = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    const value = await answer.catch(() => undefined);
    signal?.throwIfAborted();
    return value;
  };
  try {
    const owner = isAdminKey(token) ? undefined : await known(api.me({ signal }));
    return { checked, owner, version: await known(api.version({ signal })), record, warnings };
  } finally {
    await api.close();
  }
}

export function checkRunToken(
  { connection, survey, trial, now = Date.now }:
    & Pick<Facts, "connection" | "survey" | "trial">
    & Pick<Given, "now">,
): readonly Found[] {
  const findings = survey.winner === undefined
    ? [explainAbsence(survey)]
    : judgeToken(survey.winner, trial, { connection, now: now() });
  return [...findings, ...trial.warnings.map((text) => warning(text))];
}

function explainAbsence({ trail, error }: Facts["survey"]): Found {
  const failure = failureOf(error);
  const suggestion = failure.suggestion ?? "Fix the source, or skip it with --source.";
  const { exitCode } = failure;
  return failed(failure.found, suggestion, { exitCode, data: { sources: trail } });
}

function judgeToken(
  winner: ResolvedToken,
  trial: TokenTrial,
  { connection, now }: { readonly connection: Connection; readonly now: number },
): readonly Found[] {
  const { token, source, detail, trail } = winner;
  const { checked, owner, record, misplaced } = trial;
  const from = `${token} from ${source} (${detail})`;
  const end = record?.expiresAt !== undefined || record?.neverExpires === true
    ? describeEnd(record.expiresAt, now)
    : undefined;
  const data = {
    source,
    detail,
    redacted: token.redacted,
    fingerprint: token.fingerprint,
    verdict: checked?.verdict ?? "not-checked",
    owner: owner && { username: owner.username, roles: owner.roles, superAdmin: owner.superAdmin },
    expiresAt: end === undefined ? undefined : record?.expiresAt ?? null,
    sources: trail,
  };
  if (checked === undefined) {
    return [skipped(`${from}: not checked, as the server cannot be reached`, data)];
  }
  if (misplaced && checked.verdict === "wrong-server") {
    return [skipped(`${from}: not checked, as the server is of another type`, data)];
  }
  if (!VERDICTS[checked.verdict].tokenAccepted) {
    const { suggestion, exitCode } = failureOf(new CheckError(checked));
    return [failed(`${from}: ${checked.reason}`, suggestion, { exitCode, data })];
  }
  const facts = [
    "accepted by the server",
    isAdminKey(token) ? "an admin key (belongs to no user)" : owner &&
      `${oneLine(owner.username)}'s (roles: ${oneLine(owner.roles.join(", ")) || "none"})`,
    end,
  ].filter((fact) => fact !== undefined);
  return [ok(`${from}: ${facts.join(", ")}`, data), ...remarks(winner, trial, { connection, now })];
}

function* remarks(
  { source }: ResolvedToken,
  { checked, owner, record }: TokenTrial,
  { connection, now }: { readonly connection: Connection; readonly now: number },
): Generator<Found> {
  if (checked?.warning !== undefined) yield warning(checked.warning);
  if (owner?.superAdmin) {
    yield warning(
      `it belongs to "${oneLine(owner.username)}", a Super Admin`,
      "Create tokens as a user with only the permissions that ADC needs.",
      { superAdmin: true },
    );
  }
  if (endsSoon(record?.expiresAt, now) !== undefined) {
    yield warning(endWarning(record, { connection, now })!);
  }
  if (hasEnded(record?.expiresAt, now)) {
    yield warning(
      "it should have expired by now, but the server still accepts it",
      "Check the clocks on both sides.",
    );
  }
  if (source === "store") {
    yield warning("it is stored unencrypted in a file", "Use a keychain if you can.");
  }
}

export function checkGroup(
  { connection: { backend, gatewayGroup }, survey, trial: { checked } }: Pick<
    Facts,
    "connection" | "survey" | "trial"
  >,
): Found {
  if (!BACKENDS[backend.value].hasGatewayGroups) {
    return skipped(`backend "${backend.value}" has none`);
  }
  if (survey.winner !== undefined && isAdminKey(survey.winner.token)) {
    return skipped("not used with an admin key");
  }
  const name = `"${gatewayGroup.value}" (${describeOrigin(gatewayGroup.origin)})`;
  const data = { name: gatewayGroup.value };
  if (checked?.verdict === "valid") return ok(`${name} exists`, data);
  if (checked?.verdict !== "no-gateway-group") return skipped(`${name} could not be checked`);
  const from = describeOrigin(gatewayGroup.origin);
  return failed(`${checked.reason} (${from})`, checked.suggestion, {
    exitCode: EXIT.config,
    data: { ...data, gatewayGroups: checked.gatewayGroups ?? [] },
  });
}
