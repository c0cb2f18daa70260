import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { load } from "js-yaml";
import { VERSION } from "../../src/version.ts";
import { outputOf } from "../support/run_command.ts";
import { nodeRuntime, npmInstall, skipWithout } from "../support/runtimes.ts";
import { repository } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const WORKFLOWS = ".github/workflows";
const read = (file: string) => readFile(join(repository, file), "utf8");
const workflows = (await readdir(join(repository, WORKFLOWS))).map((name) =>
  `${WORKFLOWS}/${name}`
);
const skip = await skipWithout(nodeRuntime(20));

it("the action and the workflows are valid", { skip }, async () => {
  await using folder = await temporaryFolder();
  const packages = ["cli", "core"].map((name) => `@action-validator/${name}@0.6.0`);
  await npmInstall(folder.path, ["--ignore-scripts", ...packages]);
  for (const file of ["action.yml", ...workflows]) {
    // It does not know this permission yet.
    const text = (await read(file)).replaceAll(/^ +attestations: write$/gm, "");
    const copy = await folder.write(file, text);
    await outputOf([join(folder.path, "node_modules/.bin/action-validator"), copy]);
  }
});

it("every action of others is pinned to a commit, with its version beside it", async () => {
  for (const file of workflows) {
    for (const [, uses] of (await read(file)).matchAll(/\buses: (?!\.\/)(.*)$/gm)) {
      assert.match(uses!, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
    }
  }
});

it("a release is tested, attested, and on npm before it is on JSR", async () => {
  const { jobs, permissions } = load(await read(`${WORKFLOWS}/release.yml`)) as {
    readonly permissions: object;
    readonly jobs: Readonly<
      Record<string, { readonly needs?: string | string[]; readonly steps?: object[] }>
    >;
  };
  assert.deepEqual(permissions, {});
  const before = (name: string): string[] => {
    const needed = [jobs[name]?.needs ?? []].flat();
    return [...needed, ...needed.flatMap(before)];
  };
  for (const name of ["npm", "jsr", "image", "github"]) {
    for (const earlier of ["version", "tests", "package", "binaries"]) {
      assert.ok(before(name).includes(earlier), `${name} after ${earlier}`);
    }
  }
  assert.ok(before("jsr").includes("npm"));
  for (const name of ["package", "binaries", "image"]) {
    assert.match(JSON.stringify(jobs[name]!.steps), /actions\/attest-build-provenance@/, name);
  }
});

it("the version is the same wherever it is named", async () => {
  const files = ["action.yml", "templates/adc-run.yml", "README.md", "docs/ci.md"];
  const pattern =
    /(?:adc-run[@:]v?|\/adc-run\/releases\/download\/v|^ +default: )(\d+\.\d+\.\d+)/gm;
  for (const file of files) {
    const found = [...(await read(file)).matchAll(pattern)].map(([, version]) => version);
    assert.ok(found.length > 0, file);
    assert.deepEqual(new Set(found), new Set([VERSION]), file);
  }
});
