import { dirname } from "node:path";
import { EXIT } from "../errors.ts";
import { plainEnvironment } from "../run/environment.ts";
import { locateAdc } from "../run/locate.ts";
import { capture } from "../system/capture.ts";
import type { DiagnoseOptions } from "./diagnose.ts";
import { failed, type Found, ok, warning } from "./finding.ts";
import { cameWithProject } from "./tracked_files.ts";

/** How long ADC may take to say its version, in milliseconds. */
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
export async function checkAdc(options: DiagnoseOptions): Promise<Found> {
  const { env, cwd, adc } = options;
  const program = locateAdc({ env, cwd, adc });
  const { name, file } = program;
  const asked = adc !== undefined || Boolean(env.ADC_RUN_ADC);
  // The script's own path, or Node.js itself, where the script is run by one on PATH.
  const foreign = [name, file].find((each) => cameWithProject(each, options));
  if (!asked && foreign !== undefined) {
    return warning(
      `${foreign} came along with this folder, and was not executed to ask its version`,
      "A run would execute it, with a token. If that is not meant, install ADC, or name " +
        "one with --adc or ADC_RUN_ADC.",
      { path: foreign },
    );
  }
  const { ADC_TOKEN: _token, API_KEY: _key, ...withoutTokens } = plainEnvironment(env);
  const answer = await capture(program.file, [...program.prefix, "--version"], {
    ...options,
    env: withoutTokens,
    cwd: dirname(name),
    timeout: TIME_LIMIT,
    maxBytes: 65_536,
  });
  const data = { path: name };
  const { notExecutable: exitCode } = EXIT;
  if ("failure" in answer) {
    const found = `${name} does not tell its version: it ${answer.failure}`;
    const suggestion = "Try it by hand: adc --version. Another build of ADC may fit this system.";
    return failed(found, suggestion, { exitCode, data });
  }
  const [version] = /\d+\.\d+\.\d+[\w.+-]*/.exec(answer.stdout) ?? [];
  if (version === undefined) {
    const found = `${name} tells no version: it may be another program of that name`;
    return failed(found, "Name API7's ADC with --adc or ADC_RUN_ADC.", { exitCode, data });
  }
  const found = `${version} at ${name}`;
  if (takesFirstHit(version)) {
    return warning(
      `${found}: ADC before 0.21.2 looks for a part of the gateway group's name, and takes the first hit`,
      `With the groups "prod-old" and "prod" it can change the wrong one. Take ADC ${TESTED}.`,
      { ...data, version },
    );
  }
  return version.startsWith(`${TESTED}.`) ? ok(found, { ...data, version }) : warning(
    `${found}: adc-run is tested with ${TESTED}`,
    `It may work all the same. Otherwise take ADC ${TESTED}.`,
    { ...data, version },
  );
}

function takesFirstHit(version: string): boolean {
  const [major, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  return major === 0 && (minor < 21 || (minor === 21 && patch < 2));
}
