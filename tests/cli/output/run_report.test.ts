import assert from "node:assert/strict";
import { it } from "node:test";
import { createReporter } from "../../../src/cli/output/report.ts";
import { judgeRun, tellEnding } from "../../../src/cli/output/run_report.ts";
import type { RunResult } from "../../../src/run/options.ts";
import { fakeIo } from "../../support/fake_io.ts";

/** What is said of a run that printed a secret and lost some of its output, and whose token was revoked. */
function told(env: Record<string, string>): readonly string[] {
  const result = {
    words: ["sync"],
    exitCode: 0,
    signal: null,
    masked: 1,
    outputFailure: "ENOSPC",
    checkAfter: {
      verdict: "rejected",
      request: "GET https://a.example/api",
      reason: "401",
      suggestion: "Log in again.",
    },
  } as unknown as RunResult;
  const io = fakeIo({ env });
  const judgement = judgeRun(result, { failOnLeak: true });
  assert.deepEqual(judgement, { exitCode: 65, leaked: true, drifted: false, lost: "ENOSPC" });
  // Nothing that fails a run is held back.
  const options = { check: true, mask: true, quiet: true, fromEnvironment: new Set<string>() };
  tellEnding(result, judgement, { reporter: createReporter(io, options), options });
  return io.err;
}

it("`tellEnding()` says what makes a run fail that ADC took for a success", () => {
  assert.deepEqual(told({}), [
    "adc-run: error: the check passed before the run and fails now: 401\n",
    "  fix     Log in again.\n",
    "adc-run: error: cannot pass the output on: no space left (ENOSPC)\n",
    "adc-run: error: a secret was printed, and --fail-on-leak is set\n",
  ]);
});

it("`tellEnding()` makes it annotations in GitHub Actions", () => {
  assert.deepEqual(told({ GITHUB_ACTIONS: "true" }), [
    "::error title=adc-run::The check passed before the run and fails now: 401%0ALog in again.\n",
    "::error title=adc-run::Cannot pass the output on: no space left (ENOSPC)\n",
    "::error title=adc-run::A secret was printed, and --fail-on-leak is set\n",
  ]);
});
