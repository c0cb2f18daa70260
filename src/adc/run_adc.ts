/**
 * From a connection to ADC's exit code.
 *
 * @module
 */

import { constants } from "node:os";
import type { Writable } from "node:stream";
import { checkToken } from "../check/check_token.ts";
import { CheckError } from "../check/verdict.ts";
import type { CheckResult } from "../check/verdict.ts";
import { needsBackend, readAdcArguments } from "../connection/adc_arguments.ts";
import { resolveConnection } from "../connection/connection.ts";
import type { Connection } from "../connection/connection.ts";
import type { HttpDispatcher } from "../connection/http.ts";
import type { Environment } from "../connection/origin.ts";
import { createMask } from "../mask/mask.ts";
import type { Spawner } from "../spawn.ts";
import { defaultSources } from "../token/default_sources.ts";
import { resolveToken } from "../token/resolve.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { TokenSource } from "../token/source.ts";
import { runChild } from "./child.ts";
import { childEnvironment, plainEnvironment } from "./child_environment.ts";
import { locateAdc } from "./locate.ts";
import type { Program } from "./locate.ts";
import { secretsOf } from "./secrets.ts";
import type { SignalPort } from "./signals.ts";

/** What a run looks at, and where its output goes. */
export interface RunOptions {
  /** The environment, usually `process.env`. */
  readonly env: Environment;
  /** The working directory, of adc-run and of the child. */
  readonly cwd: string;
  /**
   * An environment file to read instead of `.env`.
   *
   * @default undefined
   */
  readonly envFile?: string | undefined;
  /**
   * The sources that are asked for a token, in this order.
   *
   * @default those of `defaultSources()`
   */
  readonly sources?: readonly TokenSource[] | undefined;
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
   * Told what a person should know about the connection, a sentence each, before any request.
   *
   * @default undefined
   */
  readonly onWarning?: ((warning: string) => void) | undefined;
}

/** What is known before the child starts. It holds no bare secret but inside of `Secret`. */
export interface RunPlan {
  /** Where and how ADC will connect; `undefined` where it will not. */
  readonly connection: Connection | undefined;
  /** The token and its source; `undefined` where none is needed. */
  readonly resolved: ResolvedToken | undefined;
  /** What the test call found; `undefined` where it was not made. */
  readonly checked: CheckResult | undefined;
  /** The child's own words. */
  readonly words: readonly string[];
  /** The program to be run instead of ADC. */
  readonly program: Program | undefined;
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

/**
 * Decides the connection, finds a token and tries it: all of a run but the run.
 *
 * @param words ADC's command and its options; or another program and its arguments.
 * @param options What the run looks at; `exec` tells that the words are another program's.
 * @returns What is known.
 * @throws {AdcRunError} One of its kinds, with the exit code that fits.
 */
export async function prepareRun(
  words: readonly string[],
  options: RunOptions & { readonly exec?: boolean },
): Promise<RunPlan> {
  const { env, cwd, envFile, signal } = options;
  const [name, ...rest] = words;
  const program = options.exec && name !== undefined ? { file: name, prefix: [], name } : undefined;
  if (program === undefined) {
    const args = readAdcArguments(words);
    if (!needsBackend(args, env.ADC_RUNNING_MODE)) {
      return {
        connection: undefined,
        resolved: undefined,
        checked: undefined,
        words: args.words,
        program,
      };
    }
  }
  const connection = await resolveConnection({ args: program ? [] : words, env, cwd, envFile });
  for (const warning of connection.warnings) options.onWarning?.(warning);
  const sources = options.sources ?? defaultSources({ env, cwd });
  const resolved = await resolveToken({ connection, sources, signal });
  const checked = options.check === false
    ? undefined
    : await checkToken(resolved.token, { ...options, connection });
  if (checked !== undefined && checked.verdict !== "valid") throw new CheckError(checked);
  return { connection, resolved, checked, words: program ? rest : connection.args.words, program };
}

/**
 * Runs what was prepared.
 *
 * @param plan The result of {@linkcode prepareRun}.
 * @param options The same options.
 * @returns How it ended.
 * @throws {CommandError} The program was not found (127) or cannot be executed (126).
 */
export async function executeRun(plan: RunPlan, options: RunOptions): Promise<RunResult> {
  const { connection, resolved, checked, words } = plan;
  const { env, stdin = "ignore", stdout = "ignore", stderr = "ignore" } = options;
  const program = plan.program ?? locateAdc(options);
  const online = connection !== undefined && resolved !== undefined;
  const piped = online && options.mask !== false;
  const mask = createMask(piped ? secretsOf(connection, resolved.token, { env }) : []);
  const { code, signal, outputFailure } = await runChild(program, words, {
    ...options,
    stdin,
    stdout: piped ? stdout : unmasked(stdout, 1),
    stderr: piped ? stderr : unmasked(stderr, 2),
    terminal: options.terminal ?? false,
    mask,
    env: {
      ...(online
        ? childEnvironment({ env, connection, token: resolved.token })
        : plainEnvironment(env)),
      ...(piped && colourOf(stdout, env)),
    },
  });
  const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  const result: RunResult = {
    ...plan,
    exitCode,
    signal,
    masked: mask.count,
    ...(outputFailure !== undefined && { outputFailure }),
  };
  const failed = exitCode !== 0 && signal === null && !options.signal?.aborted;
  if (!online || checked === undefined || !failed) return result;
  // ADC does not say why it failed; a token that was revoked meanwhile is worth knowing.
  const afterwards = await checkToken(resolved.token, { ...options, connection });
  return afterwards.verdict === "valid" ? result : { ...result, afterwards };
}

/**
 * Finds a token, checks it against the server that ADC will talk to, and runs ADC with it.
 *
 * @param words ADC's command and its options, for example `["sync", "-f", "adc.yaml"]`.
 * @param options The environment, the working directory, and where ADC's output goes.
 * @returns How ADC ended. A failure of ADC is a result, not an error.
 * @throws {ConnectionError} A value that says how to connect cannot be used.
 * @throws {NoTokenError} No source has a token.
 * @throws {SourceError} A source is broken.
 * @throws {CheckError} The test call found that ADC would fail.
 * @throws {CommandError} ADC was not found or cannot be executed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import process from "node:process";
 * import { runAdc } from "@adc-run/adc-run";
 *
 * const { exitCode, masked } = await runAdc(["lint", "-f", "adc.yaml"], {
 *   env: process.env,
 *   cwd: process.cwd(),
 *   stdout: process.stdout,
 *   stderr: process.stderr,
 *   adc: "echo", // stands in for ADC here; without it the one on PATH is run
 * });
 * assert.deepEqual([exitCode, masked], [0, 0]);
 * ```
 */
export async function runAdc(words: readonly string[], options: RunOptions): Promise<RunResult> {
  return await executeRun(await prepareRun(words, options), options);
}

/** Without a mask there is no reason to stand between the child and the terminal. */
function unmasked(
  stream: Writable | "inherit" | "ignore",
  own: number,
): Writable | "inherit" | "ignore" {
  return (stream as { fd?: unknown }).fd === own ? "inherit" : stream;
}

/** A child that writes to a pipe leaves out its colours, unless it is told that a terminal follows. */
function colourOf(
  stdout: Writable | "inherit" | "ignore",
  env: Environment,
): { readonly FORCE_COLOR?: string } {
  if (env.FORCE_COLOR !== undefined || env.NO_COLOR !== undefined) return {};
  const stream = stdout as { readonly isTTY?: boolean; getColorDepth?(): number };
  if (typeof stdout === "string" || stream.isTTY !== true) return {};
  const depth = stream.getColorDepth?.() ?? 4;
  return depth < 4 ? {} : { FORCE_COLOR: depth >= 24 ? "3" : depth >= 8 ? "2" : "1" };
}
