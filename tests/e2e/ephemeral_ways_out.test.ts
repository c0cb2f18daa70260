import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { standIn } from "../support/adc_run.ts";
import { testHomes } from "../support/homes.ts";
import { takeTurns, tokenFixture, USER } from "../support/token_fixture.ts";
import type { TokenFixture } from "../support/token_fixture.ts";

const nextHome = takeTurns(await testHomes("every engine"));
const REPORT = ["--adc", standIn("report.mjs")];

/** A token that others are made with; it is the only one that is alive when a run is over. */
function addParent({ sandbox }: TokenFixture): string {
  return sandbox.addToken({ user: USER, name: "parent" }).value;
}

describe("a token for one run is over", () => {
  const first = nextHome();
  it(`when a signal comes while the reason of ADC's failure is looked for, on ${first.name}`, async () => {
    await using it = await tokenFixture(first);
    const env = { ADC_TOKEN: addParent(it) };
    let pid = 0;
    let checks = 0;
    it.sandbox.hooks.onRequest = async ({ path }) => {
      if (path !== "/api/gateway_groups" || ++checks < 2) return;
      process.kill(pid, "SIGTERM");
      // The answer comes when the token is gone: whoever waits for it first is stuck here.
      while (it.liveNames().length > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const ended = await it.run(["--ephemeral", ...REPORT, "sync", "--exit", "3"], {
      env,
      onStdout: (_text, child) => pid = child.pid!,
    });
    assert.equal(ended.code, 3, "ADC's own");
    assert.equal(checks, 2);
    await it.assertSettled(["parent"]);
  });

  const second = nextHome();
  it(`when its parent was revoked meanwhile, on ${second.name}`, async () => {
    await using it = await tokenFixture(second);
    const parent = addParent(it);
    const ended = await it.run(["--ephemeral", ...REPORT, "sync", "--trap", "SIGUSR2:0"], {
      env: { ADC_TOKEN: parent },
      onStdout: (text, child) => {
        if (!text.includes("ready") || !it.sandbox.revokeToken(parent)) return;
        process.kill(child.pid!, "SIGUSR2");
      },
    });
    assert.equal(ended.code, 0, ended.stderr);
    assert.doesNotMatch(ended.stderr, /Cannot revoke/);
    await it.assertSettled([]);
  });
});

describe("a run with a token of its own", () => {
  const home = nextHome();
  it(`does not see its parent in any variable, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    const parent = addParent(it);
    const script = 'test "$API_KEY" = "$ADC_TOKEN" && test "$COPY" = "$ADC_TOKEN" && echo same';
    const words = ["--ephemeral", "exec", "--", "sh", "-c", script];
    const ended = await it.run(words, { env: { API_KEY: parent, COPY: parent } });
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.stdout, "same\n");
    await it.assertSettled(["parent"]);
  });
});
