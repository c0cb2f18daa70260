import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { runCommand } from "../../src/cli/commands/run.ts";
import type { GlobalOptions } from "../../src/cli/global_options.ts";
import { ProfileFileError } from "../../src/profiles/profile_settings.ts";
import { fakeIo } from "../support/fake_io.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

test("`runCommand()` does not look at a default profile for a command that asks no server", async () => {
  await using folder = await temporaryFolder({ "config/config.json": "{" });
  await chmod(`${folder.path}/config`, 0o700);
  await chmod(`${folder.path}/config/config.json`, 0o600);
  const adc = await folder.write("adc", "#!/bin/sh\nexit 3\n");
  await chmod(adc, 0o755);
  const start = (word: string, more: Partial<GlobalOptions> = {}, name = "") => {
    const env = {
      PATH: process.env.PATH,
      ADC_RUN_CONFIG_DIR: `${folder.path}/config`,
      ADC_RUN_PROFILE: name,
    };
    const options = { adc, check: true, mask: true, fromEnvironment: new Set<string>(), ...more };
    return runCommand({ words: [word], exec: false, options }, fakeIo({ env, cwd: folder.path }));
  };
  assert.equal(await start("lint"), 3);
  assert.equal(await start("lint", {}, "prod"), 3);
  await assert.rejects(start("lint", { profile: ["prod"] }), ProfileFileError);
  await assert.rejects(start("sync"), ProfileFileError);
});
