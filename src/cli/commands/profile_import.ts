import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { withAccount } from "../../lifecycle/open_session.ts";
import { adoptToken } from "../../lifecycle/replace_token.ts";
import { openTokenStores, previousToken } from "../../lifecycle/token_stores.ts";
import type { TokenStores } from "../../lifecycle/token_stores.ts";
import { setProfile } from "../../profiles/edit_profiles.ts";
import type { Storage } from "../../store/state.ts";
import { planImport } from "../import_plan.ts";
import type { Candidate, ImportPlan } from "../import_plan.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { canAsk } from "../io.ts";
import type { Io } from "../io.ts";
import type { Reporter } from "../output/report.ts";
import { readPlainCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { askConfirmation } from "../prompts.ts";
import { describeEntries } from "./account.ts";

interface ImportOptions {
  readonly file?: string;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly storage?: string;
  readonly json?: boolean;
}

/** A context that was imported, or would be. */
interface Imported {
  readonly context: string;
  readonly profile: string;
  /** The account that its token is stored under, if it has one. */
  readonly account: string | null;
}

/**
 * Makes a profile of each context, and stores its token. The token comes first: whatever interrupts this,
 * calling it once more completes it.
 */
export async function profileImport(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter } = readPlainCommand<ImportOptions>(call, io, {
    name: "profile import",
    options: ["--file <path>", "--overwrite", "--dry-run", "-y, --yes", "--storage <store>"],
    takes: ["dryRun"],
  });
  const storage = readStorage(options);
  const { env } = io;
  const stores = openTokenStores({ env, keychain: io.keychain, onWarning: reporter.warn });
  const plan = await planImport(options, { io, folder: stores.folder });
  const { path, candidates, skipped, refused } = plan;
  const imported: Imported[] = [];
  const interrupt = abortOnInterrupt(io.signals);
  try {
    if (!options.dryRun && candidates.length > 0) await confirm(plan, { options, storage, io });
    for (const candidate of candidates) {
      interrupt.signal.throwIfAborted();
      const { context, account } = candidate;
      for (const note of context.notes) reporter.warn(`Context "${context.name}": ${note}`);
      const left = !options.dryRun &&
        await importOne(candidate, { options, storage, stores, io, reporter }) === "left";
      const hasToken = context.token !== undefined && !left;
      const { name, profile } = context;
      imported.push({ context: name, profile, account: hasToken ? account : null });
      const entry = describeEntries([account], { storage, folder: stores.folder });
      const where = hasToken
        ? `, its token into ${entry}`
        : left
        ? ", without its token"
        : ", without a token: it has none";
      reporter.info(
        `${options.dryRun ? "would import" : "imported"} "${name}" as "${profile}"${where}`,
      );
    }
  } finally {
    interrupt.release();
  }
  for (const { name, profile } of skipped) {
    reporter.info(
      `ignored "${name}": there is a profile "${profile}", which --overwrite replaces`,
    );
  }
  for (const { name, reason } of refused) {
    reporter.warn(`Context "${name}" cannot be imported: ${reason}.`);
  }
  if (!options.dryRun && imported.some(({ account }) => account !== null)) {
    reporter.info(`"${path}" still holds the tokens: take them out if a7 no longer needs them`);
  }
  const current = imported.find(({ context }) => context === plan.current);
  if (current !== undefined && !options.dryRun) {
    reporter.info(
      `a7 uses "${current.context}": "adc-run profile use ${current.profile}" does so here`,
    );
  }
  if (imported.length + skipped.length + refused.length === 0) {
    reporter.info(`there are no contexts in "${path}"`);
  }
  if (options.json) {
    const passedOver = skipped.map(({ name, profile }) => ({ context: name, profile }));
    const { warnings } = reporter;
    const rest = { skipped: passedOver, refused, dryRun: options.dryRun === true, warnings };
    reporter.print(JSON.stringify({ file: path, imported, ...rest }));
  }
  return refused.length === 0 ? 0 : EXIT.data;
}

function readStorage({ storage = "keychain" }: ImportOptions): Storage {
  if (storage === "keychain" || storage === "file") return storage;
  throw new UsageError(`Cannot use --storage "${storage}": there are keychain and file`);
}

async function confirm(
  { candidates, path }: ImportPlan,
  { options, storage, io }: {
    readonly options: ImportOptions;
    readonly storage: Storage;
    readonly io: Io;
  },
): Promise<void> {
  if (options.yes) return;
  if (!canAsk(io)) {
    throw new UsageError("Cannot import without asking, and nobody can be asked", {
      suggestion: "Look with --dry-run, and agree with --yes.",
    });
  }
  const names = candidates.map(({ context }) => `"${context.profile}"`).join(", ");
  const tokens = candidates.filter(({ context }) => context.token !== undefined).length;
  const question =
    `Import ${names} from ${path}, ${tokens} of them with a token for the ${storage}?`;
  if (!await askConfirmation(question, io)) throw new AdcRunError("Given up", EXIT.interrupted);
}

/** Stores the token, unless another one is there already and is `left`, and makes the profile. */
async function importOne(
  { context, connection, origin, account }: Candidate,
  { options, storage, stores, io, reporter }: {
    readonly options: ImportOptions;
    readonly storage: Storage;
    readonly stores: TokenStores;
    readonly io: Io;
    readonly reporter: Reporter;
  },
): Promise<"stored" | "left" | "none"> {
  const { token, profile, settings } = context;
  let outcome: "stored" | "left" | "none" = "none";
  if (token !== undefined) {
    const place = { stores, storage, account };
    await withAccount(account, async () => {
      const before = await previousToken(place);
      if (before !== undefined && before.fingerprint !== token.fingerprint && !options.overwrite) {
        reporter.warn(
          `Another token is stored for "${profile}" already, and was left as it is: ` +
            "--overwrite replaces it.",
        );
        outcome = "left";
        return;
      }
      await adoptToken(token, { ...place, connection, origin, onWarning: reporter.warn });
      outcome = "stored";
    }, { folder: stores.folder });
  }
  await setProfile(profile, { env: io.env, set: settings, replace: options.overwrite === true });
  return outcome;
}
