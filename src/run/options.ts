import type { Writable } from "node:stream";
import type { CheckResult } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { EnvFile } from "../connection/env_file.ts";
import type { Profile } from "../connection/origin.ts";
import type { Context, Environment } from "../context.ts";
import type { AdcRunError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { Spawner } from "../system/spawn.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { TokenSource } from "../token/sources.ts";
import type { Drift } from "./drift.ts";
import type { Program } from "./locate.ts";
import type { SignalPort } from "./signals.ts";

/**
 * What a run looks at, and where its output goes.
 * @category Run
 */
export interface RunOptions extends Omit<Context, "env" | "cwd"> {
  /**
   * The environment.
   * @default process.env
   */
  readonly env?: Environment | undefined;
  /**
   * The working directory, of adc-run and of the child.
   * @default process.cwd()
   */
  readonly cwd?: string | undefined;
  /**
   * Whether the arguments are another program and its own instead of ADC's.
   * @default false
   */
  readonly exec?: boolean | undefined;
  /**
   * An environment file to read instead of `.env`; or one that was read, for a pipe can be read only once.
   */
  readonly envFile?: string | EnvFile | undefined;
  /**
   * What else is masked in the output, such as tokens of other runs besides this one.
   * @default none
   */
  readonly secrets?: readonly Secret[] | undefined;
  /** The named target. */
  readonly profile?: Profile | undefined;
  /**
   * The sources that are asked for a token, in this order; or what makes them for a connection.
   * @default those of `defaultSources()`
   */
  readonly sources?:
    | readonly TokenSource[]
    | ((connection: Connection) => readonly TokenSource[])
    | undefined;
  /**
   * Runs with a token that is created for this run alone, with the one that was found, and always revoked;
   * how long it lives at most, such as `15m`. API7 Enterprise only.
   * @default undefined: the run has the token that was found
   */
  readonly ephemeral?: string | undefined;
  /**
   * Whether a token is used. `false` is for an APISIX that needs no key: no source is asked, the check sends
   * none, and the child finds the word `unused` in ADC_TOKEN.
   * @default true
   */
  readonly token?: boolean | undefined;
  /**
   * Whether the token is checked before the run.
   * @default true
   */
  readonly check?: boolean | undefined;
  /**
   * Whether `diff.yaml` is read where `diff` succeeds, for {@linkcode RunEnding.drift}.
   * @default false
   */
  readonly drift?: boolean | undefined;
  /**
   * Whether secrets in the output are masked.
   * @default true
   */
  readonly mask?: boolean | undefined;
  /**
   * The ADC to run.
   * @default the one that `ADC_RUN_ADC` names, else `adc` on `PATH`, else in `node_modules/.bin`
   */
  readonly adc?: string | undefined;
  /**
   * Where the child's standard output goes, masked: a stream, which is not closed; or with `"collect"` into
   * {@linkcode RunEnding.stdout}.
   * @default "inherit": this process' own
   */
  readonly stdout?: Writable | "inherit" | "ignore" | "collect" | undefined;
  /**
   * Where the child's standard error goes, in the same way.
   * @default "inherit": this process' own
   */
  readonly stderr?: Writable | "inherit" | "ignore" | "collect" | undefined;
  /**
   * Where the child's standard input comes from.
   * @default "inherit"
   */
  readonly stdin?: "inherit" | "ignore" | undefined;
  /**
   * Where signals arrive, usually `process`. They are passed on to the child; one that comes before the child
   * ends the run with {@linkcode Interrupted}, and one that comes after it cuts the clean-up short.
   * @default none are listened to
   */
  readonly signals?: SignalPort | undefined;
  /**
   * Whether a terminal sends its SIGINT to the child as well, so that it is not passed on.
   * @default false
   */
  readonly terminal?: boolean | undefined;
  /**
   * How programs are started.
   * @default the system's own way
   */
  readonly spawn?: Spawner | undefined;
}

/**
 * A run of a command that asks no server, and needs no token. Secrets are inside of `Secret`.
 * @category Run
 */
export interface OfflinePlan {
  /** Tells the two plans apart. */
  readonly kind: "offline";
  /** What is run: ADC, or another program. */
  readonly program: Program;
  /** The child's arguments. */
  readonly args: readonly string[];
  /** What is masked in the child's output. */
  readonly secrets: readonly Secret[];
}

/**
 * A run of a command that talks to the gateway.
 * @category Run
 */
export interface OnlinePlan extends Omit<OfflinePlan, "kind"> {
  /** Tells the two plans apart. */
  readonly kind: "online";
  /** Where and how ADC will connect. */
  readonly connection: Connection;
  /** The token and its source. */
  readonly resolved: ResolvedToken;
  /** What the test call found; `undefined` where it was not made. */
  readonly checked: CheckResult | undefined;
}

/**
 * What is known before the child starts.
 * @category Run
 */
export type RunPlan = OfflinePlan | OnlinePlan;

/**
 * How the child ended.
 * @category Run
 */
export interface RunEnding {
  /** What adc-run exits with: the child's own code, or 128+n where signal n ended it. */
  readonly exitCode: number;
  /** The signal that ended the child. */
  readonly signal: NodeJS.Signals | null;
  /** How many times a secret was masked in the child's output. */
  readonly masked: number;
  /** What the test call found after the child had failed, where that is no longer `valid`. */
  readonly checkAfter?: CheckResult | undefined;
  /** What `diff` found, where that was asked for and it succeeded. */
  readonly drift?: Drift | undefined;
  /** Why it could not be told what `diff` found, or kept: an `AdcRunError`. */
  readonly driftError?: AdcRunError | undefined;
  /** What the child wrote to its standard output, masked, where that was collected: its first 16 MiB. */
  readonly stdout?: string | undefined;
  /** What the child wrote to its standard error, in the same way. */
  readonly stderr?: string | undefined;
  /**
   * The system's code where the child's output could not be passed on, such as `EPIPE`; `ENOBUFS` where there
   * was more of it than is collected.
   */
  readonly outputFailure?: string | undefined;
}

/**
 * How a run ended, and what was known before it.
 * @category Run
 */
export type RunResult = RunPlan & RunEnding;

/**
 * What a run for several targets looks at, and where the output of each goes.
 * @category Run
 */
export interface TargetsOptions
  extends Omit<RunOptions, "profile" | "sources" | "stdin" | "stdout" | "stderr" | "onWarning"> {
  /** The targets, each with a name of its own; at least one. */
  readonly profiles: readonly Profile[];
  /**
   * How many children run at a time.
   * @default 1
   */
  readonly parallel?: number | undefined;
  /**
   * Whether those that can run do so though others cannot or have failed.
   * @default false
   */
  readonly keepGoing?: boolean | undefined;
  /**
   * Creates the sources that are asked for a target's token, in this order.
   * @default those of `defaultSources()`
   */
  readonly sources?:
    | ((connection: Connection, profile: Profile) => readonly TokenSource[])
    | undefined;
  /**
   * Where the standard output of a target's child goes; asked when the child is about to start. A stream is
   * not closed.
   * @default "ignore"
   */
  readonly stdout?: ((profile: Profile) => Writable | "ignore" | "collect") | undefined;
  /**
   * Where the standard error of a target's child goes, in the same way.
   * @default "ignore"
   */
  readonly stderr?: ((profile: Profile) => Writable | "ignore" | "collect") | undefined;
  /**
   * Tells whether a child's ending is a failure, after which no more are started unless
   * {@linkcode TargetsOptions.keepGoing} is set.
   * @default every exit code but 0 is one
   */
  readonly isFailure?: ((result: RunResult) => boolean) | undefined;
  /**
   * Told what is known of each target, in order, before the first child starts; `false` starts none.
   */
  readonly onPrepared?: ((targets: readonly PreparedTarget[]) => boolean | void) | undefined;
  /** Told the outcome for a target, as soon as it is known. */
  readonly onEnd?: ((result: TargetResult) => void) | undefined;
  /** Told what a person should know of a target, a sentence each. */
  readonly onWarning?: ((warning: string, profile: Profile) => void) | undefined;
}

/**
 * A target before the run: what is known of it, or why it cannot run.
 * @category Run
 */
export interface PreparedTarget {
  /** The target. */
  readonly profile: Profile;
  /** What is known; `undefined` where it cannot run. */
  readonly plan?: RunPlan;
  /** Why it cannot run: an `AdcRunError`, unless it is an internal error. */
  readonly error?: unknown;
}

/**
 * The outcome for a target.
 * @category Run
 */
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
