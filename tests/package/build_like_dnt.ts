/**
 * Builds the npm package as a release does, without dnt, which comes from JSR: TypeScript with dnt's own
 * options and the release's, in a folder where `npm install` has been.
 *
 * @module
 */

import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import release from "../../scripts/dnt/release.json" with { type: "json" };
import { CODE_FOLDER, npmManifest } from "../../scripts/npm_manifest.ts";
import { finishPackage, packTarball } from "../../scripts/npm_package.ts";
import { runCommand } from "../support/run_command.ts";
import { npmInstall } from "../support/runtimes.ts";
import { repository } from "../support/tarball.ts";

/** What dnt 0.43 sets, and a release cannot change. */
const DNT = {
  allowJs: true,
  allowSyntheticDefaultImports: true,
  alwaysStrict: true,
  declaration: true,
  esModuleInterop: false,
  ignoreDeprecations: "6.0",
  isolatedModules: true,
  module: "ESNext",
  moduleResolution: "Bundler",
  noImplicitAny: true,
  noImplicitThis: true,
  skipLibCheck: true,
  strictBindCallApply: true,
  strictFunctionTypes: true,
  strictNullChecks: true,
  strictPropertyInitialization: true,
  types: ["node"],
  useDefineForClassFields: true,
};

/**
 * Builds and packs the package.
 *
 * @param folder An empty folder, in which it is built.
 * @returns The tarball's path.
 * @throws {Error} TypeScript finds an error.
 */
export async function buildLikeDnt(folder: string): Promise<string> {
  const manifest = npmManifest(JSON.parse(await readFile(join(repository, "deno.json"), "utf8")));
  const needed = { ...manifest.dependencies, ...manifest.optionalDependencies };
  await npmInstall(folder, [
    "--ignore-scripts",
    "typescript@6.0.3",
    `@types/node@${release["@types/node"]}`,
    ...Object.entries(needed).map(([name, range]) => `${name}@${range}`),
  ]);
  for (const name of ["mod.ts", "src"]) {
    await cp(join(repository, name), join(folder, name), { recursive: true });
  }
  await nameCompiledFiles(folder);
  const compilerOptions = {
    ...DNT,
    ...release.compilerOptions,
    outDir: `npm/${CODE_FOLDER}`,
    rootDir: ".",
    strict: false, // dnt names the parts of it that it sets
  };
  const project = { compilerOptions, files: ["mod.ts", "src/cli/bin.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(project));
  const { stdout } = await runCommand([join(folder, "node_modules/.bin/tsc")], { cwd: folder });
  const errors = stdout.split("\n").filter((line) => /: error TS(?!7016:)/.test(line));
  if (errors.length > 0) throw new Error(`dnt would refuse the sources:\n${errors.join("\n")}`);
  const entry = join(folder, "npm", CODE_FOLDER, "src/cli/bin.js");
  await writeFile(entry, `#!/usr/bin/env node\n${await readFile(entry, "utf8")}`);
  await finishPackage(join(folder, "npm"), { root: repository, manifest });
  return packTarball(join(folder, "npm"), manifest);
}

/** dnt writes imports so before it compiles, and TypeScript leaves them alone in declarations. */
async function nameCompiledFiles(folder: string): Promise<void> {
  const names = await readdir(join(folder, "src"), { recursive: true });
  for (const name of ["mod.ts", ...names.map((name) => join("src", name))]) {
    if (!name.endsWith(".ts")) continue;
    const code = await readFile(join(folder, name), "utf8");
    const renamed = code.replaceAll(/(\b(?:from|import)\s*\(?\s*"\.[^"]+)\.ts"/g, '$1.js"');
    await writeFile(join(folder, name), renamed);
  }
}
