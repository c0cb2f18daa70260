import { describeConnection, resolveConnection } from "../connection/connection.ts";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin } from "../connection/origin.ts";
import type { Profile } from "../connection/profile.ts";
import { addressSecrets } from "../connection/server.ts";
import type { Environment, HttpDispatcher, Keychain } from "../context.ts";
import { AdcRunError } from "../errors.ts";
import { defaultSources } from "../lifecycle/default_sources.ts";
import type { Spawner } from "../system/spawn.ts";
import { systemKeychain } from "../token/keychain.ts";
import { surveyTokens } from "../token/resolve.ts";
import type { Survey } from "../token/resolve.ts";
import type { TokenSource } from "../token/source.ts";
import { splitTokens } from "../token/token_value.ts";
import { checkAdc } from "./check_adc.ts";
import { checkConfig } from "./check_config.ts";
import { checkEnvFile } from "./check_env_file.ts";
import { checkFiles } from "./check_files.ts";
import { checkKeychain, watchKeychain } from "./check_keychain.ts";
import { checkProxy } from "./check_proxy.ts";
import { checkBackend, checkClock, checkServers } from "./check_server.ts";
import { checkTls } from "./check_tls.ts";
import { judgeGroup, judgeToken, lookAtToken } from "./check_token.ts";
import { checkTraps } from "./check_traps.ts";
import { contactServers } from "./contact_servers.ts";
import { failureOf, findingMaker } from "./finding.ts";
import type { Finding, Found } from "./finding.ts";

/**
 * Looks at everything that a run depends on, and at where its secrets lie. It changes nothing, logs in
 * nowhere, and runs no program that came along with the working directory.
 *
 * A check that cannot be made does not keep the others from being made. The findings come in the order of
 * the checks, each as soon as it is there: `adc`, `config`, `env-file`, `connection`, `files`, `server`,
 * `tls`, `backend`, `token`, `group`, `keychain`, `clock`, `proxy`, `traps`. Every check has at least one.
 *
 * @param options What to look at.
 * @yields What was found.
 * @throws {unknown} The signal's reason.
 *
 * @example
 * ```ts
 * import { diagnose } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const env = { ADC_SERVER: "http://127.0.0.1:1", ADC_RUN_CONFIG_DIR: "/nowhere" };
 * const failed: string[] = [];
 * for await (const { check, status } of diagnose({ env, cwd: "/nowhere" })) {
 *   if (status === "failed") failed.push(check);
 * }
 * assert.ok(failed.includes("server"));
 * ```
 */
export async function* diagnose(options: DiagnoseOptions): AsyncGenerator<Finding, void, void> {
  const { env, cwd, envFile, signal, now = Date.now } = options;
  const make = findingMaker(signal);
  const place = { ...options, signal, spawn: options.spawn, adc: options.adc, envFile };
  yield* make("adc", () => checkAdc(place));

  const config = await checkConfig({ env, cwd, profile: options.profile });
  yield* make("config", () => config.findings);
  yield* make("env-file", () => checkEnvFile(envFile, cwd));

  const resolved = config.unclear
    ? "it is not clear which profile is in force"
    : await connect(options, config.profile);
  const connection = typeof resolved === "string" || resolved instanceof Error
    ? undefined
    : resolved;
  yield* make("connection", () => describe(resolved));

  const watched = watchKeychain(options.keychain ?? systemKeychain());
  const survey = connection && await ask(options, { connection, keychain: watched.keychain });
  const tokens = survey?.winner === undefined || connection === undefined
    ? []
    : splitTokens(survey.winner.token, connection.backend.value);
  const passwords = connection?.servers.flatMap(addressSecrets) ?? [];
  make.hide([...tokens, ...survey?.winner?.secrets ?? [], ...passwords]);
  yield* make("files", () => checkFiles({ ...place, tokens }));

  if (connection === undefined || survey === undefined) {
    for (const check of ["server", "tls", "backend", "token", "group"] as const) {
      yield* make(check, () => NO_CONNECTION);
    }
    yield* make("keychain", () => checkKeychain(watched, false, signal));
    yield* make("clock", () => NO_CONNECTION);
    yield* make("proxy", () => NO_CONNECTION);
    yield* make("traps", () => checkTraps({ env, cwd, envFile, connection, survey }));
    return;
  }

  const terms = { connection, env, signal, dispatcher: options.dispatcher, now };
  const contacts = await contactServers(connection, terms);
  yield* make("server", () => checkServers(contacts));
  yield* make("tls", () => checkTls(contacts, terms));

  const warnings: string[] = [];
  const { winner } = survey;
  const report = winner && await lookAtToken(winner.token, {
    ...terms,
    ask: contacts.some(({ failure }) => failure === undefined),
    onWarning: (warning) => warnings.push(warning),
  });
  const verdict = report?.checked?.verdict;
  const backends = checkBackend(contacts, { connection, verdict });
  const misplaced = backends.some(({ status }) => status === "failed");
  yield* make("backend", () => withVersion(backends, report?.version));
  yield* make("token", () => [
    ...judgeToken({ survey, report, misplaced, now: now() }),
    ...warnings.map((found): Found => ({ status: "warning", found })),
  ]);
  yield* make("group", () => judgeGroup(connection, { survey, report }));
  const needed = winner === undefined || winner.source === "keychain" ||
    comesFirst("keychain", winner.source, survey);
  yield* make("keychain", () => checkKeychain(watched, needed && asksKeychain(survey), signal));
  yield* make("clock", () => checkClock(contacts));
  yield* make("proxy", () => checkProxy(connection, { env, contacts }));
  yield* make("traps", () => checkTraps({ env, cwd, envFile, connection, survey }));
}

const NO_CONNECTION: Found = {
  status: "skipped",
  found: "it is not known where and how to connect",
};

async function connect(
  { env, cwd, envFile, args = [] }: DiagnoseOptions,
  profile: Profile | undefined,
): Promise<Connection | AdcRunError> {
  try {
    return await resolveConnection({ env, cwd, envFile, profile, args: ["doctor", ...args] });
  } catch (error) {
    if (error instanceof AdcRunError) return error;
    throw error;
  }
}

function describe(resolved: Connection | AdcRunError | string): readonly Found[] {
  if (typeof resolved === "string") return [{ status: "skipped", found: resolved }];
  if (resolved instanceof AdcRunError) return [failureOf(resolved)];
  const { backend, server, warnings } = resolved;
  const found = `${backend.value} (${describeOrigin(backend.origin)}) at ${server.value} (${
    describeOrigin(server.origin)
  })`;
  return [
    { status: "ok", found, data: describeConnection(resolved) },
    ...warnings.map((warning): Found => ({ status: "warning", found: warning })),
  ];
}

async function ask(
  { env, cwd, sources, signal }: DiagnoseOptions,
  { connection, keychain }: { readonly connection: Connection; readonly keychain: Keychain },
): Promise<Survey> {
  try {
    const names = connection.profile?.sources;
    const asked = sources?.(connection, keychain) ??
      defaultSources({ env, cwd, keychain, names });
    return await surveyTokens({ connection, sources: asked, signal });
  } catch (error) {
    signal?.throwIfAborted();
    // A profile can name sources that there are not.
    if (error instanceof AdcRunError) return { trail: [], winner: undefined, error };
    throw error;
  }
}

function asksKeychain({ trail }: Survey): boolean {
  return trail.some(({ source }) => source === "keychain");
}

/** Whether a source stands before another. */
function comesFirst(one: string, other: string, { trail }: Survey): boolean {
  const names = trail.map(({ source }) => source);
  return names.indexOf(one) < names.indexOf(other);
}

function withVersion(findings: readonly Found[], version: string | undefined): readonly Found[] {
  if (version === undefined) return findings;
  return findings.map((finding) =>
    finding.status === "ok"
      ? {
        ...finding,
        found: `${finding.found}, version ${version}`,
        data: { ...finding.data, version },
      }
      : finding
  );
}

/** What `diagnose()` looks at. */
export interface DiagnoseOptions {
  /** The environment, usually `process.env`. */
  readonly env: Environment;
  /** The working directory. */
  readonly cwd: string;
  /**
   * ADC's connection flags, as they would stand behind a command.
   *
   * @default []
   */
  readonly args?: readonly string[];
  /**
   * An environment file to read instead of `.env`.
   *
   * @default undefined
   */
  readonly envFile?: string | undefined;
  /**
   * The name of a profile; `false` for none.
   *
   * @default the one that `ADC_RUN_PROFILE` names, else the one in use
   */
  readonly profile?: string | false | undefined;
  /**
   * The ADC to run.
   *
   * @default the one that `ADC_RUN_ADC` names, else `adc` on `PATH`, else in `node_modules/.bin`
   */
  readonly adc?: string | undefined;
  /**
   * Makes the sources that are asked for a token.
   *
   * @default those of `defaultSources()`
   */
  readonly sources?:
    | ((connection: Connection, keychain: Keychain) => readonly TokenSource[])
    | undefined;
  /**
   * The keychain.
   *
   * @default the system's
   */
  readonly keychain?: Keychain | undefined;
  /**
   * Ends the look.
   *
   * @default undefined
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends the requests; undici's `MockAgent`, say.
   *
   * @default a dispatcher of the connection's own
   */
  readonly dispatcher?: HttpDispatcher | undefined;
  /**
   * How ADC and git are started.
   *
   * @default the system's own way
   */
  readonly spawn?: Spawner | undefined;
  /**
   * The clock, in milliseconds.
   *
   * @default Date.now
   */
  readonly now?: (() => number) | undefined;
}
