/**
 * The tokens that the sandbox knows.
 *
 * @module
 */

import { randomBytes, randomUUID } from "node:crypto";
import type { SandboxUser } from "./accounts.ts";

/** What a token may do; everything that is not said is allowed. */
export interface TokenPermissions {
  /** `GET /api/gateway_groups`, and with it every gateway group. @default true */
  readonly gatewayGroups?: boolean;
  /** Any change under `/apisix/admin`; for APISIX it makes the key a viewer's. @default true */
  readonly write?: boolean;
  /** The token paths themselves. @default true */
  readonly tokens?: boolean;
}

/** A token, its value included: nothing here is secret from a test. */
export interface SandboxToken {
  readonly id: string;
  name: string;
  value: string;
  /** `undefined` for an admin key. */
  readonly user: SandboxUser | undefined;
  /** Unix seconds; 0 for never. */
  expiresAt: number;
  readonly createdAt: number;
  updatedAt: number;
  /** Unix seconds; 0 while unused. */
  lastUsedAt: number;
  revoked: boolean;
  readonly permissions: TokenPermissions;
}

/** A token to be. */
export interface NewToken {
  readonly user: SandboxUser | undefined;
  readonly name: string;
  readonly expiresAt: number;
  readonly prefix: string;
  readonly permissions?: TokenPermissions;
  /** @default random */
  readonly value?: string;
}

/** Tokens in the order of their making, revoked ones too. */
export class Tokens {
  readonly all: SandboxToken[] = [];
  /** Every value ever given out, replaced ones too: canaries. */
  readonly values: string[] = [];
  readonly #seconds: () => number;

  readonly #value: () => string | undefined;

  /**
   * @param seconds The clock, in Unix seconds.
   * @param value The next value, where it is not to be random.
   */
  constructor(seconds: () => number, value: () => string | undefined = () => undefined) {
    this.#seconds = seconds;
    this.#value = value;
  }

  /** Makes a token. */
  add(fresh: NewToken): SandboxToken {
    const now = this.#seconds();
    const token: SandboxToken = {
      id: randomUUID(),
      name: fresh.name,
      value: fresh.value ?? this.#value() ?? secretValue(fresh.prefix),
      user: fresh.user,
      expiresAt: fresh.expiresAt,
      createdAt: now,
      updatedAt: now,
      lastUsedAt: 0,
      revoked: false,
      permissions: fresh.permissions ?? {},
    };
    this.all.push(token);
    this.values.push(token.value);
    return token;
  }

  /** The live, unexpired token with a value; notes that it was used. */
  use(value: string): SandboxToken | undefined {
    const now = this.#seconds();
    const token = this.live.find((each) => each.value === value);
    if (token !== undefined) token.lastUsedAt = now;
    return token;
  }

  /** The tokens that a request could come with: neither revoked nor expired. */
  get live(): SandboxToken[] {
    const now = this.#seconds();
    return this.all.filter(({ revoked, expiresAt }) =>
      !revoked && (expiresAt === 0 || expiresAt > now)
    );
  }

  /** A user's live tokens. */
  of(user: SandboxUser): SandboxToken[] {
    return this.all.filter((token) => token.user === user && !token.revoked);
  }

  /** Gives a token another name. */
  rename(token: SandboxToken, name: string): void {
    token.name = name;
    token.updatedAt = this.#seconds();
  }

  /** Gives a token another value; the old one stops working at once. */
  regenerate(token: SandboxToken, expiresAt: number): void {
    token.value = this.#value() ?? secretValue(token.value.slice(0, token.value.indexOf("-") + 1));
    this.values.push(token.value);
    token.expiresAt = expiresAt;
    token.updatedAt = this.#seconds();
  }

  /** Revokes by id or by value; tells whether there was such a token. */
  revoke(idOrValue: string): boolean {
    const token = this.all.find((each) =>
      !each.revoked && (each.id === idOrValue || each.value === idOrValue)
    );
    if (token !== undefined) token.revoked = true;
    return token !== undefined;
  }
}

function secretValue(prefix: string): string {
  return prefix + randomBytes(24).toString("hex");
}
