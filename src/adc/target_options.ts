import type { Writable } from "node:stream";
import type { Connection } from "../connection/connection.ts";
import type { Profile } from "../connection/profile.ts";
import type { TokenSource } from "../token/source.ts";
import type { RunOptions, RunPlan, RunResult } from "./run_options.ts";

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
