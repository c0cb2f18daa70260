import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isEverything } from "../support/homes.ts";
import { outputOf } from "../support/run_command.ts";
import { nodeRuntime, npmInstall, skipWithout } from "../support/runtimes.ts";
import { repository, tarball } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

/** The versions of TypeScript that importers have, the newest first. */
const TYPESCRIPT = ["7.0.2", "6.0.3", "5.9.3"] as const;

/** The programs that bundle it, at their versions. */
const BUNDLERS = {
  esbuild: "0.28.2",
  rolldown: "1.3.2",
  vite: "8.3.8",
  webpack: "5.113.0",
} as const;

/** Unless all is asked for, the first of each. */
const compilers = TYPESCRIPT.slice(0, isEverything ? undefined : 1);
const bundlers = (Object.keys(BUNDLERS) as (keyof typeof BUNDLERS)[])
  .slice(0, isEverything ? undefined : 1);

const TOOLS = [
  ...compilers.map((version) => `ts${version}@npm:typescript@${version}`),
  ...bundlers.map((name) => `${name}@${BUNDLERS[name]}`),
  "@types/node@20.19.43",
  "@arethetypeswrong/cli@0.18.5",
  "publint@0.3.25",
];

/** What an importer in TypeScript may write. */
const TYPED_IMPORT = `
  import { createMask, NoTokenError, runAdc, Secret } from "adc-run";
  import type { Connection, SourceAnswer, TokenSource } from "adc-run";

  export const source: TokenSource = {
    name: "mine",
    timeoutMs: 1_000,
    find: (): Promise<SourceAnswer> =>
      Promise.resolve({ status: "found", token: new Secret("a7ee-mine"), detail: "mine" }),
  };
  export function server(connection: Connection): string {
    return connection.server.value;
  }
  export async function run(): Promise<number> {
    try {
      const { exitCode } = await runAdc(["ping"], { env: process.env, cwd: process.cwd() });
      return exitCode;
    } catch (error) {
      if (error instanceof NoTokenError) return error.exitCode;
      throw error;
    }
  }
  export const masked: string = createMask([new Secret("a7ee-mine")]).text("a7ee-mine");
  // @ts-expect-error a mask is made of secrets
  createMask(["a7ee-mine"]);
`;

/** What is bundled: it loads what the library loads at once and later, the keychain's binding too. */
const PROGRAM = `
  import {
    checkToken, createMask, defaultSources, resolveConnection, resolveToken, runAdc, Secret,
  } from "adc-run";
  const token = new Secret("a7ee-0123456789abcdef");
  const env = { ...process.env, ADC_SERVER: "http://127.0.0.1:1", ADC_TOKEN: token.reveal(), HOME: process.cwd() };
  const context = { env, cwd: process.cwd() };
  const connection = await resolveConnection({ args: ["ping"], ...context });
  console.log(createMask([token]).text("<" + token.reveal() + ">"));
  console.log((await checkToken(token, { connection })).verdict);
  const sources = defaultSources({ ...context, names: ["keychain"] });
  const { message } = await resolveToken({ connection, sources }).catch((error) => error);
  console.log(/@napi-rs/.test(message) ? message : "keychain");
  const adc = await runAdc(["ping"], { ...context, adc: process.argv[2], check: false });
  console.log(adc.exitCode);
`;

/** The banner gives CommonJS packages, which a bundle of ES modules may hold, their \`require\`. */
const BUNDLE: Readonly<Record<keyof typeof BUNDLERS, string>> = {
  esbuild: `
    import { build } from "esbuild";
    await build({
      entryPoints: ["program.js"],
      outfile: "out/program.js",
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["@napi-rs/keyring"],
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
    });`,
  rolldown: `
    import { build } from "rolldown";
    await build({
      input: "program.js",
      platform: "node",
      external: ["@napi-rs/keyring"],
      output: { dir: "out" },
    });`,
  vite: `
    import { build } from "vite";
    await build({
      logLevel: "warn",
      build: { ssr: "program.js", outDir: "out" },
      ssr: { noExternal: true, external: ["@napi-rs/keyring"] },
    });`,
  webpack: `
    import webpack from "webpack";
    const compiler = webpack({
      mode: "none", // to minify it would take longer than all else here
      entry: "./program.js",
      target: "node20",
      experiments: { outputModule: true },
      externals: { "@napi-rs/keyring": "import @napi-rs/keyring" },
      output: { path: process.cwd() + "/out", filename: "program.js", module: true, clean: true },
    });
    const stats = await new Promise((resolve, reject) =>
      compiler.run((error, stats) => error ? reject(error) : resolve(stats)));
    if (stats.hasErrors()) throw new Error(stats.toString());`,
};

const skip = await skipWithout(nodeRuntime(20));

describe("what is made with the npm package", { skip }, () => {
  let folder: TemporaryFolder;
  let node: string;

  const run = (...words: [string, ...string[]]) => outputOf(words, { cwd: folder.path });
  const installed = (file: string) => join(folder.path, "node_modules", file);

  before(async () => {
    node = await nodeRuntime(20);
    folder = await temporaryFolder({
      "use.ts": TYPED_IMPORT,
      "program.js": PROGRAM,
      "adc.cjs": "process.exitCode = process.argv[2] === 'ping' ? 7 : 1;",
      ...Object.fromEntries(
        Object.entries(BUNDLE).map(([name, code]) => [`bundle_${name}.js`, code]),
      ),
    });
    await npmInstall(folder.path, ["--ignore-scripts", await tarball(), ...TOOLS]);
  });

  after(() => folder[Symbol.asyncDispose]());

  for (const version of compilers) {
    it(`its declarations satisfy a strict TypeScript ${version}, and stop what is wrong`, async () => {
      const tsc = installed(`ts${version}/bin/tsc`);
      assert.equal(await run(node, tsc, "--version"), `Version ${version}\n`);
      const options = "--noEmit --strict --skipLibCheck false --module nodenext --target es2023";
      await run(node, tsc, ...options.split(" "), "use.ts");
    });
  }

  for (const name of bundlers) {
    it(`${name} bundles it into a program that runs`, async () => {
      await run(node, `bundle_${name}.js`);
      const output = await run(node, "out/program.js", join(folder.path, "adc.cjs"));
      assert.deepEqual(output.split("\n"), ["<***>", "unreachable", "keychain", "7", ""]);
      await rm(join(folder.path, "out"), { recursive: true });
    });
  }

  it("publint and attw find no fault with it", async () => {
    await run(installed(".bin/publint"), "run", await tarball(), "--strict");
    await run(installed(".bin/attw"), await tarball(), "--profile", "esm-only");
  });

  it("its manifest and its schema can be imported", async () => {
    const script = `
      import manifest from "adc-run/package.json" with { type: "json" };
      import schema from "adc-run/schema.json" with { type: "json" };
      console.log(manifest.name, JSON.stringify(schema) === process.argv[1]);`;
    const schema = JSON.stringify(
      JSON.parse(await readFile(join(repository, "schema.json"), "utf8")),
    );
    const words = ["--no-warnings", "--input-type=module", "-e", script, schema];
    assert.equal(await run(node, ...words), "adc-run true\n");
  });
});
