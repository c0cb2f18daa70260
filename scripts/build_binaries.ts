/**
 * Compiles the command for each system, for releases: `deno task binaries [FOLDER]`.
 *
 * The binaries go to FOLDER, `binaries` by default, with `SHA256SUMS` beside them, which
 * `sha256sum --check` reads.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { binaryName, compileBinary, TARGETS } from "./compile_binary.ts";

const folder = resolve(process.argv[2] ?? "binaries");
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
let sums = "";
for (const target of TARGETS) {
  const name = binaryName(target);
  await compileBinary(join(folder, name), target);
  const hash = createHash("sha256").update(await readFile(join(folder, name))).digest("hex");
  sums += `${hash}  ${name}\n`;
  process.stdout.write(`${hash}  ${name}\n`);
}
await writeFile(join(folder, "SHA256SUMS"), sums);
