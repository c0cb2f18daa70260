import { removeProfiles } from "../../profiles/edit_profiles.ts";
import { storeFolder } from "../../store/folder.ts";
import { openState } from "../../store/state.ts";
import type { TokenRecord } from "../../store/state.ts";
import { describeEntries } from "../entries.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";
import type { Reporter } from "../report.ts";

/** Removes profiles, and says which tokens were stored for them and stay. */
export async function profileRemove(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter, operands } = readPlainCommand(call, io, {
    name: "profile remove",
    options: [],
    operands: { least: 1, what: "the names of profiles" },
  });
  const folder = storeFolder(io.env);
  const left = await storedFor(operands, { folder, reporter });
  const { before, after } = await removeProfiles(operands, { env: io.env });
  for (const { account, storage } of left) {
    const entry = describeEntries([account], { storage, folder });
    const profile = account.slice(0, account.indexOf("@"));
    reporter.warn(
      `The token of profile "${profile}" stays in ${entry}, and stays valid on the server. ` +
        'To revoke one, call "adc-run -p NAME auth logout" before its profile goes.',
    );
  }
  const cleared = before.use !== undefined && after.use === undefined;
  const removed = [...new Set(operands)];
  if (options.json) {
    const tokens = left.map(({ account, storage }) => ({ account, storage }));
    const { warnings } = reporter;
    reporter.print(JSON.stringify({ removed, use: after.use ?? null, tokens, warnings }));
    return 0;
  }
  reporter.info(`removed ${removed.map((name) => `"${name}"`).join(", ")}`);
  if (cleared) reporter.info("it was the default profile; none is used by default now");
  return 0;
}

/** A state that cannot be read must not keep a profile from being removed. */
async function storedFor(
  names: readonly string[],
  { folder, reporter }: { readonly folder: string; readonly reporter: Reporter },
): Promise<readonly TokenRecord[]> {
  try {
    const records = await openState(folder, {}).list();
    return records.filter(({ account }) => names.some((name) => account.startsWith(`${name}@`)));
  } catch {
    reporter.warn("Whether tokens are stored for it could not be found out.");
    return [];
  }
}
