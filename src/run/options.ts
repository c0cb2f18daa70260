import type { Writable } from "node:stream";
import type { CheckResult } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { EnvFile } from "../connection/env_file.ts";
import type { Profile } from "../connection/profile.ts";
import type { Secret } from "../secret.ts";
import type { Spawner } from "../system/spawn.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { TokenSource } from "../token/source.ts";
import type { Program } from "./locate.ts";
import type { SignalPort } from "./signals.ts";
import type { Environment, HttpDispatcher, Keychain } from "../context.ts";

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

/** What a run for several targets looks at, and where the output of each goes. */
export interface TargetsOptions extends
  Omit<
    RunOptions,
    "profile" | "sources" | "stdin" | "stdout" | "stderr" | "onWarning"
  > {
  /** The targets, each with a name of its own; at least one. */
  readonly profiles: readonly Profile[];
  /**
   * How many children run at a time.
   *
   * @default 1
   */
  readonly parallel?: number | undefined;
  /**
   * Whether those that can run do so though others cannot or have failed.
   *
   * @default false
   */
  readonly keepGoing?: boolean | undefined;
  /**
   * Whether the words are another program's instead of ADC's.
   *
   * @default false
   */
  readonly exec?: boolean | undefined;
  /**
   * Makes the sources that are asked for a target's token, in this order.
   *
   * @default those of `defaultSources()`
   */
  readonly sources?:
    | ((connection: Connection, profile: Profile) => readonly TokenSource[])
    | undefined;
  /**
   * Where the standard output of a target's child goes; asked when the child is about to start. It is not
   * closed.
   *
   * @default "ignore"
   */
  readonly stdout?: ((profile: Profile) => Writable | "ignore") | undefined;
  /**
   * Where the standard error of a target's child goes, in the same way.
   *
   * @default "ignore"
   */
  readonly stderr?: ((profile: Profile) => Writable | "ignore") | undefined;
  /**
   * Tells whether a child's ending is a failure, after which no more are started unless
   * {@linkcode TargetsOptions.keepGoing} is set.
   *
   * @default every exit code but 0 is one
   */
  readonly isFailure?: ((result: RunResult) => boolean) | undefined;
  /**
   * Told what is known of each target that will run, in order, before the first child starts.
   *
   * @default undefined
   */
  readonly onPlan?: ((plan: RunPlan, profile: Profile) => void) | undefined;
  /**
   * Told what came of a target, as soon as that is known.
   *
   * @default undefined
   */
  readonly onEnd?: ((result: TargetResult) => void) | undefined;
  /**
   * Told what a person should know of a target, a sentence each.
   *
   * @default undefined
   */
  readonly onWarning?: ((warning: string, profile: Profile) => void) | undefined;
}

/** A target before the run: what is known of it, or why it cannot run. */
export interface PreparedTarget {
  readonly profile: Profile;
  /** What is known; `undefined` where it cannot run. */
  readonly plan?: RunPlan;
  /** Why it cannot run: an `AdcRunError`, unless it is a defect. */
  readonly error?: unknown;
}

/** What came of a target. */
export interface TargetResult {
  /** The target. */
  readonly profile: Profile;
  /**
   * `done`: the child ran, and {@linkcode TargetResult.result} says how it ended. `refused`: it could not
   * run, and {@linkcode TargetResult.error} says why. `skipped`: it could have run, and was not started,
   * because of the others, a signal, or an output that took no more.
   */
  readonly outcome: "done" | "refused" | "skipped";
  /** How the child ended. */
  readonly result?: RunResult;
  /** Why it could not run. */
  readonly error?: unknown;
  /** How long the run took, in milliseconds; 0 where there was none. */
  readonly milliseconds: number;
}
