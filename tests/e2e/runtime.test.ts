import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { adcRun } from "../support/adc_run.ts";
import { type Home, testHomes } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Runs a program in front of adc-run, in the same process. */
async function runAfter(program: string, home: Home, words: readonly string[]) {
  await using folder = await temporaryFolder({ "before.mjs": program });
  const before = `${folder.path}/before.mjs`;
  const env = {
    ...home.name === "deno"
      ? {}
      : { NODE_OPTIONS: `--import=${before}`, BUN_OPTIONS: `--preload=${before}` },
    ADC_TOKEN_COMMAND: "sleep 2",
    ADC_RUN_CONFIG_DIR: `${folder.path}/config`,
  };
  const [runtime, run, ...rest] = home.command as [string, ...string[]];
  const command = home.name === "deno"
    ? [runtime, run!, `--preload=${before}`, ...rest]
    : home.command;
  return await adcRun({ ...home, command }, words, { env, cwd: folder.path });
}

/** Words with which adc-run waits for a helper. */
const WAITS = ["exec", "--", "true"];

const SET = [
  "profile",
  "set",
  "prod",
  "--server",
  "https://gateway.example",
  "--gateway-group",
  "g",
];

for (const home of await testHomes()) {
  describe(`an end without an answer on ${home.name}`, () => {
    it("is a failure where nothing is left to wait for", async () => {
      // Nothing comes from it, and nothing is pending.
      const before = `
        import process from "node:process";
        import { Readable } from "node:stream";
        Object.defineProperty(process, "stdin", { value: new Readable({ read() {} }) });
      `;
      const words = ["auth", "login", "--with-token", "--storage", "file", "--server", "http://x"];
      const ended = await runAfter(before, home, words);
      assert.deepEqual([ended.code, ended.stdout], [70, ""], ended.stderr);
    });
  });
}

for (const home of (await testHomes()).filter(({ name }) => name.startsWith("node"))) {
  describe(`the runtime's ways on ${home.name}`, () => {
    for (const version of ["18.20.8", "20.17.0", "20.18.0", "21.7.3", "22.2.0"]) {
      it(`Node.js ${version} is too old, in one line`, async () => {
        const before = `Object.defineProperty(process.versions, "node", { value: "${version}" });`;
        const ended = await runAfter(before, home, ["--version"]);
        assert.equal(
          ended.stderr,
          `adc-run: error: cannot run on Node.js ${version}: adc-run needs Node.js 20.18.1 or 22.3 ` +
            "and later\n",
        );
        assert.deepEqual([ended.code, ended.stdout], [78, ""]);
      });
    }

    for (const version of ["20.18.1", "20.20.2", "22.3.0", "23.0.0", "26.1.0"]) {
      it(`Node.js ${version} is not`, async () => {
        const before = `Object.defineProperty(process.versions, "node", { value: "${version}" });`;
        assert.equal((await runAfter(before, home, ["--version"])).code, 0);
      });
    }

    it("what a listener throws ends in one line, and with 70", async () => {
      for (
        const way of [
          'throw new Error("out of\\nplace")',
          'Promise.reject(Error("out of\\nplace"))',
        ]
      ) {
        const before = `setTimeout(() => { ${way} }, 200)`;
        const ended = await runAfter(before, home, WAITS);
        assert.equal(ended.code, 70, ended.stderr);
        assert.match(
          ended.stderr,
          /^adc-run: error: [Ii]nternal error: Error: out of place\. Please report .*\n$/,
        );
      }
    });

    it("an end before there is an answer is a failure", async () => {
      const ended = await runAfter("setTimeout(() => process.exit(), 200)", home, WAITS);
      assert.equal(ended.code, 70, ended.stderr);
    });

    it("files are written where handles cannot be synchronised, as under Yarn's Plug'n'Play", async () => {
      const before = `
        import { promises } from "node:fs";
        import { fileURLToPath } from "node:url";
        const handle = await promises.open(fileURLToPath(import.meta.url));
        Object.getPrototypeOf(handle).sync = () => { throw new Error("Method not implemented") };
        await handle.close();
      `;
      const ended = await runAfter(before, home, SET);
      assert.equal(ended.code, 0, ended.stderr);
    });
  });
}
