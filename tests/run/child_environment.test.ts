import assert from "node:assert/strict";
import { it } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { childEnvironment, handOver } from "../../src/run/environment.ts";
import { environmentWithoutTokens, withoutWaysToTokens } from "../../src/token/sources.ts";
import { Secret } from "../../src/secret.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const token = new Secret("a7ee-example");

/** All that a child is given. */
function environmentOf(
  { env, connection, token, parent }: {
    readonly env: Environment;
    readonly connection: Connection;
    readonly token: Secret;
    readonly parent?: Secret;
  },
): Record<string, string | undefined> {
  const child = childEnvironment(connection, env);
  const release = () => Promise.resolve();
  const lease = parent && { name: "made", expiresAt: 0, parent, release };
  handOver(child, lease === undefined ? { token } : { token, lease }, connection);
  return child;
}

it("`withoutWaysToTokens()` keeps all but the ways to more tokens", () => {
  const env = {
    PATH: "/bin",
    ADC_TOKEN: "t",
    ADC_TOKEN_FILE: "f",
    ADC_TOKEN_COMMAND: "c",
    API7_USERNAME: "u",
    API7_PASSWORD: "p",
  };
  assert.deepEqual(withoutWaysToTokens(env), { PATH: "/bin", ADC_TOKEN: "t" });
  assert.deepEqual(environmentWithoutTokens({ ...env, API_KEY: "k" }), { PATH: "/bin" });
  assert.deepEqual(environmentWithoutTokens({ Adc_Token: "t", api_Key: "k" }, "win32"), {});
});

it("`childEnvironment()` sets the connection's variables, but not those that came from a flag", async () => {
  const env = { PATH: "/bin", ADC_SERVER: "http://env.example", ADC_GATEWAY_GROUP: "red" };
  const args = ["sync", "--backend", "api7ee", "--server", "https://flag.example"];
  const connection = await resolveConnection({ args, env, cwd: "/nowhere" });
  assert.deepEqual(environmentOf({ env, connection, token }), {
    PATH: "/bin",
    ADC_SERVER: "http://env.example",
    ADC_GATEWAY_GROUP: "red",
    ADC_TOKEN: "a7ee-example",
  });
  const defaults = await resolveConnection({ env: {}, cwd: "/nowhere" });
  // adc.yaml may have `${ADC_GATEWAY_GROUP}`, which stays as it is.
  assert.deepEqual(environmentOf({ env: {}, connection: defaults, token }), {
    ADC_TOKEN: "a7ee-example",
  });
});

it("`childEnvironment()` tells a default where ADC would find another value in .env", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_SERVER=https://elsewhere.example\nADC_GATEWAY_GROUP=red\nADC_BACKEND=apisix\n",
    "prod.env": "ADC_BACKEND=api7ee\n",
  });
  const connection = await resolveConnection({ env: {}, cwd: folder.path, envFile: "prod.env" });
  assert.deepEqual(environmentOf({ env: {}, connection, token }), {
    ADC_BACKEND: "api7ee",
    ADC_SERVER: "http://localhost:9180",
    ADC_GATEWAY_GROUP: "default",
    ADC_TOKEN: "a7ee-example",
  });
});

it("`childEnvironment()` hands an address on without the white space around it", async () => {
  const env = { ADC_SERVER: "\ufeff https://gw.example \n" };
  const connection = await resolveConnection({ env, cwd: "/nowhere" });
  assert.equal(environmentOf({ env, connection, token }).ADC_SERVER, "https://gw.example");
});

it("`childEnvironment()` keeps an ADC_TLS_SKIP_VERIFY that is off from ADC, which may take it for a yes", async () => {
  for (const env of [{}, { ADC_TLS_SKIP_VERIFY: "false" }]) {
    const off = await resolveConnection({ env, cwd: "/nowhere" });
    assert.ok(!("ADC_TLS_SKIP_VERIFY" in environmentOf({ env, connection: off, token })));
  }
  const env = { ADC_TLS_SKIP_VERIFY: "true" };
  const on = await resolveConnection({ env, cwd: "/nowhere" });
  assert.equal(environmentOf({ env, connection: on, token }).ADC_TLS_SKIP_VERIFY, "true");
});

it("`childEnvironment()` hands on the variables of --env-file, for ADC reads .env only", async () => {
  await using folder = await temporaryFolder({
    "prod.env":
      "ADC_TOKEN=x\nUPSTREAM=10.0.0.1\nNODE_OPTIONS=--require=./evil.js\nLD_PRELOAD=./evil.so\nPATH=/evil\nADC_TOKEN_COMMAND=rm\n",
  });
  const env = { PATH: "/bin" };
  const connection = await resolveConnection({ env, cwd: folder.path, envFile: "prod.env" });
  const child = environmentOf({ env, connection, token });
  assert.equal(child.UPSTREAM, "10.0.0.1");
  assert.equal(child.PATH, "/bin", "the environment wins");
  assert.equal(child.ADC_TOKEN, "a7ee-example", "the token that was checked wins");
  assert.ok(!("ADC_TOKEN_COMMAND" in child));
  for (const name of ["NODE_OPTIONS", "LD_PRELOAD"]) {
    assert.ok(!(name in child), `${name} would run a program that a file names`);
  }
  assert.match(
    connection.warnings.join(),
    /Ignoring NODE_OPTIONS, LD_PRELOAD, PATH in prod\.env/,
  );
});

it("`childEnvironment()` puts the run's own token wherever its parent stands", async () => {
  const parent = new Secret("a7ee-parent");
  await using folder = await temporaryFolder({
    ".env": "API_KEY=a7ee-parent\nCOPY=x\nSET=a7ee-parent\nELSE=left-to-adc\n",
  });
  const env = { PATH: "/bin", COPY: "a7ee-parent", SET: "mine", NEAR: "a7ee-parents" };
  const connection = await resolveConnection({ env, cwd: folder.path });
  const child = environmentOf({ env, connection, token, parent });
  const { PATH, COPY, SET, NEAR, API_KEY, ADC_TOKEN } = child;
  assert.deepEqual([PATH, NEAR, SET], ["/bin", "a7ee-parents", "mine"]);
  assert.deepEqual(new Set([COPY, API_KEY, ADC_TOKEN]), new Set(["a7ee-example"]));
  assert.ok(!("ELSE" in child), "ADC reads it by itself");
  const plain = environmentOf({ env, connection, token });
  assert.deepEqual([plain.COPY, "API_KEY" in plain], ["a7ee-parent", false]);
});

it("`childEnvironment()` puts the run's own token in place of a parent in --env-file", async () => {
  await using folder = await temporaryFolder({ "prod.env": "API_KEY=a7ee-parent\n" });
  const connection = await resolveConnection({ env: {}, cwd: folder.path, envFile: "prod.env" });
  const parent = new Secret("a7ee-parent");
  const child = environmentOf({ env: {}, connection, token, parent });
  assert.equal(child.API_KEY, "a7ee-example");
});

it("`withoutWaysToTokens()` takes the names in any case on Windows, as programs there do", () => {
  const env = { Path: "C:\\", Api7_Password: "p", adc_token_file: "f" };
  assert.deepEqual(withoutWaysToTokens(env, "win32"), { Path: "C:\\" });
  assert.deepEqual(withoutWaysToTokens(env, "linux"), env);
});
