import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { adcCommand } from "../connection/adc_command.ts";
import { AdcRunError, EXIT, throwIfNotCapable } from "../errors.ts";

/**
 * The files that ADC writes without being told their names; `-o` names another, but not for `diff`.
 */
const OUTPUTS: ReadonlyMap<string, string> = new Map([
  ["diff", "diff.yaml"],
  ["dump", "adc.yaml"],
  ["convert", "adc.yaml"],
]);

/**
 * Refuses to start ADC where the file that it writes by default is a symbolic link.
 *
 * `adc diff` writes `diff.yaml` without being asked, and follows a link of that name. One that came with
 * a cloned repository could lead to the user's `~/.bashrc`, to be overwritten with text from the same
 * repository's `adc.yaml`.
 */
export function refuseLinkedOutput(words: readonly string[], cwd: string): void {
  const [command = ""] = words;
  const name = OUTPUTS.get(command);
  if (name === undefined) return;
  const target = linkTarget(join(cwd, name));
  if (target === undefined || (command !== "diff" && hasOutput(words))) return;
  throw new AdcRunError(
    `Cannot run ADC: "${command}" writes "${name}", which is a link to "${target}"`,
    EXIT.data,
    {
      suggestion: "Remove the link: ADC would overwrite what it leads to." +
        (command === "diff" ? "" : ` If that is meant, add "-o ${name}".`),
    },
  );
}

function hasOutput(words: readonly string[]): boolean {
  const command = adcCommand();
  command.parseOptions([...words]);
  return command.opts<{ readonly output?: string }>().output !== undefined;
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    throwIfNotCapable(error);
    return undefined;
  }
}
