/**
 * `/api/tokens`, or `/api/settings/tokens` before it moved.
 *
 * @module
 */

import type { SandboxUser } from "./accounts.ts";
import {
  errorReply,
  type Handler,
  listReply,
  objectBody,
  type Reply,
  valueReply,
} from "./exchange.ts";
import type { Router } from "./router.ts";
import type { SandboxToken, Tokens } from "./tokens.ts";

/** Who asks; an admin key belongs to nobody. */
export type Asker = (request: Parameters<Handler>[0]) => SandboxUser | Reply;

const ORDERS: Readonly<Record<string, (token: SandboxToken) => number>> = {
  created_at: (token) => token.createdAt,
  updated_at: (token) => token.updatedAt,
  expires_at: (token) => token.expiresAt,
};

/**
 * Adds the token paths to a router.
 *
 * @param router Where to.
 * @param options The path, the tokens, and how to tell who asks.
 */
export function addTokenRoutes(
  router: Router,
  options: { readonly path: string; readonly tokens: Tokens; readonly asker: Asker },
): void {
  const { path, tokens, asker } = options;

  function owned(run: (user: SandboxUser, ...rest: Parameters<Handler>) => Reply): Handler {
    return (request, params) => {
      const user = asker(request);
      return "status" in user ? user : run(user, request, params);
    };
  }
  function one(
    run: (token: SandboxToken, user: SandboxUser, ...rest: Parameters<Handler>) => Reply,
  ): Handler {
    return owned((user, request, params) => {
      const token = tokens.of(user).find((each) => each.id === params["id"]);
      if (token === undefined) return errorReply(404, `token ${params["id"]} not found`);
      return run(token, user, request, params);
    });
  }

  router
    .on(
      `GET ${path}/check_name`,
      owned((user, request) => {
        const { name } = request.query;
        return valueReply({ exist: tokens.of(user).some((token) => token.name === name) });
      }),
    )
    .on(
      `POST ${path}`,
      owned((user, request) => {
        const { name, expires_at } = objectBody(request) ?? {};
        const wrong = nameError(name, tokens.of(user)) ?? expiryError(expires_at);
        if (wrong !== undefined) return wrong;
        const token = tokens.add({
          user,
          name: String(name),
          expiresAt: Number(expires_at),
          prefix: "a7ee-",
        });
        return valueReply({ ...describe(token), token: token.value });
      }),
    )
    .on(
      `GET ${path}`,
      owned((user, request) => {
        const { search = "", order_by = "created_at", direction = "desc" } = request.query;
        const order = ORDERS[order_by];
        if (order === undefined) return errorReply(400, `unknown order_by "${order_by}"`);
        const sign = direction === "asc" ? 1 : -1;
        const found = tokens.of(user).filter((token) => token.name.includes(search));
        return listReply(found.sort((a, b) => sign * (order(a) - order(b))).map(describe), request);
      }),
    )
    .on(`GET ${path}/:id`, one((token) => valueReply(describe(token))))
    .on(
      `PUT ${path}/:id`,
      one((token, user, request) => {
        const name = objectBody(request)?.["name"];
        const wrong = nameError(name, tokens.of(user).filter((each) => each !== token));
        if (wrong !== undefined) return wrong;
        tokens.rename(token, String(name));
        return valueReply(describe(token));
      }),
    )
    .on(
      `PUT ${path}/:id/regenerate`,
      one((token, _user, request) => {
        const expiresAt = objectBody(request)?.["expires_at"];
        const wrong = expiryError(expiresAt);
        if (wrong !== undefined) return wrong;
        tokens.regenerate(token, Number(expiresAt));
        return valueReply({ ...describe(token), token: token.value });
      }),
    )
    .on(
      `DELETE ${path}/:id`,
      one((token) => {
        tokens.revoke(token.id);
        return valueReply({});
      }),
    );
}

function describe(token: SandboxToken): Record<string, unknown> {
  return {
    id: token.id,
    name: token.name,
    created_at: token.createdAt,
    updated_at: token.updatedAt,
    expires_at: token.expiresAt,
    user_id: token.user?.id ?? "",
    user_name: token.user?.username ?? "",
    last_used_at: token.lastUsedAt,
  };
}

function nameError(name: unknown, taken: readonly SandboxToken[]): Reply | undefined {
  if (typeof name !== "string" || name === "") return errorReply(400, "name is required");
  // Characters, as JSON Schema counts them: not the halves of one.
  if ([...name].length > 40) return errorReply(400, "name: the length must be no more than 40");
  if (taken.some((token) => token.name === name)) {
    return errorReply(400, `token name "${name}" already exists`);
  }
  return undefined;
}

function expiryError(expiresAt: unknown): Reply | undefined {
  return Number.isInteger(expiresAt) && Number(expiresAt) >= 0
    ? undefined
    : errorReply(400, "expires_at must be a Unix time in seconds, or 0");
}
