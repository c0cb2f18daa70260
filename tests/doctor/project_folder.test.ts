import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cameWithProject, repositoryRoot } from "../../src/doctor/tracked_files.ts";
import { temporaryFolder } from "../temporary_folder.ts";

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
