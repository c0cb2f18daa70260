import { dirname } from "node:path";
import { EXIT } from "../errors.ts";
import { plainEnvironment } from "../run/environment.ts";
import { locateAdc } from "../run/locate.ts";
import type { Spawner } from "../system/spawn.ts";
import { askProgram } from "./ask_program.ts";
import type { Found } from "./finding.ts";
import { cameWithProject } from "./tracked_files.ts";
import type { Place } from "./tracked_files.ts";

/** How long ADC may take to say its version, in milliseconds. */
const TIME_LIMIT = 10_000;

/** The ADC that adc-run is made for and tested with. */
const TESTED = "0.28";

/** What `checkAdc` looks at. */
export interface CheckAdcOptions extends Place {
  readonly adc: string | undefined;
  /** Ends the check. */
  readonly signal: AbortSignal | undefined;
  /** How ADC is started. */
  readonly spawn: Spawner | undefined;
}

/**
 * Finds ADC and asks its version.
 *
 * An ADC that came along with the project is not executed, unless it was asked for by name: to look at a
 * cloned repository must not run its programs. ADC gets no token, and starts in its own folder, for
 * runtimes take settings from the one they start in.
 */
export async function checkAdc(options: CheckAdcOptions): Promise<Found> {
  const { env, cwd, adc, signal, spawn } = options;
  const program = locateAdc({ env, cwd, adc });
  const { name, file } = program;
  const asked = adc !== undefined || Boolean(env.ADC_RUN_ADC);
  // The script's own path, or Node.js itself, where the script is run by one on PATH.
  const foreign = [name, file].find((each) => cameWithProject(each, options));
  if (!asked && foreign !== undefined) {
    return {
      status: "warning",
      found: `${foreign} came along with this folder, and was not executed to ask its version`,
      suggestion:
        "A run would execute it, with a token. If that is not meant, install ADC, or name " +
        "one with --adc or ADC_RUN_ADC.",
      data: { path: foreign },
    };
  }
  const answer = await askProgram(program, ["--version"], {
    env: withoutTokens(plainEnvironment(env)),
    cwd: dirname(name),
    timeout: TIME_LIMIT,
    signal,
    spawn,
  });
  if ("failure" in answer || answer.code !== 0) {
    const failure = "failure" in answer
      ? answer.failure
      : `it ended with ${answer.code ?? "a signal"}`;
    return {
      status: "failed",
      found: `${name} does not tell its version: ${failure}`,
      suggestion: "Try it by hand: adc --version. Another build of ADC may fit this system.",
      exitCode: EXIT.notExecutable,
      data: { path: name },
    };
  }
  const [version] = /\d+\.\d+\.\d+[\w.+-]*/.exec(answer.stdout) ?? [];
  if (version === undefined) {
    return {
      status: "failed",
      found: `${name} tells no version: it may be another program of that name`,
      suggestion: "Name API7's ADC with --adc or ADC_RUN_ADC.",
      exitCode: EXIT.notExecutable,
      data: { path: name },
    };
  }
  const data = { path: name, version };
  if (version.startsWith(`${TESTED}.`)) {
    return { status: "ok", found: `${version} at ${name}`, data };
  }
  return {
    status: "warning",
    found: `${version} at ${name}: adc-run is tested with ${TESTED}`,
    suggestion: `It may work all the same. Otherwise take ADC ${TESTED}.`,
    data,
  };
}

/** To say its version, ADC needs none. */
function withoutTokens(
  env: Record<string, string | undefined>,
): Record<string, string | undefined> {
  const { ADC_TOKEN: _token, API_KEY: _key, ...rest } = env;
  return rest;
}
