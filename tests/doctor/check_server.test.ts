import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { checkProxy } from "../../src/doctor/check_server.ts";
import type { AdcVersion } from "../../src/doctor/diagnose.ts";

async function proxyFindings(server: string, adcVersion: AdcVersion | undefined) {
  const env = { HTTPS_PROXY: "http://proxy.example:3128", HTTP_PROXY: "http://proxy.example:3128" };
  const context = { env: { ...env, ADC_SERVER: server }, cwd: "/nowhere" };
  const connection = await resolveConnection(context);
  const contacts = connection.servers.map((each) => ({ server: each, failure: undefined }));
  return checkProxy({ ...context, connection, contacts, ...(adcVersion && { adcVersion }) });
}

test("`checkProxy()` warns of an old ADC that sends https requests to a proxy in clear", async () => {
  const https = "https://gateway.example:7443";
  const old = { version: "0.26.1", isRust: false };
  const [finding] = await proxyFindings(https, old);
  assert.equal(finding!.status, "warning");
  assert.match(finding!.found, /ADC 0\.26\.1 .* unencrypted to proxy proxy\.example:3128/);
  assert.match(finding!.suggestion!, /0\.27 or later, or list "gateway\.example" in NO_PROXY/);
  for (
    const [server, version] of [
      [https, { version: "0.27.0", isRust: false }],
      [https, { version: "0.26.1", isRust: true }],
      [https, undefined],
      ["http://gateway.example:9180", old],
    ] as const
  ) {
    const [other] = await proxyFindings(server, version);
    assert.doesNotMatch(other!.found, /in clear/, server);
  }
});
