/**
 * Options that are not there, and those that were meant.
 *
 * @module
 */

import type { Command } from "commander";
import { CONNECTION_OPTIONS } from "../connection/adc_options.ts";
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";

/**
 * The error for an option that is not there. The word may hold a secret behind its `=`, so only its name is
 * shown.
 *
 * @param word What was written.
 * @param command The options that there are.
 * @returns The error, to be thrown.
 */
export function unknownOption(word: string, command: Command): UsageError {
  const [written = ""] = word.split("=");
  // A value can follow a short option without a space, and a long one where the equals sign was left out.
  const name = /^(-[a-zA-Z]|--[a-z]+(-[a-z]+)*)$/.test(written)
    ? written
    : `${written.slice(0, 2)}…`;
  const own = namesOf(command);
  // Own commands take ADC's flags themselves, or have no use for them.
  const before = command.name() === "adc-run";
  const adcs = before ? CONNECTION_OPTIONS.map((flags) => flags.split(" ")[0]!) : [];
  const meant = nearestOption(written, own) ?? nearestOption(written, adcs);
  const found = `There is no option "${name}" here`;
  return new UsageError(
    meant === undefined || meant === name ? found : `${found}: did you mean "${meant}"?`,
    {
      suggestion: meant !== undefined && adcs.includes(meant)
        ? `It is ADC's: write it behind the command, as in "adc-run sync ${meant} …".`
        : `See "adc-run ${before ? "" : `${command.name()} `}--help".`,
    },
  );
}

function namesOf({ options }: Command): readonly string[] {
  return options.flatMap(({ short, long }) => [short, long])
    // It is how --ephemeral=TTL is handed to the parser.
    .filter((name) => name !== undefined && name !== "--ephemeral-ttl") as string[];
}

/** Any letter is near any other: of a short option only capitals and small letters are confused. */
function nearestOption(word: string, names: readonly string[]): string | undefined {
  if (word.startsWith("--")) {
    return nearest(word.slice(2), names.filter((name) => name.startsWith("--")).map(bare))
      ?.replace(/^/, "--");
  }
  return names.find((name) => name.length === 2 && name.toLowerCase() === word.toLowerCase());
}

const bare = (name: string): string => name.replace(/^-+/, "");
