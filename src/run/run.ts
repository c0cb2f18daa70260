import { constants } from "node:os";
import process from "node:process";
import {
  type AdcArguments,
  needsBackend,
  NO_ARGUMENTS,
  readAdcArguments,
} from "../adc/arguments.ts";
import { requireGatewayGroup } from "../check/backend_checks.ts";
import { checkToken, findToken, foreignToken } from "../check/check_token.ts";
import { CheckError, type CheckResult } from "../check/verdict.ts";
import { BACKENDS } from "../connection/backends.ts";
import { type Connection, resolveConnection } from "../connection/connection.ts";
import { misuse, requireAllowed } from "../connection/origin.ts";
import type { Context, Environment } from "../context.ts";
import { AdcRunError, ConnectionError, EXIT, messageOf, UsageError } from "../errors.ts";
import { clearLeftOvers } from "../lifecycle/clear_left_overs.ts";
import { defaultSources } from "../lifecycle/default_sources.ts";
import { endWarning, explainRefusal, knownToken, readTtl } from "../lifecycle/expiry.ts";
import type { SessionPool } from "../lifecycle/open_session.ts";
import { createMask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, tokenPrefix } from "../secret.ts";
import { firstOf } from "../system/deadline.ts";
import type { PipeStock } from "../system/pipes.ts";
import { type ResolvedToken, WITHOUT_TOKEN } from "../token/resolve.ts";
import { strayWarning, type TokenLease, withoutWaysToTokens } from "../token/sources.ts";
import { sentToken, splitTokens } from "../token/token_value.ts";
import { type ChildOutput, closePipes, type OutputPipes, outputPipes, runChild } from "./child.ts";
import {
  type ChildEnvironment,
  childEnvironment,
  handOver,
  markStartedAdc,
  secretsOf,
  visibleTokens,
} from "./environment.ts";
import { locateAdc, locateProgram } from "./locate.ts";
import type { OnlinePlan, RunOptions, RunPlan, RunResult } from "./options.ts";
import { Collected } from "./output.ts";
import type { RunSignals } from "./signals.ts";
import type { OpenPseudoTerminal, Terminal } from "./terminal.ts";

export interface Call {
  readonly program: string | undefined;
  readonly args: AdcArguments;
}

export async function readCall(words: readonly string[], exec = false): Promise<Call> {
  if (!Array.isArray(words)) {
    throw new UsageError('Cannot run it: the arguments are not an array, such as ["ping"]');
  }
  if (!exec) return { program: undefined, args: await readAdcArguments(words) };
  const [program = "", ...rest] = words;
  return { program, args: { ...NO_ARGUMENTS, argv: rest } };
}

/** What is decided only when it is known what would run. */
export type LateTerms = Pick<RunOptions, "stdout" | "stderr" | "secrets">;

/** What a run is told: the options of a library call, with nothing left open. */
export interface RunTerms extends Omit<RunOptions, keyof Context | "exec" | "signals">, Context {
  readonly watch: RunSignals;
  /** Those of the options that a variable set, by their keys on the command line. */
  readonly fromEnvironment?: ReadonlySet<string> | undefined;
  readonly sessions?: SessionPool | undefined;
  readonly stock?: PipeStock | undefined;
  /** The name that this run's `diff.yaml` is kept under: ADC has but one for all targets. */
  readonly diffFile?: string | undefined;
  readonly pseudoTerminal?: {
    readonly terminal: Terminal;
    /** Told why it cannot have one, and has pipes. @default that is an error */
    readonly onMissing?: ((reason: string) => void) | undefined;
  } | undefined;
  /** Told what is known, before the child starts; `false` ends the run here. */
  readonly onPlan?: ((plan: RunPlan) => Promise<LateTerms | false> | LateTerms | false) | undefined;
}

/**
 * The whole run. Each step has what those before it found out, and none is taken twice; what was made on the
 * way is given back at the end, whatever that is. `undefined` where it ended before the child.
 */
export async function run(call: Call, terms: RunTerms): Promise<RunResult | undefined> {
  const { program: name, args } = call;
  const { env, cwd, watch, onWarning, ephemeral, now = Date.now } = terms;
  const isDiff = name === undefined && args.command === "diff" && needsBackend(args);
  const context = {
    ...terms,
    ...(!isDiff && { drift: undefined, diffFile: undefined }),
    signal: firstOf(terms.signal, watch.interrupted),
  };

  // ADC, or the program. Before anything is sent, made or said: without it there is nothing to do it for.
  const program = name === undefined ? locateAdc(terms) : locateProgram(name, terms);
  if (process.platform === "win32") {
    const { windowsCommand } = await import("../system/windows_command.ts");
    windowsCommand(program.file, [...program.prefix, ...args.argv], env);
  }
  const guards = name === undefined ? await import("./guards.ts") : undefined;
  guards?.refuseLinkedOutput(args, cwd);
  await guards?.refuseDevices(args, cwd);
  if (name === undefined && !needsBackend(args)) {
    const secrets = visibleTokens(args, env);
    const plan = { kind: "offline", program, args: args.maskedArgv, secrets } as const;
    return await runProgram(plan, withoutWaysToTokens(env), { ...context, isAdc: true });
  }

  requireAllowed(terms.profile, name === undefined ? args.command! : "exec");
  if (name === undefined) refuseVault(env);

  // The connection.
  const connection = await resolveConnection({
    args,
    env,
    cwd,
    envFile: terms.envFile,
    profile: terms.profile,
  });
  for (const warning of connection.warnings) onWarning?.(warning);
  if (ephemeral !== undefined) requireEphemeral(connection, terms);
  const ttl = ephemeral === undefined ? undefined : await readTtl(ephemeral);
  if (terms.token === false) requireNoToken(connection, terms);

  // The token, which may have been made for this run.
  const found = terms.token === false ? WITHOUT_TOKEN : await findRunToken(connection, context);
  let { lease } = found;
  let pipes: Promise<OutputPipes> | undefined;
  try {
    requireGatewayGroup(connection, found.token);
    // What the child must not do with it.
    const child = childEnvironment(connection, env);
    handOver(child, found, connection);
    await guards?.refuseTokenInFiles({
      args,
      cwd,
      onWarning,
      env: child,
      secrets: secretsOf(connection, found, env),
    });
    const stray = strayWarning(connection, { ...found, env });
    if (stray !== undefined) onWarning?.(stray);
    warnOfTokens(connection, found, terms);
    const record = sentToken(found.token) &&
      await knownToken(found.token, { connection, env, onWarning });
    const warning = endWarning(record, { connection, now: now() });
    if (warning !== undefined) onWarning?.(warning);

    let resolved = found;
    if (ttl !== undefined && lease === undefined) {
      const { exchangeToken } = await import("../lifecycle/token_for_run.ts");
      resolved = await exchangeToken(found, { ...context, connection, record, ttl });
      lease = resolved.lease;
    }
    handOver(child, resolved, connection);
    context.signal.throwIfAborted();

    // The check.
    let checked: CheckResult | undefined;
    if (terms.check !== false) {
      const checking = checkToken(sentToken(resolved.token), { ...context, connection });
      // They take a program of the system's: while the server is waited for, that costs nothing. Where it is
      // decided only later what they lead to, other children run meanwhile.
      const isDecided = terms.stdout !== undefined || terms.stderr !== undefined;
      if (isDecided && terms.mask !== false && !terms.pseudoTerminal) pipes = outputPipes(terms);
      checked = await checking;
      if (checked.verdict !== "valid") {
        const refusal = explainRefusal(checked, { record, now: now(), resolved, connection, env });
        throw new CheckError(refusal, { resolved });
      }
      if (checked.warning !== undefined) onWarning?.(checked.warning);
      // Whoever made a token for this run has cleared up already.
      if (lease === undefined && terms.token !== false) {
        await clearLeftOvers(resolved.token, connection, context);
      }
    }

    warnOfForeignToken(connection, resolved, context);

    // The child, and why it failed: ADC does not say, and a token may have been revoked meanwhile.
    const own = name === undefined ? argsForAdc(connection) : args.argv;
    const secrets = secretsOf(connection, resolved, env);
    const plan = {
      kind: "online",
      program,
      args: own,
      secrets,
      connection,
      resolved,
      checked,
    } as const;
    const result = await runProgram(plan, child, {
      ...context,
      pipes,
      isAdc: name === undefined,
    });
    return result && await checkAgain(result, plan, terms);
  } finally {
    if (pipes !== undefined) closePipes(await pipes);
    await releaseLease(lease, terms);
  }
}

/** With this variable ADC reads `.env.vault`, whose values nobody else knows, and no `.env`. */
function refuseVault({ DOTENV_KEY: key }: Environment): void {
  if (!key) return;
  throw new ConnectionError(
    "Cannot run ADC: DOTENV_KEY is set, so ADC would read .env.vault instead of .env",
    EXIT.config,
    { suggestion: "Unset DOTENV_KEY." },
  );
}

/** Only API7 Enterprise makes tokens on request. */
function requireEphemeral({ backend }: Connection, { fromEnvironment: set }: RunTerms): void {
  if (BACKENDS[backend.value].hasUsers) return;
  const isVariable = set?.has("ephemeral") || set?.has("ephemeralTtl");
  throw unusable(isVariable ? "ADC_RUN_EPHEMERAL" : "--ephemeral", backend.value, {
    because: "only api7ee creates tokens on request",
  });
}

/** API7 Enterprise takes no request without a token; and what is not used is not to be given. */
function requireNoToken({ backend, args }: Connection, { fromEnvironment: set }: RunTerms): void {
  const { title, hasUsers } = BACKENDS[backend.value];
  const name = set?.has("token") ? "ADC_RUN_NO_TOKEN" : "--no-token";
  if (hasUsers) throw unusable(name, backend.value, { because: `${title} requires a token` });
  if (args.tokens.length > 0) throw new UsageError(`Cannot use ${name} with --token`);
}

function unusable(
  name: string,
  backend: string,
  { because }: { readonly because: string },
): AdcRunError {
  const kind = name.startsWith("--") ? "flag" : "environment";
  return misuse({ kind, name }, `Cannot use ${name} with backend "${backend}": ${because}`);
}

async function findRunToken(
  connection: Connection,
  { sources: given, ...terms }: RunTerms,
): Promise<ResolvedToken> {
  const { onWarning, signal } = terms;
  const { tokens } = connection.args;
  const sources = typeof given === "function"
    ? given(connection)
    : given ?? defaultSources({ ...terms, names: connection.profile?.sources });
  if (tokens.length > 0 && !sources.some(({ name }) => name === "flag")) {
    onWarning?.('--token is ignored: the list of sources does not include "flag".');
  }
  if (tokens.at(-1)?.reveal().trim() === "") {
    onWarning?.("--token is empty and is ignored; ADC would have sent it.");
  }
  return await findToken({ connection, sources, signal });
}

function warnOfTokens(
  { backend, servers }: Connection,
  { token }: ResolvedToken,
  { mask, onWarning }: Pick<RunTerms, "mask" | "onWarning">,
): void {
  const tokens = splitTokens(token, backend.value);
  // ADC deals tokens out by their number, and falls back to the first without a word.
  if (tokens.length > 1 && tokens.length !== servers.length) {
    const noun = servers.length === 1 ? "server" : "servers";
    onWarning?.(
      `${tokens.length} tokens for ${servers.length} ${noun}: ADC uses the first` +
        (servers.length === 1 ? "." : " for all."),
    );
  }
  // A short one is a word that turns up by itself.
  const length = Math.min(...tokens.map((each) => each.reveal().length));
  if (mask === false || sentToken(token) === undefined || length >= MIN_SECRET_LENGTH) return;
  const count = length === 1 ? "1 character" : `${length} characters`;
  onWarning?.(`The token has ${count}: it is masked only where it stands alone.`);
}

/** A server that asks for no key, or one in front of it, takes anything. */
function warnOfForeignToken(
  { backend }: Connection,
  { token }: ResolvedToken,
  { onWarning }: Pick<Context, "onWarning">,
): void {
  const prefix = tokenPrefix(token.reveal());
  if (prefix === undefined || BACKENDS[backend.value].hasUsers) return;
  onWarning?.(`${foreignToken(prefix, backend.value)}. Did you mean --backend api7ee?`);
}

/** ADC has no variable for its time limit, so a profile's is handed over as the flag. */
function argsForAdc({ args: { argv }, timeoutMs }: Connection): readonly string[] {
  if (timeoutMs.origin.kind !== "profile") return argv;
  const [command, ...rest] = argv;
  return [command!, "--timeout", `${timeoutMs.value}ms`, ...rest];
}

async function runProgram(
  plan: RunPlan,
  child: ChildEnvironment,
  terms: RunTerms & { readonly isAdc: boolean; readonly pipes?: Promise<OutputPipes> | undefined },
): Promise<RunResult | undefined> {
  const late = await terms.onPlan?.(plan);
  if (late === false) return undefined;
  const { stdin = "ignore", ...streams } = { ...terms, ...late };
  const [stdout, stderr] = [streams.stdout, streams.stderr].map((each = "ignore") =>
    each === "collect" ? new Collected() : each
  ) as [ChildOutput, ChildOutput];
  // Whoever cancelled meanwhile does not want it to begin.
  terms.signal?.throwIfAborted();
  const secrets = [...plan.secrets, ...late?.secrets ?? terms.secrets ?? []];
  // A child that can see no secret writes straight to where its output goes.
  const piped = terms.mask !== false && secrets.length > 0;
  const open = piped ? await loadTerminal(plan, terms) : undefined;
  // Whoever types waits for the echo of a letter that a secret may begin with.
  const mask = createMask(piped ? secrets : [], open && { idleMs: 10 });
  const diff = terms.drift || terms.diffFile !== undefined
    ? (await import("./drift.ts")).openDiffFile(terms.cwd, terms.diffFile)
    : undefined;
  markStartedAdc(child, terms.isAdc ? plan.program : undefined);
  if (terms.isAdc && piped && !open) addColors(child, plan, [stdout, stderr]);
  const shared = { ...terms, mask, env: child };
  const { code, signal: killedBy, outputFailure } = open === undefined
    ? await runChild(plan.program, plan.args, {
      ...shared,
      stdin,
      stdout: piped ? stdout : unmasked(stdout, 1),
      stderr: piped ? stderr : unmasked(stderr, 2),
      pipes: piped ? terms.pipes : undefined,
    })
    : await (await import("./terminal.ts")).runInTerminal(plan.program, plan.args, {
      ...shared,
      terminal: terms.pseudoTerminal!.terminal,
      open,
    });
  const exitCode = code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]);
  const isCut = [stdout, stderr].some((each) => each instanceof Collected && each.isCut);
  const ended = {
    ...plan,
    exitCode,
    signal: killedBy,
    masked: mask.count,
    ...(stdout instanceof Collected && { stdout: stdout.text }),
    ...(stderr instanceof Collected && { stderr: stderr.text }),
    outputFailure: outputFailure ?? (isCut ? "ENOBUFS" : undefined),
  };
  try {
    const drift = terms.drift && exitCode === 0 ? await diff?.read() : undefined;
    diff?.keep();
    return drift === undefined ? ended : { ...ended, drift };
  } catch (error) {
    if (!(error instanceof AdcRunError)) throw error;
    return { ...ended, driftError: error };
  }
}

/** What opens a pseudo-terminal, where the child is to have one and one can be had. */
async function loadTerminal(
  { args }: RunPlan,
  { pseudoTerminal }: RunTerms,
): Promise<OpenPseudoTerminal | undefined> {
  // Descriptors above 2 are not handed to a pseudo-terminal's child.
  const isNamed = args.some((word) => /\/(dev|proc\/self)\/fd\/([3-9]|\d\d)/.test(word));
  if (pseudoTerminal === undefined || isNamed) return undefined;
  const { isInBackground, loadPseudoTerminals } = await import("./terminal.ts");
  const { onMissing } = pseudoTerminal;
  if (onMissing !== undefined && isInBackground()) return void onMissing("it is in the background");
  try {
    return await loadPseudoTerminals();
  } catch (error) {
    if (onMissing !== undefined) return void onMissing(messageOf(error));
    throw new ConnectionError(
      `Cannot use --tty: there is no pseudo-terminal here: ${messageOf(error)}`,
      EXIT.config,
      { suggestion: "Install @lydell/node-pty next to adc-run, or omit --tty." },
    );
  }
}

/** Without a mask there is no reason to stand between the child and the terminal. */
function unmasked(stream: ChildOutput, own: number): ChildOutput {
  return (stream as { fd?: unknown }).fd === own ? "inherit" : stream;
}

/**
 * ADC leaves out its colors where it writes to a pipe, unless it is told that a terminal follows. Another
 * program may have one of its streams redirected, or run a third whose output is read.
 */
function addColors(
  child: ChildEnvironment,
  plan: RunPlan,
  streams: readonly ChildOutput[],
): void {
  const isSet = (name: string) =>
    child[name] !== undefined ||
    (plan.kind === "online" && plan.connection.envFile.get(name) !== undefined);
  if (isSet("FORCE_COLOR") || isSet("NO_COLOR")) return;
  const terminals = streams as readonly { readonly isTTY?: boolean; getColorDepth?(): number }[];
  if (!terminals.every(({ isTTY }) => isTTY === true)) return;
  const depth = terminals[0]!.getColorDepth?.() ?? 4;
  if (depth >= 4) child.FORCE_COLOR = depth >= 24 ? "3" : depth >= 8 ? "2" : "1";
}

async function checkAgain(
  result: RunResult,
  { connection, resolved, checked }: OnlinePlan,
  { signal, watch, dispatcher }: RunTerms,
): Promise<RunResult> {
  const hurry = watch.cleanUp();
  if (checked === undefined || result.exitCode === 0 || result.signal !== null) return result;
  if (signal?.aborted) return result;
  try {
    const ending = firstOf(signal, hurry);
    const again = await checkToken(sentToken(resolved.token), {
      connection,
      dispatcher,
      signal: ending,
    });
    return again.verdict === "valid" ? result : { ...result, checkAfter: again };
  } catch (error) {
    if (hurry.aborted || signal?.aborted) return result;
    throw error;
  }
}

/** The run is over: a failure is told and changes nothing, for the journal remembers the token. */
export async function releaseLease(
  lease: TokenLease | undefined,
  { watch, onWarning }: Pick<RunTerms, "watch" | "onWarning">,
): Promise<void> {
  // A terminal that is closed sends it more than once: the shell passes it on, and ends.
  const hurry = watch.cleanUp(["SIGHUP"]);
  try {
    await lease?.release({ signal: hurry });
  } catch (error) {
    const suggestion = error instanceof AdcRunError ? ` ${error.suggestion ?? ""}` : "";
    onWarning?.(`${messageOf(error)}.${suggestion}`.trimEnd());
  }
}
