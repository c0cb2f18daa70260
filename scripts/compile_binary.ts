import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { outputOf } from "../tests/support/run_command.ts";
import { BUN, bunRuntime, npmInstall } from "../tests/support/runtimes.ts";
import { bundleCommand } from "./bundle_command.ts";

const BUILTINS = "scripts/builtins.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The name of the binary for this system. */
export const BINARY_NAME = process.platform === "win32" ? "adc-run.exe" : "adc-run";

/** The systems that there are binaries for, by the names that Bun has for them; as npm says them. */
export const TARGETS = {
  "linux-x64": { os: "linux", cpu: "x64", libc: "glibc" },
  "linux-x64-musl": { os: "linux", cpu: "x64", libc: "musl" },
  "linux-arm64": { os: "linux", cpu: "arm64", libc: "glibc" },
  "linux-arm64-musl": { os: "linux", cpu: "arm64", libc: "musl" },
  "darwin-x64": { os: "darwin", cpu: "x64" },
  "darwin-arm64": { os: "darwin", cpu: "arm64" },
  "windows-x64": { os: "win32", cpu: "x64" },
} as const;

/** One of them. */
export type Target = keyof typeof TARGETS;

/**
 * `bun build --compile`: the command as one file that needs no runtime. What is compiled is the bundle of the npm
 * package: Bun's own starts 2 ms later, for it makes an object for each module that is loaded later.
 *
 * @param path Where the binary goes.
 * @param target The system. @default this one, with the packages in `node_modules`
 * @returns The files that went into it.
 * @throws {Error} There is no Bun for this machine, npm cannot be reached, or Bun fails.
 */
export async function compileBinary(path: string, target?: Target): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "adc-run-binary-"));
  try {
    const options = target === undefined ? [] : await installFor(target, folder);
    await linkModules(folder);
    const outfile = join(folder, "adc-run.cjs");
    const entry = join(root, "src/cli/bin.ts");
    const bundled = await bundleCommand({ entry, outfile, parts: "parts", root });
    await cp(join(root, BUILTINS), join(folder, basename(BUILTINS)));
    await outputOf([
      await bunRuntime(),
      "build",
      "--compile",
      "--bytecode",
      "--format=cjs",
      // Else `.env` would pass for the user's own environment, and code named by bunfig.toml would run.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      // Bun has pseudo-terminals of its own.
      "--external=@lydell/node-pty",
      ...options,
      "--metafile=inputs.json",
      `--outfile=${resolve(path)}`,
      basename(outfile),
      basename(BUILTINS),
    ], { cwd: folder });
    const { inputs } = JSON.parse(await readFile(join(folder, "inputs.json"), "utf8"));
    return [...bundled, ...Object.keys(inputs)];
  } finally {
    await rm(folder, { recursive: true });
  }
}

const KEYRING = "@napi-rs/keyring";

/** Fills a folder with the keychain's binding for one system, and that system's Bun. */
async function installFor(target: Target, folder: string): Promise<readonly string[]> {
  const file = join(root, "node_modules", KEYRING, "package.json");
  const { version } = JSON.parse(await readFile(file, "utf8"));
  const system = Object.entries(TARGETS[target]).map(([name, value]) => `--${name}=${value}`);
  await npmInstall(folder, ["--ignore-scripts", ...system, `bun@${BUN}`, `${KEYRING}@${version}`]);
  const [runtime, ...others] = await readdir(join(folder, "node_modules", "@oven"));
  if (!runtime || others.length > 0) throw new Error(`npm has not one Bun for ${target}`);
  const name = target.startsWith("windows") ? "bun.exe" : "bun";
  return [
    `--target=bun-${target}`,
    `--compile-executable-path=${join(folder, "node_modules/@oven", runtime, "bin", name)}`,
  ];
}

/** Gives a folder the packages that it does not have yet. */
async function linkModules(folder: string): Promise<void> {
  const modules = join(root, "node_modules"), own = join(folder, "node_modules");
  await mkdir(own, { recursive: true });
  const there = await readdir(own);
  for (const name of await readdir(modules)) {
    if (name.startsWith(".") || there.includes(name)) continue;
    await symlink(join(modules, name), join(own, name), "junction");
  }
}
