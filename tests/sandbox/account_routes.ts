/**
 * Logging in and out, passwords, and who there is.
 *
 * @module
 */

import type { Accounts, SandboxUser } from "./accounts.ts";
import {
  errorReply,
  listReply,
  objectBody,
  type Reply,
  type SandboxRequest,
  valueReply,
} from "./exchange.ts";
import type { Router } from "./router.ts";
import type { Asker } from "./token_routes.ts";

/** A way to log in, beside the built-in one. */
export interface SandboxLoginOption {
  readonly id: string;
  readonly name: string;
  readonly provider_type: "ldap" | "oidc" | "saml" | "cas";
  /** Whether nobody may use it at the moment. @default false */
  readonly disable?: boolean;
}

/** The cookie that carries a session. */
export const SESSION_COOKIE = "session";

/**
 * Adds `/api/login` and what goes with it to a router.
 *
 * @param router Where to.
 * @param options The accounts, the login options, how to tell who asks, and whether cookies are for
 * HTTPS alone.
 */
export function addAccountRoutes(
  router: Router,
  options: {
    readonly accounts: Accounts;
    readonly loginOptions: readonly SandboxLoginOption[];
    readonly asker: Asker;
    readonly secure: boolean;
  },
): void {
  const { accounts, loginOptions, asker, secure } = options;

  function logIn(request: SandboxRequest, loginOption?: string): Reply {
    const { username, password } = objectBody(request) ?? {};
    if (!isCredential(username) || !isCredential(password)) {
      return errorReply(400, "username and password: the length must be between 1 and 128");
    }
    const session = accounts.logIn(username, password, loginOption);
    if (session === undefined) return errorReply(400, "username or password is incorrect");
    const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
    return {
      status: 200,
      // Two cookies, and the session's second: a client has to send all of them back.
      headers: {
        "set-cookie": [
          `lang=en; ${attributes}`,
          `${SESSION_COOKIE}=${session}; Max-Age=86400; ${attributes}`,
        ],
      },
      body: { value: {} },
    };
  }

  router
    .on("POST /api/login", (request) => logIn(request))
    .on(
      "POST /api/ldap/:id/login",
      (request, { id = "" }) =>
        loginOptions.some((option) =>
            option.id === id && option.provider_type === "ldap" && option.disable !== true
          )
          ? logIn(request, id)
          : errorReply(400, `login option ${id} not found`),
    )
    .on("GET /api/login_options", (request) => {
      const { search = "", name } = request.query;
      const found = loginOptions.filter((option) =>
        option.name.includes(search) && (name === undefined || option.name === name)
      );
      return listReply(found.map((option) => ({ disable: false, ...option })), request);
    })
    .on("POST /api/logout", (request) => {
      accounts.logOut(cookie(request, SESSION_COOKIE) ?? "");
      return {
        status: 200,
        headers: { "set-cookie": `${SESSION_COOKIE}=; Max-Age=0; Path=/` },
        body: { value: {} },
      };
    })
    .on("PUT /api/password", (request) => {
      const user = accounts.session(cookie(request, SESSION_COOKIE));
      if (user === undefined) return errorReply(401, "unauthorized");
      const { old_password, new_password } = objectBody(request) ?? {};
      if (old_password !== user.password || typeof new_password !== "string") {
        return errorReply(400, "old password is incorrect");
      }
      accounts.changePassword(user, new_password);
      return valueReply({});
    })
    .on("GET /api/me", (request) => {
      const user = asker(request);
      return "status" in user ? user : valueReply(describe(user, loginOptions));
    })
    .on("GET /api/users", (request) => {
      const user = asker(request);
      if ("status" in user) return user;
      return listReply(accounts.users.map((each) => describe(each, loginOptions)), request);
    });
}

function isCredential(value: unknown): value is string {
  return typeof value === "string" && value !== "" && [...value].length <= 128;
}

/** The value of one cookie of a request. */
export function cookie(request: SandboxRequest, name: string): string | undefined {
  const pairs = (request.headers["cookie"] ?? "").split("; ");
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function describe(
  user: SandboxUser,
  loginOptions: readonly SandboxLoginOption[],
): Record<string, unknown> {
  return {
    id: user.id,
    username: user.username,
    first_name: "",
    last_name: "",
    email: `${user.username}@example.com`,
    created_at: user.createdAt,
    updated_at: user.createdAt,
    state: "active",
    login_option: loginOptions.find((option) => option.id === user.loginOption) ??
      { id: "built_in", name: "built_in", provider_type: "built_in" },
    roles: user.roles,
  };
}
