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

    for (const status of [429, 502, 503, 504]) {
      it(`a proxy that answers ${status} is asked three times, and no more`, async () => {
        await using it = await fixture();
        await using proxy = await startForwardProxy({ refuse: status });
        const env = { ...it.env, ADC_TOKEN: it.token, HTTP_PROXY: proxy.url };
        const words = [["exec", "--", "true"], ["api", "/api/users"], ["auth", "list"], [
          "--adc",
          standIn("report.mjs"),
          "doctor",
        ]];
        for (const each of status === 502 ? words : words.slice(0, 1)) {
          const before = proxy.asked.length;
          const ended = await adcRun(home, each, { env, cwd: it.folder.path });
          assert.equal(ended.code, 69, ended.stderr);
          assert.match(ended.stderr + ended.stdout, new RegExp(`answer(ed|s) ${status}`));
          const counts = new Map<string, number>();
          for (const line of proxy.asked.slice(before)) {
            counts.set(line, (counts.get(line) ?? 0) + 1);
          }
          assert.deepEqual(new Set(counts.values()), new Set([3]), each.join(" "));
        }
        assert.equal(it.sandbox.requests.length, 0);
      });
    }
  });
}
