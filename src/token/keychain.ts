import { Buffer } from "node:buffer";
import process from "node:process";
import type { Connection } from "../connection/connection.ts";
import { percentDecoded } from "../connection/server.ts";
import type { Context, Environment, Keychain } from "../context.ts";
import { messageOf } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { SourceAnswer, TokenSource } from "./sources.ts";
import { accountsFor, originsOf } from "./token_value.ts";

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

  /** Creates the error; the message follows a colon. */
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
 * forgets at the next logout, and its `getPassword` answers "no entry" where the keychain is locked.
 *
 * @category Token sources
 * @param env Where the session's D-Bus is looked for, which is asked first whether it answers. The binding,
 * which finds it for itself, would wait forever.
 * @default it is not asked
 * @returns The keychain.
 */
export function systemKeychain(env: Environment = {}): Keychain {
  return keychainOn(process.platform, env);
}

export function keychainOn(platform: string, env: Environment = {}): Keychain {
  const call = async <T>(account: string, ask: (entry: Entry) => Promise<T>): Promise<T> => {
    for (let count = 1;; count++) {
      try {
        if (platform === "linux") await requireBus(env);
        return await ask(await entry(account));
      } catch (error) {
        const failed = error instanceof KeychainError ? error : classify(error, account);
        if (failed.failure !== "silent" || count === ATTEMPTS) throw failed;
      }
    }
  };
  return {
    get: async (account) => {
      const bytes = await call(account, (entry) => entry.getSecret());
      // Windows keeps passwords as UTF-16, the others as UTF-8.
      const encoding = process.platform === "win32" ? "utf16le" : "utf8";
      return bytes === null ? undefined : new Secret(Buffer.from(bytes).toString(encoding));
    },
    set: async (account, password) => {
      const { length } = password.reveal();
      if (platform === "win32" && length > MAX_ON_WINDOWS) {
        const found =
          `the token has ${length} characters, but Windows stores at most ${MAX_ON_WINDOWS}`;
        const suggestion = "Store it in a file with --storage file.";
        throw new KeychainError("failed", found, { suggestion });
      }
      await call(account, (entry) => entry.setPassword(password.reveal()));
    },
    delete: (account) => call(account, (entry) => entry.deleteCredential()),
  };
}

type Entry = import("@napi-rs/keyring").AsyncEntry;

/**
 * How often a keychain is asked that does not answer. The binding gives up after two seconds, which is less
 * than a busy one may take, and less than the time limits of those who ask here; they stay in force.
 */
const ATTEMPTS = 3;

/** In units of UTF-16: the Credential Manager takes 2,560 bytes (CRED_MAX_CREDENTIAL_BLOB_SIZE). */
const MAX_ON_WINDOWS = 1_280;

/** How long a bus may take to answer; in milliseconds. */
const BUS_TIME = 2_000;

async function requireBus({ DBUS_SESSION_BUS_ADDRESS: address = "" }: Environment): Promise<void> {
  const [, kind, name = ""] = /^unix:(path|abstract)=([^,;]+)/.exec(address) ?? [];
  if (kind === undefined) return;
  const { connect } = await import("node:net");
  const socket = connect(kind === "path" ? percentDecoded(name) : `\0${percentDecoded(name)}`);
  const answers = await new Promise<boolean>((resolve) => {
    // Of a bus that cannot be reached the binding tells.
    for (const event of ["data", "error", "close"]) socket.on(event, () => resolve(true));
    socket.setTimeout(BUS_TIME, () => resolve(false));
    // Which ways there are to log in.
    socket.write("\0AUTH\r\n");
  });
  socket.destroy();
  if (!answers) throw new KeychainError("silent", "it does not respond");
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

/** Looks for the tokens of several servers in a store; each has its own entry, and all must be there. */
export async function findStored(
  store: Pick<Keychain, "get">,
  { connection, place, detail }: {
    readonly connection: Connection;
    readonly place: string;
    readonly detail: (accounts: string) => string;
  },
): Promise<SourceAnswer> {
  const { servers, profile } = connection;
  const found = new Map<string, { readonly account: string; readonly token: Secret }>();
  for (const origin of originsOf(servers)) {
    const accounts = accountsFor(origin, connection);
    for (const account of accounts) {
      const token = await store.get(account);
      if (token === undefined) continue;
      found.set(origin, { account, token });
      break;
    }
    if (!found.has(origin)) {
      const reason = profile?.explicit
        ? `profile "${profile.name}" has no token of its own in ${place}`
        : `${place} has no entry for ${accounts.join(" or ")}`;
      return { status: "absent", reason };
    }
  }
  const [first, ...others] = [...found.values()];
  const token = others.length === 0 && first !== undefined
    ? first.token
    : new Secret(servers.map(({ origin }) => found.get(origin)!.token.reveal()).join(","));
  const accounts = [...found.values()].map(({ account }) => account);
  return { status: "found", token, detail: detail(accounts.join(", ")) };
}

interface KeychainSourceOptions extends Pick<Context, "keychain"> {
  readonly env?: Environment;
  /** How long the keychain may take, in milliseconds. @default 5_000 */
  readonly timeout?: number;
}

/**
 * The source `keychain`: service `adc-run`, account the server's origin, or first `PROFILE@ORIGIN` where a
 * profile is in force; the bare token as the password.
 *
 * With several servers (`apisix-standalone`) each has its own entry, and all of them must be there.
 */
export function keychainSource(options: KeychainSourceOptions = {}): TokenSource {
  const { env, keychain = systemKeychain(env), timeout = 5_000 } = options;
  return {
    name: "keychain",
    timeoutMs: timeout,
    whenSlow: "It may be waiting for you to unlock it.",
    find: async ({ connection }) => {
      try {
        return await findStored(keychain, {
          connection,
          place: "the keychain",
          detail: (accounts) => `service "${KEYCHAIN_SERVICE}", account "${accounts}"`,
        });
      } catch (error) {
        return whenItFails(error);
      }
    },
  };
}

/** No keychain is no token; a keychain that keeps its entries to itself is something to mend. */
function whenItFails(error: unknown): SourceAnswer {
  if (!(error instanceof KeychainError)) throw error;
  if (error.failure === "unavailable") {
    return { status: "absent", reason: `no keychain: ${error.message}` };
  }
  return {
    status: "broken",
    reason: `the keychain failed: ${error.message}`,
    suggestion: error.suggestion ??
      (error.failure === "locked"
        ? "Unlock it, or skip it with --source."
        : "Skip it with --source, or find out why it fails."),
    cause: error,
  };
}
