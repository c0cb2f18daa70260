import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { adcRunCommand, type CallTerms } from "../connection/origin.ts";
import { untrustedOverride } from "../connection/pinned_target.ts";
import type { Context } from "../context.ts";
import { AdcRunError, EXIT, messageOf, SourceError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { deadline, unlessAborted } from "../system/deadline.ts";
import {
  SOURCE_NAMES,
  type SourceAnswer,
  type SourceName,
  type TokenLease,
  type TokenSource,
} from "./sources.ts";
import { isBlank, PLACEHOLDER, sentToken, trimToken, validateToken } from "./token_value.ts";

async function askSource(
  source: TokenSource,
  connection: Connection,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<SourceAnswer> {
  signal?.throwIfAborted();
  const limit = deadline(source.timeoutMs, [signal]);
  // Asynchronous, so that a source which throws is as broken as one which rejects.
  const found = (async () => await source.find({ connection, signal: limit.signal }))().catch((
    error,
  ): SourceAnswer => ({
    status: "broken",
    reason: messageOf(error),
    cause: error,
    // What adc-run itself found out has a code and a remedy of its own: a server that is down, say.
    ...(error instanceof AdcRunError &&
      { exitCode: error.exitCode, suggestion: error.suggestion }),
  }));
  try {
    const answer = await unlessAborted(found, limit.signal);
    const judged = validateAnswer(answer, { connection, source });
    if (answer.status === "found" && judged.status !== "found") {
      await answer.lease?.release().catch(() => {});
    }
    return judged;
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.signal.aborted) throw error;
    return {
      status: "broken",
      reason: `no response within ${source.timeoutMs / 1000} s`,
      suggestion: source.whenSlow,
    };
  } finally {
    limit.clear();
    // What the source had begun is undone before anything else happens.
    if (limit.signal.aborted && source.graceMs !== undefined) await settle(found, source.graceMs);
  }
}

/** Waits for an answer that is of no use any more, and gives back a token that came too late. */
async function settle(found: Promise<SourceAnswer>, grace: number): Promise<void> {
  const limit = deadline(grace);
  const answer = await unlessAborted(found, limit.signal).catch(() => undefined);
  limit.clear();
  if (answer?.status !== "found") return;
  await answer.lease?.release().catch(() => {});
}

/** Who has these said himself where the token goes; and whoever logged in was asked before. */
const GIVEN: readonly string[] = ["flag", "env", "dotenv", "admin-api"] satisfies SourceName[];

function validateAnswer(
  answer: SourceAnswer,
  { connection, source: { name } }: {
    readonly connection: Connection;
    readonly source: TokenSource;
  },
): SourceAnswer {
  if (answer.status !== "found") return answer;
  const override = GIVEN.includes(name) ? undefined : untrustedOverride(connection);
  if (override !== undefined) {
    return {
      status: "broken",
      reason: `the token in ${answer.detail} is for one server only, and ${override.reason}`,
      suggestion: override.suggestion,
      exitCode: EXIT.config,
    };
  }
  if (isBlank(answer.token.reveal())) {
    return { status: "absent", reason: `${answer.detail} is empty` };
  }
  const token = trimToken(answer.token, connection.backend.value);
  const issue = validateToken(token, connection.backend.value);
  if (issue === undefined) return { ...answer, token };
  return {
    status: "broken",
    reason: `the token in ${answer.detail} is malformed: ${issue}`,
    suggestion: "Copy it again, without quotes, spaces or line breaks.",
    exitCode: EXIT.data,
  };
}

/**
 * What one source said, without any secret but the redacted token.
 * @category Token sources
 */
export interface SourceReport {
  /** The source's name. */
  readonly source: string;
  /** What it answered; `not-asked`: another source that has a token comes first. */
  readonly status: SourceAnswer["status"] | "not-asked";
  /** Where the token is, why there is none, or what is wrong. */
  readonly detail: string;
  /** What to do about a broken source. */
  readonly suggestion?: string | undefined;
}

/**
 * A token and where it came from.
 * @category Token sources
 */
export interface ResolvedToken {
  /** The token; for `apisix-standalone` it may be a comma-separated list. */
  readonly token: Secret;
  /** The name of the source that had it. */
  readonly source: string;
  /** Where exactly, for example `ADC_TOKEN`. */
  readonly detail: string;
  /** What every source said, in the order in which they stand. */
  readonly trail: readonly SourceReport[];
  /** What else must stay secret because of it, such as the password it was created with. */
  readonly secrets?: readonly Secret[] | undefined;
  /** Set where the token lives for one run alone: whoever resolved it gives it back. */
  readonly lease?: TokenLease | undefined;
}

/** What stands in for a token where none is used. */
export const WITHOUT_TOKEN: ResolvedToken = {
  token: PLACEHOLDER,
  source: "none",
  detail: "--no-token",
  trail: [],
};

export function describeResolved({ token, source, detail }: ResolvedToken): string {
  return sentToken(token) === undefined
    ? `no token (${detail})`
    : `token ${token} from ${source} (${detail})`;
}

/** Whether only some sources were asked; a command that never logs in leaves one out. */
export function isNarrowed({ length }: readonly SourceReport[]): boolean {
  return length > 0 && length < SOURCE_NAMES.length - 1;
}

/** A way to a token that the sources which were asked would find. */
function describeWays(
  trail: readonly SourceReport[],
  connection: Connection,
): string | undefined {
  const asked = (name: SourceName) =>
    trail.length === 0 || trail.some(({ source }) => source === name);
  const { hasUsers } = BACKENDS[connection.backend.value];
  const storage = asked("keychain") ? "" : " --storage file";
  const login = adcRunCommand(
    `auth login${hasUsers ? "" : " --with-token"}${storage}`,
    connection,
  );
  if (!asked("keychain") && !asked("store")) return asked("env") ? "Set ADC_TOKEN." : undefined;
  return `Log in with "${login}"${asked("env") ? ", or set ADC_TOKEN" : ""}.`;
}

export function howToSetServer({ profile }: Pick<CallTerms, "profile">): string {
  return profile === undefined || profile.project
    ? `Start with: ${adcRunCommand("auth login --server URL", { profile })}`
    : `Set it with: adc-run profile set ${profile.name} --server URL`;
}

/**
 * Every source was asked and none has a token.
 * @category Errors
 */
export class NoTokenError extends AdcRunError {
  /** `"NoTokenError"`. */
  override readonly name = "NoTokenError";
  /** What every source said. */
  readonly trail: readonly SourceReport[];
  readonly #connection: Connection;

  /** Creates the error; `serverIsSet` tells whether anything says which server is meant. */
  constructor(
    connection: Connection,
    trail: readonly SourceReport[],
    { serverIsSet = true }: { readonly serverIsSet?: boolean } = {},
  ) {
    const { server, backend, profile } = connection;
    const { hasUsers } = BACKENDS[backend.value];
    const keyless = hasUsers
      ? ""
      : "If the server needs no key (admin_key_required: false), use --no-token.";
    const target = profile === undefined ? "" : ` (profile ${profile.name})`;
    // An empty secret of a pipeline is the likely reason.
    const empty = trail.find(({ source, detail }) =>
      source === "env" && /^ADC_TOKEN is empty/.test(detail)
    );
    const [message, suggestion] = serverIsSet
      ? [
        `No token for ${server.value}${target}${empty ? `: ${empty.detail}` : ""}`,
        [describeWays(trail, connection), keyless].filter(Boolean).join(" ") || undefined,
      ] as const
      : ["No server is set", howToSetServer(connection)] as const;
    super(message, EXIT.permission, { suggestion });
    this.trail = trail;
    this.#connection = connection;
  }

  /** Where the token was to be used. */
  get connection(): Connection {
    return this.#connection;
  }
}

/**
 * What {@linkcode resolveToken} needs to know.
 * @category Token sources
 */
export interface ResolveTokenOptions extends Pick<Context, "signal"> {
  /** Where the token will be used. */
  readonly connection: Connection;
  /** The sources, first come first. */
  readonly sources: readonly TokenSource[];
}

/**
 * Asks the sources in order and takes the first token.
 *
 * A source without a token is ignored. A source that is broken ends the search: a locked keychain is
 * not "no token", and the token of the next source could be the wrong one.
 *
 * @category Token sources
 * @param options The connection and the sources.
 * @returns The token, its source, and what the other sources said.
 * @throws {NoTokenError} No source has a token.
 * @throws {SourceError} A source is broken (`exitCode` 74), or its token is malformed (65).
 *
 * @example
 * ```ts
 * import { defaultSources, resolveConnection, resolveToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const context = { env: { ADC_TOKEN: "a7ee-example" }, cwd: "/nowhere" };
 * const connection = await resolveConnection(context);
 * const sources = defaultSources({ ...context, names: ["env"] });
 * const { source, token } = await resolveToken({ connection, sources });
 * assert.equal(source, "env");
 * assert.equal(String(token), "a7ee-*** (9261e1c1)");
 * ```
 */
export async function resolveToken(options: ResolveTokenOptions): Promise<ResolvedToken> {
  const { connection, sources, signal } = options;
  const trail: SourceReport[] = [];
  for (const [index, source] of sources.entries()) {
    const answer = await askSource(source, connection, { signal });
    trail.push(reportOf(source, answer));
    if (answer.status === "absent") continue;
    for (const { name } of sources.slice(index + 1)) {
      trail.push({ source: name, status: "not-asked", detail: `${source.name} comes first` });
    }
    if (answer.status === "broken") throw brokenSource(source, answer);
    return { ...tokenOf(source, answer), trail };
  }
  throw new NoTokenError(connection, trail);
}

/**
 * What {@linkcode surveyTokens} found.
 * @category Token sources
 */
export interface Survey {
  /** What every source said; none is left out. */
  readonly trail: readonly SourceReport[];
  /** The token that a run would take, `undefined` if there is none or a broken source comes before it. */
  readonly winner: ResolvedToken | undefined;
  /** Why there is no winner. */
  readonly error: AdcRunError | undefined;
}

/**
 * Asks every source, including those after the first that has a token.
 *
 * @category Token sources
 * @param options The connection and the sources.
 * @returns What each said, and which token a run would take.
 */
export async function surveyTokens(options: ResolveTokenOptions): Promise<Survey> {
  const { connection, sources, signal } = options;
  const trail: SourceReport[] = [];
  let winner: Omit<ResolvedToken, "trail"> | undefined;
  let error: AdcRunError | undefined;
  for (const source of sources) {
    if (source.preview !== undefined) {
      const context = { connection, signal: signal ?? new AbortController().signal };
      // Asynchronous, so that one which throws is told as one which rejects.
      const detail = await (async () => await source.preview!(context))().catch(messageOf);
      trail.push({ source: source.name, status: "not-asked", detail });
      continue;
    }
    const answer = await askSource(source, connection, { signal });
    trail.push(reportOf(source, answer));
    if (winner !== undefined || error !== undefined) continue;
    if (answer.status === "broken") error = brokenSource(source, answer);
    if (answer.status === "found") winner = tokenOf(source, answer);
  }
  if (winner === undefined) error ??= new NoTokenError(connection, trail);
  return { trail, winner: winner && { ...winner, trail }, error };
}

function tokenOf(
  { name }: TokenSource,
  { token, detail, secrets, lease }: SourceAnswer & { readonly status: "found" },
): Omit<ResolvedToken, "trail"> {
  return { token, source: name, detail, secrets, lease };
}

function reportOf({ name }: TokenSource, answer: SourceAnswer): SourceReport {
  return {
    source: name,
    status: answer.status,
    detail: answer.status === "found" ? `${answer.detail}: ${answer.token}` : answer.reason,
    ...(answer.status === "broken" && answer.suggestion !== undefined &&
      { suggestion: answer.suggestion }),
  };
}

function brokenSource(
  { name }: TokenSource,
  answer: SourceAnswer & { readonly status: "broken" },
): SourceError {
  return new SourceError(name, `Cannot get a token from source "${name}": ${answer.reason}`, {
    suggestion: answer.suggestion,
    cause: answer.cause,
    exitCode: answer.exitCode,
  });
}
