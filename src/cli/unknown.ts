import { CONNECTION_OPTIONS } from "../adc/parse_arguments.ts";
import { UsageError } from "../errors.ts";
import { nearest } from "../system/nearest.ts";
import { ADC_COMMANDS, HIDDEN_ADC_COMMANDS } from "./manual/adc_commands.ts";
import { COMMANDS, subcommandsOf } from "./manual/manual.ts";

/**
 * Refuses a first word that is nearly a command of adc-run or ADC. Any other unknown word is ADC's: a
 * newer ADC may have more commands.
 */
export function refuseMistypedCommand(word: string): void {
  const ours = COMMANDS.map(({ name }) => name).filter((name) => !name.includes(" "));
  const adcs = ADC_COMMANDS.map(({ name }) => name);
  if ([...ours, ...adcs, ...HIDDEN_ADC_COMMANDS].includes(word) || word.startsWith("-")) return;
  // "adc-run login" is "adc-run auth login" with a word left out.
  const subcommands = subcommandsOf("auth");
  const near = nearest(word, [...ours, ...adcs, ...subcommands]);
  if (near === undefined) return;
  const meant = subcommands.includes(near) ? `auth ${near}` : near;
  throw new UsageError(`There is no command "${word}": did you mean "${meant}"?`, {
    suggestion: `To hand it to ADC all the same: adc-run -- ${word}`,
  });
}

/** The error for a command that is not complete, or whose second word is none of its own. */
export function unknownSubcommand(command: string, name: string | undefined): UsageError {
  const names = subcommandsOf(command);
  const meant = name === undefined ? undefined : nearest(name, names);
  const found = name === undefined
    ? `There is no ${command} command`
    : `There is no command "${command} ${name}"`;
  const all = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
  return new UsageError(meant === undefined ? found : `${found}: did you mean "${meant}"?`, {
    suggestion: `There are ${command} ${all}.`,
  });
}

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
