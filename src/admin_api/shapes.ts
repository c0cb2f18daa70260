import { parseObject } from "../check/response.ts";
import { Secret } from "../secret.ts";
import type { Answered, Requester } from "./requester.ts";

/**
 * A user of API7 Enterprise.
 * @category Admin API
 */
export interface User {
  /** The user's id. */
  readonly id: string;
  /** The name that the user logs in with. */
  readonly username: string;
  /** The names of the user's roles. */
  readonly roles: readonly string[];
  /** Whether the user is a Super Admin, whom API7's documentation advises against for tokens. */
  readonly superAdmin: boolean;
  /** The name of the login option that the user comes from; absent where the server does not say. */
  readonly loginOption?: string | undefined;
}

/**
 * A way to log in, besides the built-in one.
 * @category Admin API
 */
export interface LoginOption {
  /** The id. */
  readonly id: string;
  /** The name, as the Dashboard shows it. */
  readonly name: string;
  /** `ldap`, `oidc`, `saml` or `cas`; only `ldap` works without a browser. */
  readonly providerType: string;
  /** Whether it is turned off. */
  readonly disabled: boolean;
}

/**
 * What the server tells about a token. All times are Unix seconds.
 * @category Admin API
 */
export interface TokenInfo {
  /** The token's id. */
  readonly id: string;
  /** The token's name, which is the only one of its user's. */
  readonly name: string;
  /** When it was created. */
  readonly createdAt?: number | undefined;
  /** When it expires; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /** The id of the user whom it belongs to. */
  readonly userId?: string | undefined;
  /** The name of the user whom it belongs to. */
  readonly userName?: string | undefined;
  /** When it was last used; `undefined` for never. */
  readonly lastUsedAt: number | undefined;
}

/**
 * A token that was just created or regenerated, with its value: the server gives it only now.
 * @category Admin API
 */
export interface NewToken extends TokenInfo {
  /** The token itself. */
  readonly token: Secret;
}

/** Reads one thing of an answer: `undefined` stands for another shape. */
export type Reader<T> = (value: unknown) => T | undefined;

/** The id of the Super Admin role, by ADC's end-to-end tests and API7's documentation. */
const SUPER_ADMIN_ROLE = "super_admin_id";

export function readUser(value: unknown): User | undefined {
  const user = objectOf(value) ?? {};
  const id = textOf(user.id);
  const username = textOf(user.username);
  if (id === undefined || username === undefined) return undefined;
  const roles = (Array.isArray(user.roles) ? user.roles : []).map(objectOf)
    .filter((role) => role !== undefined);
  return {
    id,
    username,
    roles: roles.map((role) => textOf(role.name) ?? textOf(role.id))
      .filter((name) => name !== undefined),
    superAdmin: roles.some((role) => role.id === SUPER_ADMIN_ROLE),
    loginOption: textOf(objectOf(user.login_option)?.name),
  };
}

export function readLoginOption(value: unknown): LoginOption | undefined {
  const option = objectOf(value) ?? {};
  const [id, name, providerType] = [option.id, option.name, option.provider_type].map(textOf);
  return id === undefined || name === undefined || providerType === undefined
    ? undefined
    : { id, name, providerType, disabled: option.disable === true };
}

export function readTokenInfo(value: unknown): TokenInfo | undefined {
  const token = objectOf(value) ?? {};
  const id = textOf(token.id);
  const name = textOf(token.name);
  if (id === undefined || name === undefined) return undefined;
  const times = [token.created_at, token.expires_at, token.last_used_at];
  if (!times.every((time) => time === undefined || time === null || Number.isFinite(time))) {
    return undefined;
  }
  return {
    id,
    name,
    createdAt: timeOf(token.created_at),
    expiresAt: timeOf(token.expires_at),
    userId: textOf(token.user_id),
    userName: textOf(token.user_name),
    lastUsedAt: timeOf(token.last_used_at),
  };
}

export function readNewToken(value: unknown): NewToken | undefined {
  const info = readTokenInfo(value);
  const token = textOf(objectOf(value)?.token);
  return info && token ? { ...info, token: new Secret(token) } : undefined;
}

export function readVersion(value: unknown): string | undefined {
  return textOf(value);
}

export function readExist(value: unknown): boolean | undefined {
  const exist = objectOf(value)?.exist;
  return typeof exist === "boolean" ? exist : undefined;
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The end of the year 9999, in Unix seconds. */
const LAST_SECOND = 253_402_300_799;

/** Go writes a time that there is none of as 0; what is beyond the calendar stands for "never", too. */
function timeOf(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 && value <= LAST_SECOND ? value : undefined;
}

const PAGE_SIZE = 100;

/** A list that goes on beyond has no end. */
const MAX_PAGES = 1_000;

export function readValue<T>(requester: Requester, answered: Answered, read: Reader<T>): T {
  const value = read(parseObject(answered.response.body)?.value);
  if (value === undefined) throw requester.wrongServer(answered);
  return value;
}

export async function readPages<T extends { readonly id: string }>(
  requester: Requester,
  get: (query: string) => Promise<Answered>,
  read: Reader<T>,
): Promise<readonly T[]> {
  const items = new Map<string, T>();
  let received = 0;
  let answered: Answered | undefined;
  for (let page = 1; page <= MAX_PAGES; page++) {
    answered = await get(`page=${page}&page_size=${PAGE_SIZE}`);
    const { list, total } = parseObject(answered.response.body) ?? {};
    // Go writes an empty list as null.
    const found = list === null ? [] : list;
    const known = total === undefined || total === null || Number.isInteger(total);
    if (!Array.isArray(found) || !known) throw requester.wrongServer(answered);
    const before = items.size;
    for (const each of found) {
      const item = read(each);
      if (item === undefined) throw requester.wrongServer(answered);
      items.set(item.id, item);
    }
    received += found.length;
    const complete = typeof total === "number" && received >= total;
    // A server that knows no pages gives the same one again.
    if (complete || items.size === before) return [...items.values()];
  }
  throw requester.wrongServer(answered!, {
    reason: `the list does not end after ${MAX_PAGES} pages`,
  });
}
