import assert from "node:assert/strict";
import { chmod, chown, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { it } from "node:test";
import { CommandError } from "../../src/errors.ts";
import { locateAdc } from "../../src/run/locate.ts";
import { findOnPath, findProgram, lookUpProgram } from "../../src/system/programs.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

async function program(folder: TemporaryFolder, name: string): Promise<string> {
  await mkdir(dirname(join(folder.path, name)), { recursive: true });
  const file = await folder.write(name, "#!/bin/sh\n");
  await chmod(file, 0o755);
  return file;
}

it("`locateAdc()` takes --adc, then ADC_RUN_ADC, then PATH, then node_modules/.bin", async () => {
  await using folder = await temporaryFolder();
  const cwd = join(folder.path, "project", "deep");
  await mkdir(cwd, { recursive: true });
  const installed = await program(folder, "project/node_modules/.bin/adc");
  assert.equal(locateAdc({ env: { PATH: "", HOME: folder.path }, cwd }).file, installed);
  const onPath = await program(folder, "bin/adc");
  const env = { PATH: `/nowhere:${dirname(onPath)}` };
  assert.equal(locateAdc({ env, cwd }).file, onPath);
  const named = await program(folder, "project/deep/named");
  assert.equal(locateAdc({ env: { ...env, ADC_RUN_ADC: "./named" }, cwd }).file, named);
  const asked = await program(folder, "asked");
  const options = { env: { ...env, ADC_RUN_ADC: "./named" }, cwd, adc: "../../asked" };
  assert.equal(locateAdc(options).file, asked);
  assert.equal(locateAdc({ env: { ...env, ADC_RUN_ADC: "" }, cwd }).file, onPath);
});

it("`locateAdc()` runs a script with Node.js, whether it is executable or not", async () => {
  await using folder = await temporaryFolder({ "adc.cjs": "" });
  const { file, prefix } = locateAdc({
    env: { PATH: process.env.PATH },
    cwd: folder.path,
    adc: "./adc.cjs",
  });
  assert.match(file, /node/);
  assert.deepEqual(prefix, [join(folder.path, "adc.cjs")]);
});

it("`locateAdc()` says what it looked for, and how to get it", async () => {
  await using folder = await temporaryFolder({ "text": "" });
  const cwd = folder.path;
  for (
    const [adc, code, message, suggestion] of [
      [undefined, 127, /"adc" is not on PATH or in node_modules\/\.bin/, /^Install it \(curl /],
      ["./missing", 127, /"\.\/missing" was not found/, /^Check the path in --adc/],
      ["missing", 127, /"missing" was not found/, /^Check the path in --adc/],
      ["./text", 126, /not executable/, /chmod/],
      [".", 127, /"\." was not found/, /^Check the path in --adc/],
    ] as const
  ) {
    assert.throws(
      () => locateAdc({ env: { PATH: "" }, cwd, adc }),
      (error: unknown) => {
        assert.ok(error instanceof CommandError);
        assert.equal(error.exitCode, code);
        assert.match(error.message, message);
        assert.match(error.suggestion ?? "", suggestion);
        return true;
      },
    );
  }
});

it("`findOnPath()` passes over folders and files that are not executable", async () => {
  await using folder = await temporaryFolder({ "a/adc/file": "", "b/adc": "" });
  const right = await program(folder, "c/adc");
  const PATH = ["a", "b", "c"].map((name) => join(folder.path, name)).join(":");
  assert.equal(findOnPath("adc", { env: { PATH }, cwd: folder.path }), right);
});

it("`locateAdc()` looks no further up than the repository's root", async () => {
  await using folder = await temporaryFolder({ "repo/.git/HEAD": "", "repo/sub/file": "" });
  const outside = await program(folder, "node_modules/.bin/adc");
  const at = (cwd: string) => locateAdc({ env: { PATH: "" }, cwd: join(folder.path, cwd) }).file;
  assert.throws(() => at("repo/sub"), CommandError);
  assert.throws(() => at("repo"), CommandError);
  assert.equal(at("."), outside);
  const inside = await program(folder, "repo/node_modules/.bin/adc");
  assert.equal(at("repo/sub"), inside);
});

it("`locateAdc()` looks further up without a repository only below the user's home", async () => {
  await using folder = await temporaryFolder({ "home/project/deep/file": "" });
  const at = (HOME: string | undefined, cwd = "home/project/deep") =>
    locateAdc({ env: { PATH: "", HOME }, cwd: join(folder.path, cwd) }).file;
  const home = join(folder.path, "home");
  const inHome = await program(folder, "home/node_modules/.bin/adc");
  await program(folder, "node_modules/.bin/adc");
  for (const each of [home, undefined, `${home}/proj`]) {
    assert.throws(() => at(each), CommandError, each);
  }
  assert.equal(at(home, "home"), inHome);
  const inProject = await program(folder, "home/project/node_modules/.bin/adc");
  assert.equal(at(home), inProject);
  assert.equal(at(`${home}/`), inProject);
  assert.throws(() => at("/elsewhere"), CommandError);
});

const notRoot = process.getuid?.() !== 0 && "only root can give a file away";

it("`locateAdc()` takes no adc of another user, but for the owner of the repository", {
  skip: notRoot,
}, async () => {
  await using folder = await temporaryFolder({ "sub/file": "" });
  const file = await program(folder, "node_modules/.bin/adc");
  await chown(file, 65534, 65534);
  const env = { PATH: "", HOME: dirname(folder.path) };
  const locate = () => locateAdc({ env, cwd: join(folder.path, "sub") }).file;
  assert.throws(locate, CommandError);
  await mkdir(join(folder.path, ".git"));
  assert.throws(locate, CommandError);
  await chown(folder.path, 65534, 65534);
  assert.equal(locate(), file);
});

it("`findOnPath()` takes on Windows only what ends as a program does there, and no quotes of PATH", async () => {
  await using folder = await temporaryFolder({
    "1/adc": "#!/bin/sh",
    "1/adc.txt": "",
    "2/adc.EXE": "",
    "a;b/op.cmd": "",
    "3/adc.cmd": "",
  });
  const at = (...names: string[]) => names.map((name) => join(folder.path, name));
  const find = (name: string, Path: string, PATHEXT = ".TXT;.EXE;.CMD;.JS") =>
    findOnPath(name, { env: { Path, PATHEXT }, cwd: folder.path, platform: "win32" });
  assert.equal(find("adc", at("1", "2", "3").join(";")), at("2/adc.EXE")[0]);
  assert.equal(find("adc", `"${at("1")[0]}";"${at("2")[0]}"`), at("2/adc.EXE")[0]);
  assert.equal(find("op", `;;"${at("a;b")[0]}";${at("1")[0]}`, ".cmd"), at("a;b/op.cmd")[0]);
  assert.equal(find("adc", at("1")[0]!), undefined);
  assert.equal(find("adc.cmd", at("2", "3").join(";")), at("3/adc.cmd")[0]);
});

it("`findProgram()` adds on Windows the ending to a path", async () => {
  await using folder = await temporaryFolder({ "bin/adc": "", "bin/adc.cmd": "", "bin/text": "" });
  const place = { env: { PATHEXT: ".exe;.cmd" }, cwd: folder.path, platform: "win32" };
  assert.equal(findProgram("bin/adc", place), join(folder.path, "bin/adc.cmd"));
  assert.deepEqual(lookUpProgram("bin/text", place), { code: "EACCES" });
  assert.deepEqual(lookUpProgram("bin/none", place), { code: "ENOENT" });
});
