/**
 * Answers of the Admin API: good ones, and what can become of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";

/** The caller's token, which servers repeat in odd places. */
export const TOKEN = "a7ee-cAnArY+/0123456789";

/** The caller's password; every encoding writes it otherwise. */
export const PASSWORD = 'pAsS "w0rd"/&';

/** The value of the session's cookie. */
export const COOKIE = "cOoKiE0123456789";

/** A secret as it is, and in the ways in which servers write it. */
function formsOf(secret: string): readonly string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    // Without what holds bits of a neighbour.
    Buffer.from(secret).toString("base64").replace(/.?=+$/, ""),
    Buffer.from(secret).toString("hex"),
  ];
}

/**
 * Holds words for people against secrets.
 *
 * @param shown The words.
 * @param secrets The secrets.
 * @param options How many of a secret's first characters give it away. By default, all.
 */
export function assertHidden(
  shown: string,
  secrets: readonly string[],
  { start }: { readonly start?: number } = {},
): void {
  const starts = secrets.flatMap(formsOf).map((form) => form.slice(0, start));
  const found = starts.find((form) => shown.includes(form));
  assert.equal(found, undefined, `It shows a secret: ${shown}`);
}

const ECHO = fc.tuple(
  fc.constantFrom("", "no such token: ", "\u0000", "<b>", '"', "x".repeat(390)),
  fc.constantFrom(...[TOKEN, PASSWORD, COOKIE].flatMap(formsOf)),
  fc.constantFrom("", " is no licence", "\n", " not found", " exists", "\u001b[2J"),
).map((parts) => parts.join(""));

/** What stands where something else should. */
const ODD: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    null,
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    "",
    "text",
    "1",
    [],
    {},
    [[]],
    [{}],
    [
      null,
    ],
  ),
  ECHO,
  ECHO.map((error_msg) => ({ error_msg })),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A change to a JSON value: the numbers lead to a place in it. */
const CHANGE = fc.record({
  way: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
  kind: fc.constantFrom("replace", "replace", "drop", "rename", "double"),
  odd: ODD,
});

type Change = typeof CHANGE extends fc.Arbitrary<infer T> ? T : never;

function changed(value: unknown, { way, kind, odd }: Change): unknown {
  const [step, ...further] = way;
  if (step === undefined || typeof value !== "object" || value === null) return odd;
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length === 0) return odd;
  const at = step % entries.length;
  const [key, inside] = entries[at]!;
  if (further.length > 0) entries[at] = [key, changed(inside, { way: further, kind, odd })];
  else if (kind === "replace") entries[at] = [key, odd];
  else if (kind === "drop") entries.splice(at, 1);
  else if (kind === "rename") entries[at] = [`${key}s`, inside];
  else entries.push([String(entries.length), inside]);
  return Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}

const GOOD = "what was asked for";

/** One answer, as far as it does not depend on what is asked. */
export const ANSWER = fc.record({
  status: fc.oneof(
    { weight: 1200, arbitrary: fc.constant(200) },
    { weight: 200, arbitrary: fc.constantFrom(400, 401, 403, 404, 409, 422) },
    { weight: 100, arbitrary: fc.constantFrom(201, 202, 204, 301, 302, 304, 308, 405, 407, 418) },
    { weight: 100, arbitrary: fc.constantFrom(500, 501, 505, 599) },
    // Tried again, after a while.
    { weight: 2, arbitrary: fc.constantFrom(429, 502, 503, 504) },
  ),
  headers: fc.record({
    "content-type": fc.constantFrom("application/json", "text/html", "", "\u00ff;", TOKEN),
    "location": fc.constantFrom(
      `https://else.test/?k=${encodeURIComponent(TOKEN)}`,
      `https://u:${encodeURIComponent(PASSWORD)}@else.test/`,
      `/${TOKEN}`,
      `https://${COOKIE}.test/`,
      "//",
      "https://[",
    ),
    "set-cookie": fc.array(
      fc.constantFrom(
        `session=${COOKIE}; Path=/; HttpOnly`,
        `session=${COOKIE}; Secure; SameSite=Strict`,
        `${COOKIE}`,
        `s=${COOKIE}; Path=/api; Max-Age=3600`,
        `s=${COOKIE}; Domain=else.test`,
        `s=${COOKIE}; Expires=never; Max-Age=x; Path=`,
        `s=${COOKIE}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
        "s=; Max-Age=-1",
        "=",
        ";",
        "",
        "\u00ff=\u00ff",
      ),
      { minLength: 1, maxLength: 3 },
    ),
    "www-authenticate": fc.constantFrom("Basic", TOKEN),
  }, { requiredKeys: [] }),
  content: fc.oneof(
    { weight: 8, arbitrary: fc.constant(GOOD) },
    { weight: 3, arbitrary: fc.constant("refusal") },
    fc.constantFrom("nothing", "page"),
  ),
  words: ECHO,
  changes: fc.array(CHANGE, { maxLength: 3 }),
  cut: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat() },
  ),
});

/** One answer. */
export type AnswerCase = typeof ANSWER extends fc.Arbitrary<infer T> ? T : never;

const USER = { id: "u1", username: "ann", roles: [{ id: "super_admin_id", name: "Super Admin" }] };

const TOKEN_VALUE = {
  id: "t1",
  name: "wanted",
  created_at: 1_700_000_000,
  updated_at: 1_700_000_000,
  expires_at: 2_000_000_000,
  last_used_at: 0,
  user_id: "u1",
  user_name: "ann",
};

/** What a good server answers. */
function goodBody(method: string, path: string): unknown {
  const list = (...items: unknown[]) => ({ list: items, total: items.length });
  if (path.includes("/check_name")) return { value: { exist: false } };
  if (path.includes("tokens")) {
    const fresh = { ...TOKEN_VALUE, token: "a7ee-fresh-0123456789" };
    return method === "GET" ? list(TOKEN_VALUE) : { value: fresh };
  }
  if (path.includes("/me")) return { value: USER };
  if (path.includes("/version")) return { value: "3.9.1" };
  if (path.includes("/users")) return list(USER);
  if (path.includes("/gateway_groups")) {
    return list({ id: "g1", name: "default" }, { id: "g2", name: "other" });
  }
  if (path.includes("/login_options")) {
    const option = { id: "l1", name: "staff", provider_type: "ldap", disable: false };
    return list(option, { id: "l2", name: "web", provider_type: "oidc" });
  }
  return path.includes("/apisix/") ? list({ key: "/apisix/routes/1", value: { uri: "/" } }) : {};
}

/** The body of an answer to a request. */
export function bodyOf(
  { content, words, changes, cut }: AnswerCase,
  { method, path }: { readonly method: string; readonly path: string },
): string {
  if (content === "nothing") return "";
  if (content === "page") return `<!doctype html><title>${words}</title>`;
  const good = content === "refusal"
    ? { error_msg: words, description: words, value: null }
    : goodBody(method, path);
  const text = JSON.stringify(changes.reduce<unknown>(changed, good)) ?? "";
  return cut === undefined ? text : text.slice(0, cut % (text.length + 1));
}
