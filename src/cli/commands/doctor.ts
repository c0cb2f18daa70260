import { Option } from "commander";
import { CONNECTION_OPTIONS } from "../../adc/parse_arguments.ts";
import { oneLine } from "../../check/response.ts";
import { diagnose } from "../../doctor/diagnose.ts";
import type { Finding } from "../../doctor/finding.ts";
import { EXIT, UsageError } from "../../errors.ts";
import { addSharedOptions, parseStrictly, quietCommand } from "../command_options.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions } from "../options.ts";
import { createReporter, isColourful, redact } from "../output/report.ts";
import { requireApplicable } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { sourcesOf } from "../settings.ts";

/** The numbers of the colours, by status. */
const COLOURS: Readonly<Record<Finding["status"], number>> = {
  ok: 32,
  warning: 33,
  failed: 31,
  skipped: 90,
};

/** Looks at everything that a run depends on. */
export async function doctor(call: OwnCall, io: Io): Promise<number> {
  const options = readOptions(call);
  const { env, cwd, keychain } = io;
  const reporter = createReporter(io, options);
  const interrupt = abortOnInterrupt(io.signals);
  const findings: Finding[] = [];
  try {
    for await (
      const finding of diagnose({
        env,
        cwd,
        args: call.words,
        envFile: options.envFile,
        profile: profileOf(options),
        adc: options.adc,
        keychain,
        sources: (connection, watched) =>
          // Not a copy, which would open standard input.
          sourcesOf(Object.create(io, { keychain: { value: watched } }), {
            options,
            reporter,
            connection,
          }),
        signal: interrupt.signal,
      })
    ) {
      findings.push(finding);
      if (!options.json && !(options.quiet && isFine(finding))) print(finding, io);
    }
  } finally {
    interrupt.release();
  }
  const failure = findings.find(({ status }) => status === "failed");
  const exitCode = failure === undefined ? 0 : failure.exitCode ?? EXIT.config;
  if (options.json) {
    reporter.print(JSON.stringify({ findings, summary: count(findings), exitCode }));
  } else if (!options.quiet) {
    const { warning, failed } = count(findings);
    reporter.print(`\n${failed} failed, ${warning} to look at`);
  }
  return exitCode;
}

function readOptions({ words, options }: OwnCall): GlobalOptions {
  requireApplicable(options, "doctor", ["adc"]);
  const command = addSharedOptions(quietCommand("doctor")).option("--adc <path>");
  for (const flags of CONNECTION_OPTIONS) command.addOption(new Option(flags));
  const operands = parseStrictly(command, words);
  if (operands.length > 0) {
    throw new UsageError('"adc-run doctor" takes options only: found another word', {
      suggestion: 'See "adc-run doctor --help".',
    });
  }
  const { check, ...behind } = command.opts<GlobalOptions>();
  if (!check || (!options.check && !options.ambient.has("check"))) {
    throw new UsageError('Cannot use --no-check with "adc-run doctor": it means nothing there');
  }
  return { ...options, ...behind };
}

function profileOf({ profile }: GlobalOptions): string | false | undefined {
  if (profile === undefined || profile === false) return profile;
  const [name, ...others] = profile;
  if (name !== undefined && others.length === 0) return name;
  throw new UsageError('"adc-run doctor" looks at one profile at a time', {
    suggestion: "Name one with --profile.",
  });
}

function isFine({ status }: Finding): boolean {
  return status === "ok" || status === "skipped";
}

function count(findings: readonly Finding[]): Readonly<Record<Finding["status"], number>> {
  const summary = { ok: 0, warning: 0, failed: 0, skipped: 0 };
  for (const { status } of findings) summary[status] += 1;
  return summary;
}

function print(
  { check, status, found, suggestion }: Finding,
  { env, stdout, terminals }: Io,
): void {
  const colourful = isColourful(env, terminals.stdout);
  const label = status.padEnd(7);
  const shown = colourful ? `\x1b[${COLOURS[status]}m${label}\x1b[39m` : label;
  const clean = (text: string) => oneLine(redact(text, env));
  const lines = [`${shown}  ${check.padEnd(10)}  ${clean(found)}`];
  if (suggestion !== undefined) lines.push(`${" ".repeat(21)}${clean(suggestion)}`);
  stdout.write(`${lines.join("\n")}\n`);
}
