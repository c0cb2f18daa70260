import { BACKENDS } from "../connection/backends.ts";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { needsBackend, readAdcArguments } from "../adc/arguments.ts";
import { checkToken } from "../check/check_token.ts";
import { CheckError } from "../check/verdict.ts";
import { resolveConnection } from "../connection/connection.ts";
import type { Connection } from "../connection/connection.ts";
import { AdcRunError, messageOf, UsageError } from "../errors.ts";
import { clearLeftOvers } from "../lifecycle/clear_left_overs.ts";
import { defaultSources } from "../lifecycle/default_sources.ts";
import { endWarning, explainRefusal, knownToken } from "../lifecycle/expiry.ts";
import { createMask } from "../mask/mask.ts";
import { resolveToken } from "../token/resolve.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { TokenLease } from "../token/source.ts";
import { splitTokens } from "../token/token_value.ts";
import { runChild } from "./child.ts";
import { bystanders, childEnvironment, plainEnvironment, secretsOf } from "./environment.ts";
import { locateAdc, locateProgram } from "./locate.ts";
import type { RunOptions, RunPlan, RunResult } from "./options.ts";
import { listenForImpatience } from "./signals.ts";
import type { Environment } from "../context.ts";

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
  const { env, cwd, envFile, profile, signal } = options;
  const [name = "", ...rest] = words;
  const { exec = false } = options;
  // Before anything is sent, made or said: without a program there is nothing to do it for.
  const program = exec ? locateProgram(name, { env, cwd }) : locateAdc(options);
  if (!exec) {
    const args = await readAdcArguments(words);
    const { refuseLinkedOutput } = await import("./guards.ts");
    refuseLinkedOutput(args.words, cwd);
    if (!needsBackend(args, env.ADC_RUNNING_MODE)) {
      return {
        connection: undefined,
        resolved: undefined,
        checked: undefined,
        lifted: args.tokens,
        words: args.words,
        program,
      };
    }
  }
  const connection = await resolveConnection({
    args: exec ? [] : words,
    env,
    cwd,
    envFile,
    profile,
  });
  for (const warning of connection.warnings) options.onWarning?.(warning);
  const sources = typeof options.sources === "function"
    ? options.sources(connection)
    : options.sources ??
      defaultSources({
        env,
        cwd,
        keychain: options.keychain,
        names: connection.profile?.sources,
        ephemeral: options.ephemeral,
      });
  if (connection.args.tokens.length > 0 && !sources.some(({ name }) => name === "flag")) {
    options.onWarning?.('--token is not used: the sources that were asked for leave out "flag".');
  }
  if (connection.args.tokens.at(-1)?.reveal().trim() === "") {
    options.onWarning?.("--token is blank and was ignored; ADC would have sent it.");
  }
  if (options.ephemeral !== undefined) requireEphemeral(connection);
  const found = await resolveToken({ connection, sources, signal });
  const { resolved, checked } = await settleToken(found, connection, options);
  return {
    connection,
    resolved,
    checked,
    lifted: connection.args.tokens,
    words: exec ? rest : wordsForAdc(connection),
    program,
  };
}

/** ADC has no variable for its time limit, so a profile's is handed over as the flag. */
function wordsForAdc({ args: { words }, timeout }: Connection): readonly string[] {
  if (timeout.origin.kind !== "profile") return words;
  const [command, ...rest] = words;
  return [command!, "--timeout", `${timeout.value}ms`, ...rest];
}

/** Exchanges the token where that was asked for, and tries it. */
async function settleToken(
  found: ResolvedToken,
  connection: Connection,
  options: RunOptions & { readonly exec?: boolean },
): Promise<Pick<RunPlan, "resolved" | "checked">> {
  const { env, ephemeral, keychain, signal, dispatcher, onWarning, now = Date.now } = options;
  let resolved = found;
  try {
    if (!options.exec) await guardFiles(found, connection, options);
    warnOfMismatch(connection, resolved, options);
    const record = await knownToken(found.token, { connection, env, onWarning });
    const warning = endWarning(record, now());
    if (warning !== undefined) onWarning?.(warning);
    if (ephemeral !== undefined) {
      const { exchangeToken } = await import("../lifecycle/ephemeral_token.ts");
      const terms = { connection, env, record, keychain, onWarning, signal, dispatcher, now };
      resolved = await exchangeToken(found, { ...terms, ttl: ephemeral });
    }
    signal?.throwIfAborted();
    if (options.check === false) return { resolved, checked: undefined };
    const checked = await checkToken(resolved.token, { ...options, connection });
    if (checked.verdict !== "valid") {
      throw new CheckError(explainRefusal(checked, record, now()), { resolved });
    }
    // Whoever made a token for this run has looked already.
    if (resolved.lease === undefined) await clearLeftOvers(resolved.token, connection, options);
    signal?.throwIfAborted();
    return { resolved, checked };
  } catch (error) {
    await releaseToken(resolved, options);
    throw error;
  }
}

/** Looks at what ADC will read, before anything is made for it or asked of the server. */
async function guardFiles(
  found: ResolvedToken,
  connection: Connection,
  { env, cwd }: RunOptions,
): Promise<void> {
  const { refuseTokenInFiles } = await import("./guards.ts");
  await refuseTokenInFiles({
    words: connection.args.words,
    cwd,
    env: childEnvironment({ env, connection, token: found.token }),
    secrets: secretsOf(connection, found, { env }),
  });
}

/** Only API7 Enterprise makes tokens on request. */
function requireEphemeral({ backend }: Connection): void {
  if (BACKENDS[backend.value].hasGatewayGroups) return;
  throw new UsageError(
    `Cannot use --ephemeral with the backend ${backend.value}: only api7ee makes tokens on request`,
  );
}

/** ADC deals tokens out by their number, and falls back to the first without a word. */
function warnOfMismatch(
  { backend, servers }: Connection,
  { token }: ResolvedToken,
  { onWarning }: RunOptions,
): void {
  const { length } = splitTokens(token, backend.value);
  if (length === 1 || length === servers.length) return;
  onWarning?.(
    `There are ${length} tokens for ${servers.length} servers: ADC uses the first for all.`,
  );
}

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

/** Tokens that were given back, or could not be, so that nobody is told twice. */
const released = new WeakSet<TokenLease>();

/**
 * Revokes a token that was made for the run. A failure is told, once, and changes nothing: the run is over,
 * and the journal remembers the token.
 */
export async function releaseToken(
  { lease }: ResolvedToken,
  { signals, onWarning }: Pick<RunOptions, "signals" | "onWarning">,
): Promise<void> {
  if (lease === undefined || released.has(lease)) return;
  released.add(lease);
  const impatience = listenForImpatience(signals);
  impatience.begin();
  try {
    await lease.release({ signal: impatience.signal });
  } catch (error) {
    const suggestion = error instanceof AdcRunError ? ` ${error.suggestion ?? ""}` : "";
    onWarning?.(`${messageOf(error)}.${suggestion}`.trimEnd());
  } finally {
    impatience.end();
  }
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
