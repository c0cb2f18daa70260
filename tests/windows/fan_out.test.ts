import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture, traces } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";

const skip = process.platform !== "win32" && "it needs Windows";
const homes = skip ? [] : await testHomes("one home");

for (const home of homes) {
  describe(`fan-out on ${home.name}`, { skip }, () => {
    it("gives each target its token, masks both, and ends with the worst exit code", async () => {
      await using one = await fixture();
      await using two = await fixture();
      const { path: cwd } = one.folder;
      const env = { ADC_RUN_CONFIG_DIR: join(cwd, "config") };
      const profiles = Object.fromEntries(
        await Promise.all([one, two].map(async ({ env, token }, index) => {
          const get = await one.folder.write(`get ${index}.cmd`, `@echo ${token}\r\n`);
          return [`t${index}`, { backend: "api7ee", server: env.ADC_SERVER, tokenCommand: [get] }];
        })),
      );
      await one.folder.write("config/config.json", JSON.stringify({ version: 1, profiles }));
      const adc = await one.folder.write(
        "adc.cmd",
        `@"${process.execPath}" "${standIn("report.mjs")}" %*\r\n`,
      );
      const run = (...words: string[]) =>
        adcRun(home, ["-p", "t0,t1", "--parallel", "2", "--adc", adc, "ping", ...words], {
          env,
          cwd,
        });
      const ended = await run("--report", "--split", "100", "--exit", "3");
      assert.equal(ended.code, 3, ended.stderr);
      for (const [index, { sandbox, token }] of [one, two].entries()) {
        assert.match(ended.stdout, new RegExp(`^t${index} \\| .*"present":true,"sha256"`, "m"));
        assert.match(ended.stdout, new RegExp(`^t${index} \\| \\*\\*\\*`, "m"));
        assert.ok(sandbox.requests.length > 0);
        assert.ok(sandbox.requests.every(({ apiKey }) => apiKey === token));
        for (const trace of traces(token)) {
          assert.ok(!ended.stdout.includes(trace) && !ended.stderr.includes(trace));
        }
      }
      const refused = await run("--label-selector", "a&b");
      assert.equal(refused.code, 64, refused.stderr);
    });
  });
}
