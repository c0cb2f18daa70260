/**
 * Compiles the command: `deno task binary [FILE]` for this system, into `binaries/adc-run` by default;
 * `deno task binaries [FOLDER [SYSTEM…]]` for every system or those named, into `binaries/` by default, with
 * the man page, the completions, the licenses of what the binaries hold, and the SHA-256 sum of each file.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SCRIPTS } from "../src/cli/completion/scripts.ts";
import { BUN } from "../tests/support/runtimes.ts";
import { licensesOf } from "./bundle_command.ts";
import { BINARY_NAME, compileBinary, type Target, TARGETS } from "./compile_binary.ts";
import { buildDate, manPage } from "./man_page.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const [first, folder = join(root, "binaries"), ...systems] = process.argv.slice(2);

if (first === "--all") {
  const targets = Object.keys(TARGETS) as Target[];
  const wanted = targets.filter((target) => systems.length === 0 || systems.includes(target));
  const unknown = systems.filter((system) => !(system in TARGETS));
  if (unknown.length > 0) throw new Error(`There is no binary for ${unknown.join(", ")}`);
  await buildAll(resolve(folder), wanted);
} else {
  const path = resolve(first ?? join(folder, BINARY_NAME));
  await mkdir(dirname(path), { recursive: true });
  await compileBinary(path);
}

async function buildAll(folder: string, targets: readonly Target[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const packed = new Set<string>();
  for (const target of targets) {
    const ending = target.startsWith("windows") ? ".exe" : "";
    const files = await compileBinary(join(folder, `adc-run-${target}${ending}`), target);
    for (const file of files) packed.add(file);
  }
  const { version } = JSON.parse(await readFile(join(root, "deno.json"), "utf8"));
  const files = {
    "adc-run.1": manPage({ version, date: buildDate() }),
    "adc-run.bash": SCRIPTS.bash,
    "adc-run.fish": SCRIPTS.fish,
    "adc-run.ps1": SCRIPTS.powershell,
    "_adc-run": SCRIPTS.zsh,
    "LICENSE.txt": await readFile(join(root, "LICENSE"), "utf8"),
    "LICENSES.txt": `${await licensesOf(ofPackages(packed))}
${"-".repeat(80)}

bun ${BUN} (MIT), with JavaScriptCore (LGPL-2.0) and others: https://bun.com/docs/project/licensing
`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, "SHA256SUMS"), await sumsOf(folder));
}

/** The files of packages, here, that are in a binary; the binding has the keychain's license. */
function ofPackages(files: Iterable<string>): readonly string[] {
  return [...files]
    .filter((file) => file.includes("node_modules/") && !file.includes("@napi-rs/keyring-"))
    .map((file) => join(root, file.slice(file.indexOf("node_modules/"))));
}

/** In the form of `sha256sum`. */
async function sumsOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  const lines = await Promise.all(names.map(async (name) => {
    const sum = createHash("sha256").update(await readFile(join(folder, name))).digest("hex");
    return `${sum}  ${name}\n`;
  }));
  return lines.join("");
}
