import { join } from "node:path";
import { hasFields, JsonFile, keepFields, type StoreOptions } from "./json_file.ts";

export type Storage = "keychain" | "file";

export interface TokenRecord {
  readonly account: string;
  readonly origin: string;
  readonly storage: Storage;
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

interface Place {
  readonly account: string;
  /** @default all */
  readonly storage?: Storage | undefined;
}

export interface TokenState {
  list(): Promise<readonly TokenRecord[]>;
  find(query: Pick<TokenRecord, "origin" | "fingerprint">): Promise<TokenRecord | undefined>;
  put(record: TokenRecord): Promise<void>;
  remove(place: Place): Promise<void>;
}

const FIELDS = {
  account: "string",
  origin: "string",
  storage: ["keychain", "file"],
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
    ...options,
    path: join(folder, "state.json"),
    read: readContent,
    empty: { tokens: [] },
    what: "the token records",
  });
  const list = async () => (await file.readOrSetAside()).tokens;
  return {
    list,
    find: async ({ origin, fingerprint }) =>
      (await list()).findLast((each) => each.origin === origin && each.fingerprint === fingerprint),
    put: async (record) => {
      const kept = keepFields(record, FIELDS) as unknown as TokenRecord;
      await file.update((content) => ({
        ...content,
        tokens: [...content.tokens.filter((each) => !isAt(each, kept)), kept],
      }));
    },
    remove: async (place) => {
      await file.update((content) => {
        const tokens = content.tokens.filter((each) => !isAt(each, place));
        return tokens.length === content.tokens.length ? content : { ...content, tokens };
      });
    },
  };
}

function isAt(record: TokenRecord, { account, storage = record.storage }: Place): boolean {
  return record.account === account && record.storage === storage;
}

function readContent(value: Readonly<Record<string, unknown>>): Content | undefined {
  const { tokens } = value;
  if (!Array.isArray(tokens) || !tokens.every((each) => hasFields(each, FIELDS))) return undefined;
  return { ...value, tokens: tokens as unknown as readonly TokenRecord[] };
}
