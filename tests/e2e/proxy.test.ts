import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { startForwardProxy } from "../support/forward_proxy.ts";
import { testHomes } from "../support/homes.ts";

for (const home of await testHomes()) {
  describe(`through a proxy on ${home.name}`, () => {
    for (const https of [false, true]) {
      it(`the check reaches ${https ? "an https" : "an http"} server`, async () => {
        await using it = await fixture({ https });
        await using proxy = await startForwardProxy();
        const env = {
          ...it.env,
          ADC_TOKEN: it.token,
          HTTP_PROXY: proxy.url,
          HTTPS_PROXY: proxy.url,
        };
        const args = ["--adc", standIn("report.mjs"), "ping"];
        const ended = await adcRun(home, args, { env, cwd: it.folder.path });
        assert.equal(ended.code, 0, ended.stderr);
        const { length } = it.sandbox.requests;
        await proxy[Symbol.asyncDispose]();
        const without = await adcRun(home, args, { env, cwd: it.folder.path });
        assert.equal(without.code, 69, without.stderr);
        assert.equal(it.sandbox.requests.length, length, "it was the proxy that led there");
      });
    }
  });
}
