import { explainFailure } from "../check/network_failure.ts";
import {
  describeBody,
  errorMessageOf,
  isStranger,
  judgeStatus,
  notThisBackend,
  oneLine,
  shorten,
} from "../check/response.ts";
import type { Connection } from "../connection/connection.ts";
import { type Server, urlOf } from "../connection/server.ts";
import { CookieJar, type TakenCookies } from "../http/cookie_jar.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, type Secret } from "../secret.ts";
import {
  AdminApiError,
  type AdminApiErrorDetails,
  type AdminApiFailure,
} from "./admin_api_error.ts";

export interface Ask {
  readonly method: HttpRequest["method"];
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** What it is about, where that makes a difference to the answer. */
  readonly about?: "login" | "log-out" | "one-token";
  readonly signal?: AbortSignal | undefined;
}

export interface Answered {
  readonly ask: Ask;
  readonly response: HttpResponse;
  readonly cookies: TakenCookies;
}

export class Requester {
  readonly connection: Connection;
  readonly server: Server;
  readonly jar: CookieJar;
  readonly #client: HttpClient;
  readonly #token: Secret | undefined;
  readonly #secrets: Secret[] = [];
  /** By how much the server's clock is ahead, in milliseconds. */
  clockSkew = 0;
  renew: ((signal: AbortSignal | undefined) => Promise<void>) | undefined;

  constructor(
    client: HttpClient,
    { connection, token }: {
      readonly connection: Connection;
      readonly token: Secret | undefined;
    },
  ) {
    this.#client = client;
    this.connection = connection;
    this.server = connection.servers[0]!;
    this.jar = new CookieJar(this.server);
    this.#token = token;
    this.#secrets.push(...token ? [token] : [], ...this.server.secrets);
  }

  hide(secret: Secret): void {
    this.#secrets.push(secret);
  }

  isOwn(secret: Secret): boolean {
    return [...this.#secrets, ...this.jar.seen].some((own) => own.reveal() === secret.reveal());
  }

  /** Makes words fit for a message: without secrets, on one line, and cut. */
  quote(words: string): string {
    return shorten(oneLine(this.#mask().text(words)));
  }

  /** Takes the secrets out of what is to be remembered, and first what would hide them from the mask. */
  redact(words: string): string {
    const seen = words.replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, "");
    return this.#mask(MIN_SECRET_LENGTH).text(seen);
  }

  async send(ask: Ask): Promise<Answered> {
    const { method, path, signal } = ask;
    const url = urlOf(this.server, path);
    const token = this.#tokenFor(ask);
    let response: HttpResponse;
    try {
      response = await this.#client.send({
        ...ask,
        server: this.server,
        token,
        cookie: token === undefined ? this.jar.headerFor(url) : undefined,
      });
    } catch (error) {
      signal?.throwIfAborted();
      const { verdict, reason, suggestion } = await explainFailure(error, this);
      throw new AdminApiError({
        failure: verdict as AdminApiError["failure"],
        request: this.#tried(ask),
        reason,
        suggestion,
        cause: error,
      });
    }
    this.clockSkew = clockSkewOf(response.header("date")) ?? this.clockSkew;
    if (this.#isInSession(ask)) {
      if (response.status === 401 && this.renew !== undefined) {
        await this.renew(signal);
        return await this.send(ask);
      }
      // With a token there is no need of the session, whose renewal would end the one that has ended this.
      if (method === "POST" && response.status < 300) this.renew = undefined;
    }
    return { ask, response, cookies: this.jar.take(response.setCookies, url) };
  }

  /** Takes a 2xx answer alone. */
  async ask(ask: Ask): Promise<Answered> {
    const answered = await this.send(ask);
    this.requireSuccess(answered);
    return answered;
  }

  requireSuccess({ ask, response }: Answered): void {
    const withToken = this.#tokenFor(ask) !== undefined;
    const quote = (words: string) => this.quote(words);
    const failed = judgeAnswer(response, { ask, withToken, quote });
    if (failed === undefined) return;
    throw new AdminApiError({
      ...failed,
      httpStatus: response.status,
      refused: errorMessageOf(response) !== "" && response.header("www-authenticate") === undefined,
      request: this.#tried(ask),
    });
  }

  wrongServer(
    { ask, response }: Answered,
    words: { readonly reason?: string; readonly suggestion?: string } = {},
  ): AdminApiError {
    const { status: httpStatus } = response;
    const found = `the server answered ${httpStatus} with ${describeBody(response)}`;
    const { verdict: _, ...own } = notThisBackend(found, "api7ee");
    const request = this.#tried(ask);
    return new AdminApiError({ failure: "wrong-server", request, httpStatus, ...own, ...words });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #isInSession({ about }: Ask): boolean {
    return this.#token === undefined && about !== "login" && about !== "log-out";
  }

  /** A token has no part in a session of its own. */
  #tokenFor({ about }: Ask): Secret | undefined {
    return about === "login" || about === "log-out" ? undefined : this.#token;
  }

  #mask(shortest = 1): ReturnType<typeof createMask> {
    const secrets = [...this.#secrets, ...this.jar.seen];
    return createMask(secrets.filter((secret) => secret.reveal().length >= shortest));
  }

  /** A name in the query can be a token, by mistake. */
  #tried({ method, path }: Ask): string {
    // What is shorter may well be a part of an innocent address.
    const mask = this.#mask(MIN_SECRET_LENGTH);
    const shown = decodings(path).map((each) => mask.text(oneLine(each)))
      .find((text, depth, all) => depth > 0 && text.includes("***") && !all[0]!.includes("***"));
    return `${method} ${mask.text(this.server.display)}${shown ?? mask.text(path)}`;
  }
}

/** A path, and what it says where a part of it, such as an id of the server's, was encoded before. */
function decodings(path: string): readonly string[] {
  const texts = [path];
  try {
    for (let last = path; texts.length < 4; last = texts.at(-1)!) {
      texts.push(decodeURIComponent(last));
    }
  } catch {
    // What is not encoded says no more.
  }
  return texts;
}

/** `Date` tells seconds, and answers take time. */
const MIN_SKEW = 5_000;

function clockSkewOf(date: string | undefined): number | undefined {
  // Four digits of a year are all that HTTP has.
  const time = / \d{4} \d\d:\d\d:\d\d GMT$/.test(date ?? "") ? Date.parse(date!) : NaN;
  if (Number.isNaN(time)) return undefined;
  const skew = time - Date.now();
  return Math.abs(skew) < MIN_SKEW ? 0 : skew;
}

type Failed = Pick<AdminApiErrorDetails, "failure" | "reason" | "suggestion">;

/** The statuses with which the server refuses what was asked, or who asks. */
const REFUSALS: readonly number[] = [400, 401, 403, 409, 422];

/**
 * Judges an answer by its status, and by the server's words where the status says too little: API7
 * answers 400 to a wrong password, to a name that is taken and, by version, to a missing token.
 */
function judgeAnswer(
  response: HttpResponse,
  { ask, withToken, quote }: {
    readonly ask: Ask;
    readonly withToken: boolean;
    readonly quote: (words: string) => string;
  },
): Failed | undefined {
  const judgement = judgeStatus(response, "api7ee", { quote });
  if (judgement === undefined) return undefined;
  const { verdict, reason, suggestion } = judgement;
  const byStatus = { failure: verdict as AdminApiFailure, reason, suggestion };
  // A page, or a proxy that asks for a password: these words are not the Admin API's.
  if (isStranger(response)) return byStatus;
  const byWords = judgeWords(response, ask);
  if (byWords !== undefined) return { ...byWords, reason };
  const { status } = response;
  if (ask.about === "login" && [400, 401, 403].includes(status)) {
    return {
      failure: "wrong-credentials",
      reason,
      suggestion: "Check the user name and password. LDAP users log in with --login-option.",
    };
  }
  if (status === 401 && !withToken) {
    return { failure: "rejected", reason, suggestion: "The session has ended. Log in again." };
  }
  if (status === 403 && !withToken) {
    return {
      failure: "forbidden",
      reason,
      suggestion:
        "The login worked, but the user's role does not allow this. Ask for one that does.",
    };
  }
  if (status === 404 && ask.about === "one-token") return { failure: "not-found", reason };
  if (REFUSALS.includes(status) && status !== 401 && status !== 403) {
    return { failure: "bad-request", reason };
  }
  return byStatus;
}

function judgeWords(
  response: HttpResponse,
  { about, body = {} }: Ask,
): Omit<Failed, "reason"> | undefined {
  const { status } = response;
  // The server may repeat the caller's own: a user called "license-bot" must not pass for a license.
  const own = Object.values(body).filter((each) => typeof each === "string");
  const words = own.filter((each) => each !== "" && TELLING.test(each))
    .reduce((text, each) => text.replaceAll(each, ""), errorMessageOf(response));
  if (status >= 400 && LICENCE.test(words)) {
    return { failure: "no-license", suggestion: "Upload a valid license in the Dashboard." };
  }
  if (!REFUSALS.includes(status)) return undefined;
  if (about === "one-token" && NOT_FOUND.test(words)) return { failure: "not-found" };
  if (body.name !== undefined && TAKEN.test(words) && !NOT_FOUND.test(words)) {
    return { failure: "name-taken", suggestion: "Choose another name, or revoke that token." };
  }
  if (TO_BE_CHANGED.test(words) && /password/i.test(words) && !INCORRECT.test(words)) {
    return {
      failure: "password-change",
      suggestion: "Log in to the Dashboard and change the password there.",
    };
  }
  return undefined;
}

const LICENCE = /licen[sc]e/i;
const NOT_FOUND = /not (be )?found|(\bnot|n't) exist|no such/i;
const TAKEN = /exist|taken|duplicate/i;
const TO_BE_CHANGED = /chang|initial|expire|reset|updat/i;
const INCORRECT = /incorrect|wrong|invalid|(not|n't) match|mismatch/i;

const TELLING = new RegExp(
  [LICENCE, NOT_FOUND, TAKEN, TO_BE_CHANGED, INCORRECT].map(({ source }) => source).join("|"),
  "i",
);
