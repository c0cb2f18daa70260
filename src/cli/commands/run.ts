/**
 * `adc-run <adc command>` and `adc-run exec -- <command>`.
 *
 * @module
 */

import { locateAdc } from "../../adc/locate.ts";
import { executeRun } from "../../adc/execute_run.ts";
import { prepareRun } from "../../adc/prepare_run.ts";
import type { RunOptions, RunPlan, RunResult } from "../../adc/run_options.ts";
import { describeConnection } from "../../connection/describe.ts";
import { EXIT } from "../../errors.ts";
import { createMask } from "../../mask/mask.ts";
import { defaultSources } from "../../token/default_sources.ts";
import { splitTokens } from "../../token/token_value.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { hasTerminal } from "../io.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions } from "../options.ts";
import { createReporter, describeRun, formatTrail } from "../report.ts";
import type { Reporter } from "../report.ts";

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
  const { env, cwd, stdout, stderr, signals, keychain } = io;
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
      sources: defaultSources({
        env,
        cwd,
        keychain,
        names: options.source,
        helperStderr: options.quiet ? "ignore" : "inherit",
      }),
    };
    const plan = await prepareRun(words, { ...runOptions, signal: interrupt.signal });
    if (options.dryRun) return printPlan(plan, { io, options });
    announce(plan, { reporter, io, options });
    const running = executeRun(plan, runOptions);
    // The child's own signal handling is in place by now.
    interrupt.release();
    return conclude(await running, { reporter, io, options });
  } finally {
    interrupt.release();
  }
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
  const list = connection.backend.value === "apisix-standalone";
  if (io.env.GITHUB_ACTIONS === "true" && options.mask) {
    // The runner reads this line, does not show it, and masks the token in everything that follows.
    for (const token of splitTokens(resolved.token, list)) {
      io.stderr.write(`::add-mask::${token.reveal()}\n`);
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
  if (options.json) {
    const { warnings } = reporter;
    io.stderr.write(`${JSON.stringify({ ...describeRun(result), leaked, warnings })}\n`);
  }
  if (result.masked > 0) {
    reporter.info(`masked a secret ${result.masked === 1 ? "once" : `${result.masked} times`}`);
  }
  if (result.afterwards !== undefined && !options.json) {
    const { tried, found, suggestion } = result.afterwards;
    io.stderr.write(
      `adc-run: error: the token passed the check before the run and no longer does: ${tried}: ${found}\n`,
    );
    if (suggestion !== undefined) io.stderr.write(`adc-run: ${suggestion}\n`);
  }
  if (isBrokenPing(result)) {
    reporter.info(
      "ADC 0.28 asks no server at ping with the backend apisix-standalone; adc-run's own check passed",
    );
  }
  if (result.outputFailure !== undefined && !isGone(result.outputFailure)) {
    io.stderr.write(`adc-run: error: cannot pass the output on: ${result.outputFailure}\n`);
    if (result.exitCode === 0) return EXIT.source;
  }
  if (leaked) {
    io.stderr.write("adc-run: error: a secret was printed, and --fail-on-leak is set\n");
    return EXIT.data;
  }
  if (result.signal !== null) io.endedBy?.(result.signal);
  return result.exitCode;
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
function printPlan(
  plan: RunPlan,
  { io, options }: { readonly io: Io; readonly options: GlobalOptions },
): number {
  const program = plan.program ?? locateAdc({ env: io.env, cwd: io.cwd, adc: options.adc });
  const { connection, resolved, checked } = plan;
  const mask = createMask(resolved ? [resolved.token] : []);
  const command = [program.file, ...program.prefix, ...plan.words].map((word) => mask.text(word));
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ command, ...describeRun(plan) })}\n`);
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
  const widths = [0, 1].map((column) =>
    Math.max(...lines.slice(1).map((line) => line[column]!.length))
  );
  for (const [name, value, origin] of lines) {
    io.stdout.write(
      `${name!.padEnd(Math.max(widths[0]!, 9))}  ${value!.padEnd(widths[1]!)}  ${origin}`
        .trimEnd() + "\n",
    );
  }
  for (const line of formatTrail(resolved?.trail ?? [])) io.stdout.write(`source  ${line}\n`);
  return 0;
}

function quote(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
