import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { adcRun } from "./adc_run.ts";
import { fixture } from "./fixture.ts";
import { testHomes } from "./homes.ts";

const RUNS = 200;

for (const home of await testHomes()) {
  describe(`in parallel on ${home.name}`, () => {
    it(`${RUNS} runs at once each get their own token and their own exit code`, async () => {
      await using it = await fixture();
      const script = 'printf %s "$ADC_TOKEN" | sha256sum; echo "leak: $ADC_TOKEN"; exit $1';
      await Promise.all(Array.from({ length: RUNS }, async (_, index) => {
        const token = it.sandbox.addToken({ user: "ci-bot", name: `token ${index}` }).value;
        const ended = await adcRun(
          home,
          ["exec", "--", "sh", "-c", script, "sh", String(index % 100)],
          { env: { ...it.env, ADC_TOKEN: token }, cwd: it.folder.path },
        );
        assert.equal(ended.code, index % 100, ended.stderr);
        const hash = createHash("sha256").update(token).digest("hex");
        assert.equal(ended.stdout, `${hash}  -\nleak: ***\n`);
      }));
    });
  });
}
