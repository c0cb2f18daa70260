/**
 * Builds the npm package with `deno pack`, for places that reach npm and not JSR:
 *
 *     deno task npm [FOLDER]
 *
 * The package goes to FOLDER, `npm` by default, with the tarball beside its manifest. `deno pack` compiles
 * the sources and their declarations; the rest of the package is completed here, as `deno pack` knows no
 * command, no description and no engines, and refuses a name without a scope. Needs `tar` and `npm`.
 *
 * `scripts/dnt/build_npm_dnt.ts` builds the same package with dnt.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { CODE_FOLDER, npmManifest } from "./npm_manifest.ts";
import { finishPackage, packTarball } from "./npm_package.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = resolve(process.argv[2] ?? join(root, "npm"));
const manifest = npmManifest(JSON.parse(await readFile(join(root, "deno.json"), "utf8")));

const scratch = await mkdtemp(join(tmpdir(), "adc-run-npm-"));
try {
  const compiled = await compile(scratch);
  await rm(folder, { recursive: true, force: true });
  await copyCode(compiled, join(folder, CODE_FOLDER));
  await finishPackage(folder, { root, manifest });
  process.stdout.write(`${packTarball(folder, manifest)}\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Has `deno pack` compile the sources, and unpacks what it made. */
async function compile(scratch: string): Promise<string> {
  const tarball = join(scratch, "compiled.tgz");
  const compiled = join(scratch, "package");
  // Source maps would carry this machine's paths. A dirty tree may be built; releases are made from a clean one.
  run(process.execPath, ["pack", "--quiet", "--no-source-maps", "--allow-dirty", "-o", tarball]);
  await mkdir(compiled);
  run("tar", ["-xzf", tarball, "-C", compiled, "--strip-components=1"]);
  return compiled;
}

/** Only what was compiled: `deno pack` also takes along each file that `deno publish` would. */
async function copyCode(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const file of ["mod.js", "mod.d.ts"]) await cp(join(from, file), join(to, file));
  await cp(join(from, "src"), join(to, "src"), {
    recursive: true,
    filter: (file) => extname(file) === "" || file.endsWith(".js") || file.endsWith(".d.ts"),
  });
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
