import assert from "node:assert/strict";
import { it } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { secretsOf } from "../../src/run/environment.ts";
import { Secret } from "../../src/secret.ts";

async function reveal(
  line: string,
  token: string,
  env: Record<string, string> = {},
  more: readonly string[] = [],
): Promise<string[]> {
  const connection = await resolveConnection({ args: line.split(" "), env, cwd: "/nowhere" });
  const secrets = more.map((each) => new Secret(each));
  return secretsOf(connection, { token: new Secret(token), secrets }, env)
    .map((secret) => secret.reveal());
}

it("`secretsOf()` has the token, each of a standalone list, and the tokens that lost", async () => {
  assert.deepEqual(await reveal("sync", "first,second"), ["first,second"]);
  assert.deepEqual(await reveal("sync --backend apisix-standalone", "first,second"), [
    "first",
    "second",
  ]);
  const env = { ADC_TOKEN: "a7ee-of-the-environment", API_KEY: "a7ee-of-the-docs" };
  const all = await reveal("sync --token a7ee-lost-flag", "a7ee-flag", env);
  for (const each of ["a7ee-flag", "a7ee-lost-flag", ...Object.values(env)]) {
    assert.ok(all.includes(each), each);
  }
});

it("`secretsOf()` leaves short words and foreign API keys of other sources alone", async () => {
  const env = { ADC_TOKEN: "short", API_KEY: "somebody-elses-key" };
  assert.deepEqual(await reveal("sync", "a7ee-flag", env), ["a7ee-flag"]);
});

it("`secretsOf()` has the passwords in the server's and the proxy's address", async () => {
  const env = { HTTP_PROXY: "http://me:proxy%20pass@proxy.example:3128" };
  const all = await reveal("sync --server http://you:server-pass@gateway.example", "token", env);
  assert.ok(all.includes("proxy pass"));
  assert.ok(all.includes("server-pass"));
  const ways = { https_proxy: "http://me:not%2Fused@proxy.example:3128" };
  assert.ok((await reveal("sync --server http://gateway", "token", ways)).includes("not%2Fused"));
});

it("`secretsOf()` has passwords and other secrets of the run that are no short words", async () => {
  for (const [word, long] of [["", false], ["default", false], ["defaults", true]] as const) {
    assert.deepEqual((await reveal("sync", "a7ee-flag", {}, [word])).includes(word), long, word);
    const env = { API7_PASSWORD: word };
    assert.deepEqual((await reveal("sync", "a7ee-flag", env)).includes(word), long, word);
  }
  assert.deepEqual(await reveal("sync", "a7ee-flag"), ["a7ee-flag"]);
});
