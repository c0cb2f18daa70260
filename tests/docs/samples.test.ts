import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { collect, standIn } from "../support/adc_run.ts";
import { fixture, traces } from "../support/fixture.ts";
import { HOMES } from "../support/homes.ts";
import { pages, samples } from "./markdown.ts";

/** What deno runs a file with: the same permissions as the command. */
const { command } = await HOMES.deno();
const denoRun = command.slice(0, -1);

for (const { path, text } of await pages()) {
  const all = samples(text, "ts");
  if (all.length === 0) continue;
  describe(`the samples in ${path}`, () => {
    for (const { line, code } of all) {
      it(`the one at line ${line} runs against a sandbox and shows no token`, async () => {
        await using it = await fixture();
        const { folder, sandbox } = it;
        const target = { backend: "api7ee", server: sandbox.url };
        await folder.write(
          "adc-run.json",
          JSON.stringify({ version: 1, profiles: { staging: target, prod: target } }),
        );
        const program = await folder.write("sample.ts", code);
        await folder.write("bin/.keep", "");
        await symlink(standIn("adc.mjs"), join(folder.path, "bin/adc"));
        const { status, stdout, stderr } = await collect([...denoRun, program], {
          cwd: folder.path,
          env: {
            ...it.env,
            PATH: `${folder.path}/bin:${process.env.PATH}`,
            ADC_TOKEN: it.token,
            API7_PASSWORD: "pass-word",
            ADC_RUN_CONFIG_DIR: join(folder.path, "config"),
          },
        });
        assert.equal(status, 0, stderr + stdout);
        assert.equal(stderr, "");
        for (const trace of [...sandbox.secrets, "pass-word"].flatMap(traces)) {
          assert.ok(!stdout.includes(trace), "a secret is in the output");
        }
        assert.equal(sandbox.openSessions, 0);
        assert.deepEqual(sandbox.liveTokens.map(({ value }) => value), [it.token]);
      });
    }
  });
}
