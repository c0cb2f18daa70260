import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
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
