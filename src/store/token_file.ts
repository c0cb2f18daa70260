import { join } from "node:path";
import type { Keychain } from "../context.ts";
import { Secret } from "../secret.ts";
import { JsonFile, type StoreOptions } from "./json_file.ts";

export const TOKEN_FILE = "tokens.json";

interface Content {
  readonly tokens: Readonly<Record<string, unknown>>;
}

/**
 * A keychain in the file `tokens.json`, which none but its owner may read or write.
 *
 * Its methods throw a `StoreError` where the file cannot be used, and never fall back to anything.
 */
export function tokenFile(folder: string, options: StoreOptions = {}): Keychain {
  const file = new JsonFile<Content>({
    ...options,
    path: join(folder, TOKEN_FILE),
    read: readContent,
    empty: { tokens: {} },
    what: "the stored tokens",
    secret: true,
  });
  return {
    get: async (account) => {
      const { tokens } = await file.read();
      const token = Object.hasOwn(tokens, account) ? tokens[account] : undefined;
      return typeof token === "string" ? new Secret(token) : undefined;
    },
    set: async (account, password) => {
      await file.update((content) => {
        const others = without(content, account);
        const tokens = Object.fromEntries([...others, [account, password.reveal()]]);
        return { ...content, tokens };
      });
    },
    delete: async (account) => {
      let found = false;
      await file.update((content) => {
        found = Object.hasOwn(content.tokens, account);
        return found
          ? { ...content, tokens: Object.fromEntries(without(content, account)) }
          : content;
      });
      return found;
    },
  };
}

function without({ tokens }: Content, account: string): readonly (readonly [string, unknown])[] {
  return Object.entries(tokens).filter(([name]) => name !== account);
}

function readContent(value: Readonly<Record<string, unknown>>): Content | undefined {
  const { tokens } = value;
  if (typeof tokens !== "object" || tokens === null || Array.isArray(tokens)) return undefined;
  if (!Object.values(tokens).every((token) => typeof token === "string")) return undefined;
  return { ...value, tokens: tokens as Content["tokens"] };
}
