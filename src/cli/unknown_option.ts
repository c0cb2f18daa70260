import { CONNECTION_OPTIONS } from "../connection/adc_options.ts";
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";

/**
 * The error for an option that is not there. The word may hold a secret behind its `=`, so only its name is
 * shown.
 */
export function unknownOption(
  word: string,
  { command, names }: { readonly command?: string; readonly names: readonly string[] },
): UsageError {
  const [written = ""] = word.split("=");
  // A value can follow a short option without a space, and a long one where the equals sign was left out.
  const name = /^(-[a-zA-Z]|--[a-z]+(-[a-z]+)*)$/.test(written)
    ? written
    : `${written.slice(0, 2)}…`;
  // Own commands take ADC's flags themselves, or have no use for them.
  const adcs = command === undefined ? CONNECTION_OPTIONS.map((flags) => flags.split(" ")[0]!) : [];
  const meant = nearestOption(written, names) ?? nearestOption(written, adcs);
  const found = `There is no option "${name}" here`;
  return new UsageError(
    meant === undefined || meant === name ? found : `${found}: did you mean "${meant}"?`,
    {
      suggestion: meant !== undefined && adcs.includes(meant)
        ? `It is ADC's: write it behind the command, as in "adc-run sync ${meant} …".`
        : `See "adc-run ${command === undefined ? "" : `${command} `}--help".`,
    },
  );
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
