/**
 * Makes a container image without a daemon, as an OCI layout, from Debian's packages and the binary:
 *
 *     deno task image [--adc ARCHIVE --adc-sha256 SUM] [FOLDER]
 *
 * The layout goes to FOLDER, `binaries/image` by default, with the version as its tag; ADC is in it when its
 * release archive is given. Needs `mmdebstrap` and `umoci`; for this machine's architecture.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { outputOf } from "../tests/support/run_command.ts";
import { compileBinary } from "./compile_binary.ts";
import { buildDate } from "./man_page.ts";

const SUITE = "trixie";

/** With a shell and its tools, for the jobs of GitLab and others that run in the image. */
const PACKAGES = "base-files,ca-certificates,coreutils,dash,grep,libc6,libgcc-s1,libstdc++6,sed";

const USER = "65532:65532";

/** Debian's packages are unpacked alone; what their scripts would have done is done here. */
const FINISH = `set -eu
cd "$1"
test ! -e etc/passwd
cat usr/share/ca-certificates/mozilla/*.crt > etc/ssl/certs/ca-certificates.crt
echo root:x:0:0:root:/root:/bin/sh > etc/passwd
echo adc-run:x:${USER}::/home/adc-run:/bin/sh >> etc/passwd
printf 'root:x:0:\\nadc-run:x:65532:\\n' > etc/group
mkdir -p home/adc-run work
chown ${USER} home/adc-run work
find usr/share/doc -type f ! -name copyright -delete
rm -rf usr/share/man usr/share/info usr/share/locale var/cache var/lib/apt var/lib/dpkg var/log`;

const root = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = parseArgs({
  options: { "adc": { type: "string" }, "adc-sha256": { type: "string" } },
  allowPositionals: true,
});
const layout = resolve(positionals[0] ?? join(root, "binaries/image"));
const { version, license } = JSON.parse(await readFile(join(root, "deno.json"), "utf8"));
const date = buildDate();
const seconds = String(Math.floor(date.getTime() / 1000));

const scratch = await mkdtemp(join(tmpdir(), "adc-run-image-"));
try {
  const programs = join(scratch, "programs");
  const folder = join(programs, "usr/local/bin");
  await mkdir(folder, { recursive: true });
  if (values.adc !== undefined) await unpackAdc(values.adc, folder);
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  await compileBinary(join(folder, "adc-run"), `linux-${arch}`);
  const copyright = join(programs, "usr/share/doc/adc-run/copyright");
  await mkdir(dirname(copyright), { recursive: true });
  await copyFile(join(root, "LICENSE"), copyright);
  await packLayout([await packSystem(), await packPrograms(programs)]);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Takes ADC out of its archive, once that has the sum which was named. */
async function unpackAdc(archive: string, folder: string): Promise<void> {
  const found = createHash("sha256").update(await readFile(archive)).digest("hex");
  const wanted = values["adc-sha256"];
  if (found !== wanted) {
    throw new Error(`Cannot use "${archive}": its SHA-256 checksum is ${found}, not ${wanted}`);
  }
  const names = (await outputOf(["tar", "-tzf", archive])).split("\n");
  const name = names.find((each) => each === "adc" || each === "./adc");
  if (name === undefined) throw new Error(`Cannot use "${archive}": there is no adc in it`);
  await outputOf(["tar", "-xzf", archive, "-C", folder, name]);
  await chmod(join(folder, "adc"), 0o755);
}

async function packSystem(): Promise<string> {
  const layer = join(scratch, "system.tar");
  const options = ["--quiet", "--variant=extract", "--skip=output/dev", `--include=${PACKAGES}`];
  const command = ["mmdebstrap", ...options, `--extract-hook=${FINISH}`, SUITE, layer] as const;
  await outputOf(["env", `SOURCE_DATE_EPOCH=${seconds}`, ...command]);
  return layer;
}

async function packPrograms(folder: string): Promise<string> {
  const layer = join(scratch, "programs.tar");
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  const words = ["--sort=name", `--mtime=@${seconds}`, ...owner, "-C", folder, "usr"];
  await outputOf(["tar", "-cf", layer, ...words]);
  return layer;
}

async function packLayout(layers: readonly string[]): Promise<void> {
  await rm(layout, { recursive: true, force: true });
  await mkdir(dirname(layout), { recursive: true });
  const image = ["--image", `${layout}:${version}`];
  const history = ["--history.created", date.toISOString()];
  await outputOf(["umoci", "init", "--layout", layout]);
  await outputOf(["umoci", "new", ...image]);
  for (const layer of layers) {
    await outputOf(["umoci", "raw", "add-layer", ...image, ...history, layer]);
  }
  const config = [
    ["user", USER],
    ["workingdir", "/work"],
    ["entrypoint", "/usr/local/bin/adc-run"],
    ["env", "PATH=/usr/local/bin:/usr/bin:/bin"],
    ["env", "HOME=/home/adc-run"],
    ["label", `org.opencontainers.image.version=${version}`],
    ["label", `org.opencontainers.image.licenses=${license}`],
    ["label", "org.opencontainers.image.source=https://github.com/adc-run/adc-run"],
  ].flatMap(([name, value]) => [`--config.${name}`, value!]);
  const created = ["--created", date.toISOString()];
  await outputOf(["umoci", "config", ...image, ...config, ...created, ...history]);
  await outputOf(["umoci", "gc", "--layout", layout]);
}
