import { UsageError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { SCRIPTS, SHELLS } from "../completion/scripts.ts";
import type { Shell } from "../completion/scripts.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";

/** Prints the script that completes adc-run's words in a shell. */
export async function completion(call: OwnCall, io: Io): Promise<number> {
  const { operands } = readPlainCommand<object>(call, io, {
    name: "completion",
    options: [],
    operands: { least: 1, most: 1, what: "one shell" },
  });
  const name = operands[0]!;
  if (!isShell(name)) {
    const meant = nearest(name, SHELLS);
    throw new UsageError(
      `There is no completion for "${name}"${
        meant === undefined ? "" : `: did you mean "${meant}"?`
      }`,
      { suggestion: `There is one for ${SHELLS.join(", ")}.` },
    );
  }
  io.stdout.write(SCRIPTS[name]);
  return await Promise.resolve(0);
}

function isShell(name: string): name is Shell {
  return (SHELLS as readonly string[]).includes(name);
}
