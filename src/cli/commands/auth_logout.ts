/**
 * `adc-run auth logout --keep`: removes the token from the keychain.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { keychainAccounts } from "../../token/keychain.ts";
import type { Io } from "../io.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { describeEntries, removeTokens } from "../stored_token.ts";

/**
 * Removes the stored token here and leaves it alive on the server.
 *
 * @param call The command's words.
 * @param io The process.
 * @returns The exit code.
 */
export async function authLogout(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, reporter } = await readOwnCommand<{ keep?: boolean }>(call, io, {
    name: "auth logout",
    options: ["--keep"],
  });
  if (!options.keep) {
    throw new UsageError("Cannot log out without --keep: this version cannot revoke a token", {
      suggestion: "With --keep the token is removed here and stays valid. " +
        "Revoke it in the Dashboard under Organization → Tokens.",
    });
  }
  const accounts = keychainAccounts(connection.servers);
  const removed = await removeTokens(accounts, io.keychain);
  if (options.json) {
    reporter.print(JSON.stringify({ removed, warnings: reporter.warnings }));
  } else if (removed.length === 0) {
    reporter.info(`there was no token in ${describeEntries(accounts)}`);
  } else {
    reporter.info(
      `removed the token from ${describeEntries(removed)}; it stays valid on the server`,
    );
  }
  return 0;
}
