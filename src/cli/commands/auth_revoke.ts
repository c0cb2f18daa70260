import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import type { TokenInfo } from "../../admin_api/shapes.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { forgetToken, openTokenStores, storedToken } from "../../lifecycle/token_stores.ts";
import type { TokenStores } from "../../lifecycle/token_stores.ts";
import type { TokenRecord } from "../../store/state.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import { canAsk } from "../io.ts";
import type { Io } from "../io.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { askConfirmation } from "../prompts.ts";
import { openAccountSession } from "./account.ts";

/** Revokes the user's tokens that are named, by id or by name. */
export async function authRevoke(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, sources, reporter, operands } = await readOwnCommand<
    { yes?: boolean }
  >(call, io, {
    name: "auth revoke",
    uses: ["--source", "--token"],
    options: ["-y, --yes"],
    operands: true,
    backend: "api7ee",
  });
  if (operands.length === 0) {
    throw new UsageError("Cannot revoke: no token is named", {
      suggestion: 'Give ids or names; "adc-run auth list" shows them.',
    });
  }
  if (!options.yes && !canAsk(io)) {
    throw new UsageError("Cannot revoke without asking, and nobody can be asked", {
      suggestion: "Agree with --yes.",
    });
  }
  const stores = openTokenStores({ env: io.env, keychain: io.keychain, onWarning: reporter.warn });
  const interrupt = abortOnInterrupt(io.signals);
  const { signal } = interrupt;
  try {
    const { api, resolved, close } = await openAccountSession(connection, {
      sources,
      stores,
      io,
      reporter,
      signal,
    });
    try {
      const records = (await stores.state.list()).filter(({ origin }) => origin === api.origin);
      const used = resolved?.token.fingerprint;
      const own = records.find(({ fingerprint }) => fingerprint === used)?.id;
      const chosen = [...choose(operands, await api.tokens({ signal }))]
        // The token that all this is asked with goes last.
        .sort((a, b) => Number(a.id === own) - Number(b.id === own));
      if (!options.yes) {
        const names = chosen.map(({ name, id }) => `"${name}" (${id})`).join(", ");
        const here = chosen.some(({ id }) => id === own) ? ", among them the one in use here" : "";
        if (!await askConfirmation(`Revoke ${names}${here}?`, io)) {
          throw new AdcRunError("Given up", EXIT.interrupted);
        }
      }
      const revoked: TokenInfo[] = [];
      for (const token of chosen) {
        try {
          await api.revokeToken(token.id, { signal });
        } catch (error) {
          throw revoked.length === 0 ? error : halfWay(error, revoked, token);
        }
        revoked.push(token);
        reporter.info(`revoked "${token.name}" (${token.id})`);
        const stored = records.find(({ id }) => id === token.id);
        if (stored !== undefined) await forgetRevoked(stored, stores);
      }
      if (options.json) {
        const list = revoked.map(({ id, name }) => ({ id, name }));
        reporter.print(JSON.stringify({ revoked: list, warnings: reporter.warnings }));
      }
      return 0;
    } finally {
      await close();
    }
  } finally {
    interrupt.release();
  }
}

/** All of them have to be there before any is revoked. */
function choose(words: readonly string[], tokens: readonly TokenInfo[]): readonly TokenInfo[] {
  const chosen = words.map((word): TokenInfo => {
    const byId = tokens.find(({ id }) => id === word);
    const byName = tokens.filter(({ name }) => name === word);
    if (byId === undefined && byName.length > 1) {
      const ids = byName.map(({ id }) => id).join(", ");
      throw new UsageError(`Cannot revoke "${word}": ${byName.length} tokens have that name`, {
        suggestion: `Name it by its id, one of ${ids}.`,
      });
    }
    const found = byId ?? byName[0];
    if (found !== undefined) return found;
    throw new UsageError(`Cannot revoke "${word}": this user has no token of that id or name`, {
      suggestion: '"adc-run auth list" shows them. Nothing was revoked.',
    });
  });
  return [...new Set(chosen)];
}

/** Where the token that asks is not known, it may have been among those that are revoked by now. */
function halfWay(error: unknown, revoked: readonly TokenInfo[], failed: TokenInfo): unknown {
  if (!(error instanceof AdminApiError)) return error;
  const names = revoked.map(({ name }) => `"${name}"`).join(", ");
  return new AdcRunError(
    `Revoked ${names}, and then not "${failed.name}": ${error.message}`,
    error.exitCode,
    {
      suggestion: error.failure === "rejected"
        ? "The token that asks was among those that were revoked. Use another one for the rest."
        : error.suggestion,
      cause: error,
    },
  );
}

/** A revoked token is of no use here. */
async function forgetRevoked(record: TokenRecord, stores: TokenStores): Promise<void> {
  const { account, storage, fingerprint } = record;
  const stored = await storedToken({ stores, storage, account });
  if (stored?.fingerprint === fingerprint) await forgetToken({ stores, storage, account });
  await stores.state.remove({ account, storage });
}
