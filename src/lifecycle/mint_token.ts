import type { AdminApi } from "../admin_api/admin_api.ts";
import type { NewToken, User } from "../admin_api/shapes.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { AdminApiFailure } from "../admin_api/admin_api_error.ts";
import type { Journal, JournalEntry } from "../store/journal.ts";

/** How a token is to be made. */
export interface MintOptions {
  /** Where the token is noted. */
  readonly journal: Journal;
  /** Who asks: the token will be this user's. */
  readonly user: User;
  /** Its name, which no other token has. */
  readonly name: string;
  /** Its end in Unix seconds, or `undefined` for never. */
  readonly expiresAt: number | undefined;
  /** What the journal says of it beside. */
  readonly note: Pick<JournalEntry, "kind" | "account" | "storage" | "rename">;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** A token that exists on the server and in the journal. */
export interface MintedToken {
  /** The token and what the server says of it. */
  readonly fresh: NewToken;
  /** Takes the token out of the journal: it is kept, or gone. */
  settle(): Promise<void>;
  /** Revokes the token and takes it out of the journal. */
  undo(): Promise<void>;
}

/** After these the server may have made the token all the same. */
const UNCLEAR: readonly AdminApiFailure[] = [
  "unreachable",
  "timeout",
  "tls",
  "server-error",
  "wrong-server",
];

/** Makes a token. */
export async function mintToken(api: AdminApi, options: MintOptions): Promise<MintedToken> {
  const { journal, user, name, expiresAt, note, signal } = options;
  const { key } = await journal.add({
    ...note,
    origin: api.origin,
    userId: user.id,
    name,
    ...(expiresAt !== undefined && { expiresAt }),
  });
  let fresh: NewToken;
  try {
    fresh = await api.createToken({ name, expiresAt, isUnique: true }, { signal });
  } catch (error) {
    // The client has looked for the token where the answer was lost. Where it could not look, the entry
    // stays, and a later run will.
    const unclear = signal?.aborted ||
      (error instanceof AdminApiError && UNCLEAR.includes(error.failure));
    if (!unclear) await journal.remove(key);
    throw error;
  }
  const settle = () => journal.remove(key);
  const undo = async () => {
    await api.revokeToken(fresh.id);
    await settle();
  };
  try {
    await journal.change(key, { id: fresh.id, fingerprint: fresh.token.fingerprint });
  } catch (error) {
    await undo().catch(() => {});
    throw error;
  }
  return { fresh, settle, undo };
}
