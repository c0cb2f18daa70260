import assert from "node:assert/strict";
import { it } from "node:test";
import {
  countTargets,
  describeTarget,
  exitCodeOfTargets,
  formatTargets,
} from "../../../src/cli/output/target_report.ts";
import type { Io } from "../../../src/cli/io.ts";
import { createReporter } from "../../../src/cli/output/report.ts";
import { resolveConnection } from "../../../src/connection/connection.ts";
import { AdcRunError } from "../../../src/errors.ts";
import type { RunEnding, RunResult, TargetResult } from "../../../src/run/options.ts";
import { NoTokenError } from "../../../src/token/resolve.ts";
import { fakeIo } from "../../support/fake_io.ts";

function target(name: string, more: Partial<TargetResult> = {}): TargetResult {
  const server = `http://${name}.example`;
  const profile = { name, server, file: "/config.json", project: false, explicit: true };
  return { profile, outcome: "skipped", milliseconds: 0, ...more };
}

function done(name: string, exitCode: number, more: Partial<RunEnding> = {}): TargetResult {
  const result: RunResult = {
    kind: "offline",
    secrets: [],
    args: ["sync"],
    program: { file: "adc", prefix: [], name: "adc" },
    exitCode,
    signal: null,
    masked: 0,
    ...more,
  };
  return target(name, { outcome: "done", result, milliseconds: 1234 });
}

const refused = target("eu", { outcome: "refused", error: new AdcRunError("No", 77) });

it("`exitCodeOfTargets()` is 0 only where all targets are", () => {
  assert.equal(exitCodeOfTargets([done("a", 0), done("b", 0)], {}), 0);
  assert.equal(exitCodeOfTargets([done("a", 0), done("b", 4), done("c", 3)], {}), 4);
  assert.equal(exitCodeOfTargets([target("a"), done("b", 3), refused], {}), 3);
  assert.equal(exitCodeOfTargets([target("a"), refused, done("b", 3)], {}), 77);
  assert.equal(exitCodeOfTargets([done("a", 0), target("b")], {}), 141);
  assert.equal(exitCodeOfTargets([done("a", 0, { outputFailure: "ENOSPC" })], {}), 74);
  const leak = done("a", 0, { masked: 1 });
  assert.equal(exitCodeOfTargets([leak], {}), 0);
  assert.equal(exitCodeOfTargets([leak, done("b", 3)], { failOnLeak: true }), 65);
});

function table(results: readonly TargetResult[], more: Partial<Io> = {}): readonly string[] {
  const io = fakeIo(more);
  const options = { failOnLeak: true };
  createReporter(io, {}).table(formatTargets(results, { options, io }), "stderr", "");
  return [...io.err.join("").trimEnd().split("\n"), countTargets(results, options)];
}

it("`formatTargets()` gives a line to each target", async () => {
  const connection = await resolveConnection({ args: ["sync"], env: {}, cwd: "/nowhere" });
  const results = [
    done("a", 0),
    done("bb", 3, { checkAfter: { verdict: "rejected", request: "GET /", reason: "401" } }),
    done("c", 143, { signal: "SIGTERM" }),
    done("d", 0, { masked: 2 }),
    refused,
    target("f", { outcome: "refused", error: new NoTokenError(connection, []) }),
    target("g"),
  ];
  assert.deepEqual(table(results), [
    "a   ok                    1.2 s",
    "bb  exit 3, now rejected  1.2 s  adc-run -p bb doctor",
    "c   ended by SIGTERM      1.2 s",
    "d   printed a secret      1.2 s",
    "eu  cannot run                   adc-run -p eu doctor",
    "f   no-token                     adc-run -p f doctor",
    "g   not started",
    "1 ok, 5 failed, 1 not started",
  ]);
  const terminals = { stdin: true, stdout: true, stderr: true };
  const env = { NO_COLOR: "1" };
  assert.deepEqual(table(results.slice(3), { terminals, env }).slice(0, 4), [
    "✗ d   printed a secret  1.2 s",
    "✗ eu  cannot run               adc-run -p eu doctor",
    "✗ f   no-token                 adc-run -p f doctor",
    "- g   not started",
  ]);
});

it("`describeTarget()` says what adc-run made of a target", () => {
  const leak = describeTarget(done("a", 0, { masked: 1 }), { failOnLeak: true });
  assert.deepEqual(
    [leak.profile, leak.outcome, leak.exitCode, leak.leaked, leak.milliseconds],
    ["a", "done", 65, true, 1234],
  );
  assert.deepEqual(describeTarget(target("b"), {}), { profile: "b", outcome: "skipped" });
  // What is not there is left out of what is printed.
  assert.deepEqual(JSON.parse(JSON.stringify(describeTarget(refused, {}))), {
    profile: "eu",
    outcome: "refused",
    exitCode: 77,
    error: { name: "AdcRunError", message: "No", exitCode: 77 },
  });
});
