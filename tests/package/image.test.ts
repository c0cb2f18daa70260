import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { access, chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { isRequired, skipWithoutPrograms } from "../support/required.ts";
import { outputOf, runCommand } from "../support/run_command.ts";
import { bunRuntime, skipWithout } from "../support/runtimes.ts";
import { denoCommand, repository } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

const asRoot = process.getuid?.() === 0 ? [] : ["sudo", "--non-interactive"];
const programs = ["mmdebstrap", "umoci", "skopeo", "unshare", ...asRoot.slice(0, 1)];
const skip = process.platform !== "linux" || skipWithoutPrograms("release", programs) ||
  await skipWithout(bunRuntime());

/** Bun wants `/proc`, which not every root may mount. */
async function mountSkip(): Promise<string | false> {
  const words = [...asRoot, "unshare", "--mount", "mount", "--bind", "/proc", "/proc"];
  const { code } = await runCommand(["env", ...words]);
  if (code === 0 || isRequired("disk")) return false;
  process.stderr.write("SKIPPED (disk): the image is not run, for nothing can be mounted here\n");
  return "nothing can be mounted";
}

const withoutMounts = skip || await mountSkip();

describe("the image", { skip }, () => {
  let folder: TemporaryFolder;
  let layout: string;
  let version: string;

  async function build(sum: string): Promise<Awaited<ReturnType<typeof runCommand>>> {
    const archive = join(folder.path, "adc.tar.gz");
    const words = ["--adc", archive, "--adc-sha256", sum, layout];
    const deno = await denoCommand();
    return await runCommand([...deno, "run", "-A", "scripts/build_image.ts", ...words], {
      cwd: repository,
    });
  }

  before(async () => {
    folder = await temporaryFolder();
    layout = join(folder.path, "image");
    ({ version } = JSON.parse(await readFile(join(repository, "deno.json"), "utf8")));
    await chmod(await folder.write("build/adc", '#!/bin/sh\necho "adc $* $(id -u)"\n'), 0o755);
    const archive = join(folder.path, "adc.tar.gz");
    await outputOf(["tar", "-czf", archive, "-C", join(folder.path, "build"), "./adc"]);
  });

  after(async () => {
    await outputOf(["env", ...asRoot, "rm", "-rf", join(folder.path, "unpacked")]);
    await folder[Symbol.asyncDispose]();
  });

  it("takes no ADC whose sum is another", async () => {
    const { code, stderr } = await build("0".repeat(64));
    assert.equal(code, 1);
    assert.match(stderr, /its SHA-256 checksum is [\da-f]{64}, not 0{64}/);
    await assert.rejects(access(layout));
  });

  it("is one for a user without rights, as skopeo reads it", async () => {
    const bytes = await readFile(join(folder.path, "adc.tar.gz"));
    const { code, stderr } = await build(createHash("sha256").update(bytes).digest("hex"));
    assert.equal(code, 0, stderr);
    const inspect = ["skopeo", "inspect", "--config", `oci:${layout}:${version}`] as const;
    const { os, config, rootfs } = JSON.parse(await outputOf(inspect));
    assert.equal(os, "linux");
    assert.equal(config.User, "65532:65532");
    assert.deepEqual(config.Entrypoint, ["/usr/local/bin/adc-run"]);
    assert.equal(config.WorkingDir, "/work");
    assert.equal(config.Labels["org.opencontainers.image.version"], version);
    assert.equal(rootfs.diff_ids.length, 2);
  });

  it(
    "runs adc-run and ADC, and has certificates and a shell",
    { skip: withoutMounts },
    async () => {
      const unpacked = join(folder.path, "unpacked");
      await outputOf([
        "env",
        ...asRoot,
        "umoci",
        "unpack",
        "--image",
        `${layout}:${version}`,
        unpacked,
      ]);
      const root = join(unpacked, "rootfs");
      const mounted =
        'mount --bind /proc "$0/proc" && exec chroot --userspec=65532:65532 "$0" "$@"';
      const variables = [
        "HOME=/home/adc-run",
        "ADC_TOKEN=a7ee-0123456789abcdef",
        "PATH=/usr/local/bin:/usr/bin:/usr/sbin",
      ];
      const run = (...words: readonly string[]) =>
        outputOf([
          ...["env", ...asRoot, "env", "-i", ...variables, "unshare", "--mount", "sh", "-c"],
          ...[mounted, root, "adc-run", ...words],
        ] as unknown as [string, ...string[]]);
      assert.equal(await run("--version"), `adc-run ${version}\n`);
      assert.equal(await run("--no-check", "sync"), "adc sync 65532\n");
      const script =
        "cd /work && touch x && head -n 1 /etc/ssl/certs/ca-certificates.crt && echo $ADC_TOKEN";
      const output = await run("--no-check", "exec", "--", "sh", "-c", script);
      assert.equal(output, "-----BEGIN CERTIFICATE-----\n***\n");
      assert.ok((await readdir(root)).every((name) => name !== "dev"), "a layer has no devices");
    },
  );
});
