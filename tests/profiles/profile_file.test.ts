import assert from "node:assert/strict";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { readProjectProfiles, readUserProfiles } from "../../src/profiles/profile_file.ts";
import { ProfileFileError } from "../../src/profiles/profile_settings.ts";
import { StoreError } from "../../src/store/store_error.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const FILE = '{"use": "prod", "profiles": {"prod": {"server": "https://gw"}}}';

async function folderWith(content?: string | Uint8Array) {
  const folder = await temporaryFolder();
  if (content !== undefined) await chmod(await folder.write("config.json", content), 0o600);
  await chmod(folder.path, 0o700);
  return folder;
}

test("`readUserProfiles()` reads config.json in the configuration folder", async () => {
  await using folder = await folderWith(FILE);
  const file = await readUserProfiles({ ADC_RUN_CONFIG_DIR: folder.path });
  assert.equal(file.path, join(folder.path, "config.json"));
  assert.deepEqual([file.project, file.use], [false, "prod"]);
  assert.deepEqual(file.profiles.get("prod"), { server: "https://gw" });
});

test("`readUserProfiles()` takes a file that is not there for no profiles", async () => {
  await using folder = await folderWith();
  for (const path of [folder.path, join(folder.path, "gone"), "/dev/null"]) {
    const file = await readUserProfiles({ ADC_RUN_CONFIG_DIR: path });
    assert.deepEqual([file.profiles.size, file.use], [0, undefined]);
  }
});

test("`readUserProfiles()` takes a byte order mark, and a link to a file", async () => {
  await using folder = await folderWith("\ufeff" + FILE);
  assert.equal((await readUserProfiles({ ADC_RUN_CONFIG_DIR: folder.path })).use, "prod");
  await using linked = await folderWith();
  await symlink(join(folder.path, "config.json"), join(linked.path, "config.json"));
  assert.equal((await readUserProfiles({ ADC_RUN_CONFIG_DIR: linked.path })).use, "prod");
});

test("`readUserProfiles()` says what keeps it from reading", async () => {
  await using latin = await folderWith(new Uint8Array([0x7b, 0xe4, 0x7d]));
  await using large = await folderWith(" ".repeat(5 * 1024 * 1024));
  await using taken = await folderWith();
  await mkdir(join(taken.path, "config.json"));
  await using lost = await folderWith();
  await symlink(join(lost.path, "not-there.json"), join(lost.path, "config.json"));
  for (
    const [path, found] of [
      [latin.path, /config\.json": it is not valid UTF-8/],
      [large.path, /it is larger than/],
      [taken.path, /it is a directory/],
      [lost.path, /it is a link to a missing file/],
    ] as const
  ) {
    await assert.rejects(readUserProfiles({ ADC_RUN_CONFIG_DIR: path }), (error) => {
      assert.ok(error instanceof ProfileFileError);
      assert.equal(error.exitCode, 65);
      assert.match(error.message, found);
      return true;
    });
  }
});

test("`readUserProfiles()` says that a file may not be read", async (t) => {
  if (process.geteuid?.() === 0 || process.platform === "win32") {
    return t.skip("root may read everything");
  }
  await using folder = await folderWith(FILE);
  await chmod(join(folder.path, "config.json"), 0);
  await assert.rejects(readUserProfiles({ ADC_RUN_CONFIG_DIR: folder.path }), /EACCES/);
});

test("`readUserProfiles()` refuses what others can change, and takes what they can read", async (t) => {
  if (process.platform === "win32") return t.skip("modes say nothing there");
  await using folder = await folderWith(FILE);
  const file = join(folder.path, "config.json");
  const read = () => readUserProfiles({ ADC_RUN_CONFIG_DIR: folder.path });
  await chmod(file, 0o644);
  await chmod(folder.path, 0o755);
  assert.equal((await read()).use, "prod");
  await chmod(file, 0o664);
  await assert.rejects(read(), StoreError);
  await chmod(file, 0o600);
  await chmod(folder.path, 0o777);
  await assert.rejects(read(), StoreError);
});

test("`readProjectProfiles()` reads adc-run.json in the working directory, whoever can change it", async () => {
  const text = '{"profiles": {"ci": {"server": "https://gw"}}}';
  await using folder = await temporaryFolder({ "adc-run.json": text });
  await chmod(join(folder.path, "adc-run.json"), 0o666);
  const file = await readProjectProfiles(folder.path);
  assert.deepEqual([file.project, [...file.profiles.keys()]], [true, ["ci"]]);
});

test("`readProjectProfiles()` refuses a command to run", async () => {
  const text = '{"profiles": {"ci": {\n"tokenCommand": "touch /tmp/zqzq"}}}';
  await using folder = await temporaryFolder({ "adc-run.json": text });
  await assert.rejects(readProjectProfiles(folder.path), /line 2, column 1: .*must not have/);
});
