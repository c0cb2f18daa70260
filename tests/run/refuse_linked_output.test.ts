import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { readAdcArguments } from "../../src/adc/arguments.ts";
import { refuseLinkedOutput } from "../../src/run/guards.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

it("`refuseLinkedOutput()` refuses the link that ADC would follow unasked", async () => {
  await using folder = await temporaryFolder();
  // The link leads nowhere yet: ADC would make the file.
  await symlink("../.bashrc", join(folder.path, "diff.yaml"));
  await symlink("../.profile", join(folder.path, "adc.yaml"));
  const refused = async (words: readonly string[], target: RegExp) => {
    const args = await readAdcArguments(words);
    assert.throws(() => refuseLinkedOutput(args, folder.path), { exitCode: 65, message: target });
  };
  await refused(["diff", "-f", "other.yaml"], /"diff\.yaml", which is a link to "\.\.\/\.bashrc"/);
  await refused(["diff", "-o", "elsewhere.yaml"], /\.bashrc/);
  await refused(["dump"], /"adc\.yaml", which is a link to "\.\.\/\.profile"/);
  await refused(["convert", "openapi", "-f", "-o"], /\.profile/);
});

it("`refuseLinkedOutput()` lets pass what was named, and files that are none", async () => {
  await using folder = await temporaryFolder({ "diff.yaml": "" });
  await symlink("../.profile", join(folder.path, "adc.yaml"));
  for (const words of [["diff"], ["dump", "-o", "adc.yaml"], ["sync"], ["lint"], ["ping"], []]) {
    refuseLinkedOutput(await readAdcArguments(words), folder.path);
  }
  await using empty = await temporaryFolder();
  refuseLinkedOutput(await readAdcArguments(["diff"]), empty.path);
});
