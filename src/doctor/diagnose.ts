import type { Connection } from "../connection/connection.ts";
import type { Profile } from "../connection/origin.ts";
import type { Context, Keychain } from "../context.ts";
import { createMask, type Mask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, type Secret } from "../secret.ts";
import type { Spawner } from "../system/spawn.ts";
import { systemKeychain } from "../token/keychain.ts";
import type { Survey } from "../token/resolve.ts";
import type { TokenSource } from "../token/sources.ts";
import { checkAdc } from "./check_adc.ts";
import { checkConfig, checkConnection } from "./check_config.ts";
import { checkEnvFile } from "./check_env_file.ts";
import { checkFiles } from "./check_files.ts";
import { checkKeychain, type WatchedKeychain, watchKeychain } from "./check_keychain.ts";
import {
  checkBackend,
  checkClock,
  checkProxy,
  checkServers,
  type Contact,
} from "./check_server.ts";
import { checkTls } from "./check_tls.ts";
import { checkGroup, checkRunToken, type TokenTrial } from "./check_token.ts";
import { checkTraps } from "./check_traps.ts";
import { failureOf, type Finding, type Found, skipped } from "./finding.ts";

/**
 * What `diagnose()` looks at.
 * @category Doctor
 */
export interface DiagnoseOptions extends Omit<Context, "onWarning"> {
  /**
   * ADC's connection flags, as they would stand after a command.
   *
   * @default []
   */
  readonly args?: readonly string[] | undefined;
  /** An environment file to read instead of `.env`. */
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
   * Creates the sources that are asked for a token.
   *
   * @default those of `defaultSources()`
   */
  readonly sources?:
    | ((connection: Connection, keychain: Keychain) => readonly TokenSource[])
    | undefined;
  /**
   * How ADC and git are started.
   *
   * @default the system's own way
   */
  readonly spawn?: Spawner | undefined;
}

/** Which ADC a run would start; there is one in TypeScript and one in Rust. */
export interface AdcVersion {
  readonly version: string;
  readonly isRust: boolean;
}

export interface Facts {
  readonly adcVersion: AdcVersion;
  readonly selected: { readonly profile: Profile | undefined };
  readonly connection: Connection;
  readonly survey: Survey;
  readonly tokens: readonly Secret[];
  readonly secrets: readonly Secret[];
  readonly contacts: readonly Contact[];
  readonly trial: TokenTrial;
}

const NOT_CHECKED: Readonly<Record<keyof Facts, string>> = {
  adcVersion: "ADC's version is unknown",
  selected: "the profile in use is unknown",
  connection: "the connection settings are unknown",
  survey: "the sources could not be read",
  tokens: "the sources could not be read",
  secrets: "the sources could not be read",
  contacts: "the servers could not be reached",
  trial: "the token could not be checked",
};

export type Given<Needs extends keyof Facts = never> =
  & DiagnoseOptions
  & { readonly watched: WatchedKeychain }
  & Partial<Facts>
  & Pick<Facts, Needs>;

/** What a check comes to: findings, and facts where it found out some. */
export type Outcome = Found | readonly Found[] | {
  readonly findings: readonly Found[];
  readonly facts: Partial<Facts>;
};

interface Check {
  readonly needs: readonly (keyof Facts)[];
  readonly run: (given: Given<keyof Facts>) => Outcome | Promise<Outcome>;
}

/** A check that is made where what it needs is known; what it throws is a finding as well. */
function check<Needs extends keyof Facts = never>(
  needs: readonly Needs[],
  run: (given: Given<Needs>) => Outcome | Promise<Outcome>,
): Check {
  return { needs, run };
}

/**
 * The name of a check; it stays the same from version to version.
 * @category Doctor
 */
export type CheckName =
  | "adc"
  | "config"
  | "env-file"
  | "connection"
  | "files"
  | "server"
  | "tls"
  | "backend"
  | "token"
  | "group"
  | "keychain"
  | "clock"
  | "proxy"
  | "traps";

const CHECKS: Readonly<Record<CheckName, Check>> = {
  "adc": check([], checkAdc),
  "config": check([], checkConfig),
  "env-file": check([], checkEnvFile),
  "connection": check(["selected"], checkConnection),
  "files": check([], checkFiles),
  "server": check(["connection"], checkServers),
  "tls": check(["connection", "contacts"], checkTls),
  "backend": check(["connection", "survey", "contacts"], checkBackend),
  "token": check(["connection", "survey", "trial"], checkRunToken),
  "group": check(["connection", "survey", "trial"], checkGroup),
  "keychain": check([], checkKeychain),
  "clock": check(["connection", "contacts"], checkClock),
  "proxy": check(["connection", "contacts"], checkProxy),
  "traps": check([], checkTraps),
};

export const CHECK_NAMES: readonly CheckName[] = Object.keys(CHECKS) as CheckName[];

/**
 * Checks everything that a run depends on, and where its secrets are. It changes nothing, logs in
 * nowhere, and runs no program that comes with the working directory.
 *
 * A check that cannot run does not stop the others. The findings come in the order of
 * {@linkcode CheckName}, each as soon as it is there. Every check has at least one.
 *
 * @category Doctor
 * @param options What to check.
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
  const { signal, env, keychain = systemKeychain(env) } = options;
  let given: Given = { ...options, watched: watchKeychain(keychain) };
  let mask: Mask | undefined;
  for (const name of CHECK_NAMES) {
    signal?.throwIfAborted();
    const outcome = await runCheck(CHECKS[name], given);
    const { findings, facts } = "findings" in outcome
      ? outcome
      : { findings: [outcome].flat(), facts: {} };
    given = { ...given, ...facts };
    // A server or a file may put them into a finding.
    const long = facts.secrets?.filter((each) => each.reveal().length >= MIN_SECRET_LENGTH) ?? [];
    if (long.length > 0) mask = createMask(long);
    for (const finding of findings) {
      yield { check: name, ...mask === undefined ? finding : hideSecrets(finding, mask) };
    }
  }
}

async function runCheck({ needs, run }: Check, given: Given): Promise<Outcome> {
  const missing = needs.find((each) => given[each] === undefined);
  if (missing !== undefined) return skipped(NOT_CHECKED[missing]);
  try {
    return await run(given as Given<keyof Facts>);
  } catch (error) {
    given.signal?.throwIfAborted();
    return failureOf(error);
  }
}

function hideSecrets(finding: Found, mask: Mask): Found {
  const { found, suggestion, data } = finding;
  return {
    ...finding,
    found: mask.text(found),
    suggestion: suggestion && mask.text(suggestion),
    data: data && JSON.parse(mask.text(JSON.stringify(data))),
  };
}
