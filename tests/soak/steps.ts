/**
 * What a run is for, and how its answer is known to be right.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { SandboxToken } from "../sandbox/sandbox.ts";
import { LOG_IN, PASSWORD, USER } from "../support/token_fixture.ts";
import type { Account, SoakScene } from "./scene.ts";

/** Many starts at once keep two cores busy for longer than ADC's 10 s. */
const PATIENCE = ["--timeout", "5m"] as const;

/** The program that `exec` runs does what ADC's stand-in does. */
const LEAK = 'printf %s "$ADC_TOKEN" | sha256sum; echo "leak: $ADC_TOKEN"; exit "$0"';

/**
 * One kind of run. It fails unless exit code, output and what has changed are right; nobody else may
 * change the account's token meanwhile.
 *
 * @param it What all runs share.
 * @param account Whose token it is about.
 * @param number A number from 0 on, which comes back as an exit code or as a setting.
 */
export type Step = (it: SoakScene, account: Account, number: number) => Promise<void>;

/** The account's live token; it has one at most. */
export function tokenOf(it: SoakScene, { name }: Account): SandboxToken | undefined {
  const tokens = it.sandbox.liveTokens.filter((token) => token.name === name);
  assert.ok(tokens.length <= 1, `"${name}" is the name of ${tokens.length} live tokens`);
  return tokens[0];
}

/** What the programs print that are run, when the token is masked. */
export function printed(token: string): string {
  return `${createHash("sha256").update(token).digest("hex")}  -\nleak: ***\n`;
}

function words({ profile }: Account, ...rest: readonly string[]): readonly string[] {
  return profile === undefined ? rest : ["-p", profile, ...rest];
}

/** A login; a token that was stored before is revoked. */
export const logIn: Step = async (it, account) => {
  const before = tokenOf(it, account);
  const ended = await it.run(words(account, ...LOG_IN, "--name", account.name, ...PATIENCE), {
    input: PASSWORD,
  });
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /: stored token a7ee-\*\*\* /);
  await assertReplaced(it, account, before);
};

/** A new token in the place of the stored one. */
export const rotate: Step = async (it, account) => {
  const before = tokenOf(it, account);
  const ended = await it.run(words(account, "auth", "rotate", ...PATIENCE));
  assert.equal(ended.code, 0, ended.stderr);
  await assertReplaced(it, account, before);
};

async function assertReplaced(
  it: SoakScene,
  account: Account,
  before: SandboxToken | undefined,
): Promise<void> {
  const now = tokenOf(it, account);
  assert.ok(now !== undefined && now.value !== before?.value, "there is a new token");
  assert.equal(await it.stored(account.key), now.value);
}

/** A log-out, which revokes the token. */
export const logOut: Step = async (it, account) => {
  const ended = await it.run(words(account, "auth", "logout", ...PATIENCE));
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(tokenOf(it, account), undefined);
  assert.equal(await it.stored(account.key), undefined);
};

/** ADC, with the stored token. */
export const run: Step = async (it, account, number) => {
  const code = number % 100;
  const args = ["--adc", it.adc, "sync", "-f", String(code), ...PATIENCE];
  const ended = await it.run(words(account, ...args));
  assert.equal(ended.code, code, ended.stderr);
  assert.equal(ended.stdout, printed(tokenOf(it, account)!.value));
};

/** Another program, with a token of its own from the environment. */
export const exec: Step = async (it, account, number) => {
  const code = number % 100;
  const { value } = it.sandbox.addToken({ user: USER, name: `of exec ${number}` });
  const args = ["exec", "--", "sh", "-c", LEAK, String(code)];
  // Only a profile can give it more than 10 s.
  const ended = await it.run(["-p", account.profile ?? TWO[0], ...args], {
    env: { ADC_TOKEN: value },
  });
  assert.equal(ended.code, code, ended.stderr);
  assert.equal(ended.stdout, printed(value));
  assert.ok(it.sandbox.revokeToken(value), "it is alive yet");
};

/** A run with a token of its own, which is revoked behind it. */
export const ephemeral: Step = async (it, account, number) => {
  const code = number % 100;
  const made = it.sandbox.tokens.length;
  const args = ["--ephemeral", "--adc", it.adc, "sync", "-f", String(code), ...PATIENCE];
  const ended = await it.run(words(account, ...args));
  assert.equal(ended.code, code, ended.stderr);
  const used = it.sandbox.tokens.slice(made).find(({ value }) => ended.stdout === printed(value));
  assert.match(used?.name ?? ended.stdout, /^adc-run-ephemeral-/);
  assert.equal(used?.revoked, true);
};

/** ADC for two targets at once, with the stored token from the environment: a profile has its own entry alone. */
export const fanOut: Step = async (it, account) => {
  const args = ["--parallel", "2", "--adc", it.adc, "sync", "-f", "0", ...PATIENCE];
  const { value } = tokenOf(it, account)!;
  const ended = await it.run(["-p", TWO.join(","), ...args], { env: { ADC_TOKEN: value } });
  assert.equal(ended.code, 0, ended.stderr);
  const lines = printed(value).trimEnd().split("\n");
  const expected = TWO.flatMap((name) => lines.map((line) => `${name} | ${line}`));
  assert.deepEqual(ended.stdout.trimEnd().split("\n").sort(), expected.sort());
};

/** The profiles that {@linkcode fanOut} runs for. */
export const TWO = ["one", "two"] as const;

/** Every source, and which wins. */
export const status: Step = async (it, account) => {
  const ended = await it.run(words(account, "auth", "status", "--json", ...PATIENCE));
  assert.equal(ended.code, 0, ended.stderr);
  const { token, check, owner } = JSON.parse(ended.stdout);
  assert.deepEqual([token.source, check.verdict, owner.username], ["keychain", "valid", USER]);
};

/** The bare token. */
export const token: Step = async (it, account) => {
  const ended = await it.run(words(account, "auth", "token"), { prints: "to stdout" });
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.stdout, `${tokenOf(it, account)!.value}\n`);
};

/** The user's tokens, and which of them is the stored one. */
export const list: Step = async (it, account) => {
  const ended = await it.run(words(account, "auth", "list", "--json", ...PATIENCE));
  assert.equal(ended.code, 0, ended.stderr);
  const { tokens } = JSON.parse(ended.stdout);
  const current = tokens.filter((each: { readonly current: boolean }) => each.current);
  assert.deepEqual(
    current.map(({ id }: { readonly id: string }) => id),
    [tokenOf(it, account)!.id],
  );
};

/** A request of one's own. */
export const api: Step = async (it, account) => {
  const ended = await it.run(words(account, "api", "/api/me", ...PATIENCE));
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(JSON.parse(ended.stdout).value.username, USER);
};

/** A setting of a profile, in the file that all profiles are in. */
export const setProfile: Step = async (it, _account, number) => {
  const name = `setting-${number}`;
  const ended = await it.run(["profile", "set", name, "--timeout", `${number + 1}s`]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await it.profiles())[name]?.timeout, `${number + 1}s`);
};

/** A token that the server refuses, with which nothing is started. */
export const refused: Step = async (it, account) => {
  const args = words(account, "--adc", it.adc, "sync", "-f", "0", ...PATIENCE);
  const ended = await it.run(args, { env: { ADC_TOKEN: "a7ee-nobody-knows-this-one" } });
  assert.equal(ended.code, 77, ended.stderr);
  assert.equal(ended.stdout, "");
};

/** No token at all, behind a log-out. */
export const without: Step = async (it, account) => {
  const ended = await it.run(words(account, "--adc", it.adc, "sync", "-f", "0", ...PATIENCE));
  assert.equal(ended.code, 77, ended.stderr);
  assert.match(ended.stderr, /no token for /);
  assert.equal(ended.stdout, "");
};
