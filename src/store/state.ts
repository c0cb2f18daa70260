/**
 * What adc-run remembers of the tokens that it stored. No token is in it.
 *
 * @module
 */

import { join } from "node:path";
import { JsonFile } from "./json_file.ts";
import { hasFields, keepFields } from "./record_fields.ts";
import type { StoreOptions } from "./token_file.ts";

/** Where a token can be kept. */
export type Storage = "keychain" | "file";

/** What is known of a stored token. */
export interface TokenRecord {
  /** The account that it is stored under. */
  readonly account: string;
  /** The origin of the server that it is for. */
  readonly origin: string;
  /** Where it is kept. */
  readonly storage: Storage;
  /** Its fingerprint, which tells whether what is stored is still the token meant here. */
  readonly fingerprint: string;
  /** The server's id for it. */
  readonly id?: string;
  /** Its name on the server. */
  readonly name?: string;
  /** The server's id for the user whose it is. */
  readonly userId?: string;
  /** The name of that user. */
  readonly user?: string;
  /** When it was made, in seconds since 1970. */
  readonly createdAt?: number;
  /** When it ends, in seconds since 1970; absent where it never does, or nobody knows. */
  readonly expiresAt?: number;
  /** Whether it is known never to end. */
  readonly neverExpires?: boolean;
}

/** Which record is meant. */
export type TokenQuery =
  | { readonly account: string }
  | { readonly origin: string; readonly fingerprint: string };

/** The records of all stored tokens. */
export interface TokenState {
  /**
   * Reads all records.
   *
   * @returns The records, the one that was put last at the end.
   * @throws {StoreError} The file cannot be read, or is damaged.
   */
  list(): Promise<readonly TokenRecord[]>;
  /**
   * Looks a record up.
   *
   * @param query The account, or the server and the token's fingerprint.
   * @returns The record that was put last among those that fit, or `undefined`.
   * @throws {StoreError} The file cannot be read, or is damaged.
   */
  find(query: TokenQuery): Promise<TokenRecord | undefined>;
  /**
   * Adds a record, in place of the one with the same account and storage.
   *
   * @param record The record.
   * @throws {StoreError} The file cannot be written.
   */
  put(record: TokenRecord): Promise<void>;
  /**
   * Removes the records of an account.
   *
   * @param query The account; with a storage, only the record of the token that is kept there.
   * @throws {StoreError} The file cannot be written.
   */
  remove(query: { readonly account: string; readonly storage?: Storage }): Promise<void>;
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

/**
 * Opens the file `state.json`.
 *
 * @param folder adc-run's folder.
 * @param options Who is told of a damaged file, and how long to wait.
 * @returns The records. Nothing is read yet.
 */
export function openState(folder: string, options: StoreOptions = {}): TokenState {
  const file = new JsonFile<Content>({
    path: join(folder, STATE_FILE),
    read: readContent,
    empty: { tokens: [] },
    what: "the records of the stored tokens",
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
  { account, storage }: { readonly account: string; readonly storage?: Storage },
): boolean {
  return record.account === account && (storage === undefined || record.storage === storage);
}

function readContent(value: Readonly<Record<string, unknown>>): Content | undefined {
  const { tokens } = value;
  if (!Array.isArray(tokens) || !tokens.every((each) => hasFields(each, FIELDS))) return undefined;
  return { ...value, tokens: tokens as unknown as readonly TokenRecord[] };
}
