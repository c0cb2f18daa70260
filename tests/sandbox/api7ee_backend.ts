/**
 * The Admin API of API7 Enterprise.
 *
 * @module
 */

import {
  addAccountRoutes,
  cookie,
  type SandboxLoginOption,
  SESSION_COOKIE,
} from "./account_routes.ts";
import type { Accounts, SandboxUser } from "./accounts.ts";
import type { Backend } from "./backend.ts";
import { CORE_SCHEMA } from "./core_schema.ts";
import { errorReply, isObject, type Reply, type SandboxRequest, valueReply } from "./exchange.ts";
import { addGatewayGroupRoutes, type GatewayGroups } from "./gateway_groups.ts";
import { addGatewayRoutes } from "./gateway_routes.ts";
import { Resources } from "./resources.ts";
import { Router } from "./router.ts";
import { addTokenRoutes } from "./token_routes.ts";
import type { SandboxToken, Tokens } from "./tokens.ts";

/** What the API is built from. */
export interface Api7eeOptions {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly groups: GatewayGroups;
  readonly version: string;
  readonly tokenPath: string;
  readonly loginOptions: readonly SandboxLoginOption[];
  readonly secure: boolean;
  /** The name of the field that explains an error. */
  readonly errorField: "error_msg" | "message";
  /** Whether there is a license from the start. */
  readonly license: boolean;
  /** The most entries that a page of a list holds, whatever was asked for. */
  readonly maxPageSize: number;
}

/** Who a request comes from. */
interface Identity {
  readonly token: SandboxToken | undefined;
  readonly user: SandboxUser | undefined;
}

/** What a server without a license answers all the same. */
const NEEDS_NO_LICENSE: readonly RegExp[] = [
  /^\/api\/(ldap\/[^/]+\/)?(login|logout)$/,
  /^\/api\/(login_options|me|version|license|password)$/,
];

const FORBIDDEN = "you have no permission to access this resource";

/**
 * Builds the Admin API of API7 Enterprise.
 *
 * @param options What it is built from.
 * @returns The backend.
 */
export function createApi7eeBackend(options: Api7eeOptions): Backend {
  const { accounts, tokens, groups } = options;
  const router = new Router();
  const resources = new Resources();
  let { license } = options;

  function identify(request: SandboxRequest): Identity | Reply {
    if (request.apiKey !== undefined) {
      const token = tokens.use(request.apiKey);
      return token === undefined
        ? errorReply(401, "invalid or expired API key")
        : licensed({ token, user: token.user }, request);
    }
    const user = accounts.session(cookie(request, SESSION_COOKIE));
    if (user === undefined) return errorReply(401, "unauthorized");
    if (user.mustChangePassword) {
      return errorReply(403, "the password has to be changed before anything else");
    }
    return licensed({ token: undefined, user }, request);
  }
  function licensed(identity: Identity, { path }: SandboxRequest): Identity | Reply {
    return license || NEEDS_NO_LICENSE.some((pattern) => pattern.test(path))
      ? identity
      : errorReply(403, "no valid license: upload one before anything else");
  }
  function asker(request: SandboxRequest): SandboxUser | Reply {
    const identity = identify(request);
    if ("status" in identity) return identity;
    return identity.user ?? errorReply(403, FORBIDDEN);
  }
  function tokenAsker(request: SandboxRequest): SandboxUser | Reply {
    const identity = identify(request);
    if ("status" in identity) return identity;
    if (identity.token?.permissions.tokens === false) return errorReply(403, FORBIDDEN);
    return identity.user ?? errorReply(403, FORBIDDEN);
  }
  function guard(request: SandboxRequest): Reply | undefined {
    const identity = identify(request);
    if ("status" in identity) return identity;
    return mayUseGroups(identity, request) ? undefined : errorReply(403, FORBIDDEN);
  }
  function groupOf(request: SandboxRequest): string | Reply {
    const identity = identify(request);
    if ("status" in identity) return identity;
    if (!mayUseGroups(identity, request)) return errorReply(403, FORBIDDEN);
    const id = request.query["gateway_group_id"];
    // An admin key belongs to one group, so that ADC leaves the group out.
    if (id === undefined && identity.token?.value.startsWith("a7adm-") === true) return "default";
    if (id === undefined) return errorReply(400, "gateway_group_id is required");
    return groups.all.some((group) => group.id === id)
      ? id
      : errorReply(400, `gateway group ${id} not found`);
  }
  function anyone(value: unknown): (request: SandboxRequest) => Reply {
    return (request) => {
      const identity = identify(request);
      return "status" in identity ? identity : valueReply(value);
    };
  }

  addAccountRoutes(router, {
    accounts,
    loginOptions: options.loginOptions,
    asker,
    secure: options.secure,
  });
  addTokenRoutes(router, { path: options.tokenPath, tokens, asker: tokenAsker });
  addGatewayGroupRoutes(router, { groups, guard });
  addGatewayRoutes(router, { resources, groupOf });
  router
    .on("GET /api/version", anyone(options.version))
    .on("GET /api/schema/core", anyone(CORE_SCHEMA))
    .on("PUT /api/license", (request) => {
      const user = asker(request);
      if ("status" in user) return user;
      license = true;
      return valueReply({});
    });

  return {
    server: undefined,
    answer(request) {
      const match = router.find(request.method, request.path);
      const reply = match === undefined
        ? errorReply(404, "404 page not found")
        : match.handler(withPageSize(request, options.maxPageSize), match.params);
      return options.errorField === "error_msg" ? reply : withErrorField(reply, options.errorField);
    },
    resources: (collection, group = "default") =>
      resources.list(`${group}/${collection}`).map(({ value }) => value),
  };
}

function mayUseGroups(identity: Identity, request: SandboxRequest): boolean {
  const { permissions = {} } = identity.token ?? {};
  if (permissions.gatewayGroups === false) return false;
  const reading = request.method === "GET" || request.path.endsWith("/validate");
  return reading || permissions.write !== false;
}

function withPageSize(request: SandboxRequest, most: number): SandboxRequest {
  const { query } = request;
  if (Number(query["page_size"] ?? Infinity) <= most || most === Infinity) return request;
  return { ...request, query: { ...query, page_size: String(most) } };
}

function withErrorField(reply: Reply, field: string): Reply {
  if (!isObject(reply.body) || !("error_msg" in reply.body)) return reply;
  const { error_msg, ...rest } = reply.body;
  return { ...reply, body: { [field]: error_msg, ...rest } };
}
