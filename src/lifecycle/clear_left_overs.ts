import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { openJournal } from "../store/journal.ts";
import { storeFolder } from "../store/private_path.ts";

/**
 * Finishes or undoes what runs had begun that were killed, where the journal knows of any. It is a
 * courtesy: what fails is left to the next run.
 */
export async function clearLeftOvers(
  token: Secret,
  connection: Connection,
  { env, keychain, dispatcher, signal, onWarning, now = Date.now }: Omit<Context, "cwd">,
): Promise<void> {
  if (!BACKENDS[connection.backend.value].hasUsers) return;
  const { origin } = connection.servers[0]!;
  try {
    const entries = await openJournal(storeFolder(env), { onWarning }).list();
    if (!entries.some((entry) => entry.origin === origin)) return;
    const [{ leftOvers, sweep }, { openTokenStores }, { withSession }] = await Promise.all([
      import("./sweep.ts"),
      import("./token_stores.ts"),
      import("./open_session.ts"),
    ]);
    const stores = openTokenStores({ env, keychain, onWarning });
    if ((await leftOvers(origin, stores, now())).length === 0) return;
    await withSession(connection, { token, dispatcher, signal }, async ({ api, user }) => {
      await sweep(api, { stores, user, onWarning, signal, now });
    });
  } catch (error) {
    signal?.throwIfAborted();
    onWarning?.(`Cannot clean up after an interrupted run: ${messageOf(error)}`);
  }
}
