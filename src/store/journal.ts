import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { hasFields, JsonFile, keepFields, type StoreOptions } from "./json_file.ts";
import { ownIdentity, type ProcessIdentity, readIdentity } from "./process_identity.ts";
import type { Storage } from "./state.ts";
import { StoreError } from "./store_error.ts";

/** Something begun: it is over when the entry is gone. */
export interface JournalEntry {
  readonly key: string;
  /** What was begun: a token that is either stored or to be revoked, or one for a single run. */
  readonly kind: "mint" | "ephemeral";
  readonly origin: string;
  readonly userId: string;
  /** The name of the token that is made: one that no other token has, as long as its id is not known. */
  readonly name: string;
  readonly id?: string | undefined;
  readonly fingerprint?: string | undefined;
  /** When it ends, in seconds since 1970. */
  readonly expiresAt?: number | undefined;
  /** When it was begun, in seconds since 1970; earlier versions did not note it. */
  readonly begunAt?: number | undefined;
  readonly owner: ProcessIdentity;
  readonly account?: string | undefined;
  readonly storage?: Storage | undefined;
  /** The name that it gets once the token of that name is gone. */
  readonly rename?: string | undefined;
}

export interface Journal {
  list(): Promise<readonly JournalEntry[]>;
  add(entry: Omit<JournalEntry, "key" | "owner">): Promise<JournalEntry>;
  change(key: string, patch: Partial<Omit<JournalEntry, "key">>): Promise<void>;
  remove(key: string): Promise<void>;
}

const FIELDS = {
  key: "string",
  kind: ["mint", "ephemeral"],
  origin: "string",
  userId: "string",
  name: "string",
  id: "string?",
  fingerprint: "string?",
  expiresAt: "number?",
  begunAt: "number?",
  account: "string?",
  storage: [undefined, "keychain", "file"],
  rename: "string?",
} as const;

interface Content {
  readonly entries: readonly JournalEntry[];
}

export function openJournal(folder: string, options: StoreOptions = {}): Journal {
  const path = join(folder, "journal.json");
  const file = new JsonFile<Content>({
    ...options,
    path,
    read: readContent,
    empty: { entries: [] },
    what: "the journal",
  });
  return {
    list: async () => (await file.readOrSetAside()).entries,
    add: async (entry) => {
      const key = randomBytes(8).toString("hex");
      const begunAt = Math.floor(Date.now() / 1000);
      const owner = await ownIdentity();
      const added = keepEntry({ begunAt, ...entry, key, owner }) as JournalEntry;
      await file.update((content) => ({ ...content, entries: [...content.entries, added] }));
      return added;
    },
    change: async (key, patch) => {
      await file.update((content) => {
        if (!content.entries.some((each) => each.key === key)) {
          throw new StoreError("Cannot change a journal entry: it no longer exists", {
            path,
            suggestion: 'Another adc-run finished it. "auth list" shows the tokens.',
          });
        }
        const changes = keepEntry({ ...patch, key });
        const entries = content.entries.map((each) =>
          each.key === key ? { ...each, ...changes } : each
        );
        return { ...content, entries };
      });
    },
    remove: async (key) => {
      await file.update((content) => {
        const entries = content.entries.filter((each) => each.key !== key);
        return entries.length === content.entries.length ? content : { ...content, entries };
      });
    },
  };
}

function keepEntry(entry: Partial<JournalEntry>): Partial<JournalEntry> {
  const known = keepFields(entry, FIELDS);
  const owner = readIdentity(entry.owner);
  return owner === undefined ? known : { ...known, owner };
}

function readContent(value: Readonly<Record<string, unknown>>): Content | undefined {
  const { entries } = value;
  const isEntry = (each: unknown) =>
    hasFields(each, FIELDS) && readIdentity(each["owner"]) !== undefined;
  return Array.isArray(entries) && entries.every(isEntry) ? { ...value, entries } : undefined;
}
