import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { AdminApi } from "../admin_api/admin_api.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { NewToken, User } from "../admin_api/shapes.ts";
import { EXIT, UsageError } from "../errors.ts";
import type { Journal, JournalEntry } from "../store/journal.ts";

export interface MintOptions {
  readonly journal: Journal;
  readonly user: User;
  readonly name: string;
  readonly expiresAt: number | undefined;
  readonly note: Pick<JournalEntry, "kind" | "account" | "storage" | "rename">;
  readonly signal?: AbortSignal | undefined;
}

interface MintedToken {
  readonly fresh: NewToken;
  settle(): Promise<void>;
  undo(): Promise<void>;
}

export async function mintToken(api: AdminApi, options: MintOptions): Promise<MintedToken> {
  const { journal, user, name, expiresAt, note, signal } = options;
  const { origin } = api;
  const { key } = await journal.add({ ...note, origin, userId: user.id, name, expiresAt });
  let fresh: NewToken;
  try {
    fresh = await api.createToken({ name, expiresAt, isUnique: true }, { signal });
  } catch (error) {
    // The client has looked for the token where the answer was lost. Where it could not look, the entry
    // stays, and a later run will.
    const isRefused = error instanceof AdminApiError && error.refused &&
      error.exitCode !== EXIT.unavailable;
    if (isRefused && !signal?.aborted) await journal.remove(key);
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

/** The longest name that API7 Enterprise takes, in characters (its OpenAPI, `POST /api/tokens`). */
export const MAX_TOKEN_NAME_LENGTH = 40;

/** The name of a token that a login makes where none is given. */
export function defaultTokenName(user: string, host: string = hostname()): string {
  return cut(`adc-run ${user}@${host}`, MAX_TOKEN_NAME_LENGTH);
}

/**
 * A name that no other token has: for a token that lives for one run, or one that gets another's name
 * as soon as that is free.
 */
export function uniqueTokenName(base: string): string {
  const suffix = randomBytes(4).toString("hex");
  // A server that takes no other name later must not make the names grow.
  const start = base.replace(/-[0-9a-f]{8}$/, "");
  return `${cut(start, MAX_TOKEN_NAME_LENGTH - suffix.length - 1)}-${suffix}`;
}

export function numberedTokenName(base: string, number: number): string {
  const suffix = ` ${number}`;
  return cut(base, MAX_TOKEN_NAME_LENGTH - suffix.length) + suffix;
}

export function requireTokenName(name: string): string {
  const { length } = [...name];
  if (name.trim() === "") throw new UsageError("Cannot name a token: the name is empty");
  if (length > MAX_TOKEN_NAME_LENGTH) {
    throw new UsageError(
      `Cannot name a token: the name has ${length} characters, but the server allows at most ` +
        MAX_TOKEN_NAME_LENGTH,
    );
  }
  return name;
}

/** Cut between characters, not between the halves of one. */
function cut(text: string, length: number): string {
  return [...text].slice(0, length).join("").trimEnd();
}
