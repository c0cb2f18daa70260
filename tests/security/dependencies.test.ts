import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { outputOf } from "../support/run_command.ts";
import { installTarball, nodeRuntime, skipWithout } from "../support/runtimes.ts";
import { repository, tarball } from "../support/tarball.ts";

const read = (file: string) => readFile(join(repository, file), "utf8");
const config = JSON.parse(await read("deno.json"));
const lock = JSON.parse(await read("deno.lock"));

/** The imports by their names; one that ends in a slash gives access to another's files. */
const imports = Object.entries<string>(config.imports)
  .filter(([name]) => !name.endsWith("/"));

const skip = await skipWithout(nodeRuntime(20));

describe("dependencies", () => {
  it("each import has its reason in CONTRIBUTING, and each row there its import", async () => {
    const [, section = ""] = /\n## Dependencies\n([\s\S]*?)\nNot taken:/
      .exec(await read("CONTRIBUTING.md")) ?? [];
    const rows = section.matchAll(/^\|([^|]*)\| `([^`]+)`([^|]*)\|([^|]*)\|$/gm);
    const table = [...rows].map(([, purpose, name, version, reason]) => {
      assert.ok(purpose!.trim().length > 0 && reason!.trim().length > 10, `"${name}" has a reason`);
      return [name, /\d+/.exec(version!)?.[0]] as const;
    });
    const wanted = imports.map(([name, target]) => {
      const major = /@\^?(\d+)[^/@]*$/.exec(target)?.[1];
      return [name, major === "0" ? undefined : major] as const;
    });
    assert.deepEqual([...table].sort(), [...wanted].sort());
  });

  it("each import is locked, and each package has its sum", () => {
    const names = imports.map(([name]) => name).sort();
    const lockedNames = Object.keys(lock.specifiers)
      .map((specifier) => /^npm:(@?[^@]+)@/.exec(specifier)?.[1]).sort();
    assert.deepEqual(lockedNames, names);
    for (const [name, { integrity }] of Object.entries<{ integrity?: string }>(lock.npm)) {
      assert.match(integrity ?? "", /^sha512-/, name);
    }
    assert.deepEqual(Object.keys(lock).sort(), ["npm", "specifiers", "version", "workspace"]);
  });

  it("nothing that is locked runs a script when it is installed", () => {
    const withScripts = Object.entries<{ scripts?: boolean }>(lock.npm)
      .filter(([, { scripts }]) => scripts === true);
    assert.deepEqual(withScripts, []);
    assert.ok(!("allowScripts" in config), "Deno runs no such script unless it is told to");
  });

  it("the npm package runs nothing when it is installed, and has no files that would be run", async () => {
    const archive = await tarball();
    const packed = await outputOf(["tar", "-xzOf", archive, "package/package.json"]);
    const manifest = JSON.parse(packed);
    for (const field of ["scripts", "gypfile", "bundleDependencies", "bundledDependencies"]) {
      assert.ok(!(field in manifest), field);
    }
    // npm would build a package with such a file by itself.
    assert.doesNotMatch(await outputOf(["tar", "-tzf", archive]), /binding\.gyp|node_modules/);
  });

  it("nothing that npm installs along runs a script", { skip }, async () => {
    const { folder } = await installTarball();
    const { packages } = JSON.parse(await readFile(join(folder, "package-lock.json"), "utf8"));
    const installed = Object.entries<{ hasInstallScript?: boolean }>(packages);
    assert.ok(installed.length > 10);
    const withScripts = installed.filter(([, { hasInstallScript }]) => hasInstallScript);
    assert.deepEqual(withScripts.map(([path]) => path), []);
  });
});
