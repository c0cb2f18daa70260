import type { Writable } from "node:stream";
import type { CheckResult } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { HttpDispatcher } from "../http/http_client.ts";
import type { EnvFile } from "../connection/env_file.ts";
import type { Environment } from "../connection/origin.ts";
import type { Profile } from "../connection/profile.ts";
import type { Secret } from "../secret.ts";
import type { Spawner } from "../spawn.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { Keychain } from "../token/keychain.ts";
import type { TokenSource } from "../token/source.ts";
import type { Program } from "./locate.ts";
import type { SignalPort } from "./signals.ts";

/** What a run looks at, and where its output goes. */
export interface RunOptions {
  /** The environment, usually `process.env`. */
  readonly env: Environment;
  /** The working directory, of adc-run and of the child. */
  readonly cwd: string;
  /**
   * An environment file to read instead of `.env`; or one that was read, for a pipe can be read only once.
   *
   * @default undefined
   */
  readonly envFile?: string | EnvFile | undefined;
  /**
   * The keychain, of the sources and for what interrupted runs left behind.
   *
   * @default the system's
   */
  readonly keychain?: Keychain | undefined;
  /**
   * What else is masked in the output, such as tokens of other runs beside this one.
   *
   * @default none
   */
  readonly secrets?: readonly Secret[] | undefined;
  /**
   * The named target.
   *
   * @default undefined
   */
  readonly profile?: Profile | undefined;
  /**
   * The sources that are asked for a token, in this order; or what makes them for a connection.
   *
   * @default those of `defaultSources()`
   */
  readonly sources?:
    | readonly TokenSource[]
    | ((connection: Connection) => readonly TokenSource[])
    | undefined;
  /**
   * Runs with a token that is made for this run alone, with the one that was found, and revoked on every
   * way out; how long it lives at most, in milliseconds. API7 Enterprise only.
   *
   * @default undefined: the run has the token that was found
   */
  readonly ephemeral?: number | undefined;
  /**
   * Whether the token is tried before the run.
   *
   * @default true
   */
  readonly check?: boolean | undefined;
  /**
   * Whether secrets in the output are masked.
   *
   * @default true
   */
  readonly mask?: boolean | undefined;
  /**
   * The ADC to run.
   *
   * @default the one that `ADC_RUN_ADC` names, else `adc` on `PATH`, else in `node_modules/.bin`
   */
  readonly adc?: string | undefined;
  /**
   * Where the child's standard output goes.
   *
   * @default "ignore"
   */
  readonly stdout?: Writable | "inherit" | "ignore";
  /**
   * Where the child's standard error goes.
   *
   * @default "ignore"
   */
  readonly stderr?: Writable | "inherit" | "ignore";
  /**
   * Where the child's standard input comes from.
   *
   * @default "ignore"
   */
  readonly stdin?: "inherit" | "ignore";
  /**
   * Where signals arrive that are passed on to the child, usually `process`.
   *
   * @default none are passed on
   */
  readonly signals?: SignalPort | undefined;
  /**
   * Whether a terminal sends its SIGINT to the child as well, so that it is not passed on.
   *
   * @default false
   */
  readonly terminal?: boolean;
  /**
   * Ends the run: the child gets SIGTERM.
   *
   * @default undefined
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends the requests of the check; undici's `MockAgent`, say.
   *
   * @default a dispatcher of the connection's own
   */
  readonly dispatcher?: HttpDispatcher | undefined;
  /**
   * How programs are started.
   *
   * @default the system's own way
   */
  readonly spawn?: Spawner | undefined;
  /**
   * Told what a person should know, a sentence each: about the connection, a token that ends soon, or
   * one that could not be revoked.
   *
   * @default undefined
   */
  readonly onWarning?: ((warning: string) => void) | undefined;
  /**
   * The clock, in milliseconds.
   *
   * @default Date.now
   */
  readonly now?: (() => number) | undefined;
}

/**
 * What is known before the child starts. It holds no bare secret but inside of `Secret`.
 *
 * Where `resolved.lease` is there, whoever does not execute the plan releases it.
 */
export interface RunPlan {
  /** Where and how ADC will connect; `undefined` where it will not. */
  readonly connection: Connection | undefined;
  /** The token and its source; `undefined` where none is needed. */
  readonly resolved: ResolvedToken | undefined;
  /** What the test call found; `undefined` where it was not made. */
  readonly checked: CheckResult | undefined;
  /** Tokens that were lifted out of ADC's words though none is needed. */
  readonly lifted: readonly Secret[];
  /** The child's own words. */
  readonly words: readonly string[];
  /** What is run: ADC, or another program. */
  readonly program: Program;
}

/** How a run ended. */
export interface RunResult extends RunPlan {
  /** What adc-run exits with: the child's own code, or 128+n where signal n ended it. */
  readonly exitCode: number;
  /** The signal that ended the child. */
  readonly signal: NodeJS.Signals | null;
  /** How many times a secret was masked in the child's output. */
  readonly masked: number;
  /** What the test call found after the child had failed, where that is no longer `valid`. */
  readonly afterwards?: CheckResult;
  /** The system's code where the child's output could not be passed on, such as `EPIPE`. */
  readonly outputFailure?: string;
}
