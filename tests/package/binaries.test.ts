import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { TARGETS } from "../../scripts/compile_binary.ts";
import type { Target } from "../../scripts/compile_binary.ts";
import { isEverything } from "../support/homes.ts";
import { outputOf, runCommand } from "../support/run_command.ts";
import { bunRuntime, skipWithout } from "../support/runtimes.ts";
import { denoCommand, repository } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

/** How the file of each system begins, what stands near its beginning, and the keychain's binding in it. */
const WANTED: Readonly<Record<Target, readonly [start: string, near: string, keyring: string]>> = {
  "linux-x64": ["\x7fELF", "/lib64/ld-linux-x86-64.so.2\0", "linux-x64-gnu"],
  "linux-x64-musl": ["\x7fELF", "/lib/ld-musl-x86_64.so.1\0", "linux-x64-musl"],
  "linux-arm64": ["\x7fELF", "/lib/ld-linux-aarch64.so.1\0", "linux-arm64-gnu"],
  "linux-arm64-musl": ["\x7fELF", "/lib/ld-musl-aarch64.so.1\0", "linux-arm64-musl"],
  "darwin-x64": ["\xcf\xfa\xed\xfe\x07\0\0\x01", "", "darwin-x64"],
  "darwin-arm64": ["\xcf\xfa\xed\xfe\x0c\0\0\x01", "", "darwin-arm64"],
  "windows-x64": ["MZ", "PE\0\0\x64\x86", "win32-x64-msvc"],
};

const own = `${process.platform}-${process.arch}`.replace("win32", "windows");

/** Those that are built: unless all is asked for, the one that can be run here. */
const systems = (Object.keys(TARGETS) as Target[])
  .filter((target) => isEverything || !(own in TARGETS) || target === own);

const skip = await skipWithout(bunRuntime());

describe("the binaries", { skip }, () => {
  let folder: TemporaryFolder;
  const file = (target: string) =>
    join(folder.path, `adc-run-${target}${target.startsWith("windows") ? ".exe" : ""}`);

  before(async () => {
    folder = await temporaryFolder();
    const words = ["run", "-A", "scripts/build_binaries.ts", "--all", folder.path, ...systems];
    await outputOf([...await denoCommand(), ...words], { cwd: repository });
  });

  after(() => folder[Symbol.asyncDispose]());

  for (const target of systems) {
    const [start, near, keyring] = WANTED[target];
    it(`is one for ${target}, with the keychain's binding for that system alone`, async () => {
      const text = await readFile(file(target), "latin1");
      assert.ok(text.startsWith(start) && text.slice(0, 2_000).includes(near));
      const found = text.matchAll(/([\w.-]+)-[a-z\d]{8}\.node\b/g);
      assert.deepEqual([...new Set([...found].map(([, name]) => name))], [`keyring.${keyring}`]);
    });
  }

  it("lie beside their man page, completions, licenses and sums", async () => {
    const names = (await readdir(folder.path)).sort();
    const sums = await readFile(join(folder.path, "SHA256SUMS"), "utf8");
    const lines = await Promise.all(
      names.filter((name) => name !== "SHA256SUMS").map(async (name) => {
        const bytes = await readFile(join(folder.path, name));
        return `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
      }),
    );
    assert.equal(sums, lines.join(""));
    const others = ["LICENSE.txt", "LICENSES.txt", "SHA256SUMS", "_adc-run", "adc-run.1"];
    const expected = [...others, "adc-run.bash", "adc-run.fish", "adc-run.ps1"];
    const binaries = systems.map((target) => basename(file(target)));
    assert.deepEqual(names, [...expected, ...binaries].sort());
    const licenses = await readFile(join(folder.path, "LICENSES.txt"), "utf8");
    for (const name of ["commander", "glob", "@napi-rs/keyring", "bun"]) {
      assert.match(licenses, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
    }
  });

  it("take neither .env nor bunfig.toml for the user's own", {
    skip: !(own in TARGETS),
  }, async () => {
    await using cwd = await temporaryFolder({
      ".env": "ADC_TOKEN=a7ee-0123456789abcdef\nCANARY=yes\n",
      "bunfig.toml": 'preload = ["./preload.js"]\n',
      "preload.js": "process.stdout.write('CANARY');",
    });
    const print = "process.stdout.write(`${process.env.ADC_TOKEN} ${process.env.CANARY}`)";
    const words = ["--no-check", "--no-mask", "exec", "--", "node", "-e", print];
    const env = { PATH: process.env.PATH ?? "", HOME: cwd.path };
    const output = await outputOf([file(own), ...words], { cwd: cwd.path, env });
    assert.equal(output, "a7ee-0123456789abcdef undefined");
  });

  it("do without a keychain whose binding they cannot unpack", {
    skip: !own.startsWith("linux"),
  }, async () => {
    await using cwd = await temporaryFolder({ "no-folder": "" });
    const env = {
      PATH: process.env.PATH ?? "",
      ADC_SERVER: "http://localhost:1",
      ADC_BACKEND: "api7ee",
      ADC_RUN_CONFIG_DIR: join(cwd.path, "config"),
      TMPDIR: join(cwd.path, "no-folder"),
    };
    const run = (...words: readonly string[]) =>
      runCommand([file(own), ...words], { cwd: cwd.path, env });
    const rotate = await run("auth", "rotate");
    assert.equal(rotate.code, 77, rotate.stderr);
    assert.match(rotate.stderr, /no token is stored/);
    assert.equal((await run("auth", "logout")).code, 0);
    const { stdout } = await run("auth", "status", "-v");
    assert.match(stdout, /keychain +absent +no keychain: @napi-rs\/keyring does not load: /);
  });
});
