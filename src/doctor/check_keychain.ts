import { EXIT } from "../errors.ts";
import { KeychainError } from "../token/keychain.ts";
import type { KeychainFailure } from "../token/keychain.ts";
import type { Found } from "./finding.ts";
import type { Keychain } from "../context.ts";

/** How long the keychain may take, in milliseconds; as long as the source of that name gives it. */
const TIME_LIMIT = 5_000;

/** An account that no token is ever stored under. */
const NOBODY = "adc-run doctor";

/** A keychain that remembers how it fared. */
export interface WatchedKeychain {
  readonly keychain: Keychain;
  /** What it did when it was read: nothing yet, no answer, an answer, or why it failed. */
  readonly state: () => "unasked" | "pending" | "answered" | KeychainFailure;
}

/**
 * Watches a keychain while the sources ask it, so that a locked one asks for its password only once.
 */
export function watchKeychain(keychain: Keychain): WatchedKeychain {
  let state: ReturnType<WatchedKeychain["state"]> = "unasked";
  return {
    state: () => state,
    keychain: {
      get: async (account) => {
        if (state === "unasked") state = "pending";
        try {
          const token = await keychain.get(account);
          state = "answered";
          return token;
        } catch (error) {
          state = error instanceof KeychainError ? error.failure : "failed";
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
    "there is none in this session",
    "Tokens can come from the environment or a file instead; auth login has --storage file.",
  ],
  locked: [
    "it is locked, and nobody unlocked it",
    "Unlock it, or leave it out with --source.",
  ],
  silent: [
    "it does not answer",
    "It may be waiting for you to unlock it. Leave it out with --source otherwise.",
  ],
  failed: ["it fails", "Look at the system's own log, or leave it out with --source."],
};

/** Reads an entry that is not there, unless the keychain was asked for a token before. */
export async function checkKeychain(
  watched: WatchedKeychain,
  needed: boolean,
  signal: AbortSignal | undefined,
): Promise<Found> {
  if (watched.state() === "unasked") await ask(watched.keychain, signal);
  const state = watched.state();
  if (state === "answered") return { status: "ok", found: "it can be read" };
  const failure = state === "unasked" || state === "pending" ? "silent" : state;
  const [found, suggestion] = PROBLEMS[failure];
  if (failure === "unavailable" && !needed) {
    return { status: "skipped", found: `${found}, and none is needed`, data: { failure } };
  }
  // A run passes over a keychain that is not there, and stops at one that keeps its entries to itself.
  const failed = needed && failure !== "unavailable";
  return {
    status: failed ? "failed" : "warning",
    found,
    suggestion,
    ...(failed && { exitCode: EXIT.source }),
    data: { failure },
  };
}

async function ask(keychain: Keychain, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: (() => void) | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, TIME_LIMIT);
    abort = () => resolve();
    signal?.addEventListener("abort", abort, { once: true });
  });
  const asked = keychain.get(NOBODY).then(() => {}, () => {});
  await Promise.race([asked, limit]);
  clearTimeout(timer);
  if (abort !== undefined) signal?.removeEventListener("abort", abort);
  signal?.throwIfAborted();
}
