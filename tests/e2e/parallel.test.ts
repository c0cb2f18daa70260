import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod } from "node:fs/promises";
import { describe, it } from "node:test";
import { adcRun } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { isEverything, testHomes } from "../support/homes.ts";
import { takeTurns } from "../support/token_fixture.ts";

const RUNS = isEverything ? 200 : 100;

/** Ends with the number that stands in the place of a file's name. */
const SCRIPT = `#!/bin/sh
printf %s "$ADC_TOKEN" | sha256sum
echo "leak: $ADC_TOKEN"
exit "$5"
`;

const nextHome = takeTurns(await testHomes());

describe("in parallel, in all homes in turn", () => {
  it(`${RUNS} runs at once each get their own token and their own exit code`, async () => {
    await using it = await fixture();
    const { folder, sandbox } = it;
    const adc = await folder.write("adc", SCRIPT);
    await chmod(adc, 0o755);
    await Promise.all(Array.from({ length: RUNS }, async (_, index) => {
      const token = sandbox.addToken({ user: "ci-bot", name: `token ${index}` }).value;
      // So many starts at once keep two cores busy for longer than ADC's 10 s.
      const words = ["sync", "--timeout", "5m", "-f", String(index % 100)];
      const ended = await adcRun(nextHome(), ["--adc", adc, ...words], {
        env: { ...it.env, ADC_TOKEN: token },
        cwd: folder.path,
      });
      assert.equal(ended.code, index % 100, ended.stderr);
      const hash = createHash("sha256").update(token).digest("hex");
      assert.equal(ended.stdout, `${hash}  -\nleak: ***\n`);
    }));
  });
});
