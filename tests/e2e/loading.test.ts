import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SandboxOptions } from "../sandbox/sandbox_options.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";

/** Prints every module that Node's loader is asked for, ES and CommonJS alike, and those of Node's own. */
const TRACE = `
import { register, Module } from "node:module";
import { writeSync } from "node:fs";
const before = new Set(process.moduleLoadList);
process.on("exit", () => {
  for (const each of process.moduleLoadList) {
    const [kind, name] = each.split(" ");
    if (kind === "NativeModule" && !before.has(each)) writeSync(2, "loaded node:" + name + "\\n");
  }
});
const load = Module._load;
Module._load = function (request, ...rest) {
  writeSync(2, "loaded " + request + "\\n");
  return load.call(this, request, ...rest);
};
register("data:text/javascript," + encodeURIComponent(\`
  import { writeSync } from "node:fs";
  export async function resolve(specifier, context, next) {
    writeSync(2, "loaded " + specifier + "\\\\n");
    return next(specifier, context);
  }
\`));
`;

/** A package, which is what stays outside of the command because not every run needs it. */
const PACKAGE = /loaded (?!node:|\.|\/|file:|data:)(?!(?:fs|path|os|crypto|events|process)$)\S/m;

for (const home of (await testHomes()).filter(({ name }) => name.startsWith("node"))) {
  describe(`what is loaded on ${home.name}`, () => {
    async function loaded(
      words: readonly string[],
      options: SandboxOptions = {},
    ): Promise<string> {
      await using it = await fixture(options);
      const trace = await it.folder.write("trace.mjs", TRACE);
      const env = {
        ...it.env,
        ADC_TOKEN: it.token,
        NODE_OPTIONS: `--import=${trace} --disable-warning=DEP0205`,
      };
      const ended = await adcRun(home, ["--adc", standIn("report.mjs"), ...words], {
        env,
        cwd: it.folder.path,
      });
      assert.equal(ended.status, 0, ended.stderr);
      return ended.stderr;
    }

    it("a run with the token in the environment loads neither the keychain nor the prompts", async () => {
      const names = await loaded(["ping"]);
      assert.match(names, /loaded node:net$/m);
      assert.doesNotMatch(names, PACKAGE);
      assert.doesNotMatch(names, /loaded node:(tls|https?|http2|readline|fs\/promises)$/m);
    });

    it("a run of another program loads one part of the command, and no parser of ADC's words", async () => {
      const names = await loaded(["exec", "--", "true"]);
      // The second one is the bundler's, one kilobyte that its parts have in common.
      assert.deepEqual(names.match(/(?<=^loaded \.\/)\S+$/gm), [
        "parts/run.cjs",
        "rolldown-runtime.cjs",
      ]);
      assert.doesNotMatch(names, PACKAGE);
    });

    it("a run over TLS loads TLS, and no other client", async () => {
      const names = await loaded(["exec", "--", "true"], { https: true });
      assert.match(names, /loaded node:tls$/m);
      assert.doesNotMatch(names, /loaded node:https?$/m);
      assert.doesNotMatch(names, PACKAGE);
    });

    it("lint loads no HTTP client either", async () => {
      const names = await loaded(["lint"]);
      assert.match(names, /loaded node:child_process$/m);
      assert.doesNotMatch(names, PACKAGE);
      assert.doesNotMatch(names, /loaded node:(tls|https?|http2|_http_client)$/m);
    });

    it("a time limit loads what reads it", async () => {
      assert.match(await loaded(["ping", "--timeout", "20s"]), PACKAGE);
    });
  });
}
