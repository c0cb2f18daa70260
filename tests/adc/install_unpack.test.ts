import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { it } from "node:test";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { unpack } from "../../src/adc/install/unpack.ts";
import { AdcRunError } from "../../src/errors.ts";
import { temporaryFolder } from "../temporary_folder.ts";
import type { TemporaryFolder } from "../temporary_folder.ts";
import { tar } from "./install_fixture.ts";
import type { TarEntry } from "./install_fixture.ts";

const MIB = 1024 * 1024;

async function unpacked(
  folder: TemporaryFolder,
  bytes: Uint8Array,
  { format = "tar.gz", maxBytes = MIB }: {
    readonly format?: "tar.gz" | "zip";
    readonly maxBytes?: number;
  } = {},
): Promise<Buffer> {
  const path = join(folder.path, `program-${Math.random()}`);
  const program = format === "zip" ? "adc.exe" as const : "adc" as const;
  await unpack(await folder.write("archive", bytes), { format, program, path, maxBytes });
  if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o700);
  return await readFile(path);
}

async function assertRefused(
  bytes: Uint8Array,
  words: RegExp,
  options: Parameters<typeof unpacked>[2] = {},
): Promise<void> {
  await using folder = await temporaryFolder();
  await assert.rejects(unpacked(folder, bytes, options), (error: unknown) => {
    assert.ok(error instanceof AdcRunError, String(error));
    assert.equal(error.exitCode, 65);
    assert.match(error.message, words);
    return true;
  });
}

const packed = (...entries: TarEntry[]) => gzipSync(tar(entries));

it("`unpack()` takes the one file out of a tar archive, whatever its length", async () => {
  await using folder = await temporaryFolder();
  for (const length of [0, 1, 511, 512, 513, 300_001]) {
    const content = Buffer.alloc(length, "adc-run");
    for (const name of ["adc", "./adc"]) {
      assert.deepEqual(await unpacked(folder, packed({ name, content })), content);
    }
  }
});

it("`unpack()` passes over what tar adds: times, and the attributes that macOS keeps", async () => {
  await using folder = await temporaryFolder();
  const bytes = packed(
    { name: "pax_global_header", type: "g", content: "20 comment=something" },
    { name: "./PaxHeader/adc", type: "x", content: "x".repeat(600) },
    { name: "./._adc", content: "attributes" },
    { content: "program" },
  );
  assert.equal(String(await unpacked(folder, bytes)), "program");
});

it("`unpack()` refuses what is not one regular file of the right name", async () => {
  const content = "program";
  const others: readonly (readonly TarEntry[])[] = [
    [{ type: "2", target: "/bin/sh" }],
    [{ type: "1", target: "/bin/sh" }],
    [{ content }, { type: "2", target: "/bin/sh" }],
    [{ type: "3" }],
    [{ type: "6" }],
    [{ name: "./", type: "5" }, { content }],
    [{ name: "././@LongLink", type: "L", content: "adc\0" }, { content }],
    [{ name: "/adc", content }],
    [{ name: "../adc", content }],
    [{ name: "bin/adc", content }],
    [{ name: "./adc/../adc", content }],
    [{ name: "adc", prefix: "..", content }],
    [{ name: "adc ", content }],
    [{ name: "ADC", content }],
    [{ content }, { name: "README", content }],
    [{ name: "._other", content }, { content }],
  ];
  for (const entries of others) {
    await assertRefused(packed(...entries), /something else than the file "adc"/);
  }
  await assertRefused(packed({ content }, { name: "adc", content }), /holds "adc" twice/);
  await assertRefused(packed(), /does not hold "adc"/);
});

it("`unpack()` refuses damaged and unfinished archives", async () => {
  const content = Buffer.alloc(100_000, "program");
  const whole = tar([{ content }]);
  await assertRefused(gzipSync(whole.subarray(0, 50_000)), /cut off/);
  await assertRefused(gzipSync(whole.subarray(0, 512 + 100_000)), /cut off/);
  await assertRefused(gzipSync(whole.subarray(0, -1024)), /cut off/);
  await assertRefused(gzipSync(tar([{ content, size: 0o7777777 }])), /cut off/);
  await assertRefused(gzipSync(whole).subarray(0, -9), /damaged or cut off/);
  const changed = Buffer.from(whole);
  changed[3]! ^= 1;
  await assertRefused(gzipSync(changed), /no tar archive/);
  await assertRefused(Buffer.from("<html>not found</html>"), /damaged/);
  await assertRefused(gzipSync("<html>".repeat(200)), /no tar archive/);
  await assertRefused(Buffer.alloc(0), /cut off/);
  const two = Buffer.concat([whole, tar([{ name: "other", content }])]);
  await assertRefused(gzipSync(two), /something follows the end/);
});

it("`unpack()` ends a bomb before it is unpacked, and one among what is passed over, too", async () => {
  const content = Buffer.alloc(8 * MIB);
  const words = /more than 1 MiB come out/;
  await assertRefused(packed({ content }), words);
  await assertRefused(packed({ name: "._adc", content }, { content: "program" }), words);
  await assertRefused(zipSync({ "adc.exe": content }), words, { format: "zip" });
});

it("`unpack()` takes the one file out of a zip archive", async () => {
  await using folder = await temporaryFolder();
  for (const level of [0, 6] as const) {
    const content = Buffer.alloc(300_001, "adc-run");
    const bytes = zipSync({ "adc.exe": content }, { level });
    assert.deepEqual(await unpacked(folder, bytes, { format: "zip" }), content);
  }
});

it("`unpack()` refuses other zip archives", async () => {
  const zip = { format: "zip" } as const;
  const content = Buffer.alloc(100_000, "program");
  const other = /something else than the file "adc\.exe"/;
  for (const name of ["../adc.exe", "/adc.exe", "bin/adc.exe", "adc", "adc.exe/"]) {
    await assertRefused(zipSync({ [name]: content }), other, zip);
  }
  await assertRefused(zipSync({ "adc.exe": content, "z.dll": content }), other, zip);
  const whole = zipSync({ "adc.exe": content }, { level: 0 });
  await assertRefused(whole.subarray(0, 50_000), /damaged|cut off/, zip);
  await assertRefused(zipSync({ "adc.exe": content }).subarray(0, 100), /damaged|cut off/, zip);
  await assertRefused(Buffer.from("<html>".repeat(100)), /damaged|does not hold/, zip);
  await assertRefused(Buffer.alloc(0), /damaged|does not hold/, zip);
});
