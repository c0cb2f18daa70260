/**
 * What a sandbox is made of, and what a test holds in its hand.
 *
 * @module
 */

import type { SandboxLoginOption } from "./account_routes.ts";
import type { AddUserOptions, SandboxUser } from "./accounts.ts";
import type { SandboxRequest } from "./exchange.ts";
import type { Fault, FaultMatch } from "./faults.ts";
import type { GatewayGroup } from "./gateway_groups.ts";
import type { Hold, HoldMoment } from "./holds.ts";
import type { SandboxToken, TokenPermissions } from "./tokens.ts";

/** How a sandbox is to be. */
export interface SandboxOptions {
  /** Whose Admin API. @default "api7ee" */
  readonly backend?: "api7ee" | "apisix" | "apisix-standalone";
  /** The port on 127.0.0.1. @default 0, any free one */
  readonly port?: number;
  /** @default false */
  readonly https?: boolean;
  /** Whether a client has to present a certificate of the sandbox's CA; turns HTTPS on. @default false */
  readonly clientCertificate?: boolean;
  /** Where the tokens are; the other path answers 404. @default "/api/tokens" */
  readonly tokenPath?: "/api/tokens" | "/api/settings/tokens";
  /** @default "3.9.14" for api7ee, "3.18.0" for the others */
  readonly version?: string;
  /** The host in {@linkcode Sandbox.url}. @default "localhost" with HTTPS, "127.0.0.1" without */
  readonly serverName?: string;
  /** Names and addresses in the certificate. @default localhost, 127.0.0.1 and ::1 */
  readonly hosts?: readonly string[];
  /** Whether the certificate ended yesterday. @default false */
  readonly expiredCertificate?: boolean;
  /** Whether the certificate is for another host. @default false */
  readonly wrongName?: boolean;
  /** The clock for tokens, in milliseconds. @default Date.now */
  readonly now?: () => number;
  /** Keys that APISIX takes from the start. @default none */
  readonly adminKeys?: readonly string[];
  /** Whether APISIX' `allow_admin` lists this machine. @default true */
  readonly allowAdmin?: boolean;
  /** APISIX' `admin_key_required`. @default true */
  readonly keyRequired?: boolean;
  /** APISIX' `admin_api_version`. @default "v3" */
  readonly adminApiVersion?: "v2" | "v3";
  /** Whether APISIX' etcd lives. @default true */
  readonly etcd?: boolean;
  /** Whether APISIX proxies TCP and UDP, without which it has no stream routes. @default true */
  readonly streamProxy?: boolean;
  /** The `Server` header that something in front writes; an empty one is left out. @default APISIX' own */
  readonly serverHeader?: string;
  /** Whether `name=` narrows the list of gateway groups, as `search=` does. @default true */
  readonly groupsByName?: boolean;
  /** Ways to log in beside the built-in one. @default one each of ldap and oidc */
  readonly loginOptions?: readonly SandboxLoginOption[];
  /** The field of an error; some versions say `message`. @default "error_msg" */
  readonly errorField?: "error_msg" | "message";
  /** Whether API7 Enterprise has one; without it, it refuses nearly everything. @default true */
  readonly license?: boolean;
  /** The most entries of a page, whatever `page_size` says. @default Infinity */
  readonly maxPageSize?: number;
}

/** A token to be. */
export interface AddTokenOptions {
  /** Whose; ignored for `a7adm-`. @default the user `admin`, made if there is none */
  readonly user?: string | SandboxUser;
  /** @default `token N` */
  readonly name?: string;
  /** Unix seconds; 0 for never. @default 0 */
  readonly expiresAt?: number;
  /** @default "a7ee-" for api7ee, "" for the others */
  readonly prefix?: "a7ee-" | "a7adm-";
  /** @default everything is allowed */
  readonly permissions?: TokenPermissions;
  /** @default random */
  readonly value?: string;
}

/** Called around every request. */
export interface SandboxHooks {
  /** Before the token is looked at. */
  onRequest?: ((request: SandboxRequest) => void | Promise<void>) | undefined;
  /** After the reply was made, before it is sent. */
  onReply?: ((request: SandboxRequest) => void | Promise<void>) | undefined;
  /** The value of the next token that is made. */
  tokenValue?: (() => string | undefined) | undefined;
  /** The time that its answers tell, in milliseconds; without it, the machine's. */
  date?: (() => number) | undefined;
}

/** A running Admin API, for tests. */
export interface Sandbox extends AsyncDisposable {
  /** The origin, `https://localhost:41234`. */
  readonly url: string;
  readonly port: number;
  /** PEM file of the CA that signed the server's certificate. */
  readonly ca: string;
  /** PEM file of a CA that signed nothing of the server's. */
  readonly otherCa: string;
  /** PEM files of a client certificate that the server takes, and its key. */
  readonly clientCert: string;
  readonly clientKey: string;
  /** The same from the other CA: the server refuses it. */
  readonly otherClientCert: string;
  readonly otherClientKey: string;
  /** The folder of all these; {@linkcode Sandbox.close} deletes it. */
  readonly certDir: string;
  /** Every request so far. */
  readonly requests: readonly SandboxRequest[];
  /** Every token ever made, revoked ones too. */
  readonly tokens: readonly SandboxToken[];
  /** Those of them that are neither revoked nor expired. */
  readonly liveTokens: readonly SandboxToken[];
  /** Every token value and every session cookie's value so far, dead ones too: canaries. */
  readonly secrets: readonly string[];
  /** How many login sessions are open. */
  readonly openSessions: number;
  /** Set these at any time. */
  readonly hooks: SandboxHooks;
  /** What was written to a collection, such as `services`; of a gateway group's id, on API7 EE. */
  readonly resources: (collection: string, group?: string) => readonly unknown[];
  readonly addUser: (user: AddUserOptions) => SandboxUser;
  /** Makes a token; for APISIX, an admin key. */
  readonly addToken: (token?: AddTokenOptions) => SandboxToken;
  /** Revokes by id or by value; tells whether there was such a token. */
  readonly revokeToken: (idOrValue: string) => boolean;
  readonly addGatewayGroup: (name: string) => GatewayGroup;
  /** Makes matching requests go wrong; gives a function that ends it. @default times Infinity */
  readonly fault: (
    match: FaultMatch,
    fault: Fault,
    options?: { readonly times?: number },
  ) => () => void;
  /** Makes matching requests wait for the test. @default moment "before" */
  readonly hold: (match: FaultMatch, moment?: HoldMoment) => Hold;
  /** Ends all faults. */
  readonly clearFaults: () => void;
  /** Dies: cuts every connection and listens no more. Nothing is forgotten. */
  readonly stop: () => Promise<void>;
  /** Comes back on the same port after {@linkcode Sandbox.stop}. */
  readonly restart: () => Promise<void>;
  /** Cuts every connection, stops listening and deletes the certificates. */
  readonly close: () => Promise<void>;
}
