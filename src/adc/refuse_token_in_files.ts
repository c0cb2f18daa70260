import process from "node:process";
import { readEnvFile } from "../connection/env_file.ts";
import type { Environment } from "../connection/origin.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import { createMask } from "../mask/mask.ts";
import type { Secret } from "../secret.ts";
import { SHORTEST_SECRET } from "../secret.ts";
import { readConfigurationFiles } from "./configuration_files.ts";

/** What ADC is about to be started with. */
export interface FileGuardOptions {
  /** ADC's command and its options. */
  readonly words: readonly string[];
  readonly cwd: string;
  /** The child's environment; ADC adds what it finds in `.env`. */
  readonly env: Environment;
  readonly secrets: readonly Secret[];
  /** The platform: the names of variables are the same in capitals on Windows. */
  readonly platform?: string;
}

/**
 * Refuses configuration files that would have ADC write a secret of the run into the configuration.
 *
 * ADC replaces `${NAME}` in its configuration files from its environment. With `${ADC_TOKEN}` whoever
 * wrote the file, such as the author of a cloned repository, could have the token sent to the gateway as
 * the name of a route, from where others can read it, and `adc diff` writes it to `diff.yaml`. Nobody
 * means that.
 */
export async function refuseTokenInFiles(options: FileGuardOptions): Promise<void> {
  const { words, cwd, platform = process.platform } = options;
  const sameCase = (name: string) => platform === "win32" ? name.toUpperCase() : name;
  let names: ReadonlySet<string> | undefined;
  for await (const file of readConfigurationFiles(words, cwd)) {
    if (!/[$\\]/.test(file.text)) continue;
    names ??= new Set((await variablesWithSecrets(options)).map(sameCase));
    if (!mayName(file.text, (name) => names!.has(sameCase(name)))) continue;
    const { findVariables } = await import("./find_variables.ts");
    for (const { name, place } of findVariables(file)) {
      if (!names.has(sameCase(name))) continue;
      throw new AdcRunError(
        `Cannot hand "${file.name}" to ADC: ${place ?? "it"} has "\${${name}}", ` +
          "which ADC would replace by a secret",
        EXIT.data,
        {
          suggestion: "The secret would become part of the gateway's configuration. Take it out; " +
            `where the text itself is meant, write "\\\${${name}}".`,
        },
      );
    }
  }
}

/**
 * A quick look that spares most files the parser. Only the escapes of a double-quoted text can make up
 * a `${NAME}` that does not stand in the file as it is.
 */
function mayName(text: string, isOne: (name: string) => boolean): boolean {
  if (/\\[xuU\r\n]/.test(text)) return true;
  for (const [, name] of text.matchAll(/\$\{(\w+)\}/g)) if (isOne(name!)) return true;
  return false;
}

/** Addresses, whose password may be too short to be looked for elsewhere. */
const ADDRESSES = /^(adc_server|(https?|all)_proxy)$/i;

async function variablesWithSecrets(
  { env, cwd, secrets }: FileGuardOptions,
): Promise<readonly string[]> {
  // ADC loads `.env` whatever adc-run was told.
  const dotEnv = await readEnvFile(".env", cwd);
  const variables = Object.entries({ ...Object.fromEntries(dotEnv.entries()), ...env });
  // A short one, such as a password "prod", turns up in values that have nothing to do with it.
  const mask = createMask(secrets.filter((secret) => secret.reveal().length >= SHORTEST_SECRET));
  const isSecret = (name: string, value: string) =>
    name === "ADC_TOKEN" || secrets.some((secret) => secret.reveal() === value) ||
    (ADDRESSES.test(name) && value.includes("@")) || mask.text(value) !== value;
  return variables
    .filter(([name, value]) => value !== undefined && isSecret(name, value))
    .map(([name]) => name);
}
