import { resolveConnection } from "../connection/connection.ts";
import type { Connection } from "../connection/connection.ts";
import type { Environment } from "../context.ts";
import { AdcRunError, EXIT, messageOf } from "../errors.ts";
import { readA7Contexts } from "../profiles/import_a7.ts";
import type { A7Context, RefusedContext } from "../profiles/import_a7.ts";
import { readUserProfiles } from "../profiles/profile_file.ts";
import { accountOf, validateToken } from "../token/token_value.ts";
import type { Io } from "./io.ts";

/** A context that is to be imported, and where its token goes. */
export interface Candidate {
  readonly context: A7Context;
  /** Where its token is used. */
  readonly connection: Connection;
  readonly origin: string;
  /** The account that its token is stored under. */
  readonly account: string;
}

/** What there is to do. */
export interface ImportPlan {
  /** a7's file. */
  readonly path: string;
  readonly current: string | undefined;
  /** What is to be imported. */
  readonly candidates: readonly Candidate[];
  /** Contexts whose profiles are there already. */
  readonly skipped: readonly A7Context[];
  /** Contexts that cannot be imported. */
  readonly refused: readonly RefusedContext[];
}

/** Finds out what there is to import. */
export async function planImport(
  { file, overwrite }: {
    readonly file?: string | undefined;
    readonly overwrite?: boolean | undefined;
  },
  { io, folder }: { readonly io: Io; readonly folder: string },
): Promise<ImportPlan> {
  const { env, cwd } = io;
  const { path, contexts, current, refused } = await readA7Contexts({ env, cwd, file });
  const { profiles } = await readUserProfiles(env);
  const bad = [...refused];
  const candidates: Candidate[] = [];
  const skipped = contexts.filter(({ profile }) => !overwrite && profiles.has(profile));
  for (const context of contexts.filter((each) => !skipped.includes(each))) {
    try {
      candidates.push(await connect(context, { env, folder }));
    } catch (error) {
      if (!(error instanceof AdcRunError)) throw error;
      bad.push({ name: context.name, reason: messageOf(error) });
    }
  }
  return { path, current, candidates, skipped, refused: bad };
}

/**
 * Tries a context's values as a run would, with nothing of the environment that would speak against them.
 */
async function connect(
  context: A7Context,
  { env, folder }: { readonly env: Environment; readonly folder: string },
): Promise<Candidate> {
  const { profile: name, settings, token } = context;
  const defect = token && validateToken(token, "api7ee");
  if (defect !== undefined) throw new AdcRunError(`its token cannot be used, ${defect}`, EXIT.data);
  const kept = Object.entries(env).filter(([variable]) =>
    /_proxy$/i.test(variable) || variable === "ADC_RUN_ALLOWED_SERVERS"
  );
  const profile = { ...settings, name, file: folder, project: false, explicit: true };
  const connection = await resolveConnection({
    env: Object.fromEntries(kept),
    // Nobody keeps a `.env` there, and that of a project must have no say.
    cwd: folder,
    profile,
  });
  const { origin } = connection.servers[0]!;
  return { context, connection, origin, account: accountOf(origin, { profile }) };
}
