/**
 * The shapes of what goes to API7 Enterprise's Admin API and comes back from it: logging in, tokens,
 * users, gateway groups, the version. The sandbox is held against them, and so is what adc-run sends.
 *
 * @module
 */

/** One value of JSON. */
export type Shape =
  | {
    readonly type: "string";
    readonly min?: number;
    readonly max?: number;
    readonly pattern?: RegExp;
    readonly oneOf?: readonly string[];
  }
  | { readonly type: "integer"; readonly min?: number }
  | { readonly type: "boolean" }
  | { readonly type: "list"; readonly of: Shape; readonly min?: number; readonly max?: number }
  /** An object with any names, each with a value of one shape. */
  | { readonly type: "map"; readonly of: Shape }
  /** An object; a name that ends in `?` may be missing, and no other name may be there. */
  | { readonly type: "object"; readonly fields: Readonly<Record<string, Shape>> };

/** One call: what may be asked, and what a success answers. */
export interface Call {
  /** The names that the query may have; those that end in `!` it must have. */
  readonly query?: readonly string[];
  /** The body; no body where there is none. */
  readonly body?: Shape;
  readonly answer: Shape;
}

const text: Shape = { type: "string" };
const integer: Shape = { type: "integer" };
const time: Shape = { type: "integer", min: 0 };
const id: Shape = { type: "string", pattern: /^[a-zA-Z0-9-_.]+$/ };
const nothing: Shape = { type: "object", fields: {} };

function object(fields: Readonly<Record<string, Shape>>): Shape {
  return { type: "object", fields };
}
function list(of: Shape): Shape {
  return { type: "list", of };
}
function oneOf(...values: readonly string[]): Shape {
  return { type: "string", oneOf: values };
}
/** One thing, the way the API wraps it. */
function one(value: Shape): Shape {
  return object({ value, "key?": text, "warning_msg?": text });
}
/** A page of many things. */
function many(of: Shape): Shape {
  return object({ list: list(of), total: time });
}

const credential: Shape = { type: "string", min: 1, max: 128 };
const credentials = object({ username: credential, password: credential });
const tokenName: Shape = { type: "string", min: 1, max: 40 };

const token = {
  id,
  name: text,
  created_at: integer,
  updated_at: integer,
  expires_at: integer,
  user_id: text,
  user_name: text,
  last_used_at: integer,
};
/** The only answer with the secret in it. */
const freshToken = object({ ...token, token: { type: "string", min: 1 } });

const role = object({
  id: text,
  name: text,
  "org_id?": text,
  "permissions?": list(text),
  "scope_type?": oneOf("gateway_group", "service"),
  "scopes?": list(object({ id: text, name: text })),
});

const user = object({
  id,
  username: text,
  email: text,
  first_name: text,
  last_name: text,
  created_at: time,
  updated_at: time,
  state: text,
  login_option: object({ id: text, name: text, "logo?": text, provider_type: text }),
  roles: { type: "list", of: role, min: 1, max: 32 },
});

/** Of how each kind of login is set up nothing is asked: that is for administrators. */
const loginOption = object({
  // The list is documented without it. The path of an LDAP login and `login_option` of a user need it.
  id: text,
  name: text,
  "logo?": text,
  "disable?": { type: "boolean" },
  provider_type: oneOf("ldap", "oidc", "saml", "cas"),
});

const gatewayGroup = object({
  id,
  name: { type: "string", min: 1, max: 1024 },
  desc: text,
  labels: { type: "map", of: text },
  created_at: time,
  updated_at: time,
  "config?": object({
    "group_type?": text,
    "control_plane_key_prefix?": text,
    "control_plane_user?": text,
    "control_plane_password?": text,
    "image_tag?": text,
  }),
});

const paging = ["page", "page_size", "direction", "order_by"];

/** Every call outside the token paths, by method and path. */
const CALLS: Readonly<Record<string, Call>> = {
  "POST /api/login": { body: credentials, answer: one(nothing) },
  "POST /api/ldap/:id/login": { body: credentials, answer: one(nothing) },
  "POST /api/logout": { answer: one(nothing) },
  "GET /api/login_options": { query: [...paging, "search", "name"], answer: many(loginOption) },
  "GET /api/me": { answer: one(user) },
  "GET /api/users": {
    query: [...paging, "roles", "login_option_name"],
    answer: many(user),
  },
  // ADC itself asks for a `name`, too.
  "GET /api/gateway_groups": {
    query: [...paging, "search", "labels", "is_permitted", "name"],
    answer: many(gatewayGroup),
  },
  "GET /api/version": { answer: one(text) },
};

/** The calls below the token path, by method and the rest of the path. */
const TOKEN_CALLS: Readonly<Record<string, Call>> = {
  "GET ": { query: [...paging, "search"], answer: many(object(token)) },
  "POST ": { body: object({ name: tokenName, expires_at: time }), answer: one(freshToken) },
  "GET /check_name": {
    query: ["name!"],
    answer: one(object({ exist: { type: "boolean" } })),
  },
  "GET /:id": { answer: one(object(token)) },
  "PUT /:id": { body: object({ name: tokenName }), answer: one(object(token)) },
  "PUT /:id/regenerate": { body: object({ expires_at: time }), answer: one(freshToken) },
  "DELETE /:id": { answer: one(nothing) },
};

/** Where tokens are: since version 3.5 or so, and before. */
export const TOKEN_PATHS = ["/api/tokens", "/api/settings/tokens"] as const;

/** What an error says; some versions call it `message`. */
export const ERRORS: readonly Shape[] = [object({ error_msg: text }), object({ message: text })];

/**
 * Every call that is described, by method and pattern of the path.
 *
 * @param tokenPath Where tokens are.
 * @returns The calls; a pattern without `:id` comes before one with it.
 */
export function callsWith(tokenPath: (typeof TOKEN_PATHS)[number]): ReadonlyMap<string, Call> {
  const tokenCalls = Object.entries(TOKEN_CALLS).map(([line, call]): [string, Call] => [
    line.replace(" ", ` ${tokenPath}`),
    call,
  ]);
  return new Map([...Object.entries(CALLS), ...tokenCalls]);
}
