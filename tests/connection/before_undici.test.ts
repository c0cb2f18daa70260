import assert from "node:assert/strict";
import { it } from "node:test";
import { doBeforeUndici } from "../../src/connection/before_undici.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { openHttpClient } from "../../src/connection/http.ts";
import { startSandbox } from "../sandbox/sandbox.ts";

it("`doBeforeUndici()` does it before the first request with undici, and for no other", async () => {
  await using sandbox = await startSandbox();
  const env = { ADC_SERVER: sandbox.url, ADC_BACKEND: "api7ee" };
  const connection = await resolveConnection({ env, cwd: "/nowhere" });
  const server = connection.servers[0]!;
  let done = 0;
  doBeforeUndici(() => done++);
  const client = openHttpClient(connection);
  const request = { server, path: "/api/version", token: undefined };
  try {
    await client.send({ ...request, method: "GET" });
    assert.equal(done, 0);
    await client.send({ ...request, method: "POST", body: {} });
    await client.send({ ...request, method: "POST", body: {} });
    assert.equal(done, 1);
  } finally {
    await client.close();
  }
});
