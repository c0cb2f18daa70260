/**
 * Builds the npm package with dnt, for releases:
 *
 *     deno task npm:dnt
 *
 * dnt comes from JSR. Nothing else in the project does, so this script stands apart: it has a `deno.json`
 * of its own, and no other task checks, lints or runs it. `scripts/build_npm.ts` builds the same package
 * with what npm alone provides.
 *
 * @module
 */
import { build, type BuildOptions, emptyDir } from "@deno/dnt";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { CODE_FOLDER, npmManifest } from "../npm_manifest.ts";
import { finishPackage, packTarball } from "../npm_package.ts";
import release from "./release.json" with { type: "json" };

/** TypeScript's "could not find a declaration file for module". */
const NO_DECLARATION_FILE = 7016;

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "npm");
const manifest = npmManifest(JSON.parse(await readFile(join(root, "deno.json"), "utf8")));
// dnt warns of `files`, for its `.npmignore` has no say where there are any. It is written afterwards.
const { files: _, ...withoutFiles } = manifest;

await emptyDir(folder);
await build({
  cwd: root,
  configFile: import.meta.resolve("../../deno.json"),
  entryPoints: ["./mod.ts", { kind: "bin", name: "adc-run", path: "./src/cli/bin.ts" }],
  outDir: folder,
  // The package is ES modules; the command alone is CommonJS, and is bundled afterwards.
  scriptModule: false,
  shims: {},
  // Node.js 20.18 has them all.
  polyfills: false,
  test: false,
  typeCheck: "single",
  // The sources say themselves what they import from modules that come without declarations.
  filterDiagnostic: (diagnostic) => diagnostic.code !== NO_DECLARATION_FILE,
  compilerOptions: release.compilerOptions as BuildOptions["compilerOptions"],
  package: { ...withoutFiles, devDependencies: { "@types/node": release["@types/node"] } },
  postBuild: async () => {
    // What it says, `"type": "module"`, the package's own manifest says too.
    await rm(join(folder, CODE_FOLDER, "package.json"));
    await finishPackage(folder, { root, manifest });
  },
});
process.stdout.write(`${packTarball(folder, manifest)}\n`);
