import { constants } from "node:os";
import type { Writable } from "node:stream";
import { checkToken } from "../check/check_token.ts";
import type { Environment } from "../connection/origin.ts";
import { createMask } from "../mask/mask.ts";
import { runChild } from "./child.ts";
import { childEnvironment, plainEnvironment } from "./child_environment.ts";
import { releaseToken } from "./release_token.ts";
import { listenForImpatience } from "./impatience.ts";
import type { RunOptions, RunPlan, RunResult } from "./run_options.ts";
import { bystanders, secretsOf } from "./secrets.ts";

/**
 * Runs what was prepared, and gives back a token that was made for it.
 *
 * @param plan The result of {@linkcode prepareRun}.
 * @param options The same options.
 * @returns How it ended.
 * @throws {CommandError} The program was not found (127) or cannot be executed (126).
 */
export async function executeRun(plan: RunPlan, options: RunOptions): Promise<RunResult> {
  // What follows the child must not be cut off by a signal either, nor the child's exit code be lost.
  const impatience = listenForImpatience(options.signals);
  try {
    const result = await runProgram(plan, options);
    impatience.begin();
    return await lookAgain(result, options, impatience.signal);
  } finally {
    impatience.begin();
    if (plan.resolved !== undefined) await releaseToken(plan.resolved, options);
    impatience.end();
  }
}

async function runProgram(plan: RunPlan, options: RunOptions): Promise<RunResult> {
  const { connection, resolved, program, words } = plan;
  const { env, stdin = "ignore", stdout = "ignore", stderr = "ignore" } = options;
  const online = connection !== undefined && resolved !== undefined;
  const own = online
    ? secretsOf(connection, resolved, { env })
    : bystanders({ tokens: plan.lifted }, env);
  const secrets = [...own, ...(options.secrets ?? [])];
  // A child that can see no secret writes straight to where its output goes.
  const piped = options.mask !== false && secrets.length > 0;
  const mask = createMask(piped ? secrets : []);
  const out = piped ? stdout : unmasked(stdout, 1);
  const { code, signal, outputFailure } = await runChild(program, words, {
    ...options,
    stdin,
    stdout: out,
    stderr: piped ? stderr : unmasked(stderr, 2),
    terminal: options.terminal ?? false,
    mask,
    env: {
      ...(online
        ? childEnvironment({
          env,
          connection,
          token: resolved.token,
          instead: resolved.lease?.parent,
        })
        : plainEnvironment(env)),
      ...colourOf(out, env),
    },
  });
  const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  return {
    ...plan,
    exitCode,
    signal,
    masked: mask.count,
    ...(outputFailure !== undefined && { outputFailure }),
  };
}

/** ADC does not say why it failed; a token that was revoked meanwhile is worth knowing. */
async function lookAgain(
  result: RunResult,
  options: RunOptions,
  impatience: AbortSignal,
): Promise<RunResult> {
  const { connection, resolved, checked, exitCode, signal } = result;
  const failed = exitCode !== 0 && signal === null && !options.signal?.aborted;
  if (connection === undefined || resolved === undefined || checked === undefined || !failed) {
    return result;
  }
  try {
    const { dispatcher } = options;
    const ending = options.signal ? AbortSignal.any([options.signal, impatience]) : impatience;
    const afterwards = await checkToken(resolved.token, { connection, dispatcher, signal: ending });
    return afterwards.verdict === "valid" ? result : { ...result, afterwards };
  } catch (error) {
    if (impatience.aborted || options.signal?.aborted) return result;
    throw error;
  }
}

/** Without a mask there is no reason to stand between the child and the terminal. */
function unmasked(
  stream: Writable | "inherit" | "ignore",
  own: number,
): Writable | "inherit" | "ignore" {
  return (stream as { fd?: unknown }).fd === own ? "inherit" : stream;
}

/**
 * A child that writes to a pipe leaves out its colours, unless it is told that a terminal follows.
 */
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
