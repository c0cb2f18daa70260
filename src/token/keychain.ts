import { Buffer } from "node:buffer";
import process from "node:process";
import type { Keychain } from "../context.ts";
import { messageOf } from "../errors.ts";
import { Secret } from "../secret.ts";

/** The service under which adc-run's entries are kept. */
export const KEYCHAIN_SERVICE = "adc-run";

/** How a keychain can fail: there is none, it is locked, or it does not answer. */
export type KeychainFailure = "unavailable" | "locked" | "silent" | "failed";

/** The keychain could not be asked, which is not the same as an entry that is not there. */
export class KeychainError extends Error {
  /** `"KeychainError"`. */
  override readonly name = "KeychainError";
  /** What kind of failure it is. */
  readonly failure: KeychainFailure;

  /**
   * Makes the error.
   *
   * @param failure What kind of failure it is.
   * @param message What was found, to follow a colon.
   * @param options The cause.
   */
  constructor(
    failure: KeychainFailure,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.failure = failure;
  }
}

/**
 * The system's keychain, through `@napi-rs/keyring`, which is loaded at the first call.
 *
 * On Linux only the Secret Service will do. The binding would fall back to the kernel's keyring, which
 * forgets at the next log-out, and its `getPassword` answers "no entry" where the keychain is locked.
 *
 * @returns The keychain.
 */
export function systemKeychain(): Keychain {
  return {
    get: async (account) => {
      const bytes = await callKeychain(async () => (await entry(account)).getSecret());
      return bytes === null ? undefined : new Secret(decode(Uint8Array.from(bytes)));
    },
    set: (account, password) =>
      callKeychain(async () => (await entry(account)).setPassword(password.reveal())),
    delete: (account) => callKeychain(async () => (await entry(account)).deleteCredential()),
  };
}

async function entry(account: string): Promise<import("@napi-rs/keyring").AsyncEntry> {
  let keyring: typeof import("@napi-rs/keyring");
  try {
    keyring = await import("@napi-rs/keyring");
  } catch (cause) {
    const message = /allow-ffi/.test(rootMessage(cause))
      ? "Deno may not load its binding: allow it with --allow-ffi"
      : "its binding @napi-rs/keyring is not installed for this system";
    throw new KeychainError("unavailable", message, { cause });
  }
  return new keyring.AsyncEntry(KEYCHAIN_SERVICE, account, {
    linux: { store: "secret-service" },
  });
}

/**
 * How often a keychain is asked that does not answer. The binding gives up after two seconds, which is less
 * than a busy one may take, and less than the time limits of those who ask here; they stay in force.
 */
const ATTEMPTS = 3;

async function callKeychain<T>(call: () => Promise<T>): Promise<T> {
  for (let count = 1;; count++) {
    try {
      return await call();
    } catch (error) {
      const failed = error instanceof KeychainError ? error : classify(error);
      if (failed.failure !== "silent" || count === ATTEMPTS) throw failed;
    }
  }
}

/** The binding has one error code for all failures, so its words have to do. */
function classify(cause: unknown): KeychainError {
  const message = messageOf(cause);
  // Before "locked": a keychain that hangs is told with "the security policy blocked the reply", among
  // other guesses.
  if (/did not receive a reply|NoReply|timeout expired|timed? ?out/i.test(message)) {
    return new KeychainError("silent", "it does not answer", { cause });
  }
  if (/prompt was dismissed|\blocked\b/i.test(message)) {
    return new KeychainError("locked", "it is locked, and nobody unlocked it", { cause });
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
function rootMessage(error: unknown): string {
  const messages: string[] = [];
  for (let each = error; each instanceof Error && messages.length < 20; each = each.cause) {
    messages.push(each.message);
  }
  return messages.join("\n");
}

/** Windows keeps passwords as UTF-16, the others as UTF-8. */
function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString(process.platform === "win32" ? "utf16le" : "utf8");
}
