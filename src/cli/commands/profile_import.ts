import { resolveConnection } from "../../connection/connection.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { withAccount } from "../../lifecycle/open_session.ts";
import { adoptToken } from "../../lifecycle/replace_token.ts";
import { describeEntries, previousToken } from "../../lifecycle/token_stores.ts";
import { setProfile } from "../../profiles/edit_profiles.ts";
import { readA7Contexts } from "../../profiles/import_a7.ts";
import { readUserProfiles } from "../../profiles/profile_file.ts";
import { accountOf } from "../../token/token_value.ts";
import { canAsk, type Io, whyNotAsked } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import type { ImportOptions } from "../manual/profile_commands.ts";
import { fixed, line } from "../output/out.ts";
import { requireConfirmation } from "../prompts.ts";
import { storesOf } from "./account.ts";

/**
 * Makes a profile of each of a7's contexts; 65 where one cannot be imported. Its token is stored first:
 * whatever interrupts this, calling it once more completes it.
 */
export async function profileImport(
  { options, reporter }: OwnCall<ImportOptions>,
  io: Io,
): Promise<number> {
  const { storage = "keychain", overwrite = false, dryRun = false } = options;
  const { info, warn } = reporter;
  const stores = storesOf(io, reporter);
  const { folder } = stores;
  const { path, contexts, current, refused } = await readA7Contexts(io, options.file);
  io.secrets.add(...contexts.map(({ token }) => token));
  const { profiles } = await readUserProfiles(io.env);
  const chosen = contexts.filter(({ profile }) => overwrite || !profiles.has(profile));
  const skipped = contexts.filter((each) => !chosen.includes(each))
    .map(({ name, profile }) => ({ context: name, profile }));
  if (!options.yes && !dryRun && chosen.length > 0) {
    const unasked = `Cannot ask for confirmation: ${whyNotAsked(io)}`;
    const suggestion = "Preview with --dry-run, and confirm with --yes.";
    if (!canAsk(io)) throw new UsageError(unasked, { suggestion });
    const names = chosen.map(({ profile }) => `"${profile}"`).join(", ");
    await requireConfirmation(
      `Import ${names} from ${path}, and store the tokens in the ${storage}?`,
      io,
    );
  }
  // What speaks against a context's values must not come from the environment, nor from a project's `.env`.
  const kept = Object.entries(io.env).filter(([name]) => /_proxy$|_ALLOWED_SERVERS$/i.test(name));
  const where = { env: Object.fromEntries(kept), cwd: folder };
  const imported: { context: string; profile: string; account: string | null }[] = [];
  for (const { name, profile, settings, token, note } of chosen) {
    const target = { ...settings, name: profile, file: folder, project: false, explicit: true };
    const refuse = (error: unknown): void => {
      if (!(error instanceof AdcRunError)) throw error;
      refused.push({ name, reason: error.message });
    };
    const connection = await resolveConnection({ ...where, profile: target }).catch(refuse);
    if (connection === undefined) continue;
    if (note !== undefined) warn(`Context "${name}": ${note}`);
    const { origin } = connection.servers[0]!;
    const account = accountOf(origin, connection);
    const place = { stores, storage, account, connection, origin, onWarning: warn } as const;
    const isStored = token !== undefined && (dryRun || await withAccount(account, async () => {
      const before = await previousToken(place);
      const isFree = overwrite || [undefined, token.fingerprint].includes(before?.fingerprint);
      if (!isFree) {
        warn(`Another token is already stored for "${profile}": use --overwrite to replace it.`);
        return false;
      }
      for (const old of await adoptToken(token, place)) info(line`revoked the old token "${old}"`);
      return true;
    }, stores));
    if (!dryRun) await setProfile(profile, { env: io.env, set: settings, replace: overwrite });
    imported.push({ context: name, profile, account: isStored ? account : null });
    const into = isStored
      ? line`its token in ${describeEntries([account], { storage, folder })}`
      : fixed(`without ${token === undefined ? "a" : "its"} token`);
    info(line`${fixed(dryRun ? "would import" : "imported")} "${name}" as "${profile}", ${into}`);
    if (name !== current || dryRun) continue;
    info(line`"${name}" is a7's current context; to use it here: adc-run profile use ${profile}`);
  }
  for (const { context, profile } of skipped) {
    info(line`skipped "${context}": profile "${profile}" exists; use --overwrite to replace it`);
  }
  for (const { name, reason } of refused) warn(`Context "${name}" cannot be imported: ${reason}.`);
  if (!dryRun && imported.some(({ account }) => account !== null)) {
    info(line`"${path}" still contains the tokens: remove them if a7 no longer needs them`);
  }
  if (options.json) reporter.answer({ file: path, imported, skipped, refused, dryRun });
  return refused.length === 0 ? 0 : EXIT.data;
}
