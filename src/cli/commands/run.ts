/**
 * `adc-run <adc command>` and `adc-run exec -- <command>`.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import { locateAdc } from "../../adc/locate.ts";
import { secretsOf } from "../../adc/secrets.ts";
import { executeRun } from "../../adc/execute_run.ts";
import { prepareRun } from "../../adc/prepare_run.ts";
import { releaseToken } from "../../adc/release_token.ts";
import type { RunOptions, RunPlan, RunResult } from "../../adc/run_options.ts";
import { describeConnection } from "../../connection/describe.ts";
import { EXIT, UsageError } from "../../errors.ts";
import { createMask } from "../../mask/mask.ts";
import { DEFAULT_TTL, readLifetime } from "../../lifecycle/expiry.ts";
import { splitTokens } from "../../token/token_value.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { canAsk, hasTerminal } from "../io.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions } from "../options.ts";
import { askConfirmation } from "../prompts.ts";
import { createReporter, describeRun, formatTrail } from "../report.ts";
import type { Reporter } from "../report.ts";
import { sourcesOf } from "../sources.ts";

/** What a run is told by the command line. */
export interface RunCommand {
  /** ADC's words, or another program's. */
  readonly words: readonly string[];
  /** Whether the words are another program's. */
  readonly exec: boolean;
  /** adc-run's own options. */
  readonly options: GlobalOptions;
}

/**
 * Runs ADC, or another program, with a token that was checked.
 *
 * @param command What to run.
 * @param io The process.
 * @returns The exit code.
 */
export async function run({ words, exec, options }: RunCommand, io: Io): Promise<number> {
  const reporter = createReporter(io, options);
  const { env, cwd, stdout, stderr, signals } = io;
  const ephemeral = await readTtl(options);
  const interrupt = abortOnInterrupt(signals);
  try {
    const runOptions: RunOptions & { readonly exec: boolean } = {
      env,
      cwd,
      stdout,
      stderr,
      exec,
      envFile: options.envFile,
      adc: options.adc,
      check: options.check,
      mask: options.mask,
      signals,
      terminal: hasTerminal(io),
      stdin: "inherit",
      onWarning: reporter.warn,
      ephemeral,
      sources: sourcesOf(io, {
        options,
        reporter,
        // A dry run leaves nothing behind.
        ephemeral: options.dryRun ? ephemeral ?? DEFAULT_TTL : ephemeral,
        ...(canAsk(io) && {
          confirm: (reason: string) => askConfirmation(`Send the password, though ${reason}?`, io),
        }),
      }),
    };
    const plan = await prepareRun(words, { ...runOptions, signal: interrupt.signal });
    try {
      if (options.dryRun) return printPlan(plan, { reporter, io, options });
      announce(plan, { reporter, io, options });
      const running = executeRun(plan, runOptions);
      // The child's own signal handling is in place by now.
      interrupt.release();
      return conclude(await running, { reporter, io, options });
    } finally {
      if (plan.resolved !== undefined) await releaseToken(plan.resolved, runOptions);
    }
  } finally {
    interrupt.release();
  }
}

/** `--ephemeral`, and how long the token lives at most where it cannot be revoked. */
async function readTtl(options: GlobalOptions): Promise<number | undefined> {
  if (options.ephemeralTtl === undefined) return options.ephemeral ? DEFAULT_TTL : undefined;
  const ttl = await readLifetime(options.ephemeralTtl, "--ephemeral");
  if (ttl !== undefined) return ttl;
  throw new UsageError('Cannot use --ephemeral "never": a token for one run has an end');
}

interface Surroundings {
  readonly reporter: Reporter;
  readonly io: Io;
  readonly options: GlobalOptions;
}

/** The one line before a run: which token, from where, and for whom. */
function announce(plan: RunPlan, { reporter, io, options }: Surroundings): void {
  const { connection, resolved, checked } = plan;
  if (connection === undefined || resolved === undefined) return;
  if (io.env.GITHUB_ACTIONS === "true" && options.mask && !options.json && !isFile(2)) {
    const list = connection.backend.value === "apisix-standalone";
    // The runner reads these lines, does not show them, and masks the token in everything that follows.
    for (const token of splitTokens(resolved.token, list)) {
      reporter.tellRunner(`::add-mask::${token.reveal().replaceAll("%", "%25")}`);
    }
  }
  const group = connection.backend.value === "api7ee"
    ? `, gateway group "${connection.gatewayGroup.value}"`
    : "";
  reporter.info(
    `token ${resolved.token} from ${resolved.source} (${resolved.detail}) for ` +
      `${connection.backend.value} at ${connection.server.value}${group}` +
      (checked === undefined ? ", not checked" : ""),
  );
}

function conclude(result: RunResult, { reporter, io, options }: Surroundings): number {
  const leaked = options.failOnLeak === true && result.masked > 0 && result.exitCode === 0;
  const { outputFailure, afterwards } = result;
  const lost = outputFailure !== undefined && !isGone(outputFailure);
  if (options.json) {
    const { warnings } = reporter;
    const report = { ...describeRun(result), leaked, ...(lost && { outputFailure }), warnings };
    reporter.say(JSON.stringify(report));
  } else {
    if (result.masked > 0) {
      reporter.info(`masked a secret ${result.masked === 1 ? "once" : `${result.masked} times`}`);
    }
    if (isBrokenPing(result)) {
      reporter.info(
        "ADC 0.28 asks no server at ping with the backend apisix-standalone; adc-run's own check passed",
      );
    }
    if (afterwards !== undefined) {
      const { tried, found, suggestion } = afterwards;
      reporter.say(
        `adc-run: error: the check passed before the run and fails now: ${tried}: ${found}`,
      );
      if (suggestion !== undefined) reporter.say(`adc-run: ${suggestion}`);
    }
    if (lost) reporter.say(`adc-run: error: cannot pass the output on: ${outputFailure}`);
    if (leaked) reporter.say("adc-run: error: a secret was printed, and --fail-on-leak is set");
  }
  if (leaked) return EXIT.data;
  if (lost && result.exitCode === 0) return EXIT.source;
  if (result.signal !== null) io.endedBy?.(result.signal);
  return result.exitCode;
}

/** Whether a stream of this process goes to a file, which would keep what is meant for a runner. */
function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** `adc ping` asks for `/apisix/admin` without a server there (backend-apisix-standalone/src/index.ts). */
function isBrokenPing({ connection, checked, exitCode, words }: RunResult): boolean {
  return exitCode !== 0 && words[0] === "ping" && checked?.verdict === "valid" &&
    connection?.backend.value === "apisix-standalone";
}

/** A reader that went away, as in `| head`, is no failure. */
function isGone(code: string): boolean {
  return ["EPIPE", "ERR_STREAM_DESTROYED", "ERR_STREAM_PREMATURE_CLOSE"].includes(code);
}

/** `--dry-run`: there is no child, so standard output is free for the answer. */
function printPlan(plan: RunPlan, { reporter, io, options }: Surroundings): number {
  const { connection, resolved, checked } = plan;
  const program = plan.program ?? locateAdc({ env: io.env, cwd: io.cwd, adc: options.adc });
  const mask = createMask(
    connection && resolved ? secretsOf(connection, resolved, { env: io.env }) : [],
  );
  const command = [program.file, ...program.prefix, ...plan.words]
    // A server's address may hold a password, also where it is not looked at.
    .map((word) => mask.text(word).replace(/(\/\/)[^/@\s]*:[^/@\s]*@/, "$1***@"));
  if (options.json) {
    reporter.print(JSON.stringify({ command, ...describeRun(plan) }));
    return 0;
  }
  const lines = [["would run", command.map(quote).join(" "), ""]];
  if (connection !== undefined && resolved !== undefined) {
    for (const [name, { value, origin }] of Object.entries(describeConnection(connection))) {
      lines.push([name, value, origin]);
    }
    lines.push(["token", String(resolved.token), `${resolved.source}: ${resolved.detail}`]);
    lines.push(["check", checked?.verdict ?? "not made", checked?.tried ?? "--no-check"]);
  } else {
    lines.push(["token", "not needed", ""]);
  }
  const width = (column: number) =>
    Math.max(...lines.slice(1).map((line) => line[column]!.length), column === 0 ? 9 : 0);
  const [names, values] = [width(0), width(1)];
  const rows = lines.map(([name, value, origin]) =>
    `${name!.padEnd(names)}  ${value!.padEnd(values)}  ${origin}`.trimEnd()
  );
  const trail = formatTrail(resolved?.trail ?? []).map((line) => `source  ${line}`);
  reporter.print([...rows, ...trail].join("\n"));
  return 0;
}

function quote(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
