import { Buffer } from "node:buffer";
import process from "node:process";
import type { Keychain } from "../context.ts";
import { messageOf } from "../errors.ts";
import { Secret } from "../secret.ts";

/** The service under which adc-run's entries are kept. */
export const KEYCHAIN_SERVICE = "adc-run";

/**
 * How a keychain can fail: there is none, it is locked, or it does not answer.
 * @category Errors
 */
export type KeychainFailure = "unavailable" | "locked" | "silent" | "failed";

/**
 * The keychain could not be asked, which is not the same as an entry that is not there.
 * @category Errors
 */
export class KeychainError extends Error {
  /** `"KeychainError"`. */
  override readonly name = "KeychainError";
  /** What kind of failure it is. */
  readonly failure: KeychainFailure;
  /** What to do about it, where the kind of failure says too little. */
  readonly suggestion: string | undefined;

  /**
   * Makes the error.
   *
   * @param failure What kind of failure it is.
   * @param message What was found, to follow a colon.
   * @param options The cause, and what to do about it.
   */
  constructor(
    failure: KeychainFailure,
    message: string,
    options: { readonly cause?: unknown; readonly suggestion?: string } = {},
  ) {
    super(message, options);
    this.failure = failure;
    this.suggestion = options.suggestion;
  }
}

/**
 * The system's keychain, through `@napi-rs/keyring`, which is loaded at the first call.
 *
 * On Linux only the Secret Service will do. The binding would fall back to the kernel's keyring, which
 * forgets at the next log-out, and its `getPassword` answers "no entry" where the keychain is locked.
 *
 * @category Token sources
 * @returns The keychain.
 */
export function systemKeychain(): Keychain {
  return keychainOn(process.platform);
}

export function keychainOn(platform: string): Keychain {
  const call = <T>(account: string, ask: (entry: Entry) => Promise<T>) =>
    callKeychain(account, async () => await ask(await entry(account)));
  return {
    get: async (account) => {
      const bytes = await call(account, (entry) => entry.getSecret());
      return bytes === null ? undefined : new Secret(decode(Uint8Array.from(bytes)));
    },
    set: async (account, password) => {
      const { length } = password.reveal();
      if (platform === "win32" && length > MAX_ON_WINDOWS) throw tooLong(length);
      await call(account, (entry) => entry.setPassword(password.reveal()));
    },
    delete: (account) => call(account, (entry) => entry.deleteCredential()),
  };
}

type Entry = import("@napi-rs/keyring").AsyncEntry;

/** In units of UTF-16: the Credential Manager takes 2,560 bytes (CRED_MAX_CREDENTIAL_BLOB_SIZE). */
const MAX_ON_WINDOWS = 1_280;

function tooLong(length: number): KeychainError {
  const found = `the token has ${length} characters, but Windows stores at most ${MAX_ON_WINDOWS}`;
  return new KeychainError("failed", found, {
    suggestion: "Store it in a file with --storage file.",
  });
}

async function entry(account: string): Promise<Entry> {
  let keyring: typeof import("@napi-rs/keyring");
  try {
    keyring = await import("@napi-rs/keyring");
    // Bun imports what has failed once as if it were empty.
    if (keyring.AsyncEntry === undefined) throw new Error("it has failed before");
  } catch (cause) {
    throw new KeychainError("unavailable", describeLoadFailure(cause), { cause });
  }
  return new keyring.AsyncEntry(KEYCHAIN_SERVICE, account, {
    linux: { store: "secret-service" },
  });
}

/** What the binding says of a file that is not there, or of a system that there is none for. */
const MISSING =
  /\bcannot find\b|could not (find|resolve)|not found in|unsupported|no such file|WASI/i;

export function describeLoadFailure(cause: unknown): string {
  const messages = causesOf(cause);
  if (messages.some((each) => /allow-ffi/.test(each))) {
    return "Deno may not load the keychain binding: add --allow-ffi";
  }
  // The file is there: another libc, say, or half a download.
  const [failure] = messages.filter((each) =>
    !MISSING.test(each) || /cannot open shared/.test(each)
  );
  return failure === undefined
    ? "@napi-rs/keyring is not installed for this system"
    : `@napi-rs/keyring does not load: ${failure.split("\n")[0]!.trim()}`;
}

/**
 * How often a keychain is asked that does not answer. The binding gives up after two seconds, which is less
 * than a busy one may take, and less than the time limits of those who ask here; they stay in force.
 */
const ATTEMPTS = 3;

async function callKeychain<T>(account: string, call: () => Promise<T>): Promise<T> {
  for (let count = 1;; count++) {
    try {
      return await call();
    } catch (error) {
      const failed = error instanceof KeychainError ? error : classify(error, account);
      if (failed.failure !== "silent" || count === ATTEMPTS) throw failed;
    }
  }
}

/** The binding has one error code for all failures, so its words have to do. */
function classify(cause: unknown, account: string): KeychainError {
  const message = messageOf(cause);
  const [, count] = /matched by (\d+) credentials/.exec(message) ?? [];
  if (count !== undefined) {
    const words = `service ${KEYCHAIN_SERVICE} username '${account}'`;
    return new KeychainError("failed", `it has ${count} entries for "${account}"`, {
      suggestion:
        `"secret-tool search --all ${words}" lists them, with the tokens. Remove one with ` +
        `"secret-tool clear ${words}" and an attribute that only it has, such as "target default".`,
      cause,
    });
  }
  // Before "locked": a keychain that hangs is told with "the security policy blocked the reply", among
  // other guesses.
  if (/did not receive a reply|NoReply|timeout expired|timed? ?out/i.test(message)) {
    return new KeychainError("silent", "it does not respond", { cause });
  }
  if (/prompt was dismissed|\blocked\b/i.test(message)) {
    return new KeychainError("locked", "it is locked", { cause });
  }
  if (
    // The last two: DBUS_SESSION_BUS_ADDRESS is /dev/null or "disabled:", the usual ways to have no bus.
    /not provided by any|ServiceUnknown|dbus-daemon autolaunch|Failed to connect to socket|No such file|Connection refused|NoDefaultStore|no default|does not contain a colon|Unknown address type/i
      .test(message)
  ) {
    return new KeychainError("unavailable", "no Secret Service is running in this session", {
      cause,
    });
  }
  return new KeychainError("failed", `it answered "${message}"`, { cause });
}

/** The binding tries several files and hangs each failure on the one before. */
function causesOf(error: unknown): readonly string[] {
  const messages: string[] = [];
  for (let each = error; each instanceof Error && messages.length < 20; each = each.cause) {
    messages.push(each.message);
  }
  return messages;
}

/** Windows keeps passwords as UTF-16, the others as UTF-8. */
function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString(process.platform === "win32" ? "utf16le" : "utf8");
}
