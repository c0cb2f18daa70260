import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { it } from "node:test";
import { bundleCommand } from "../../scripts/bundle_command.ts";
import { npmManifest } from "../../scripts/npm_manifest.ts";
import { finishPackage } from "../../scripts/npm_package.ts";
import { repository } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const MANIFEST = npmManifest({ version: "1.2.3", license: "Apache-2.0", imports: {} });

/** Compiled code, in which the library and the command are a module each. */
const CODE = {
  "esm/mod.js": 'import "./effect.js";\nexport const late = () => import("./late.js");\n',
  "esm/mod.d.ts": "export declare const late: () => Promise<unknown>;\n",
  "esm/effect.js": "globalThis.effect = true;\n",
  "esm/late.js": "export {};\n",
  "esm/unused.js": "export {};\n",
  "esm/src/cli/bin.js": 'import "../part.js";\n',
  "esm/src/part.js": "console.log(1);\n",
};

async function finish(
  code: Readonly<Record<string, string>>,
): ReturnType<typeof temporaryFolder> {
  const folder = await temporaryFolder(code);
  await finishPackage(folder.path, { root: repository, manifest: MANIFEST });
  return folder;
}

it("`finishPackage()` keeps what is imported for its effect, or later, and drops the rest", async () => {
  await using folder = await finish(CODE);
  const read = (file: string) => readFile(join(folder.path, file), "utf8");
  assert.equal(await read("esm/effect.js"), CODE["esm/effect.js"]);
  assert.equal(await read("esm/late.js"), CODE["esm/late.js"]);
  for (const file of ["esm/unused.js", "esm/src/part.js"]) {
    await assert.rejects(read(file), { code: "ENOENT" });
  }
  assert.match(await read("esm/mod.d.ts"), /^\/\/\/ <reference types="node" \/>\n/);
});

for (
  const [what, specifier] of [["file", "./gone.js"], ["package", "commander"]] as const
) {
  it(`\`bundleCommand()\` fails where a ${what} is not there`, async () => {
    await using folder = await temporaryFolder({ "src/cli/bin.js": `import "${specifier}";\n` });
    const { path } = folder;
    const bundled = bundleCommand({
      entry: join(path, "src/cli/bin.js"),
      outfile: join(path, "out.cjs"),
      parts: "parts",
      root: path,
    });
    await assert.rejects(bundled, new RegExp(`Could not resolve '${specifier}'`));
  });
}

it("`finishPackage()` dates the man page as SOURCE_DATE_EPOCH says", async () => {
  process.env.SOURCE_DATE_EPOCH = "86400";
  try {
    await using folder = await finish(CODE);
    assert.match(await readFile(join(folder.path, "man/adc-run.1"), "utf8"), /\.TH .* 1970-01-02 /);
  } finally {
    delete process.env.SOURCE_DATE_EPOCH;
  }
});
