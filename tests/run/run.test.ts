import assert from "node:assert/strict";
import { it } from "node:test";
import { readCall, run, type RunTerms } from "../../src/run/run.ts";
import { watchSignals } from "../../src/run/signals.ts";
import { Secret } from "../../src/secret.ts";
import type { TokenSource } from "../../src/token/sources.ts";

it("`run()` gives up, and gives the token back, when it is told so after the last question", async () => {
  const controller = new AbortController();
  const given: string[] = [];
  const source: TokenSource = {
    name: "lender",
    timeoutMs: 1_000,
    find: () =>
      Promise.resolve({
        status: "found",
        token: new Secret("a7ee-example"),
        detail: "a loan",
        lease: {
          name: "loan",
          expiresAt: 0,
          release: () => {
            given.push("back");
            return Promise.resolve();
          },
        },
      }),
  };
  const reason = new Error("enough");
  const env = {
    ADC_BACKEND: "api7ee",
    // Read when the token is known, to find out when it ends: nothing is asked after that.
    get ADC_RUN_CONFIG_DIR() {
      controller.abort(reason);
      return "/nowhere";
    },
  };
  const options = { env, cwd: "/nowhere", sources: [source], check: false };
  const { signal } = controller;
  const watch = watchSignals(undefined);
  const call = await readCall(["true"], true);
  await assert.rejects(run(call, { ...options, signal, watch }), (error) => error === reason);
  assert.deepEqual(given, ["back"]);
});

it("`run()` starts nothing, and gives the token back, where `onPlan` says no", async () => {
  const given: string[] = [];
  const planned: string[] = [];
  const release = () => Promise.resolve(void given.push("back"));
  const source: TokenSource = {
    name: "lender",
    timeoutMs: 1_000,
    find: () =>
      Promise.resolve({
        status: "found",
        token: new Secret("a7ee-example"),
        detail: "a loan",
        lease: { name: "loan", expiresAt: 0, release },
      }),
  };
  const terms: RunTerms = {
    env: { ADC_BACKEND: "api7ee", ADC_RUN_CONFIG_DIR: "/nowhere" },
    cwd: "/nowhere",
    sources: [source],
    check: false,
    watch: watchSignals(undefined),
    spawn: () => assert.fail("nothing may be started"),
    onPlan: ({ kind, args }) => {
      assert.deepEqual(given, [], "the token is there still");
      planned.push(kind, ...args);
      return false;
    },
  };
  assert.equal(await run(await readCall(["true", "--token"], true), terms), undefined);
  assert.deepEqual(planned, ["online", "--token"]);
  assert.deepEqual(given, ["back"]);
});
