import { diagnose } from "../../doctor/diagnose.ts";
import type { Finding } from "../../doctor/finding.ts";
import { EXIT, UsageError } from "../../errors.ts";
import type { GlobalOptions } from "../global_options.ts";
import { interruptible, type Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import { fixed, line } from "../output/out.ts";
import { inColour, type Reporter } from "../output/report.ts";
import { sourcesOf } from "../settings.ts";

const COLOURS: Readonly<Record<Finding["status"], number>> = {
  ok: 32,
  warning: 33,
  failed: 31,
  skipped: 90,
};

export async function doctor(
  { options, connectionWords, reporter }: OwnCall,
  io: Io,
): Promise<number> {
  const { env, cwd, keychain } = io;
  const findings: Finding[] = [];
  await interruptible(io, async (signal) => {
    const diagnosis = diagnose({
      env,
      cwd,
      args: connectionWords,
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
      signal,
    });
    for await (const finding of diagnosis) {
      findings.push(finding);
      if (!options.json && !(options.quiet && isFine(finding))) print(finding, io, reporter);
    }
  });
  const failure = findings.find(({ status }) => status === "failed");
  const exitCode = failure === undefined ? 0 : failure.exitCode ?? EXIT.config;
  if (options.json) {
    reporter.printJson({ findings, summary: count(findings), exitCode });
  } else if (!options.quiet) {
    const { warning, failed } = count(findings);
    reporter.print(
      fixed(`\n${failed} failed, ${warning} ${warning === 1 ? "warning" : "warnings"}`),
    );
  }
  return exitCode;
}

function profileOf({ profile }: GlobalOptions): string | false | undefined {
  if (profile === undefined || profile === false) return profile;
  const [name, ...others] = profile;
  if (name !== undefined && others.length === 0) return name;
  throw new UsageError('"adc-run doctor" checks one profile at a time', {
    suggestion: "Choose one with --profile.",
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
  io: Io,
  reporter: Reporter,
): void {
  const label = inColour(status.padEnd(7), COLOURS[status], io, "stdout");
  reporter.print(line`${label}  ${fixed(check.padEnd(10))}  ${found}`);
  if (suggestion !== undefined) reporter.print(line`${fixed(" ".repeat(21))}${suggestion}`);
}
