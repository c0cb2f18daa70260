import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { adcRun, standIn } from "./adc_run.ts";
import { fixture } from "./fixture.ts";
import { testHomes } from "./homes.ts";

/** Prints every module that Node's loader is asked for, ES and CommonJS alike. */
const TRACE = `
import { register, Module } from "node:module";
import { writeSync } from "node:fs";
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
      more: Record<string, string> = {},
    ): Promise<string> {
      await using it = await fixture();
      const trace = await it.folder.write("trace.mjs", TRACE);
      const env = {
        ...it.env,
        ADC_TOKEN: it.token,
        NODE_OPTIONS: `--import=${trace} --disable-warning=DEP0205`,
        ...more,
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
      assert.match(names, /loaded node:http$/m);
      assert.doesNotMatch(names, PACKAGE);
      assert.doesNotMatch(names, /loaded node:(http2|readline)$/m);
    });

    it("lint loads no HTTP client either", async () => {
      const names = await loaded(["lint"]);
      assert.match(names, /loaded node:child_process$/m);
      assert.doesNotMatch(names, PACKAGE);
      assert.doesNotMatch(names, /loaded node:(net|tls|https?|http2)$/m);
    });

    it("a time limit loads what reads it", async () => {
      assert.match(await loaded(["ping", "--timeout", "20s"]), PACKAGE);
    });
  });
}
