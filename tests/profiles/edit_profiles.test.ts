import assert from "node:assert/strict";
import { chmod, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { removeProfiles, setProfile, useProfile } from "../../src/profiles/edit_profiles.ts";
import { readUserProfiles } from "../../src/profiles/profile_file.ts";
import { ProfileFileError } from "../../src/profiles/profile_settings.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

async function configuration(text?: string) {
  const folder = await temporaryFolder();
  const config = join(folder.path, "config");
  const file = join(config, "config.json");
  if (text !== undefined) {
    await chmod(await folder.write("config/config.json", text), 0o600);
    await chmod(config, 0o700);
  }
  return {
    ...folder,
    file,
    config,
    env: { ADC_RUN_CONFIG_DIR: config },
    text: () => readFile(file, "utf8"),
  };
}

test("`setProfile()` makes the file, for its owner alone", async () => {
  await using it = await configuration();
  const { before, after } = await setProfile("prod", { ...it, set: { server: "https://gw" } });
  assert.deepEqual([before.profiles.size, after.profiles.size], [0, 1]);
  const written = JSON.parse(await it.text());
  assert.deepEqual(Object.keys(written), ["$schema", "version", "profiles"]);
  assert.deepEqual([written.version, written.profiles], [1, { prod: { server: "https://gw" } }]);
  if (process.platform !== "win32") {
    assert.equal((await stat(it.file)).mode & 0o777, 0o600);
    assert.equal((await stat(it.config)).mode & 0o777, 0o700);
  }
  assert.deepEqual(await readdir(it.config), ["config.json"]);
});

test("`setProfile()` changes what it is told, and leaves all else as it stands", async () => {
  const text = `\ufeff{\r
\t"profiles": {\r
\t\t"b":   { "server":"https://b" },\r
\t\t"a": {\r
\t\t\t"sources": [ "env",   "keychain" ],\r
\t\t\t"username": "u",\r
\t\t\t"timeout" : "5s",\r
\t\t\t"server":  "https://a",\r
\t\t\t"backend": "apisix"\r
\t\t}\r
\t},\r
\t"version": 1\r
}\r
`;
  await using it = await configuration(text);
  await setProfile("a", {
    ...it,
    set: { server: "https://new", gatewayGroup: "g" },
    unset: ["timeout", "tlsSkipVerify"],
  });
  assert.equal(
    await it.text(),
    text
      .replace('\t\t\t"timeout" : "5s",\r\n', "")
      .replace("https://a", "https://new")
      .replace('"apisix"', '"apisix",\r\n\t\t\t"gatewayGroup": "g"'),
  );
});

test("`setProfile()` writes nothing where nothing changes", async () => {
  await using it = await configuration('{"profiles":{"a":{"server":"https://a"}}}');
  const { mtimeNs, ino } = await stat(it.file, { bigint: true });
  await setProfile("a", { ...it, set: { server: "https://a" } });
  const after = await stat(it.file, { bigint: true });
  assert.deepEqual([after.mtimeNs, after.ino], [mtimeNs, ino]);
});

test("`setProfile()` replaces a profile as a whole when told so", async () => {
  await using it = await configuration('{"profiles":{"a":{"server":"https://a","timeout":"1s"}}}');
  await setProfile("a", { ...it, set: { server: "https://b" }, replace: true });
  assert.deepEqual(JSON.parse(await it.text()).profiles.a, { server: "https://b" });
});

test("`setProfile()` makes no profile that could not be read again", async () => {
  const text = '{"profiles":{"a":{"use":"b"},"b":{}}}';
  await using it = await configuration(text);
  for (
    const [name, set, message] of [
      ["a b", {}, /"a b": that is not a profile name/],
      ["c", { server: "gw" }, /not an http or https URL/],
      ["c", { server: "https://u:zqzq@gw" }, /never holds a secret/],
      ["c", { tokenCommand: "echo a7ee-zqzq" }, /never holds a secret/],
      ["c", { use: "gone" }, /no profile "gone"/],
      ["b", { use: "a" }, /circle/],
      ["c", { sources: ["vault"] }, /not a source/],
    ] as const
  ) {
    await assert.rejects(setProfile(name, { ...it, set }), (error: Error) => {
      assert.equal((error as { exitCode?: unknown }).exitCode, 64);
      assert.match(error.message, message);
      assert.ok(!error.message.includes("zqzq"));
      return true;
    });
    assert.equal(await it.text(), text);
  }
});

test("`setProfile()` never overwrites a file that is malformed", async () => {
  for (
    const text of [
      '{"profiles": {"a": {}},}',
      '{"profiles": {"a": {"servr": "x"}}}',
      '{"profiles": {"a": {}, "a": {}}}',
      '{"version": 2, "targets": {}}',
      "",
    ]
  ) {
    await using it = await configuration(text);
    await assert.rejects(setProfile("b", { ...it, set: { timeout: "1s" } }), ProfileFileError);
    await assert.rejects(removeProfiles(["a"], it), ProfileFileError);
    await assert.rejects(useProfile("a", it), ProfileFileError);
    assert.equal(await it.text(), text);
    assert.deepEqual(await readdir(it.config), ["config.json"]);
  }
});

test("`setProfile()` leaves a link alone", async () => {
  await using it = await configuration("{}");
  await using other = await temporaryFolder({ "mine.json": "{}" });
  await chmod(join(other.path, "mine.json"), 0o600);
  await rm(it.file);
  await symlink(join(other.path, "mine.json"), it.file);
  await assert.rejects(setProfile("b", { ...it, set: { timeout: "1s" } }), /symbolic link/);
  assert.equal(await readFile(join(other.path, "mine.json"), "utf8"), "{}");
});

test("`setProfile()` loses nothing to others that change the file at the same time", async () => {
  await using it = await configuration();
  const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
  await Promise.all(names.map((name) => setProfile(name, { ...it, set: { timeout: "1s" } })));
  const { profiles } = await readUserProfiles(it.env);
  assert.deepEqual([...profiles.keys()].sort(), names.sort());
});

test("`removeProfiles()` removes, and forgets that one was the default", async () => {
  await using it = await configuration('{"use":"a","profiles":{"a":{"use":"b"},"b":{},"c":{}}}');
  const { before, after } = await removeProfiles(["b", "a", "a"], it);
  assert.deepEqual([before.use, after.use, [...after.profiles.keys()]], ["a", undefined, ["c"]]);
  assert.deepEqual(JSON.parse(await it.text()), { profiles: { c: {} } });
});

test("`removeProfiles()` removes none where one is not there, or is needed", async () => {
  const text = '{"profiles":{"prod":{},"stage":{"use":"prod"}}}';
  await using it = await configuration(text);
  await assert.rejects(removeProfiles(["prod"], it), /"stage" inherits from it/);
  await assert.rejects(removeProfiles(["stage", "prd"], it), (error: Error) => {
    assert.match(error.message, /remove profile "prd"/);
    assert.match(String((error as { suggestion?: unknown }).suggestion), /"prod"/);
    return true;
  });
  assert.equal(await it.text(), text);
});

test("`useProfile()` chooses the default profile, or none", async () => {
  await using it = await configuration('{"profiles":{"prod":{}}}');
  assert.equal((await useProfile("prod", it)).after.use, "prod");
  assert.equal((await readUserProfiles(it.env)).use, "prod");
  assert.equal((await useProfile(undefined, it)).after.use, undefined);
  await assert.rejects(useProfile("gone", it), /use profile "gone"/);
});

test("`useProfile()` mends a default that is gone", async () => {
  await using it = await configuration('{"use":"gone","profiles":{"prod":{}}}');
  assert.equal((await useProfile("prod", it)).after.use, "prod");
});
