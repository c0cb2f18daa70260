import { diagnose } from "../../doctor/diagnose.ts";
import type { Finding } from "../../doctor/finding.ts";
import { EXIT } from "../../errors.ts";
import { interruptible, type Io } from "../io.ts";
import type { TargetOptions } from "../manual/auth_commands.ts";
import type { OwnCall } from "../manual/manual.ts";
import { hasSymbols } from "../output/layout.ts";
import { fixed, line, type Text } from "../output/out.ts";
import { mark, tally } from "../output/report.ts";
import { forTarget, sourcesOf, targetNames } from "../settings.ts";

type Counts = Readonly<Record<Finding["status"], number>>;

export async function doctor(call: OwnCall<TargetOptions>, io: Io): Promise<number> {
  const { options, reporter } = call;
  // Profiles that cannot be read are one of the findings.
  const names = await targetNames(call, io).catch((error) => {
    if (options.all || (options.profile || []).length > 1) throw error;
    return undefined;
  });
  if (names !== undefined) return await doctorOfMany(names, call, io);
  const screen = options.json ? undefined : openScreen(call, io);
  const findings = await findingsOf(call, io, (finding) => screen?.add(finding));
  const exitCode = exitCodeOf(findings);
  if (options.json) reporter.answer({ findings, summary: count(findings), exitCode });
  else screen?.finish();
  return exitCode;
}

async function findingsOf(
  { options, connectionWords, reporter }: OwnCall,
  io: Io,
  tell?: (finding: Finding) => void,
): Promise<readonly Finding[]> {
  const { env, cwd, keychain } = io;
  const findings: Finding[] = [];
  io.sign?.show(fixed("checking"));
  await interruptible(io, async (signal) => {
    const diagnosis = diagnose({
      env,
      cwd,
      keychain,
      args: connectionWords,
      envFile: options.envFile,
      profile: options.profile && options.profile[0],
      adc: options.adc,
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
      tell?.(finding);
      io.sign?.show(fixed("checking"));
    }
  });
  io.sign?.hide();
  return findings;
}

function exitCodeOf(findings: readonly Finding[]): number {
  const failure = findings.find(({ status }) => status === "failed");
  return failure === undefined ? 0 : failure.exitCode ?? EXIT.config;
}

/** Problems as they come, in full; what is fine, and what could not be checked, at the end in a line. */
function openScreen({ options, reporter }: OwnCall, io: Io): {
  add(finding: Finding): void;
  finish(): void;
} {
  const { verbose, quiet } = options;
  const findings: Finding[] = [];
  const row = (status: Finding["status"], name: string, text: Text) => {
    const label = mark(status, io, "stdout", `${status.padEnd(7)}  `);
    reporter.print(line`${label}${fixed(name.padEnd(10))}  ${text}`);
  };
  return {
    add: (finding) => {
      findings.push(finding);
      const { check, status, found, suggestion } = finding;
      const isFine = status === "ok" || status === "skipped";
      if (isFine && (!verbose || quiet)) return;
      row(status, check, found);
      const margin = " ".repeat(hasSymbols(io, "stdout") ? 14 : 21);
      if (suggestion !== undefined) {
        reporter.print(line`${fixed(margin)}${fixed(isFine ? "" : "fix: ")}${suggestion}`);
      }
    },
    finish: () => {
      if (quiet) return;
      const { ok } = count(findings);
      const skipped = [
        ...new Set(findings.filter(({ status }) => status === "skipped").map(({ check }) => check)),
      ];
      if (!verbose && skipped.length > 0) row("skipped", skipped.join(", "), fixed("not checked"));
      if (!verbose && ok > 0) {
        const [noun, more] = [ok === 1 ? "check" : "checks", findings.length > ok ? " more" : ""];
        reporter.print(
          line`${mark("ok", io, "stdout")}${fixed(`${ok}${more} ${noun} passed (-v)`)}`,
        );
      }
      reporter.print(fixed(summaryOf(count(findings))));
    },
  };
}

function summaryOf({ failed, warning }: Counts): string {
  const plural = (number: number, noun: string) => number === 1 ? noun : `${noun}s`;
  const problems = tally([failed, plural(failed, "problem")], [
    warning,
    plural(warning, "warning"),
  ]);
  return problems || "no problems";
}

async function doctorOfMany(
  names: readonly string[],
  call: OwnCall<TargetOptions>,
  io: Io,
): Promise<number> {
  const { options, reporter } = call;
  const targets = [];
  for (const profile of names) {
    const findings = await findingsOf(forTarget(profile, call), io);
    targets.push({ profile, findings, summary: count(findings), exitCode: exitCodeOf(findings) });
  }
  const exitCode = targets.find((each) => each.exitCode !== 0)?.exitCode ?? 0;
  if (options.json) reporter.answer({ targets, exitCode });
  else {
    reporter.table(targets.map(({ profile, summary }) => {
      const state = summary.failed > 0 ? "failed" : summary.warning > 0 ? "warning" : "ok";
      return [
        line`${mark(state, io, "stdout")}${profile}`,
        fixed(summaryOf(summary)),
        state === "ok" ? "" : line`adc-run -p ${profile} doctor`,
      ];
    }));
  }
  return exitCode;
}

function count(findings: readonly Finding[]): Counts {
  const summary = { ok: 0, warning: 0, failed: 0, skipped: 0 };
  for (const { status } of findings) summary[status] += 1;
  return summary;
}
