import { UsageError } from "../../errors.ts";
import { useProfile } from "../../profiles/edit_profiles.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";

/** Chooses the default profile, or none. */
export async function profileUse(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter, operands } = readPlainCommand<{ none?: boolean }>(call, io, {
    name: "profile use",
    options: ["--none"],
    operands: { most: 1, what: "one name" },
  });
  const [name] = operands;
  if ((name === undefined) !== (options.none === true)) {
    throw new UsageError('"adc-run profile use" needs a name, or --none', {
      suggestion: 'See "adc-run profile list".',
    });
  }
  const { before } = await useProfile(name, { env: io.env });
  if (io.env.ADC_RUN_PROFILE) {
    reporter.warn("ADC_RUN_PROFILE is set, and counts instead.");
  }
  if (options.json) {
    const { warnings } = reporter;
    reporter.print(JSON.stringify({ use: name ?? null, before: before.use ?? null, warnings }));
    return 0;
  }
  reporter.info(
    name === undefined
      ? "no profile is used by default"
      : `profile "${name}" is used where none is named`,
  );
  return 0;
}
