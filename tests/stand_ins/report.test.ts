import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import process from "node:process";
import { test } from "node:test";
import { runStandIn } from "./run_stand_in.ts";

const ADC_TOKEN = "a7ee-for-the-report";

test("`report.mjs` tells arguments, environment and input, and hides the token", async () => {
  const env = { ADC_TOKEN, ADC_SERVER: "http://a", OTHER: "b" };
  const args = ["--env", "OTHER,MISSING", "--stdin", "--exit", "3"];
  const { code, stdout } = await runStandIn("report.mjs", args, { env, input: "typed" });
  const report = JSON.parse(stdout);
  assert.equal(code, 3);
  assert.deepEqual(report.argv, args);
  assert.equal(report.stdin, "typed");
  assert.deepEqual(report.env["ADC_SERVER"], { present: true, value: "http://a" });
  assert.deepEqual(report.env["OTHER"], { present: true, value: "b" });
  assert.deepEqual(report.env["MISSING"], { present: false });
  const sha256 = createHash("sha256").update(ADC_TOKEN).digest("hex").slice(0, 8);
  assert.deepEqual(report.env["ADC_TOKEN"], { present: true, sha256 });
  assert.equal(stdout.includes(ADC_TOKEN), false);
  assert.equal(report.tty.stdout, false);
});

test("`report.mjs --print-token` leaks it", async () => {
  const { stdout } = await runStandIn("report.mjs", ["--print-token"], { env: { ADC_TOKEN } });
  assert.equal(stdout.includes(ADC_TOKEN), true);
});

test("`report.mjs` writes bytes, floods, and splits the token", async () => {
  assert.equal((await runStandIn("report.mjs", ["--raw-hex", "c3a90a"])).stdout, "é\n");
  assert.equal((await runStandIn("report.mjs", ["--flood", "200001"])).stdout.length, 200_001);
  const args = ["--split", "3", "--stderr"];
  const { stdout, stderr } = await runStandIn("report.mjs", args, { env: { ADC_TOKEN } });
  assert.deepEqual([stdout, stderr], ["", ADC_TOKEN]);
});

test("`report.mjs` catches a signal, or dies of one", {
  skip: process.platform === "win32",
}, async () => {
  const caught = await runStandIn("report.mjs", ["--trap", "SIGTERM:7"], {
    onOutput: (text, kill) => text === "ready\n" && kill("SIGTERM"),
  });
  assert.deepEqual([caught.code, caught.signal], [7, null]);
  const killed = await runStandIn("report.mjs", ["--hang"], {
    onOutput: (text, kill) => text === "ready\n" && kill("SIGTERM"),
  });
  assert.deepEqual([killed.code, killed.signal], [null, "SIGTERM"]);
  const own = await runStandIn("report.mjs", ["--signal", "SIGKILL"]);
  assert.deepEqual([own.code, own.signal], [null, "SIGKILL"]);
});
