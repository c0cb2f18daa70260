import { cp, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { outputOf } from "../tests/support/run_command.ts";
import { BUN, bunRuntime, npmInstall } from "../tests/support/runtimes.ts";

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

/** How {@linkcode compileBinary} works. */
export interface CompileOptions {
  /** The system. @default this one, with the packages in `node_modules` */
  readonly target?: Target;
  /** A file for Bun's description of what went into the binary. @default none */
  readonly metafile?: string;
}

/**
 * `bun build --compile`: the command as one file that needs no runtime.
 *
 * @param path Where the binary goes.
 * @param options For which system.
 * @throws {Error} There is no Bun for this machine, npm cannot be reached, or Bun fails.
 */
export async function compileBinary(path: string, options: CompileOptions = {}): Promise<void> {
  const { target, metafile } = options;
  const scratch = target && await mkdtemp(join(tmpdir(), "adc-run-binary-"));
  try {
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
      ...(scratch ? await prepare(scratch, target) : []),
      ...(metafile ? [`--metafile=${metafile}`] : []),
      `--outfile=${path}`,
      "src/cli/bin.ts",
      BUILTINS,
    ], { cwd: scratch ?? root });
  } finally {
    if (scratch) await rm(scratch, { recursive: true });
  }
}

/** Fills a folder with the sources, the keychain's binding for one system, and that system's Bun. */
async function prepare(folder: string, target: Target): Promise<readonly string[]> {
  const modules = join(root, "node_modules");
  const keyring = "@napi-rs/keyring";
  const { version } = JSON.parse(await readFile(join(modules, keyring, "package.json"), "utf8"));
  const system = Object.entries(TARGETS[target]).map(([name, value]) => `--${name}=${value}`);
  await npmInstall(folder, ["--ignore-scripts", ...system, `bun@${BUN}`, `${keyring}@${version}`]);
  for (const each of ["src", BUILTINS]) {
    await cp(join(root, each), join(folder, each), { recursive: true });
  }
  for (const name of await readdir(modules)) {
    if (name.startsWith(".") || name === dirname(keyring)) continue;
    await symlink(join(modules, name), join(folder, "node_modules", name), "junction");
  }
  const [runtime, ...others] = await readdir(join(folder, "node_modules", "@oven"));
  if (!runtime || others.length > 0) throw new Error(`npm has not one Bun for ${target}`);
  const file = target.startsWith("windows") ? "bun.exe" : "bun";
  return [
    `--target=bun-${target}`,
    `--compile-executable-path=${join(folder, "node_modules/@oven", runtime, "bin", file)}`,
  ];
}
