import { readDuration } from "../adc/settings.ts";
import { TOKEN_REJECTED } from "../check/response.ts";
import type { CheckResult } from "../check/verdict.ts";
import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { adcRunCommand } from "../connection/origin.ts";
import { type Context, type Environment, isPipeline } from "../context.ts";
import { UsageError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { storeFolder } from "../store/private_path.ts";
import { openState, type TokenRecord } from "../store/state.ts";
import { StoreError } from "../store/store_error.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { isSourceName } from "../token/sources.ts";

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** How long a token lives where nothing else was asked for, in milliseconds. */
export const DEFAULT_LIFETIME = 30 * DAY;

/** How long a token for one run lives where it cannot be revoked. */
export const DEFAULT_TTL = "1h";

/** A token that ends within this time is worth a line, in milliseconds. */
const SOON = 7 * DAY;

/** Numbers with units: the parser passes over whatever else stands there, a date, say. */
const DURATION = /^-?(\d+(\.\d+)?\s*[a-z]+\s*)+$/;

/** A century: longer is a slip, and the server's clock may not take it. */
const LONGEST = 100 * 365 * DAY;

/** How long a token is to live, in milliseconds; `undefined` for `never`. */
export async function readLifetime(text: string, option: string): Promise<number | undefined> {
  if (text === "never") return undefined;
  const refuse = (found: string, suggestion = 'Use a value such as "30d" or "12h".') =>
    new UsageError(`Cannot use ${option} "${text}": ${found}`, { suggestion });
  const lifetime = DURATION.test(text) ? await readDuration(text.replace(/^-/, "")) : undefined;
  if (lifetime === undefined) throw refuse("it is not a duration");
  // The server counts in seconds.
  if (lifetime < 1000 || text.startsWith("-")) {
    throw refuse("the token would have expired already");
  }
  if (lifetime <= LONGEST) return lifetime;
  throw refuse("that is more than 100 years", 'For a token that never expires, use "never".');
}

export async function readTtl(text: string, option: string = "ephemeral"): Promise<number> {
  const ttl = await readLifetime(text, option);
  if (ttl !== undefined) return ttl;
  throw new UsageError(`Cannot use ${option} "never": a token for one run must expire`);
}

export function endOf(lifetime: number | undefined, now: number): number | undefined {
  return lifetime === undefined ? undefined : Math.floor((now + lifetime) / 1000);
}

/** How long a token that ends was to live, in milliseconds; `otherwise` where nobody knows. */
export function lifetimeOf(
  { createdAt = NaN, expiresAt = NaN }: {
    readonly createdAt?: number | undefined;
    readonly expiresAt?: number | undefined;
  },
  otherwise: number,
): number {
  const lifetime = (expiresAt - createdAt) * 1000;
  return lifetime > 0 ? lifetime : otherwise;
}

/** The first moment of the year 10000, in Unix seconds. */
const YEAR_10000 = 253_402_300_800;

export function day(seconds: number): string {
  // A file that was edited by hand may have any number.
  const inCalendar = Math.min(Math.max(seconds, 0), YEAR_10000 - 1);
  return new Date(inCalendar * 1000).toISOString().slice(0, 10);
}

export function describeEnd(expiresAt: number | undefined, now: number): string {
  if (expiresAt === undefined) return "never expires";
  return `${hasEnded(expiresAt, now) ? "expired" : "expires"} ${moment(expiresAt, now)}`;
}

/** `on 2026-12-27`; of a time that is near, `on 2026-11-27 at 14:05 UTC`. */
function moment(seconds: number, now: number): string {
  if (Math.abs(seconds * 1000 - now) >= DAY) return `on ${day(seconds)}`;
  return `on ${day(seconds)} at ${new Date(seconds * 1000).toISOString().slice(11, 16)} UTC`;
}

/** `in 30 days`, `in 5 hours`, `in 5 minutes`, `expired`. */
export function timeLeft(expiresAt: number, now: number): string {
  const left = expiresAt * 1000 - now;
  if (left <= 0) return "expired";
  const [unit, name] = left > DAY
    ? [DAY, "day"]
    : left >= HOUR
    ? [HOUR, "hour"]
    : [MINUTE, "minute"];
  const count = Math.ceil(left / unit);
  return `in ${count} ${name}${count === 1 ? "" : "s"}`;
}

export function hasEnded(expiresAt: number | undefined, now: number): boolean {
  return expiresAt !== undefined && expiresAt * 1000 <= now;
}

export function endsSoon(expiresAt: number | undefined, now: number): string | undefined {
  if (expiresAt === undefined) return undefined;
  const left = expiresAt * 1000 - now;
  return left <= 0 || left > SOON ? undefined : timeLeft(expiresAt, now);
}

export async function knownToken(
  token: Secret,
  { connection, env, onWarning }: Pick<Context, "env" | "onWarning"> & {
    readonly connection: Connection;
  },
): Promise<TokenRecord | undefined> {
  const { backend, servers } = connection;
  if (!BACKENDS[backend.value].hasUsers) return undefined;
  try {
    const { origin } = servers[0]!;
    const state = openState(storeFolder(env), { onWarning });
    return await state.find({ origin, fingerprint: token.fingerprint });
  } catch (error) {
    // The token works without it; only its end is not known.
    if (!(error instanceof StoreError)) throw error;
    onWarning?.(error.message);
    return undefined;
  }
}

export function endWarning(
  record: TokenRecord | undefined,
  { connection, now }: { readonly connection: Connection; readonly now: number },
): string | undefined {
  const soon = endsSoon(record?.expiresAt, now);
  if (record === undefined || soon === undefined) return undefined;
  return `Token "${record.name ?? record.fingerprint}" expires ${soon}, ` +
    `${moment(record.expiresAt!, now)}. Rotate it with: ${
      adcRunCommand("auth rotate", connection)
    }`;
}

export function explainRefusal(
  result: CheckResult,
  { record, now, ...where }: ReplacementOptions & {
    readonly record: TokenRecord | undefined;
    readonly now: number;
  },
): CheckResult {
  if (result.verdict !== "rejected") return result;
  const ended = hasEnded(record?.expiresAt, now);
  const { suggestion } = result;
  const fix = suggestion?.includes(TOKEN_REJECTED) ? howToReplace(where) : undefined;
  return {
    ...result,
    ...(ended && { reason: `${result.reason}; the token expired on ${day(record!.expiresAt!)}` }),
    ...(fix !== undefined && {
      suggestion: ended ? suggestion!.replace(TOKEN_REJECTED, () => fix) : `${suggestion} ${fix}`,
    }),
  };
}

interface ReplacementOptions {
  readonly resolved: ResolvedToken;
  readonly connection: Connection;
  readonly env: Environment;
}

function howToReplace({ resolved, connection, env }: ReplacementOptions): string | undefined {
  const { source, detail, lease } = resolved;
  if (lease !== undefined || !isSourceName(source)) return undefined;
  const flag = BACKENDS[connection.backend.value].hasUsers ? "" : " --with-token";
  const login = (more = "") =>
    `Store a new one with: ${adcRunCommand(`auth login${flag}${more}`, connection)}`;
  const fixes: Readonly<Record<typeof source, string | undefined>> = {
    "flag": "Replace the value of --token.",
    "env": isPipeline(env)
      ? `Update the secret that ${detail} is set from.`
      : `Replace ${detail}, or unset it to use another source.`,
    "file": "Replace the token in the file that ADC_TOKEN_FILE names.",
    "dotenv": `Replace ${detail}, or remove it to use another source.`,
    "command": "Replace the token that the command prints.",
    "store": login(" --storage file"),
    "keychain": login(),
    "admin-api": undefined,
  };
  return fixes[source];
}
