import { join } from "node:path";
import { hasFields, JsonFile, keepFields, type StoreOptions } from "./json_file.ts";

/** Where a token can be kept. */
export type Storage = "keychain" | "file";

export interface TokenRecord {
  readonly account: string;
  readonly origin: string;
  readonly storage: Storage;
  /** Its fingerprint, which tells whether what is stored is still the token meant here. */
  readonly fingerprint: string;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  /** The server's id for the user whose it is. */
  readonly userId?: string | undefined;
  readonly user?: string | undefined;
  /** When it was made, in seconds since 1970. */
  readonly createdAt?: number | undefined;
  /** When it ends, in seconds since 1970; absent where it never does, or nobody knows. */
  readonly expiresAt?: number | undefined;
  /** Whether it is known never to end. */
  readonly neverExpires?: boolean | undefined;
}

export type TokenQuery =
  | { readonly account: string }
  | { readonly origin: string; readonly fingerprint: string };

export interface TokenState {
  list(): Promise<readonly TokenRecord[]>;
  find(query: TokenQuery): Promise<TokenRecord | undefined>;
  /** Adds a record, in place of the one with the same account and storage. */
  put(record: TokenRecord): Promise<void>;
  remove(
    query: { readonly account: string; readonly storage?: Storage | undefined },
  ): Promise<void>;
}

/** The file's name in adc-run's folder. */
export const STATE_FILE = "state.json";

const FIELDS = {
  account: "string",
  origin: "string",
  storage: ["one of", "keychain", "file"],
  fingerprint: "string",
  id: "string?",
  name: "string?",
  userId: "string?",
  user: "string?",
  createdAt: "number?",
  expiresAt: "number?",
  neverExpires: "boolean?",
} as const;

interface Content {
  readonly tokens: readonly TokenRecord[];
}

export function openState(folder: string, options: StoreOptions = {}): TokenState {
  const file = new JsonFile<Content>({
    path: join(folder, STATE_FILE),
    read: readContent,
    empty: { tokens: [] },
    what: "the token records",
    onWarning: options.onWarning,
  });
  const list = async (): Promise<readonly TokenRecord[]> => (await file.readOrSetAside()).tokens;
  return {
    list,
    find: async (query) =>
      (await list()).findLast((each) =>
        "account" in query
          ? each.account === query.account
          : each.origin === query.origin && each.fingerprint === query.fingerprint
      ),
    put: async (record) => {
      const kept = keepFields(record, FIELDS) as unknown as TokenRecord;
      await file.update((content) => ({
        ...content,
        tokens: [...content.tokens.filter((each) => !isSame(each, kept)), kept],
      }), options);
    },
    remove: async (query) => {
      await file.update((content) => {
        const tokens = content.tokens.filter((each) => !isSame(each, query));
        return tokens.length === content.tokens.length ? content : { ...content, tokens };
      }, options);
    },
  };
}

function isSame(
  record: TokenRecord,
  { account, storage }: { readonly account: string; readonly storage?: Storage | undefined },
): boolean {
  return record.account === account && (storage === undefined || record.storage === storage);
}

function readContent(value: Readonly<Record<string, unknown>>): Content | undefined {
  const { tokens } = value;
  if (!Array.isArray(tokens) || !tokens.every((each) => hasFields(each, FIELDS))) return undefined;
  return { ...value, tokens: tokens as unknown as readonly TokenRecord[] };
}
