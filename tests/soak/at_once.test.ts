import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testHomes } from "../support/homes.ts";
import { keychainSkip } from "../support/keychain_session.ts";
import { report, RUNS_AT_ONCE } from "./load.ts";
import { openSoakScene } from "./scene.ts";
import type { Account, SoakScene } from "./scene.ts";
import * as steps from "./steps.ts";
import type { Step } from "./steps.ts";

/** What is done with an account of one's own that has a token. */
const WITH_TOKEN: readonly Step[] = [
  steps.rotate,
  steps.run,
  steps.logOut,
  steps.ephemeral,
  steps.logIn,
  steps.status,
  steps.token,
  steps.list,
  steps.api,
];

/** What is done with the account that all share, and that nobody changes meanwhile. */
const SHARED: readonly Step[] = [
  steps.fanOut,
  steps.exec,
  steps.setProfile,
  steps.refused,
  steps.run,
];

/** How many change one and the same token: they wait for each other, at most a minute. */
const CHANGES = Math.ceil(RUNS_AT_ONCE / 10) + 1;

/** Does all at once, and lets every run come to its end, even where one went wrong. */
async function atOnce(it: SoakScene, jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const start = performance.now();
  const before = it.repeated;
  const results = await Promise.allSettled(jobs.map((job) => job()));
  const wrong = results.flatMap((each) => each.status === "rejected" ? [each.reason] : []);
  const seconds = (performance.now() - start) / 1000;
  report(
    `${jobs.length} runs at once in ${seconds.toFixed(0)} s, ${wrong.length} of them wrong, ` +
      `${it.repeated - before} times the keychain was too slow`,
  );
  if (wrong.length > 0) {
    throw wrong.length === 1 ? wrong[0] : new AggregateError(wrong, String(wrong));
  }
}

/** A target of its own for each, in the one file of all profiles. */
async function writeProfiles(it: SoakScene, names: readonly string[]): Promise<void> {
  const target = { backend: "api7ee", server: it.sandbox.url, timeout: "5m" };
  const profiles = Object.fromEntries(names.map((name) => [name, target]));
  await it.folder.write(
    "config/adc-run/config.json",
    JSON.stringify({ version: 1, profiles }, null, 2),
  );
}

describe("at once", { skip: keychainSkip() }, () => {
  it(`${RUNS_AT_ONCE} runs on one keychain answer right, lose nothing and leave nothing`, async () => {
    await using it = await openSoakScene(await testHomes());
    const { sandbox } = it;
    const shared: Account = { profile: undefined, key: sandbox.url, name: "shared" };
    const own = Array.from({ length: RUNS_AT_ONCE }, (_, index): Account => ({
      profile: `p${index}`,
      key: `p${index}@${sandbox.url}`,
      name: `token ${index}`,
    })).filter((_, index) => index % 2 === 0);
    await writeProfiles(it, [...steps.TWO, ...own.map(({ profile }) => profile!)]);
    await steps.logIn(it, shared, 0);

    const settings: string[] = [];
    // Half of the runs store a token each, which none of the others may overwrite.
    const jobs = (forOwn: (account: Account, index: number) => Promise<void>, from: number) =>
      Array.from({ length: RUNS_AT_ONCE }, (_, index) => async () => {
        const account = own[index / 2];
        if (account !== undefined) return await forOwn(account, index / 2);
        const step = SHARED[(index >> 1) % SHARED.length]!;
        if (step === steps.setProfile) settings.push(`setting-${from + index}`);
        await step(it, shared, from + index);
      });
    await atOnce(it, jobs((account) => steps.logIn(it, account, 0), 0));
    await it.assertNothingLeft([shared, ...own]);

    await atOnce(
      it,
      jobs((account, index) => WITH_TOKEN[index % WITH_TOKEN.length]!(it, account, index), 1_000),
    );
    const left = own.filter((_, index) => WITH_TOKEN[index % WITH_TOKEN.length] !== steps.logOut);
    await it.assertNothingLeft([shared, ...left]);

    const set = Object.keys(await it.profiles()).filter((name) => name.startsWith("setting-"));
    assert.deepEqual(set.sort(), settings.sort(), "no setting was lost");
    await it.assertDiscreet();
  });

  it(`${CHANGES} changes of one token wait for each other and leave one`, async () => {
    await using it = await openSoakScene(await testHomes());
    const shared: Account = { profile: undefined, key: it.sandbox.url, name: "shared" };
    await steps.logIn(it, shared, 0);
    const made = it.sandbox.tokens.length;
    await atOnce(
      it,
      Array.from({ length: CHANGES }, () => async () => {
        const ended = await it.run(["auth", "rotate", "--timeout", "5m"]);
        assert.equal(ended.code, 0, ended.stderr);
      }),
    );
    const more = it.sandbox.tokens.length - made;
    assert.ok(more >= CHANGES && more <= CHANGES + it.repeated, `${more} tokens were made`);
    await it.assertNothingLeft([shared]);
    await it.assertDiscreet();
  });
});
