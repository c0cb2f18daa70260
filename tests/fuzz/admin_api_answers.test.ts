import assert from "node:assert/strict";
import fc from "fast-check";
import type { AdminApi } from "../../src/admin_api/admin_api.ts";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import { isVerdict } from "../../src/check/verdict.ts";
import { messageOf } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";
import { mock, type Mocked } from "../support/admin_api_fixture.ts";
import { checkAgainst } from "../support/mock_server.ts";
import {
  ANSWER,
  type AnswerCase,
  assertHidden,
  bodyOf,
  COOKIE,
  PASSWORD,
  TOKEN,
} from "./answer_cases.ts";
import { fuzz } from "./fuzz.ts";

/** A server that gives these answers one after the other, and then from the first again. */
function serverOf(answers: readonly AnswerCase[]) {
  let count = 0;
  return (request: { readonly method: string; readonly path: string }) => {
    const answer = answers[count++ % answers.length]!;
    return { ...answer, body: bodyOf(answer, request) };
  };
}

const ANSWERS = fc.array(ANSWER, { minLength: 1, maxLength: 3 });

/** A message is cut where it gets too long, and half a secret is more than nothing. */
const CUT = { start: 10 };

const LINES = [
  "ping --backend api7ee --server https://gw.test:7443",
  "ping --backend api7ee --server https://gw.test/prefix --gateway-group other",
  "ping --backend apisix --server https://gw.test",
  "ping --backend apisix-standalone --server https://gw.test,https://gw2.test",
];

fuzz(
  "`checkToken()` has a verdict for any answers",
  fc.record({ line: fc.constantFrom(...LINES), answers: ANSWERS }),
  async ({ line, answers }) => {
    const { result } = await checkAgainst(line, serverOf(answers), { token: TOKEN });
    assert.ok(isVerdict(result.verdict));
    assertHidden(JSON.stringify(result), [TOKEN], CUT);
    // Each of them is a whole answer: that none came would be a defect in disguise.
    const proxy = answers.some(({ status }) => status === 407);
    const never = ["no-token", "tls", "timeout", ...proxy ? [] : ["unreachable"]];
    assert.ok(!never.includes(result.verdict), `${result.verdict}: ${result.reason}`);
    if (result.verdict === "valid") assert.ok(answers.some(({ status }) => status < 300));
  },
);

const WANTED = { name: "wanted", expiresAt: 2_000_000_000 };

type Kind = "string" | "number" | "boolean" | "undefined";

/** Which of a value's fields have to be what. */
function assertFields(value: unknown, fields: Readonly<Record<string, readonly Kind[]>>): void {
  assert.ok(typeof value === "object" && value !== null);
  for (const [name, kinds] of Object.entries(fields)) {
    const field = (value as Readonly<Record<string, unknown>>)[name];
    assert.ok(kinds.includes(typeof field as Kind), `${name} is ${typeof field}`);
    if (typeof field === "string" && kinds.length === 1) assert.notEqual(field, "", name);
  }
}

function assertUser(user: unknown): void {
  assertFields(user, {
    id: ["string"],
    username: ["string"],
    superAdmin: ["boolean"],
    loginOption: ["string", "undefined"],
  });
  const { roles } = user as { readonly roles: unknown };
  assert.ok(Array.isArray(roles) && roles.every((role) => typeof role === "string"));
}

function assertInfo(token: unknown): void {
  assertFields(token, {
    id: ["string"],
    name: ["string"],
    createdAt: ["number", "undefined"],
    expiresAt: ["number", "undefined"],
    lastUsedAt: ["number", "undefined"],
    userId: ["string", "undefined"],
    userName: ["string", "undefined"],
  });
}

function assertNew(token: unknown): void {
  assertInfo(token);
  const { token: secret } = token as { readonly token: unknown };
  assert.ok(secret instanceof Secret && secret.reveal() !== "");
}

function assertAll(each: (value: unknown) => void): (value: unknown) => void {
  return (values) => {
    assert.ok(Array.isArray(values));
    values.forEach(each);
  };
}

const password = new Secret(PASSWORD);

/** Every call, and what it may return. */
const CALLS: Readonly<
  Record<string, { call(api: AdminApi): Promise<unknown>; assert(value: unknown): void }>
> = {
  me: { call: (api) => api.me(), assert: assertUser },
  version: {
    call: (api) => api.version(),
    assert: (value) => assert.ok(typeof value === "string" && value !== ""),
  },
  loginOptions: {
    call: (api) => api.loginOptions(),
    assert: assertAll((option) =>
      assertFields(option, {
        id: ["string"],
        name: ["string"],
        providerType: ["string"],
        disabled: ["boolean"],
      })
    ),
  },
  tokens: { call: (api) => api.tokens(), assert: assertAll(assertInfo) },
  createToken: { call: (api) => api.createToken(WANTED), assert: assertNew },
  renameToken: { call: (api) => api.renameToken("t1", "other"), assert: assertInfo },
  revokeToken: {
    call: (api) => api.revokeToken("t1"),
    assert: (value) => assert.equal(typeof value, "boolean"),
  },
  isNameTaken: {
    call: (api) => api.isNameTaken("wanted"),
    assert: (value) => assert.equal(typeof value, "boolean"),
  },
  logIn: {
    call: (api) => api.logIn({ username: "ann", password }),
    assert: (value) => assert.equal(value, undefined),
  },
  logInByLdap: {
    call: (api) => api.logIn({ username: "ann", password, loginOption: "staff" }),
    assert: (value) => assert.equal(value, undefined),
  },
  logInByBrowser: {
    call: (api) => api.logIn({ username: "ann", password, loginOption: "web" }),
    assert: (value) => assert.equal(value, undefined),
  },
};

/** The exit codes that the documentation of `AdminApiError` and of its failures knows. */
const EXIT_CODES = [64, 65, 69, 77, 78];

/** The secrets that the server knows by now: those that it was sent, and the cookie that it set. */
function secretsOf({ sent }: Mocked, answers: readonly AnswerCase[]): readonly string[] {
  // Of an answer that was asked for again nobody sees the cookies: they are kept and sent nowhere.
  const given = answers.slice(0, sent.length)
    .filter(({ status }) => ![429, 502, 503, 504].includes(status));
  const all = {
    [TOKEN]: sent.some(({ headers }) => headers["x-api-key"] === TOKEN),
    [PASSWORD]: sent.some(({ body }) => body.includes(JSON.stringify(PASSWORD))),
    [COOKIE]: given.some(({ headers }) => headers["set-cookie"]?.join().includes(COOKIE)),
  };
  return Object.entries(all).filter(([, known]) => known).map(([secret]) => secret);
}

fuzz(
  "`AdminApi` takes any answers, or says with an error of its own what is wrong with them",
  fc.record({
    names: fc.array(fc.constantFrom(...Object.keys(CALLS), "me", "loginOptions", "tokens"), {
      minLength: 1,
      maxLength: 3,
    }),
    withToken: fc.boolean(),
    answers: ANSWERS,
  }),
  async ({ names, withToken, answers }) => {
    const options = withToken ? { token: new Secret(TOKEN) } : {};
    await using mocked = await mock(serverOf(answers), options);
    const proxy = answers.some(({ status }) => status === 407);
    for (const name of names) {
      const { call, assert: assertValue } = CALLS[name]!;
      const [value, error] = await call(mocked.api).then(
        (value): [unknown, unknown] => [value, undefined],
        (error): [unknown, unknown] => [undefined, error],
      );
      if (error === undefined) {
        assertValue(value);
        continue;
      }
      assert.ok(error instanceof AdminApiError, `${name}: ${error}`);
      const { failure, cause } = error;
      const shown = error.message + JSON.stringify({ ...error, cause: messageOf(cause) });
      assertHidden(shown, secretsOf(mocked, answers), CUT);
      assert.ok(EXIT_CODES.includes(error.exitCode), String(error.exitCode));
      const never = ["tls", "timeout", ...proxy ? [] : ["unreachable"]];
      assert.ok(!never.includes(failure), `${name}: ${error.message} (${messageOf(cause)})`);
    }
  },
);
