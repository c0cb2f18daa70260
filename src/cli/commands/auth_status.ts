import type { User } from "../../admin_api/shapes.ts";
import { checkToken, findToken } from "../../check/check_token.ts";
import { explainNoToken } from "../../check/network_failure.ts";
import { CheckError, type CheckResult } from "../../check/verdict.ts";
import { BACKENDS } from "../../connection/backends.ts";
import { type Connection, describeConnection } from "../../connection/connection.ts";
import { adcRunCommand, requireAllowed } from "../../connection/origin.ts";
import { type AdcRunError, UsageError } from "../../errors.ts";
import { day, endWarning, explainRefusal, knownToken, timeLeft } from "../../lifecycle/expiry.ts";
import type { TokenRecord } from "../../store/state.ts";
import {
  NoTokenError,
  type ResolvedToken,
  type SourceReport,
  surveyTokens,
} from "../../token/resolve.ts";
import { strayWarning } from "../../token/sources.ts";
import type { Io } from "../io.ts";
import type { TargetOptions } from "../manual/auth_commands.ts";
import type { OwnCall } from "../manual/manual.ts";
import { ciRunner, maskInRunner } from "../output/ci.ts";
import { hasSymbols } from "../output/layout.ts";
import { fixed, Line, line, writeToken } from "../output/out.ts";
import {
  asAdcRunError,
  describeCheck,
  describeError,
  describeToken,
  detailsOf,
  headlineOf,
  labelled,
  mark,
  placeOf,
  type Reporter,
  type Row,
  SCHEMA_VERSION,
  settingRows,
  tokenText,
  trailRows,
} from "../output/report.ts";
import { forTarget, openConnection, targetNames } from "../settings.ts";
import { findOwner, warnOfFile, withoutLogIn } from "./account.ts";

interface Status {
  readonly connection: Connection;
  readonly trail: readonly SourceReport[];
  readonly winner: ResolvedToken | undefined;
  readonly record: TokenRecord | undefined;
  readonly checked: CheckResult | undefined;
  readonly owner: User | undefined;
  readonly failure: AdcRunError | undefined;
}

export async function authStatus(call: OwnCall<TargetOptions>, io: Io): Promise<number> {
  const { options, reporter } = call;
  const names = await targetNames(call, io);
  if (names !== undefined) return await statusOfMany(names, call, io);
  const status = await findStatus(call, io);
  const { failure } = status;
  const exitCode = failure?.exitCode ?? 0;
  if (options.json) return answer({ ...describeStatus(status), exitCode }, reporter);
  show(status, call, io);
  if (failure !== undefined && ciRunner(io) !== undefined) reporter.fail(failure);
  return exitCode;
}

/** A failure goes where those of all commands go. */
function answer<T extends { readonly exitCode: number }>(data: T, reporter: Reporter): number {
  if (data.exitCode === 0) reporter.answer(data);
  else reporter.report(data);
  return data.exitCode;
}

async function findStatus(call: OwnCall, io: Io): Promise<Status> {
  const { options, reporter } = call;
  const { connection, sources } = await openConnection(call, io);
  const { env } = io;
  const { trail, winner, error: missing } = await surveyTokens({ connection, sources });
  const error = missing && await explainNoToken(missing, connection);
  const record = winner &&
    await knownToken(winner.token, { connection, env, onWarning: reporter.warn });
  const stray = winner && strayWarning(connection, { ...winner, env });
  if (stray !== undefined) reporter.warn(stray);
  const now = Date.now();
  io.sign?.show(line`waiting for ${connection.server.value}`);
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
    ? await findOwner(connection, winner.token, reporter)
    : undefined;
  io.sign?.hide();
  const failure = error ??
    (checked !== undefined && checked.verdict !== "valid"
      ? new CheckError(checked, { resolved: winner! })
      : undefined);
  return { connection, trail, winner, record, checked, owner, failure };
}

function describeStatus(status: Status): Record<string, unknown> {
  const { connection, trail, winner, record, checked, owner, failure } = status;
  return {
    connection: describeConnection(connection),
    sources: trail,
    token: winner && { ...describeToken(winner), ...describeRecord(record) },
    check: winner ? describeCheck(checked) : { verdict: "no-token" },
    owner,
    error: failure && describeError(failure),
  };
}

function show(status: Status, { options, reporter }: OwnCall, io: Io): void {
  const { connection, trail, winner, record, owner, failure } = status;
  const { backend, server, gatewayGroup, profile } = connection;
  const of = [
    fixed(backend.value),
    BACKENDS[backend.value].hasGatewayGroups && line`group ${gatewayGroup.value}`,
    profile && line`profile ${profile.name}`,
  ].filter((each) => each instanceof Line).reduce((before, each) => line`${before}, ${each}`);
  reporter.print(line`${server.value}  ${of}`);
  const rows: Row[] = [[verdictOf(status), winner ? tokenOf(status) : ""]];
  if (owner !== undefined) {
    rows.push(["user", line`${owner.username} (${owner.roles.join(", ") || "no roles"})`]);
  }
  if (record !== undefined) rows.push(["expires", describeExpiry(record)]);
  // The same value in two places hides nothing.
  const hidden = trail.slice(trail.findIndex(({ source }) => source === winner?.source) + 1)
    .filter((each) => each.status === "found" && !each.detail.endsWith(String(winner?.token)));
  for (const { source, detail } of winner ? hidden : []) {
    const from = placeOf({ source, detail: detail.slice(0, detail.lastIndexOf(": ")) });
    rows.push(["unused", line`the token from ${from}: ${placeOf(winner!)} comes first`]);
  }
  const login = trail.find(({ detail }) => /^a run would log in/.test(detail));
  if (winner === undefined && login !== undefined) rows.push(["login", login.detail]);
  if (failure !== undefined) {
    if (!(failure instanceof NoTokenError)) rows.push(["reason", headlineOf(failure)]);
    else if (failure.trail.length === 0) rows.push(["reason", failure.message]);
    rows.push(
      ...detailsOf(failure, options).filter(([label]) =>
        !["token", "server", options.verbose ? "source" : ""].includes(label)
      ),
    );
  }
  if (options.verbose) rows.push(...settingRows(connection), ...trailRows(trail));
  const symbol = mark(failure === undefined ? "ok" : "failed", io, "stdout");
  const margin = hasSymbols(io, "stdout") ? "  " : "";
  for (const [index, each] of labelled(rows).entries()) {
    reporter.print(line`${index === 0 ? symbol : fixed(margin)}${each}`);
  }
}

function verdictOf({ winner, checked, failure }: Status): string {
  if (checked !== undefined) return checked.verdict;
  if (winner !== undefined) return "not checked";
  return failure instanceof NoTokenError ? "no token" : "broken";
}

function tokenOf({ winner, record }: Pick<Status, "winner" | "record">): Line {
  const name = record?.name === undefined ? fixed("") : line`, "${record.name}"`;
  return line`${tokenText(winner!)}${name}`;
}

function describeExpiry(record: TokenRecord): Line {
  const { expiresAt } = record;
  if (!hasKnownEnd(record)) return fixed("unknown: adc-run did not create this token");
  if (expiresAt === undefined) return fixed("never");
  return fixed(`${day(expiresAt)}, ${timeLeft(expiresAt, Date.now())}`);
}

async function statusOfMany(
  names: readonly string[],
  call: OwnCall<TargetOptions>,
  io: Io,
): Promise<number> {
  const { options, reporter } = call;
  const found: { name: string; status?: Status; error: AdcRunError | undefined }[] = [];
  for (const name of names) {
    try {
      const status = await findStatus(forTarget(name, call), io);
      found.push({ name, status, error: status.failure });
    } catch (thrown) {
      found.push({ name, error: asAdcRunError(thrown) });
    }
  }
  const exitCode = found.find(({ error }) => error !== undefined)?.error?.exitCode ?? 0;
  if (options.json) {
    const targets = found.map(({ name, status, error }) => ({
      profile: name,
      ...(status ? describeStatus(status) : { error: describeError(error!) }),
    }));
    return answer({ targets, exitCode }, reporter);
  }
  reporter.table(found.map(({ name, status, error }) => [
    line`${mark(error === undefined ? "ok" : "failed", io, "stdout")}${name}`,
    fixed(status === undefined ? "cannot check" : verdictOf(status)),
    status?.winner ? tokenOf(status) : headlineOf(error!),
    error !== undefined
      ? line`adc-run -p ${name} auth status`
      : status?.record
      ? line`expires ${describeExpiry(status.record)}`
      : "",
  ]));
  return exitCode;
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
  requireAllowed(connection.profile, "token");
  const looking = withoutLogIn(sources);
  if (looking.length === 0) {
    throw new UsageError('Cannot print a token: source "admin-api" creates tokens for runs only', {
      suggestion: `Store one with: ${adcRunCommand("auth login", connection)}`,
    });
  }
  const resolved = await findToken({ connection, sources: looking });
  // What a script does with it may show it.
  maskInRunner({ connection, ...resolved }, { reporter, io, options });
  const beside = { schemaVersion: SCHEMA_VERSION, ...describeToken(resolved) };
  writeToken(resolved.token, io, options.json ? beside : undefined);
  return 0;
}
