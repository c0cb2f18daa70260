import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { homedir } from "node:os";
import { dirname, join, posix } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { minifySync } from "rolldown/utils";
import { outputOf } from "../support/run_command.ts";
import { nodeRuntime, skipWithout } from "../support/runtimes.ts";
import { repository, tarball } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";
import { buildLikeDnt } from "./build_like_dnt.ts";

/** Specifiers of `import`, `export … from`, `import()` and `require()`. */
function specifiers(code: string): string[] {
  const pattern = /(?:\bfrom|\bimport\(|\bimport|\brequire\()\s*["`]([@.\w][^"`\s]*)["`]/g;
  return [...code.matchAll(pattern)].map(([, specifier]) => specifier!);
}

/** The code of a file; the command, whose strings hold what looks like comments, has none. */
function withoutComments(code: string, file: string): string {
  return file.endsWith(".cjs") ? code : code.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** The names of the files below a folder, with `/` between them. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile())
    .map((entry) => posix.relative(folder, posix.join(entry.parentPath, entry.name)))
    .sort();
}

const skip = await skipWithout(nodeRuntime(20));

/** As `deno task npm` builds it, and as a release does; `ADC_RUN_TARBALL` is the one that counts. */
const BUILDS = {
  "the npm package": tarball,
  ...(process.env.ADC_RUN_TARBALL ? {} : { "the npm package as dnt builds it": buildLikeDnt }),
};

for (const [name, build] of Object.entries(BUILDS)) {
  describe(name, { skip: build === buildLikeDnt && skip }, () => {
    let temporary: TemporaryFolder;
    let folder: string;
    let files: readonly string[];
    // deno-lint-ignore no-explicit-any -- what it holds is what the tests are about
    let manifest: any;
    // deno-lint-ignore no-explicit-any
    let config: any;

    const read = (file: string) => readFile(join(folder, file), "utf8");

    before(async () => {
      temporary = await temporaryFolder();
      const file = await build(temporary.path);
      await outputOf(["tar", "-xzf", file, "-C", temporary.path]);
      folder = join(temporary.path, "package");
      files = await filesBelow(folder);
      manifest = JSON.parse(await read("package.json"));
      config = JSON.parse(await readFile(join(repository, "deno.json"), "utf8"));
    });

    after(() => temporary[Symbol.asyncDispose]());

    it("holds the library's modules, the command in parts, and six files besides", async () => {
      const sources = (await filesBelow(join(repository, "src")))
        .map((file) => `esm/src/${file.replace(/\.ts$/, ".js")}`);
      const parts = files.filter((file) => file.startsWith("bin/parts/"));
      for (const file of ["bin/adc-run.cjs", ...parts]) {
        const text = await read(file);
        // V8 takes twice the memory for any other text.
        assert.match(text, /^[\0-\x7f]*$/, file);
        for (const [, name] of text.matchAll(/require\(["`'](\.[^"`']*)/g)) {
          const part = posix.join(posix.dirname(file), name!);
          assert.ok(parts.includes(part), `${file} loads a part that is there: ${part}`);
        }
      }
      const declarations = files.filter((file) => file.endsWith(".d.ts"));
      const modules = files.filter((file) => file.endsWith(".js"));
      for (const file of modules) {
        assert.ok(file === "esm/mod.js" || sources.includes(file), `${file} has a source`);
        assert.ok(!file.startsWith("esm/src/cli/"), `${file} is in the command`);
      }
      assert.ok(declarations.includes("esm/mod.d.ts"));
      const expected = [
        "LICENSE",
        "README.md",
        "bin/LICENSES.txt",
        "bin/adc-run.cjs",
        ...parts,
        "man/adc-run.1",
        "package.json",
        "schema.json",
        ...modules,
        ...declarations,
      ];
      assert.deepEqual(files, expected.sort());
    });

    it("holds README, license and schema as they are in the repository", async () => {
      for (const file of ["README.md", "LICENSE", "schema.json"]) {
        assert.equal(await read(file), await readFile(join(repository, file), "utf8"));
      }
    });

    it("has the manifest that a registry and a package manager need", () => {
      const range = (name: string) => config.imports[name].slice(`npm:${name}@`.length);
      const required = [
        "@clack/prompts",
        "commander",
        "dotenv",
        "glob",
        "js-yaml",
        "jsonc-parser",
        "parse-duration",
      ];
      assert.ok(manifest.description.length > 20);
      assert.ok(manifest.keywords.includes("apisix"));
      assert.deepEqual({ ...manifest, description: undefined, keywords: undefined }, {
        name: "adc-run",
        version: config.version,
        description: undefined,
        keywords: undefined,
        homepage: "https://github.com/adc-run/adc-run#readme",
        repository: { type: "git", url: "git+https://github.com/adc-run/adc-run.git" },
        license: "Apache-2.0",
        bugs: { url: "https://github.com/adc-run/adc-run/issues" },
        type: "module",
        types: "./esm/mod.d.ts",
        exports: {
          ".": { types: "./esm/mod.d.ts", default: "./esm/mod.js" },
          "./package.json": "./package.json",
          "./schema.json": "./schema.json",
        },
        bin: { "adc-run": "bin/adc-run.cjs" },
        man: ["man/adc-run.1"],
        files: ["esm", "bin", "man/adc-run.1", "schema.json"],
        sideEffects: false,
        engines: { node: "^20.18.1 || >=22.3.0" },
        dependencies: Object.fromEntries(
          [...required, "undici"].map((name) => [name, range(name)]),
        ),
        optionalDependencies: {
          "@lydell/node-pty": range("@lydell/node-pty"),
          "@napi-rs/keyring": range("@napi-rs/keyring"),
        },
      });
    });

    it("brings along the licenses of the packages that the command holds", async () => {
      const licenses = await read("bin/LICENSES.txt");
      for (const name of ["commander", "dotenv"]) {
        assert.match(licenses, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(\\S+\\)$`, "m"));
      }
      assert.match(licenses, /Permission is hereby granted/);
    });

    it("has a command that the system can start", async () => {
      const file = manifest.bin["adc-run"];
      assert.match(await read(file), /^#!\/usr\/bin\/env node\n(?!#!)/);
      assert.equal((await stat(join(folder, file))).mode & 0o777, 0o755);
      const printed = await outputOf([await nodeRuntime(20), join(folder, file), "--version"]);
      assert.equal(printed, `adc-run ${config.version}\n`);
    });

    it("imports nothing but its own files, Node.js and its dependencies", async () => {
      const packages = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
      const used = new Set<string>();
      for (const file of files.filter((each) => /\.(?:c?js|d\.ts)$/.test(each))) {
        for (const specifier of specifiers(withoutComments(await read(file), file))) {
          const where = `"${specifier}" in ${file}`;
          if (specifier.startsWith(".")) {
            assert.match(specifier, file.startsWith("bin/") ? /\.cjs$/ : /\.js$/, where);
            const target = posix.join(dirname(file), specifier);
            const wanted = file.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target;
            assert.ok(files.includes(wanted), where);
          } else if (!isBuiltin(specifier)) {
            const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
            assert.ok(packages.includes(name), where);
            used.add(name);
          }
        }
      }
      assert.deepEqual([...used].sort(), packages.sort(), "each dependency is imported");
    });

    it("says nothing of the machine that built it, of JSR's name and of source maps", async () => {
      for (const file of files) {
        const text = await read(file);
        for (const absent of [repository, `${homedir()}/`, "file://", "sourceMappingURL"]) {
          assert.ok(!text.includes(absent), `${absent} in ${file}`);
        }
        if (file.startsWith("esm/")) assert.doesNotMatch(text, /from "@adc-run\/adc-run"/, file);
      }
    });

    it("differs from the other build in what CONTRIBUTING lists alone", {
      skip: build === tarball,
    }, async () => {
      await using other = await temporaryFolder();
      await outputOf(["tar", "-xzf", await tarball(), "-C", other.path]);
      const otherFolder = join(other.path, "package");
      const listed = (name: string) => !name.endsWith(".d.ts");
      assert.deepEqual(files.filter(listed), (await filesBelow(otherFolder)).filter(listed));
      for (const file of files.filter((name) => listed(name) && !name.startsWith("bin/parts/"))) {
        const [code, otherCode] = await Promise.all([folder, otherFolder].map(async (each) => {
          const text = await readFile(join(each, file), "utf8");
          return file.endsWith(".js") ? minifySync(file, text).code : text;
        }));
        // Deno keeps a computed name in a variable.
        assert.ok(code === otherCode || code!.includes("[Symbol."), file);
      }
    });
  });
}
