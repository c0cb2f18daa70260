import assert from "node:assert/strict";
import { it } from "node:test";
import {
  describeTarget,
  exitCodeOfTargets,
  formatTargets,
} from "../../../src/cli/output/target_report.ts";
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
    words: ["sync"],
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

function table(rows: ReturnType<typeof formatTargets>): readonly string[] {
  const io = fakeIo();
  createReporter(io, {}).table(rows);
  return io.out.join("").trimEnd().split("\n");
}

it("`formatTargets()` gives a line to each target", async () => {
  const connection = await resolveConnection({ args: ["sync"], env: {}, cwd: "/nowhere" });
  const rows = formatTargets([
    done("a", 0),
    done("bb", 3, { checkAfter: { verdict: "rejected", tried: "GET /", found: "401" } }),
    done("c", 143, { signal: "SIGTERM" }),
    done("d", 0, { masked: 2 }),
    refused,
    target("f", { outcome: "refused", error: new NoTokenError(connection, []) }),
    target("g"),
  ], { failOnLeak: true });
  assert.deepEqual(table(rows), [
    "a   http://a.example   ok                    1.2 s",
    "bb  http://bb.example  exit 3, now rejected  1.2 s",
    "c   http://c.example   ended by SIGTERM      1.2 s",
    "d   http://d.example   printed a secret      1.2 s",
    "eu  http://eu.example  cannot run",
    "f   http://f.example   no-token",
    "g   http://g.example   not started",
  ]);
});

it("`formatTargets()` shows no password in an address", () => {
  const it = target("a");
  const profile = { ...it.profile, server: "https://user:canary-pw@a.example" };
  assert.deepEqual(table(formatTargets([{ ...it, profile }], {})), [
    "a  https://***@a.example  not started",
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
