import { checkToken } from "../../check/check_token.ts";
import { CheckError } from "../../check/verdict.ts";
import { BACKENDS } from "../../connection/backends.ts";
import { describeConnection } from "../../connection/connection.ts";
import { explainNoToken } from "../../check/network_failure.ts";
import { adcRunCommand, describeOrigin, type Origin } from "../../connection/origin.ts";
import { UsageError } from "../../errors.ts";
import { describeEnd, endWarning, explainRefusal, knownToken } from "../../lifecycle/expiry.ts";
import type { TokenRecord } from "../../store/state.ts";
import { NoTokenError, surveyTokens } from "../../token/resolve.ts";
import { strayWarning } from "../../token/sources.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import { maskInRunner } from "../output/ci.ts";
import { fixed, Line, line, writeToken } from "../output/out.ts";
import { describeCheck, describeError, describeToken, formatTrail } from "../output/report.ts";
import { findToken, openConnection } from "../settings.ts";
import { describeOwner, findOwner, warnOfFile, withoutLogIn } from "./account.ts";

export async function authStatus(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter } = call;
  const { connection, sources } = await openConnection(call, io);
  const { trail, winner, error: missing } = await surveyTokens({ connection, sources });
  const error = missing && await explainNoToken(missing, connection);
  const { env } = io;
  const record = winner &&
    await knownToken(winner.token, { connection, env, onWarning: reporter.warn });
  const stray = winner && strayWarning(connection, { source: winner.source, env });
  if (stray !== undefined) reporter.warn(stray);
  const now = Date.now();
  const tried = winner && options.check
    ? await checkToken(winner.token, { connection })
    : undefined;
  const checked = tried &&
    explainRefusal(tried, { record, now, resolved: winner!, connection, env });
  const soon = endWarning(record, { connection, now });
  if (soon !== undefined) reporter.warn(soon);
  if (checked?.warning !== undefined) reporter.warn(checked.warning);
  if (winner?.source === "store") warnOfFile(reporter);
  const owner = winner && checked?.verdict === "valid"
    ? await findOwner(connection, winner.token, { reporter })
    : undefined;
  const failure = error ??
    (checked !== undefined && checked.verdict !== "valid"
      ? new CheckError(checked, { resolved: winner! })
      : undefined);
  if (options.json) {
    reporter.answer({
      connection: describeConnection(connection),
      sources: trail,
      token: winner && { ...describeToken(winner), ...describeRecord(record) },
      check: winner ? describeCheck(checked) : { verdict: "no-token" },
      owner,
      error: failure && describeError(failure),
    });
    return failure?.exitCode ?? 0;
  }
  const { backend, server, gatewayGroup } = connection;
  const place = ({ value, origin }: { readonly value: string; readonly origin: Origin }) =>
    line`${value} (${describeOrigin(origin)})`;
  const lines = [
    line`server   ${place(server)}`,
    line`backend  ${place(backend)}`,
    BACKENDS[backend.value].hasGatewayGroups && line`group    ${place(gatewayGroup)}`,
    ...formatTrail(trail).map((each) => line`source   ${each}`),
    winner && line`token    ${winner.token} from ${fixed(winner.source)}`,
    winner && fixed(`check    ${checked?.verdict ?? "not made"}`),
    record?.name !== undefined && line`name     ${record.name}`,
    record && hasKnownEnd(record) && fixed(`end      ${describeEnd(record.expiresAt, now)}`),
    owner && line`owner    ${describeOwner(owner)}`,
  ].filter((each) => each instanceof Line);
  for (const each of lines) reporter.print(each);
  if (failure === undefined) return 0;
  // What every source said stands above already.
  return reporter.fail(
    failure instanceof NoTokenError ? failure.withoutTrail() : failure,
  );
}

function describeRecord(record: TokenRecord | undefined): Record<string, unknown> {
  if (record === undefined) return {};
  const { id, name, user, storage, expiresAt } = record;
  const end = hasKnownEnd(record) ? expiresAt ?? null : undefined;
  return { storage, id, name, user, expiresAt: end };
}

/** Of a token that was brought along nobody knows when it ends. */
function hasKnownEnd({ expiresAt, neverExpires }: TokenRecord): boolean {
  return expiresAt !== undefined || neverExpires === true;
}

export async function authToken(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter } = call;
  const { connection, sources } = await openConnection(call, io);
  const looking = withoutLogIn(sources);
  if (looking.length === 0) {
    throw new UsageError('Cannot print a token: source "admin-api" creates tokens for runs only', {
      suggestion: `Store one with: ${adcRunCommand("auth login", connection)}`,
    });
  }
  const resolved = await findToken({ connection, sources: looking });
  // What a script does with it may show it.
  maskInRunner({ connection, resolved }, { reporter, io, options });
  writeToken(resolved.token, io, options.json ? describeToken(resolved) : undefined);
  return 0;
}
