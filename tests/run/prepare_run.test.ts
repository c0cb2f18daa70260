import assert from "node:assert/strict";
import { it } from "node:test";
import { prepareRun } from "../../src/run/run.ts";
import { Secret } from "../../src/secret.ts";
import type { TokenSource } from "../../src/token/source.ts";

it("`prepareRun()` gives up, and gives the token back, when it is told so after the last question", async () => {
  const controller = new AbortController();
  const given: string[] = [];
  const source: TokenSource = {
    name: "lender",
    timeout: 1_000,
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
  const options = { env, cwd: "/nowhere", sources: [source], exec: true, check: false };
  const { signal } = controller;
  await assert.rejects(prepareRun(["true"], { ...options, signal }), (error) => error === reason);
  assert.deepEqual(given, ["back"]);
});
