import type { Keychain } from "../context.ts";
import { EXIT } from "../errors.ts";
import { deadline, unlessAborted } from "../system/deadline.ts";
import { KeychainError, type KeychainFailure } from "../token/keychain.ts";
import type { Survey } from "../token/resolve.ts";
import type { Given } from "./diagnose.ts";
import { failed, type Found, ok, skipped, warning } from "./finding.ts";

const TIME_LIMIT = 5_000;

/** An account that no token is ever stored under. */
const NOBODY = "adc-run doctor";

export interface WatchedKeychain {
  readonly keychain: Keychain;
  /** What it did when it was read: nothing yet, no answer, an answer, or why it failed. */
  readonly state: () => "unasked" | "pending" | "answered" | KeychainFailure;
  /** What it said when it failed, where that says more than the kind of its failure. */
  readonly words: () => readonly [found: string, suggestion: string] | undefined;
}

/** Watches a keychain while the sources ask it, so that a locked one asks for its password only once. */
export function watchKeychain(keychain: Keychain): WatchedKeychain {
  let state: ReturnType<WatchedKeychain["state"]> = "unasked";
  let words: ReturnType<WatchedKeychain["words"]>;
  return {
    state: () => state,
    words: () => words,
    keychain: {
      get: async (account) => {
        if (state === "unasked") state = "pending";
        try {
          const token = await keychain.get(account);
          state = "answered";
          return token;
        } catch (error) {
          state = error instanceof KeychainError ? error.failure : "failed";
          if (error instanceof KeychainError && error.suggestion !== undefined) {
            words = [error.message, error.suggestion];
          }
          throw error;
        }
      },
      set: (account, password) => keychain.set(account, password),
      delete: (account) => keychain.delete(account),
    },
  };
}

const PROBLEMS: Readonly<Record<KeychainFailure, readonly [string, string]>> = {
  unavailable: [
    "no keychain in this session",
    "Use the environment, or a file: adc-run auth login --storage file",
  ],
  locked: ["it is locked", "Unlock it, or skip it with --source."],
  silent: [
    "it does not answer",
    "It may be waiting for you to unlock it. If not, skip it with --source.",
  ],
  failed: ["it fails", "Check the system log, or skip it with --source."],
};

/** Reads an entry that is not there, unless the keychain was asked for a token before. */
export async function checkKeychain({ watched, survey, signal }: Given): Promise<Found> {
  if (watched.state() === "unasked") {
    const limit = deadline(TIME_LIMIT, [signal]);
    await unlessAborted(watched.keychain.get(NOBODY), limit.signal).catch(() => {});
    limit.clear();
    signal?.throwIfAborted();
  }
  const state = watched.state();
  if (state === "answered") return ok("it can be read");
  const failure = state === "unasked" || state === "pending" ? "silent" : state;
  const [found, suggestion] = watched.words() ?? PROBLEMS[failure];
  const data = { failure };
  const needed = needsKeychain(survey);
  // A run ignores a keychain that is not there, and stops at one that keeps its entries to itself.
  if (needed && failure !== "unavailable") {
    return failed(found, suggestion, { exitCode: EXIT.source, data });
  }
  return needed || failure !== "unavailable"
    ? warning(found, suggestion, data)
    : skipped(`${found}; not needed`, data);
}

function needsKeychain({ trail = [], winner }: Partial<Survey> = {}): boolean {
  const names = trail.map(({ source }) => source);
  const rank = names.indexOf("keychain");
  return rank !== -1 && (winner === undefined || rank <= names.indexOf(winner.source));
}
