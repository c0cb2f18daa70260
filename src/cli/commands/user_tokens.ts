import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import type { TokenInfo, User } from "../../admin_api/shapes.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { day, hasEnded, readLifetime, timeLeft } from "../../lifecycle/expiry.ts";
import { forgetToken, storedToken, type TokenStores } from "../../lifecycle/token_stores.ts";
import { isUnfinished, ownTokens } from "../../lifecycle/workflow_state.ts";
import type { TokenRecord } from "../../store/state.ts";
import type { Io } from "../io.ts";
import type { ListOptions, RevokeOptions } from "../manual/auth_commands.ts";
import type { OwnCall } from "../manual/manual.ts";
import { fixed, line, type Text } from "../output/out.ts";
import { count, tally } from "../output/report.ts";
import { requireConfirmation, requireTerminal } from "../prompts.ts";
import { type AccountSession, withAccountSession } from "./account.ts";

/** A token that was not used for so long is likely forgotten, in seconds: 90 days. */
const STALE = 90 * 24 * 60 * 60;

export async function authList(call: OwnCall<ListOptions>, io: Io): Promise<number> {
  const { options, reporter } = call;
  const { fail, expiring, unused, user: other } = options;
  const within = expiring === undefined ? undefined : await readTime(expiring, "--expiring");
  const idle = unused === undefined ? undefined : await readTime(unused, "--unused");
  if (fail && within === undefined && idle === undefined) {
    throw new UsageError("Cannot use --fail alone: there is nothing to look for", {
      suggestion: "Add --expiring 14d, --unused 90d, or both.",
    });
  }
  return await withAccountSession(call, io, async (session) => {
    const { api, user, connection, signal } = session;
    const { own } = await knownTokens(session);
    const all = await api.tokens({ signal });
    const now = Date.now() + api.clockSkewMs;
    const whose = other === undefined || other === user.username
      ? ownTokens(all, user)
      : all.filter(({ userName }) => userName === other);
    if (other !== undefined && whose.length === 0) {
      throw new UsageError(`Cannot list the tokens of "${other}": the server shows none`);
    }
    const isFound = ({ expiresAt, lastUsedAt, createdAt }: TokenInfo) =>
      (within === undefined && idle === undefined) ||
      (within !== undefined && hasEnded(expiresAt, now + within)) ||
      (idle !== undefined && hasEnded(lastUsedAt ?? createdAt, now - idle));
    const tokens = whose.filter(isFound).map((token) => describeListed(token, { own, now }))
      .sort((a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || 0);
    io.sign?.hide();
    const exitCode = fail && tokens.length > 0 ? EXIT.findings : 0;
    if (options.json) {
      reporter.answer({ server: api.origin, owner: user, tokens });
      return exitCode;
    }
    const number = count(tokens.length, "token");
    const name = other ?? user.username;
    const sought = [expiring && `expiring within ${expiring}`, unused && `unused for ${unused}`]
      .filter(Boolean).join(" or ");
    reporter.print(
      tokens.length === 0 && sought !== ""
        ? line`none of ${name}'s ${count(whose.length, "token")} is ${sought}`
        : line`${number} of ${name} at ${connection.server.value}`,
    );
    if (tokens.length > 0) reporter.table(rowsOf(tokens, { ids: options.ids, now }));
    const endless = tokens.filter(({ expiresAt }) => expiresAt === null).length;
    const totals = tally(
      [tokens.filter(({ expired }) => expired).length, "expired"],
      [endless, endless === 1 ? "never expires" : "never expire"],
      [tokens.filter(({ stale, expired }) => stale && !expired).length, "stale"],
    );
    if (totals !== "") reporter.print(fixed(totals));
    if (exitCode !== 0) reporter.complain(line`Found ${number} ${sought}`);
    return exitCode;
  });
}

async function readTime(text: string, option: string): Promise<number> {
  const time = await readLifetime(text, option);
  if (time === undefined) throw new UsageError(`Cannot use ${option} "never": expected a duration`);
  return time;
}

/** What is known here of the server's tokens, and the id of the one that all this is asked with. */
async function knownTokens({ api, stores, resolved }: AccountSession) {
  const records = (await stores.state.list()).filter(({ origin }) => origin === api.origin);
  const used = resolved?.token.fingerprint;
  return { records, own: records.find(({ fingerprint }) => fingerprint === used)?.id };
}

type ListedToken = ReturnType<typeof describeListed>;

/** Times in Unix seconds; `null` where the server does not say, for never, and for not yet. */
function describeListed(
  { id, name, createdAt, expiresAt, lastUsedAt }: TokenInfo,
  { own, now }: { readonly own: string | undefined; readonly now: number },
) {
  const since = lastUsedAt ?? createdAt;
  return {
    id,
    name,
    createdAt: createdAt ?? null,
    expiresAt: expiresAt ?? null,
    lastUsedAt: lastUsedAt ?? null,
    current: id === own,
    stale: since !== undefined && since < now / 1000 - STALE,
    expired: hasEnded(expiresAt, now),
  };
}

function rowsOf(
  tokens: readonly ListedToken[],
  { ids, now }: { readonly ids: boolean | undefined; readonly now: number },
): readonly (readonly Text[])[] {
  const rows = tokens.map((token) => [
    line`${fixed(token.current ? "* " : "  ")}${token.name}`,
    ...ids ? [token.id, fixed(token.createdAt === null ? "?" : day(token.createdAt))] : [],
    ...expiryOf(token, now).map(fixed),
    fixed(token.lastUsedAt === null ? "never" : daysAgo(token.lastUsedAt, now)),
    fixed(
      [
        token.current && "* used here",
        isUnfinished(token) && "unfinished rotation",
        token.stale && !token.expired && "stale",
      ].filter(Boolean).join(", "),
    ),
  ]);
  const head = ["  NAME", ...ids ? ["ID", "CREATED"] : [], "EXPIRES", "", "LAST USED"];
  return [head.map(fixed), ...rows];
}

function expiryOf({ expiresAt, expired }: ListedToken, now: number): readonly [string, string] {
  if (expiresAt === null) return ["never !", ""];
  return expired ? ["expired", ""] : [day(expiresAt), timeLeft(expiresAt, now).replace("in ", "")];
}

function daysAgo(seconds: number, now: number): string {
  return day(seconds) === day(now / 1000) ? "today" : day(seconds);
}

export async function authRevoke(call: OwnCall<RevokeOptions>, io: Io): Promise<number> {
  const { options, reporter, operands } = call;
  if (operands.length === 0) {
    throw new UsageError("Cannot revoke: no token given", {
      suggestion: 'Give ids or names, as shown by "adc-run auth list".',
    });
  }
  return await withAccountSession(call, io, async (session) => {
    const { api, user, stores, signal } = session;
    const { records, own } = await knownTokens(session);
    const chosen = [...choose(operands, await api.tokens({ signal }), user)]
      // The token that all this is asked with goes last.
      .sort((a, b) => Number(a.id === own) - Number(b.id === own));
    if (!options.yes) {
      requireTerminal(io, "Confirm with --yes.");
      const names = chosen.map(({ name, id }) => `"${name}" (${id})`).join(", ");
      const here = chosen.some(({ id }) => id === own) ? ", including the one in use here" : "";
      await requireConfirmation(`Revoke ${names}${here}?`, io);
    }
    const revoked: TokenInfo[] = [];
    for (const token of chosen) {
      try {
        await api.revokeToken(token.id, { signal });
      } catch (error) {
        throw revoked.length === 0 ? error : partlyRevoked(error, revoked, token);
      }
      revoked.push(token);
      reporter.info(line`revoked "${token.name}" (${token.id})`);
      const stored = records.find(({ id }) => id === token.id);
      if (stored !== undefined) await forgetRevoked(stored, stores);
    }
    return options.json
      ? reporter.answer({ revoked: revoked.map(({ id, name }) => ({ id, name })) })
      : 0;
  });
}

/** All of them have to be there before any is revoked. */
function choose(
  words: readonly string[],
  tokens: readonly TokenInfo[],
  user: User,
): readonly TokenInfo[] {
  const chosen = words.map((word): TokenInfo => {
    const byId = tokens.find(({ id }) => id === word);
    const byName = ownTokens(tokens, user).filter(({ name }) => name === word);
    if (byId === undefined && byName.length > 1) {
      const ids = byName.map(({ id }) => id).join(", ");
      throw new UsageError(`Cannot revoke "${word}": ${byName.length} tokens have that name`, {
        suggestion: `Use its id, one of ${ids}.`,
      });
    }
    const found = byId ?? byName[0];
    if (found !== undefined) return found;
    throw new UsageError(`Cannot revoke "${word}": this user has no token with that id or name`, {
      suggestion: 'Nothing was revoked. For ids and names, see "adc-run auth list".',
    });
  });
  return [...new Set(chosen)];
}

/** Where the token that asks is not known, it may have been among those that are revoked by now. */
function partlyRevoked(error: unknown, revoked: readonly TokenInfo[], failed: TokenInfo): unknown {
  if (!(error instanceof AdminApiError)) return error;
  const names = revoked.map(({ name }) => `"${name}"`).join(", ");
  return new AdcRunError(
    `Revoked ${names}, but not "${failed.name}": ${error.message}`,
    error.exitCode,
    {
      suggestion: error.failure === "rejected"
        ? "The token in use was one of those revoked. Use another one for the rest."
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
