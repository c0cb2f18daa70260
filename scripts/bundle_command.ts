/**
 * Makes the command a few files that start fast.
 *
 * @module
 */

import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";
import type { OutputChunk, Plugin } from "rolldown";

/** The packages that runs need; what else there is stays outside, and is loaded when it is needed. */
const INLINED: readonly string[] = ["commander", "dotenv"];

/**
 * The parts that hold more than what is imported at once, because it is needed together: for each run, and
 * for a run of ADC. They have all that their modules import themselves.
 */
const PARTS = {
  run: [
    "src/cli/bin.",
    "src/cli/commands/run.",
    "src/http/http_client.",
    "src/system/spawn.",
    "node_modules/dotenv/",
  ],
  adc: [
    "src/run/guards.",
    "node_modules/commander/",
  ],
} as const;

const SHEBANG = "#!/usr/bin/env node";

const PROCESS = "node:process";

/** How {@linkcode bundleCommand} works. */
export interface BundleOptions {
  /** The command's entry: `src/cli/bin.js` among compiled code, or `bin.ts` among the sources. */
  readonly entry: string;
  /** The command's file. */
  readonly outfile: string;
  /** The folder for the parts that the command loads, inside that of the command. */
  readonly parts: string;
  /** The repository, whose `node_modules` has the packages. */
  readonly root: string;
}

/**
 * Bundles the command with the packages that each run needs. What each run needs is one part, and what only
 * some need are others, loaded on demand.
 *
 * Node.js takes longer to find and open two hundred small modules than to read one of their size, and
 * longer for an ES module than for a CommonJS one, because it makes one of each of its own modules that is
 * imported; and it takes its time for code that this run does not need. White space goes, names stay: a
 * stack trace can be read.
 *
 * @param options What from, and where to.
 * @returns The files that went into it.
 */
export async function bundleCommand(options: BundleOptions): Promise<readonly string[]> {
  const { entry, outfile, parts, root } = options;
  const bundle = await rolldown({
    cwd: root,
    input: { run: entry },
    platform: "node",
    plugins: [globalProcess],
    preserveEntrySignatures: false,
    resolve: { modules: [join(root, "node_modules")] },
    // A name that was resolved is a path, and on Windows it looks like a package's.
    external: (name, importer, isResolved) =>
      !isResolved && importer !== undefined && name !== PROCESS &&
      !importer.includes("node_modules") &&
      /^[^./]/.test(name) && !INLINED.includes(name.split("/")[0]!),
    // What one command imports at once is for another to import later.
    checks: { ineffectiveDynamicImport: false },
    // rolldown warns of an import that leads nowhere, and goes on.
    onLog: (level, { message }) => {
      if (level === "warn") throw new Error(`Cannot bundle the command: ${message}`);
    },
  });
  const { output } = await bundle.generate({
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    comments: false,
    minify: { compress: true, mangle: { toplevel: false }, codegen: { removeWhitespace: true } },
    codeSplitting: {
      groups: Object.entries(PARTS).map(([name, files]) => ({
        name,
        test: (id) => files.some((file) => id.replaceAll("\\", "/").includes(`/${file}`)),
      })),
    },
  });
  await bundle.close();
  const chunks = output.filter((file): file is OutputChunk => file.type === "chunk");
  const folder = join(dirname(outfile), parts);
  await mkdir(folder, { recursive: true });
  for (const chunk of chunks) await writeFile(join(folder, chunk.fileName), inAscii(chunk.code));
  // Parts ask for what each run needs by its file's name, and the command has another for each link to it.
  await writeFile(outfile, `${SHEBANG}\nrequire("./${parts}/run.cjs");\n`);
  await chmod(outfile, 0o755);
  return chunks.flatMap(({ moduleIds }) => moduleIds);
}

/** V8 takes twice the memory for a file with one character that is not in Latin-1. */
function inAscii(code: string): string {
  // dnt has put a shebang into the entry, `deno pack` has not.
  return code.replace(/^#!.*\n/, "").replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Without it, each part would make an ES module of `node:process`. */
const globalProcess: Plugin = {
  name: "global process",
  // Not for commander, which asks with `require()` and gets the module itself.
  resolveId: (name, importer) =>
    name === PROCESS && !importer?.includes("node_modules") ? "\0process" : null,
  load: (id) => id === "\0process" ? "export default globalThis.process;" : null,
};

/** The package, and its folder, that a file is out of. */
function packageOf(file: string): { readonly name: string; readonly folder: string } | undefined {
  const [folder, name] =
    /^.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)(?=[/\\])/.exec(file) ?? [];
  return name === undefined ? undefined : { name, folder: folder! };
}

/** The licenses of the packages that files are out of: they ask to be shipped along. */
export async function licensesOf(files: readonly string[]): Promise<string> {
  const folders = new Set(files.flatMap((file) => packageOf(file)?.folder ?? []));
  const texts = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const { name, version, license } = JSON.parse(
        await readFile(join(folder, "package.json"), "utf8"),
      );
      const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each))!;
      const text = await readFile(join(folder, file), "utf8");
      return `${name} ${version} (${license})\n\n${text.trim()}\n`;
    }),
  );
  return `It holds these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
