import { isVerdict, type Verdict, VERDICTS } from "../check/verdict.ts";
import { AdcRunError, EXIT } from "../errors.ts";

/**
 * Why the Admin API did not do what it was asked.
 *
 * To the verdicts of the test call, which mean the same here, these are added:
 *
 * - `wrong-credentials`: the user's name or the password is wrong.
 * - `password-change`: the password has to be changed in the Dashboard first.
 * - `no-license`: the server has no license, or an expired one.
 * - `browser-login`: this way to log in needs a browser.
 * - `name-taken`: the user has a token of that name already.
 * - `not-found`: there is no such token or login option.
 * - `bad-request`: the server does not take what was asked.
 * @category Errors
 */
export type AdminApiFailure =
  | Exclude<Verdict, "valid" | "no-token">
  | "wrong-credentials"
  | "password-change"
  | "no-license"
  | "browser-login"
  | "name-taken"
  | "not-found"
  | "bad-request";

const OWN_EXITS: Readonly<Record<Exclude<AdminApiFailure, Verdict>, number>> = {
  "wrong-credentials": EXIT.permission,
  "password-change": EXIT.permission,
  "no-license": EXIT.permission,
  "browser-login": EXIT.permission,
  "name-taken": EXIT.data,
  "bad-request": EXIT.data,
  "not-found": EXIT.usage,
};

/**
 * What an {@linkcode AdminApiError} is made from; each is a field of the error.
 * @category Errors
 */
export type AdminApiErrorDetails =
  & Pick<AdminApiError, "failure" | "request" | "reason">
  & Partial<Pick<AdminApiError, "httpStatus" | "refused" | "suggestion" | "cause">>;

/**
 * The Admin API did not do what it was asked.
 *
 * `failure` says why, for programs; the message, `suggestion` and `exitCode` say it to people and
 * shells. No password, token or session cookie is in any of them, even where the server repeats one.
 *
 * @category Errors
 * @example
 * ```ts
 * import { AdminApi, AdminApiError, resolveConnection, Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const args = ["ping", "--backend", "api7ee", "--server", "http://127.0.0.1:1"];
 * const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
 * const api = await AdminApi.open(connection, { token: new Secret("a7ee-example") });
 * try {
 *   await api.me();
 * } catch (error) {
 *   assert.ok(error instanceof AdminApiError);
 *   assert.equal(error.failure, "unreachable");
 * } finally {
 *   await api.close();
 * }
 * ```
 */
export class AdminApiError extends AdcRunError {
  /** `"AdminApiError"`. */
  override readonly name = "AdminApiError";
  /** Why it did not work. */
  readonly failure: AdminApiFailure;
  /** The answer's status code, where there was an answer. */
  readonly httpStatus: number | undefined;
  /**
   * Whether the Admin API itself refused, so that nothing was done; `false` where nothing answered, or something
   * in between, such as a proxy: then nobody knows what became of the request.
   */
  readonly refused: boolean;
  /** The request, for example `POST https://host:7443/api/login`; or what was tried. */
  readonly request: string;
  /** What came back, with the server's own words quoted. */
  readonly reason: string;

  /** Creates the error. */
  constructor(details: AdminApiErrorDetails) {
    const { failure, request, reason, httpStatus, refused = false, suggestion, cause } = details;
    const exitCode = isVerdict(failure) ? VERDICTS[failure].exit : OWN_EXITS[failure];
    super(`${request}: ${reason}`, exitCode, { suggestion, cause });
    this.failure = failure;
    this.httpStatus = httpStatus;
    this.refused = refused;
    this.request = request;
    this.reason = reason;
  }
}

/**
 * What every call can be told.
 * @category Admin API
 */
export interface CallOptions {
  /** Ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
