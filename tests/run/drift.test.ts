import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, lstatSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openDiffFile, readDrift } from "../../src/run/drift.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const CANARY = "canary-value-of-the-gateway";

test("`readDrift()` counts by type, whatever else an ADC writes", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "diff.yaml");
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ["[]\n", [0, 0, 0]],
    [`- type: create\n  resourceType: route\n  newValue: {a: ${CANARY}}\n- type: create\n`, [
      2,
      0,
      0,
    ]],
    ["- resource_type: service\n  type: update\n- {type: delete}\n- type: delete\n", [0, 1, 2]],
    ['\ufeff[{"type": "update", "diff": [{"type": "weird"}]}]', [0, 1, 0]],
  ];
  for (const [text, [created, updated, deleted]] of cases) {
    await writeFile(path, text);
    assert.deepEqual(await readDrift(path), { created, updated, deleted }, text);
  }
});

test("`readDrift()` refuses what is no list of differences, and quotes none of it", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "diff.yaml");
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /line 1 is not YAML/],
    ["{}", /it is not a YAML list/],
    [`${CANARY}`, /it is not a YAML list/],
    ["- type: create\n- type: replace\n", /the type of entry 2 is not create, update or delete/],
    ["- {}", /entry 1/],
    ["- null", /entry 1/],
    ["- type: toString", /entry 1/],
    ["- type: [create]", /entry 1/],
    [`- type: create\n  a: "${CANARY}\n  b: ]`, /line \d+ is not YAML/],
    [`- type: create\n---\n- type: create\n`, /is not YAML/],
  ];
  for (const [text, message] of cases) {
    await writeFile(path, text);
    await assert.rejects(readDrift(path), (error: Error & { exitCode?: number }) => {
      assert.match(error.message, message);
      assert.equal(error.exitCode, 65);
      assert.ok(!`${error.stack} ${error.cause}`.includes(CANARY));
      return true;
    }, text);
  }
});

test("`readDrift()` refuses what is missing, huge, a link, a folder or a pipe", async () => {
  await using folder = await temporaryFolder({ "real.yaml": "[]" });
  const at = (name: string) => join(folder.path, name);
  await symlink("real.yaml", at("link"));
  await mkdir(at("folder"));
  await writeFile(at("huge"), "");
  await truncate(at("huge"), 64 * 1024 * 1024 + 1);
  spawnSync("mkfifo", [at("pipe")]);
  const cases = [
    ["missing", /ADC did not write it/],
    ["link", /not a regular file/],
    ["folder", /not a regular file/],
    ["pipe", /not a regular file/],
    ["huge", /larger than/],
  ] as const;
  for (const [name, message] of cases) await assert.rejects(readDrift(at(name)), message);
});

test("`openDiffFile()` does not take an earlier run's file for this one's", async () => {
  await using folder = await temporaryFolder({ "diff.yaml": "- type: create\n" });
  const path = join(folder.path, "diff.yaml");
  const untouched = openDiffFile(folder.path, undefined);
  await assert.rejects(untouched.read(), /did not write it in this run/);
  assert.equal(await readFile(path, "utf8"), "- type: create\n", "it is not lost");
  const written = openDiffFile(folder.path, undefined);
  await writeFile(path, "[]");
  assert.deepEqual(await written.read(), { created: 0, updated: 0, deleted: 0 });
  const next = openDiffFile(folder.path, undefined);
  assert.equal(next.isWritten(), false);
});

test("`openDiffFile()` keeps a target's own file, for the user alone from the start", async () => {
  await using folder = await temporaryFolder({ "diff.yaml": "old", "diff.eu.yaml": "old" });
  const path = join(folder.path, "diff.yaml");
  chmodSync(path, 0o644);
  const diff = openDiffFile(folder.path, "diff.eu.yaml");
  assert.equal(statSync(path).mode & 0o777, 0o600, "while ADC writes it");
  assert.deepEqual(await readdir(folder.path), ["diff.yaml"], "an earlier run's is gone");
  await writeFile(path, "- type: delete\n");
  assert.equal((await diff.read()).deleted, 1);
  diff.keep();
  assert.deepEqual(await readdir(folder.path), ["diff.eu.yaml"]);
  assert.equal(statSync(join(folder.path, "diff.eu.yaml")).mode & 0o777, 0o600);

  const silent = openDiffFile(folder.path, "diff.us.yaml");
  silent.keep();
  assert.deepEqual(await readdir(folder.path), ["diff.eu.yaml"], "nothing was written");
  await symlink("diff.eu.yaml", join(folder.path, "diff.us.yaml"));
  const linked = openDiffFile(folder.path, "diff.us.yaml");
  await writeFile(path, "[]");
  linked.keep();
  assert.ok(lstatSync(join(folder.path, "diff.us.yaml")).isFile());
  assert.equal(await readFile(join(folder.path, "diff.eu.yaml"), "utf8"), "- type: delete\n");
});
