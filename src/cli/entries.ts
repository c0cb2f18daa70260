import { join } from "node:path";
import { TOKEN_FILE } from "../store/token_file.ts";
import type { Storage } from "../store/state.ts";
import { KEYCHAIN_SERVICE } from "../token/keychain.ts";
import type { Reporter } from "./report.ts";

/** Names entries for a message. */
export function describeEntries(
  accounts: readonly string[],
  { storage, folder }: { readonly storage: Storage; readonly folder: string },
): string {
  const names = accounts.map((account) => `"${account}"`).join(" and ");
  return storage === "keychain"
    ? `the keychain (service "${KEYCHAIN_SERVICE}", account ${names})`
    : `the file ${join(folder, TOKEN_FILE)} (account ${names})`;
}

/** Says each time that a file is the worse place, so that nobody forgets where the token lies. */
export function warnOfFile(reporter: Reporter): void {
  reporter.warn("The token lies in a file, unencrypted; a keychain is the better place.");
}
