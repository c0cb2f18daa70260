/**
 * Makes the command one file that starts fast.
 *
 * @module
 */

import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import type { Plugin } from "esbuild";

/** The packages that each run needs; what else there is stays outside, and is loaded when it is needed. */
const INLINED: readonly string[] = ["commander", "dotenv"];

const SHEBANG = "#!/usr/bin/env node";

/** How {@linkcode bundleCommand} works. */
export interface BundleOptions {
  /** The compiled entry. */
  readonly entry: string;
  /** The command's file. */
  readonly outfile: string;
  /** The file for the licenses of what went into it. */
  readonly licenses: string;
  /** The repository, whose `node_modules` has the packages. */
  readonly root: string;
}

/**
 * Bundles the command with the packages that each run needs.
 *
 * Node.js takes longer to find and open two hundred small modules than to read one of their size, and
 * longer for an ES module than for a CommonJS one, because it makes one of each of its own modules that is
 * imported. White space goes, names stay: a stack trace can be read.
 *
 * @param options What from, and where to.
 */
export async function bundleCommand(options: BundleOptions): Promise<void> {
  const { entry, outfile, licenses, root } = options;
  const { outputFiles: [bundle], metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    write: false,
    metafile: true,
    bundle: true,
    nodePaths: [join(root, "node_modules")],
    plugins: [packages],
    platform: "node",
    format: "cjs",
    target: "node20",
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "error",
  });
  // Modules are named by their way from the repository, which can lead through this machine's folders.
  const folder = relative(root, dirname(entry)).replaceAll("\\", "/");
  await mkdir(dirname(outfile), { recursive: true });
  // dnt has put one into the entry, `deno pack` has not.
  const code = bundle!.text.replace(/^#!.*\n/, "");
  await writeFile(
    outfile,
    `${SHEBANG}\n` + code.replaceAll(`"${folder.replace(/src\/cli$/, "")}`, `"`),
  );
  await chmod(outfile, 0o755);
  await writeFile(licenses, await licensesOf(Object.keys(metafile.inputs), root));
}

const packages: Plugin = {
  name: "packages",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      if (kind === "entry-point" || importer.includes("node_modules")) return undefined;
      return INLINED.includes(path.split("/")[0]!) ? undefined : { path, external: true };
    });
  },
};

/** The licenses of the packages that files are out of: they ask to be shipped along. */
async function licensesOf(files: readonly string[], root: string): Promise<string> {
  const pattern = /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
  const folders = new Set(files.flatMap((file) => pattern.exec(file) ?? []));
  const texts = await Promise.all(
    [...folders].sort().map(async (relativeFolder) => {
      const folder = resolve(root, relativeFolder);
      const { name, version, license } = JSON.parse(
        await readFile(join(folder, "package.json"), "utf8"),
      );
      const text = await readFile(join(folder, "LICENSE"), "utf8");
      return `${name} ${version} (${license})\n\n${text.trim()}\n`;
    }),
  );
  return `The command holds these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
