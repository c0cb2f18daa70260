import { explainFailure } from "../check/network_failure.ts";
import { describeBody, notThisBackend, oneLine, shorten } from "../check/response.ts";
import type { Connection } from "../connection/connection.ts";
import { addressSecrets, type Server, urlOf } from "../connection/server.ts";
import { CookieJar, type TakenCookies } from "../http/cookie_jar.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, type Secret } from "../secret.ts";
import { AdminApiError } from "./admin_api_error.ts";
import { judgeAnswer } from "./judge_answer.ts";

export interface Ask {
  readonly method: HttpRequest["method"];
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** What it is about, where that makes a difference to the answer. */
  readonly about?: "log-in" | "log-out" | "one-token";
  readonly signal?: AbortSignal | undefined;
}

export interface Answered {
  readonly ask: Ask;
  readonly response: HttpResponse;
  /** What became of its cookies. */
  readonly cookies: TakenCookies;
}

export class Requester {
  readonly connection: Connection;
  readonly server: Server;
  readonly jar: CookieJar;
  readonly #client: HttpClient;
  readonly #token: Secret | undefined;
  readonly #secrets: Secret[] = [];

  constructor(
    client: HttpClient,
    { connection, server, token }: {
      readonly connection: Connection;
      readonly server: Server;
      readonly token: Secret | undefined;
    },
  ) {
    this.#client = client;
    this.connection = connection;
    this.server = server;
    this.jar = new CookieJar(server);
    this.#token = token;
    if (token !== undefined) this.#secrets.push(token);
    this.#secrets.push(...addressSecrets(server));
  }

  /** Keeps a secret out of all messages from now on. */
  hide(secret: Secret): void {
    this.#secrets.push(secret);
  }

  /** Makes words fit for a message: without secrets, on one line, and cut. */
  quote(words: string): string {
    return shorten(oneLine(this.#mask().text(words)));
  }

  /** Asks, and takes any answer. */
  async send(ask: Ask): Promise<Answered> {
    const { method, path, body, signal } = ask;
    const url = urlOf(this.server, path);
    const token = this.#tokenFor(ask);
    let response: HttpResponse;
    try {
      response = await this.#client.send({
        server: this.server,
        method,
        path,
        token,
        cookie: token === undefined ? this.jar.headerFor(url) : undefined,
        body,
        signal,
      });
    } catch (error) {
      signal?.throwIfAborted();
      const { verdict, found, suggestion } = await explainFailure(error, this);
      throw new AdminApiError({
        failure: verdict as AdminApiError["failure"],
        tried: this.#tried(ask),
        found,
        suggestion,
        cause: error,
      });
    }
    return { ask, response, cookies: this.jar.take(response.setCookies, url) };
  }

  /** Asks, and takes a 2xx answer alone. */
  async ask(ask: Ask): Promise<Answered> {
    const answered = await this.send(ask);
    this.requireSuccess(answered);
    return answered;
  }

  requireSuccess({ ask, response }: Answered): void {
    const { about, body } = ask;
    const said = Object.values(body ?? {}).filter((each) =>
      typeof each === "string" && each !== ""
    ) as string[];
    const failed = judgeAnswer(response, {
      about: about === "log-out" ? undefined : about,
      name: typeof body?.name === "string" ? body.name : undefined,
      withToken: this.#tokenFor(ask) !== undefined,
      said,
      quote: (words) => this.quote(words),
    });
    if (failed === undefined) return;
    throw new AdminApiError({ ...failed, status: response.status, tried: this.#tried(ask) });
  }

  wrongServer(
    { ask, response }: Answered,
    words: { readonly found?: string; readonly suggestion?: string } = {},
  ): AdminApiError {
    const { status } = response;
    const found = `the server answered ${status} with ${describeBody(response)}`;
    const { suggestion } = notThisBackend(found, "api7ee");
    return new AdminApiError({
      failure: "wrong-server",
      tried: this.#tried(ask),
      found,
      suggestion,
      status,
      ...words,
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** A token has no part in a session of its own. */
  #tokenFor({ about }: Ask): Secret | undefined {
    return about === "log-in" || about === "log-out" ? undefined : this.#token;
  }

  #mask(shortest = 1): ReturnType<typeof createMask> {
    const secrets = [...this.#secrets, ...this.jar.seen];
    return createMask(secrets.filter((secret) => secret.reveal().length >= shortest));
  }

  /** A name in the query can be a token, by mistake. */
  #tried({ method, path }: Ask): string {
    // What is shorter may well be a part of an innocent address.
    return this.#mask(MIN_SECRET_LENGTH).text(`${method} ${this.server.display}${path}`);
  }
}
