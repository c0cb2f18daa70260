/**
 * Ordered sources in, one token out, and what every source on the way said.
 *
 * @module
 */

import type { Connection } from "../connection/connection.ts";
import { AdcRunError, EXIT, messageOf, SourceError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { SourceAnswer, TokenSource } from "./source.ts";
import { isBlank, tokenDefect } from "./token_value.ts";

/** What one source said, without any secret but the redacted token. */
export interface SourceReport {
  /** The source's name. */
  readonly source: string;
  /** What it answered; `not-asked` stands for a source behind the first find. */
  readonly status: SourceAnswer["status"] | "not-asked";
  /** Where the token is, why there is none, or what is wrong. */
  readonly detail: string;
  /** What to do about a broken source. */
  readonly suggestion?: string;
}

/** A token and where it came from. */
export interface ResolvedToken {
  /** The token; for `apisix-standalone` it may be a comma-separated list. */
  readonly token: Secret;
  /** The name of the source that had it. */
  readonly source: string;
  /** Where exactly, for example `ADC_TOKEN`. */
  readonly detail: string;
  /** What every source said, in the order in which they stand. */
  readonly trail: readonly SourceReport[];
}

/** Every source was asked and none has a token. */
export class NoTokenError extends AdcRunError {
  /** `"NoTokenError"`. */
  override readonly name = "NoTokenError";
  /** What every source said. */
  readonly trail: readonly SourceReport[];
  readonly #server: string;

  /**
   * Makes the error.
   *
   * @param server The server that the token was to be for, as messages name it.
   * @param trail What every source said.
   */
  constructor(server: string, trail: readonly SourceReport[]) {
    super(`Cannot find a token for ${server}: no source has one`, EXIT.permission, {
      suggestion: `Set ADC_TOKEN, or store a token with "adc-run auth login --with-token".`,
    });
    this.trail = trail;
    this.#server = server;
  }

  /**
   * The same error for a place that has shown what every source said.
   *
   * @returns An error with an empty trail.
   */
  withoutTrail(): NoTokenError {
    return new NoTokenError(this.#server, []);
  }
}

/** What {@linkcode resolveToken} needs to know. */
export interface ResolveTokenOptions {
  /** Where the token will be used. */
  readonly connection: Connection;
  /** The sources, first come first. */
  readonly sources: readonly TokenSource[];
  /**
   * Ends the search.
   *
   * @default undefined
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the sources in order and takes the first token.
 *
 * A source without a token is passed over. A source that is broken ends the search: a locked keychain is
 * not "no token", and the token of the next source could be the wrong one.
 *
 * @param options The connection and the sources.
 * @returns The token, its source, and what the other sources said.
 * @throws {NoTokenError} No source has a token.
 * @throws {SourceError} A source is broken (`exitCode` 74), or its token is malformed (65).
 *
 * @example
 * ```ts
 * import { envSource, resolveConnection, resolveToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const env = { ADC_TOKEN: "a7ee-example" };
 * const connection = await resolveConnection({ env, cwd: "/nowhere" });
 * const { source, token } = await resolveToken({ connection, sources: [envSource({ env })] });
 * assert.equal(source, "env");
 * assert.equal(String(token), "a7ee-*** (9261e1c1)");
 * ```
 */
export async function resolveToken(options: ResolveTokenOptions): Promise<ResolvedToken> {
  const { connection, sources, signal } = options;
  const trail: SourceReport[] = [];
  for (const [index, source] of sources.entries()) {
    const answer = await ask(source, connection, { signal });
    trail.push(reportOf(source, answer));
    if (answer.status === "absent") continue;
    for (const { name } of sources.slice(index + 1)) {
      trail.push({ source: name, status: "not-asked", detail: `${source.name} came first` });
    }
    if (answer.status === "broken") throw brokenSource(source, answer);
    return { token: answer.token, source: source.name, detail: answer.detail, trail };
  }
  throw new NoTokenError(connection.server.value, trail);
}

/** What {@linkcode surveyTokens} found. */
export interface Survey {
  /** What every source said; none is left out. */
  readonly trail: readonly SourceReport[];
  /** The token that a run would take, `undefined` if there is none or a broken source stands before it. */
  readonly winner: ResolvedToken | undefined;
  /** Why there is no winner. */
  readonly error: AdcRunError | undefined;
}

/**
 * Asks every source, also those behind the first find.
 *
 * @param options The connection and the sources.
 * @returns What each said, and which token a run would take.
 */
export async function surveyTokens(options: ResolveTokenOptions): Promise<Survey> {
  const { connection, sources, signal } = options;
  const trail: SourceReport[] = [];
  let winner: Omit<ResolvedToken, "trail"> | undefined;
  let error: AdcRunError | undefined;
  for (const source of sources) {
    const answer = await ask(source, connection, { signal });
    trail.push(reportOf(source, answer));
    if (winner !== undefined || error !== undefined) continue;
    if (answer.status === "broken") error = brokenSource(source, answer);
    if (answer.status === "found") {
      winner = { token: answer.token, source: source.name, detail: answer.detail };
    }
  }
  if (winner === undefined) error ??= new NoTokenError(connection.server.value, trail);
  return { trail, winner: winner && { ...winner, trail }, error };
}

/** Asks one source within its time limit, and judges the token that it gives. */
async function ask(
  source: TokenSource,
  connection: Connection,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<SourceAnswer> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: (() => void) | undefined;
  const ended = new Promise<SourceAnswer>((resolve, reject) => {
    timer = setTimeout(() => {
      resolve({
        status: "broken",
        reason: `it did not answer within ${source.timeout / 1000} s`,
        ...(source.whenSlow !== undefined && { suggestion: source.whenSlow }),
      });
      limit.abort();
    }, source.timeout);
    abort = () => {
      reject(signal?.reason);
      limit.abort(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
  // Asynchronous, so that a source which throws is as broken as one which rejects.
  const found = (async () => await source.find({ connection, signal: limit.signal }))().catch((
    error,
  ): SourceAnswer => ({
    status: "broken",
    reason: messageOf(error),
    cause: error,
  }));
  try {
    return judge(await Promise.race([found, ended]), connection);
  } finally {
    clearTimeout(timer);
    if (abort !== undefined) signal?.removeEventListener("abort", abort);
  }
}

function judge(answer: SourceAnswer, connection: Connection): SourceAnswer {
  if (answer.status !== "found") return answer;
  if (isBlank(answer.token.reveal())) {
    return { status: "absent", reason: `${answer.detail} is blank` };
  }
  const defect = tokenDefect(answer.token, connection.backend.value === "apisix-standalone");
  if (defect === undefined) return answer;
  return {
    status: "broken",
    reason: `the token in ${answer.detail} is malformed: ${defect}`,
    suggestion: "Copy it once more, without quotes, spaces and line breaks.",
    malformed: true,
  };
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
    ...(answer.malformed && { exitCode: EXIT.data }),
  });
}
