import { dirname } from "node:path";
import { EXIT } from "../errors.ts";
import { locateAdc } from "../run/locate.ts";
import { capture } from "../system/capture.ts";
import { environmentWithoutTokens } from "../token/sources.ts";
import type { AdcVersion, DiagnoseOptions, Outcome } from "./diagnose.ts";
import { failed, type Found, ok, warning } from "./finding.ts";
import { cameWithProject } from "./check_files.ts";

const TIME_LIMIT = 10_000;

/** The ADC that adc-run is made for and tested with. */
const TESTED = "0.28";

/**
 * Finds ADC and asks its version.
 *
 * An ADC that came along with the project is not executed, unless it was asked for by name: to look at a
 * cloned repository must not run its programs. ADC gets no token, and starts in its own folder, for
 * runtimes take settings from the one they start in.
 */
export async function checkAdc(options: DiagnoseOptions): Promise<Outcome> {
  const { env, cwd, adc } = options;
  const program = locateAdc({ env, cwd, adc });
  const { name, file } = program;
  const asked = adc !== undefined || Boolean(env.ADC_RUN_ADC);
  // The script's own path, or Node.js itself, where the script is run by one on PATH.
  const foreign = [name, file].find((each) => cameWithProject(each, options));
  if (!asked && foreign !== undefined) {
    return warning(
      `${foreign} came with this folder, so it was not run to ask for its version`,
      "A run would start it, with a token. If you do not want that, install ADC, or set " +
        "its path with --adc or ADC_RUN_ADC.",
      { path: foreign },
    );
  }
  const answer = await capture(program.file, [...program.prefix, "--version"], {
    ...options,
    env: environmentWithoutTokens(env),
    cwd: dirname(name),
    timeout: TIME_LIMIT,
    maxBytes: 65_536,
  });
  const data = { path: name };
  const { notExecutable: exitCode } = EXIT;
  if ("failure" in answer) {
    const found = `${name} did not report its version: it ${answer.failure}`;
    const suggestion = "Run it yourself: adc --version. This system may need another build of ADC.";
    return failed(found, suggestion, { exitCode, data });
  }
  const [version] = /\d+\.\d+\.\d+[\w.+-]*/.exec(answer.stdout) ?? [];
  if (version === undefined) {
    const found = `${name} did not report a version: it may be another program with that name`;
    return failed(found, "Set the path of API7's ADC with --adc or ADC_RUN_ADC.", {
      exitCode,
      data,
    });
  }
  // The Rust ADC's parser puts the program's name in front.
  const adcVersion: AdcVersion = { version, isRust: /^adc \d/.test(answer.stdout) };
  return { findings: [judgeVersion(adcVersion, name)], facts: { adcVersion } };
}

function judgeVersion(adc: AdcVersion, path: string): Found {
  const { version, isRust } = adc;
  const found = `${version} at ${path}`;
  const data = { path, version, rust: isRust };
  if (isRust) {
    return warning(
      `${found} is the ADC written in Rust`,
      "adc-run knows it from its sources and tests with a stand-in. It ignores NODE_EXTRA_CA_CERTS: " +
        "set the CA with ADC_CA_CERT_FILE.",
      data,
    );
  }
  if (isOlder(adc, [0, 21, 2])) {
    return warning(
      `${found}: it uses the first gateway group whose name contains the one you set`,
      'With groups "prod-old" and "prod", "prod" writes to "prod-old". Use ADC 0.21.2 or later.',
      data,
    );
  }
  if (version.startsWith(`${TESTED}.`)) return ok(found, data);
  return warning(
    `${found}: adc-run is tested with ${TESTED}`,
    `It may still work. If not, use ADC ${TESTED}.`,
    data,
  );
}

export function isOlder(
  { version, isRust }: AdcVersion,
  than: readonly [major: number, minor: number, patch: number],
): boolean {
  const numbers = version.split(/[.+-]/).slice(0, 3).map(Number);
  const index = than.findIndex((each, position) => each !== numbers[position]);
  return !isRust && index >= 0 && numbers[index]! < than[index]!;
}
