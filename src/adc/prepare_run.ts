import { checkToken } from "../check/check_token.ts";
import { CheckError } from "../check/verdict.ts";
import { needsBackend } from "../connection/adc_arguments.ts";
import { resolveConnection } from "../connection/connection.ts";
import type { Connection } from "../connection/connection.ts";
import { readAdcArguments } from "../connection/read_adc_arguments.ts";
import { UsageError } from "../errors.ts";
import { defaultSources } from "../lifecycle/default_sources.ts";
import { clearLeftOvers } from "../lifecycle/clear_left_overs.ts";
import { endWarning, explainRefusal, knownToken } from "../lifecycle/known_token.ts";
import { resolveToken } from "../token/resolve.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { splitTokens } from "../token/token_value.ts";
import { childEnvironment } from "./child_environment.ts";
import { locateAdc, locateProgram } from "./locate.ts";
import { releaseToken } from "./release_token.ts";
import type { RunOptions, RunPlan } from "./run_options.ts";
import { secretsOf } from "./secrets.ts";

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
    const { refuseLinkedOutput } = await import("./refuse_linked_output.ts");
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
    options.onWarning?.("--token is blank and was passed over; ADC would have sent it.");
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
  const { refuseTokenInFiles } = await import("./refuse_token_in_files.ts");
  await refuseTokenInFiles({
    words: connection.args.words,
    cwd,
    env: childEnvironment({ env, connection, token: found.token }),
    secrets: secretsOf(connection, found, { env }),
  });
}

/** Only API7 Enterprise makes tokens on request. */
function requireEphemeral({ backend }: Connection): void {
  if (backend.value === "api7ee") return;
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
  const { length } = splitTokens(token, backend.value === "apisix-standalone");
  if (length === 1 || length === servers.length) return;
  onWarning?.(
    `There are ${length} tokens for ${servers.length} servers: ADC uses the first for all.`,
  );
}
