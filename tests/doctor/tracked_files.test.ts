import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { cameWithProject, repositoryRoot, trackedFiles } from "../../src/doctor/check_files.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

function git(cwd: string, ...args: readonly string[]): void {
  execFileSync("git", args, { cwd, stdio: "ignore" });
}

test("`cameWithProject()` tells the project's programs from the user's", async () => {
  await using folder = await temporaryFolder({ "home/repo/.git/HEAD": "", "home/repo/sub/x": "" });
  const home = join(folder.path, "home");
  const repo = join(home, "repo");
  const env = { HOME: home };
  const cases: readonly (readonly [string, string, boolean])[] = [
    [repo, join(repo, "adc"), true],
    [repo, join(repo, "bin/adc"), true],
    [join(repo, "sub"), join(repo, "bin/adc"), true],
    [join(repo, "sub"), join(repo, "node_modules/.bin/adc"), true],
    [join(repo, "sub"), join(home, "node_modules/.bin/adc"), true],
    [join(repo, "sub"), "/node_modules/.bin/adc", true],
    [repo, "/usr/local/bin/adc", false],
    [repo, join(home, ".local/bin/adc"), false],
    [repo, join(home, "repository/adc"), false],
    [repo, join(home, "..adc"), false],
    [repo, "/usr/lib/node_modules/adc/adc", false],
    [home, join(home, ".local/bin/adc"), false],
    [folder.path, join(home, ".local/bin/adc"), false],
  ];
  for (const [cwd, file, came] of cases) {
    assert.equal(cameWithProject(file, { env, cwd }), came, `${file} from ${cwd}`);
  }
});

test("`repositoryRoot()` finds a repository, and a work tree, whose .git is a file", async () => {
  await using folder = await temporaryFolder({ "tree/.git": "gitdir: ../x\n" });
  const { path } = folder;
  await mkdir(join(path, "repo/.git"), { recursive: true });
  await mkdir(join(path, "repo/a/b"), { recursive: true });
  assert.equal(repositoryRoot(join(path, "repo/a/b")), join(path, "repo"));
  assert.equal(repositoryRoot(join(path, "tree")), join(path, "tree"));
  assert.equal(repositoryRoot(join(path, "nowhere")), repositoryRoot(path));
});

test("`trackedFiles()` is not led to another repository by variables", async () => {
  await using folder = await temporaryFolder({ "one/a": "", "other/b": "" });
  const [one, other] = [join(folder.path, "one"), join(folder.path, "other")];
  for (const each of [one, other]) {
    git(each, "init", "-q");
    git(each, "add", ".");
  }
  const env = {
    PATH: process.env.PATH,
    GIT_DIR: join(other, ".git"),
    GIT_INDEX_FILE: join(other, ".git/index"),
  };
  assert.deepEqual(await trackedFiles(one, { env }), { files: new Set([join(one, "a")]) });
});

test("`trackedFiles()` takes names as they are", async () => {
  await using folder = await temporaryFolder({ 'a "b"\nc': "", "ü": "", "sub/d": "" });
  const { path } = folder;
  git(path, "init", "-q");
  git(path, "add", ".");
  const tracked = await trackedFiles(path, { env: { PATH: process.env.PATH } });
  const names = ['a "b"\nc', "ü", "sub/d"].map((name) => join(path, name));
  assert.deepEqual("files" in tracked && [...tracked.files].sort(), names.sort());
});

test("`trackedFiles()` asks no monitor that the repository names", async () => {
  await using folder = await temporaryFolder({ ".env": "" });
  const { path } = folder;
  git(path, "init", "-q");
  git(path, "add", ".");
  const mark = join(path, "ran");
  const evil = await folder.write("evil", `#!/bin/sh\necho >'${mark}'\n`);
  await chmod(evil, 0o755);
  git(path, "config", "core.fsmonitor", evil);
  const plain = () => execFileSync("git", ["ls-files", "-m"], { cwd: path, stdio: "ignore" });
  const tracked = await trackedFiles(path, { env: { PATH: process.env.PATH } });
  assert.ok("files" in tracked && tracked.files.has(join(path, ".env")));
  assert.throws(() => execFileSync("cat", [mark], { stdio: "ignore" }), "nothing ran");
  plain();
  execFileSync("cat", [mark], { stdio: "ignore" });
});
