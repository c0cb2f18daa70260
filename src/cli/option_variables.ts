import type { Environment } from "../connection/origin.ts";
import { ConnectionError, EXIT } from "../errors.ts";
import { countOf, splitList } from "./option_values.ts";
import type { GlobalOptions } from "./options.ts";

/** Variables that say yes or no, and the option that each stands for. */
const SWITCHES = {
  ADC_RUN_CHECK: "check",
  ADC_RUN_MASK: "mask",
  ADC_RUN_FAIL_ON_LEAK: "failOnLeak",
  ADC_RUN_DRY_RUN: "dryRun",
  ADC_RUN_KEEP_GOING: "keepGoing",
  ADC_RUN_JSON: "json",
  ADC_RUN_QUIET: "quiet",
} as const;

/**
 * Every variable that stands for an option; `ADC_RUN_ADC` and `ADC_RUN_PROFILE` are read where they are used.
 */
export const OPTION_VARIABLES: readonly string[] = [
  ...Object.keys(SWITCHES),
  "ADC_RUN_NO_PROFILE",
  "ADC_RUN_SOURCE",
  "ADC_RUN_ENV_FILE",
  "ADC_RUN_EPHEMERAL",
  "ADC_RUN_PARALLEL",
];

/** Reads the variables; an empty one counts as unset. A `.env` file is not asked. */
export function readVariables(env: Environment): Partial<GlobalOptions> {
  const options: Record<string, unknown> = {};
  for (const [variable, option] of Object.entries(SWITCHES)) {
    const value = readSwitch(variable, env);
    if (value !== undefined) options[option] = value;
  }
  // A child of a run for several targets has its own target's name, which counts.
  const none = readSwitch("ADC_RUN_NO_PROFILE", env);
  if (none && !env.ADC_RUN_PROFILE) options.profile = false;
  const { ADC_RUN_SOURCE: source, ADC_RUN_ENV_FILE: envFile } = env;
  const { ADC_RUN_EPHEMERAL: ephemeral, ADC_RUN_PARALLEL: parallel } = env;
  if (source) options.source = splitList(source);
  if (envFile) options.envFile = envFile;
  if (ephemeral) {
    const value = yesOrNo(ephemeral);
    if (value === undefined) options.ephemeralTtl = ephemeral;
    else options.ephemeral = value;
  }
  if (parallel) {
    const count = countOf(parallel);
    if (count === undefined) throw wrong("ADC_RUN_PARALLEL", "a whole number from 1 to 1000");
    options.parallel = count;
  }
  return options;
}

function readSwitch(variable: string, env: Environment): boolean | undefined {
  const text = env[variable];
  if (!text) return undefined;
  const value = yesOrNo(text);
  if (value === undefined) throw wrong(variable, "true or false");
  return value;
}

function yesOrNo(text: string): boolean | undefined {
  if (/^(1|true|yes|on)$/i.test(text.trim())) return true;
  return /^(0|false|no|off)$/i.test(text.trim()) ? false : undefined;
}

/** Without the value: people put tokens into the wrong variable. */
function wrong(variable: string, wanted: string): ConnectionError {
  return new ConnectionError(`Cannot use ${variable}: its value is not ${wanted}`, EXIT.config);
}
