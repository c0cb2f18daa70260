import type { TokenInfo } from "../../admin_api/shapes.ts";
import { day, hasEnded } from "../../lifecycle/expiry.ts";
import { openTokenStores } from "../../lifecycle/token_stores.ts";
import type { TokenRecord } from "../../store/state.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { alignColumns } from "../output/report.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { describeOwner, openAccountSession } from "./account.ts";

/** A token that was not used for so long is likely forgotten, in seconds: 90 days. */
const STALE = 90 * 24 * 60 * 60;

/** A token as the list shows it. */
interface ListedToken {
  readonly id: string;
  readonly name: string;
  /** Unix seconds; `null` where the server does not say, for never, and for not yet. */
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  /** Whether it is the one that is stored on this machine. */
  readonly current: boolean;
  /** Whether it was not used for 90 days. */
  readonly stale: boolean;
  readonly expired: boolean;
}

/** Lists the tokens of the user whose token a run would take. */
export async function authList(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, sources, reporter } = await readOwnCommand(call, io, {
    name: "auth list",
    uses: ["--source", "--token"],
    options: [],
    backend: "api7ee",
  });
  const stores = openTokenStores({ env: io.env, keychain: io.keychain, onWarning: reporter.warn });
  const interrupt = abortOnInterrupt(io.signals);
  const { signal } = interrupt;
  try {
    const { api, user, resolved, close } = await openAccountSession(connection, {
      sources,
      stores,
      io,
      reporter,
      signal,
    });
    try {
      const records = await stores.state.list();
      const used = resolved?.token.fingerprint;
      const now = Date.now();
      const tokens = (await api.tokens({ signal })).map((token) =>
        judge(token, { records: records.filter(({ origin }) => origin === api.origin), used, now })
      );
      if (options.json) {
        const { warnings } = reporter;
        reporter.print(JSON.stringify({ server: api.origin, owner: user, tokens, warnings }));
        return 0;
      }
      reporter.info(`tokens of ${describeOwner(user)} at ${connection.server.value}`);
      if (tokens.length > 0) reporter.print(formatTokens(tokens));
      return 0;
    } finally {
      await close();
    }
  } finally {
    interrupt.release();
  }
}

function judge(
  { id, name, createdAt, expiresAt, lastUsedAt }: TokenInfo,
  { records, used, now }: {
    readonly records: readonly TokenRecord[];
    readonly used: string | undefined;
    readonly now: number;
  },
): ListedToken {
  const since = lastUsedAt ?? createdAt;
  return {
    id,
    name,
    createdAt: createdAt ?? null,
    expiresAt: expiresAt ?? null,
    lastUsedAt: lastUsedAt ?? null,
    current: records.some((record) => record.id === id && record.fingerprint === used),
    stale: since !== undefined && since < now / 1000 - STALE,
    expired: hasEnded(expiresAt, now),
  };
}

function formatTokens(tokens: readonly ListedToken[]): string {
  const date = (seconds: number | null, none: string) => seconds === null ? none : day(seconds);
  const rows = tokens.map((token) => [
    token.current ? "*" : " ",
    // A name can have lines of its own.
    token.name.replace(/\s+/g, " "),
    token.id,
    date(token.createdAt, "?"),
    date(token.expiresAt, "never"),
    date(token.lastUsedAt, "never"),
    [
      token.current && "in use here",
      token.expired && "expired",
      token.stale && !token.expired && "stale",
    ].filter((word) => typeof word === "string").join(", "),
  ]);
  return alignColumns([[" ", "NAME", "ID", "CREATED", "EXPIRES", "LAST USED", ""], ...rows]);
}
