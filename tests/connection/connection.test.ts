import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  connectionVariables,
  describeConnection,
  resolveConnection,
} from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { ConnectionError, UsageError } from "../../src/errors.ts";
import type { AdcRunError } from "../../src/errors.ts";
import { isNode } from "../../src/system/programs.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { createCertificate } from "../sandbox/certificate.ts";

const PAIR = createCertificate("test", { use: "client" });

const NOWHERE = "/nowhere";
const DEFAULT = { kind: "default" };

function resolve(line: string, env: Environment = {}, cwd = NOWHERE): Promise<Connection> {
  return resolveConnection({ args: line.split(" "), env, cwd });
}

async function refusal(line: string, env: Environment = {}, cwd = NOWHERE): Promise<AdcRunError> {
  try {
    await resolve(line, env, cwd);
  } catch (error) {
    assert.ok(error instanceof ConnectionError || error instanceof UsageError, inspect(error));
    return error;
  }
  assert.fail(`${line} was taken`);
}

test("`resolveConnection()` falls back to ADC's defaults", async () => {
  const connection = await resolveConnection({ env: {}, cwd: NOWHERE });
  assert.deepEqual(connection.backend, { value: "apisix", origin: DEFAULT });
  assert.deepEqual(connection.server, { value: "http://localhost:9180", origin: DEFAULT });
  assert.deepEqual(connection.gatewayGroup, { value: "default", origin: DEFAULT });
  assert.deepEqual(connection.timeoutMs, { value: 10_000, origin: DEFAULT });
  const { skipVerify, ...files } = connection.tls;
  assert.deepEqual(skipVerify, { value: false, origin: DEFAULT });
  assert.deepEqual(Object.values(files).filter((file) => file !== undefined), []);
  assert.deepEqual(connection.proxies, [undefined]);
  assert.deepEqual(connection.warnings, []);
  assert.equal(connection.serverValue.reveal(), "http://localhost:9180");
  assert.equal(connection.envFile.exists, false);
});

const VARIABLES = [
  ["backend", "--backend", "ADC_BACKEND", ["api7ee", "apisix-standalone", "apisix"]],
  ["server", "--server", "ADC_SERVER", ["https://a", "https://b", "https://c"]],
  ["gatewayGroup", "--gateway-group", "ADC_GATEWAY_GROUP", ["a", "b", "c"]],
] as const;

test("`resolveConnection()` prefers flag to environment to `.env`, and says which it was", async () => {
  for (const [setting, flag, name, [one, two, three]] of VARIABLES) {
    await using folder = await temporaryFolder({ ".env": `${name}=${three}\n` });
    const inFile = await resolve("sync", {}, folder.path);
    assert.deepEqual(inFile[setting], {
      value: three,
      origin: { kind: "env-file", name, file: ".env" },
    });
    const inEnvironment = await resolve("sync", { [name]: two }, folder.path);
    assert.deepEqual(inEnvironment[setting], { value: two, origin: { kind: "environment", name } });
    const inFlag = await resolve(`sync ${flag}=${one}`, { [name]: two }, folder.path);
    assert.deepEqual(inFlag[setting], { value: one, origin: { kind: "flag", name: flag } });
  }
});

test("`resolveConnection()` lets an empty exported variable hide `.env`, as ADC does", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_SERVER=https://a\nADC_BACKEND=api7ee\nADC_GATEWAY_GROUP=blue\n",
  });
  const server = await refusal("sync", { ADC_SERVER: "" }, folder.path);
  assert.match(server.message, /^Cannot use ADC_SERVER: the server's address is empty$/);
  const backend = await refusal("sync", { ADC_BACKEND: "" }, folder.path);
  assert.match(backend.message, /^Cannot use ADC_BACKEND: "" is not a backend of ADC$/);
  const { gatewayGroup } = await resolve("sync", { ADC_GATEWAY_GROUP: "" }, folder.path);
  assert.equal(gatewayGroup.value, "");
});

test("`resolveConnection()` refuses what not every ADC reads alike, where ADC connects", async () => {
  for (const line of ["sync --server http://a --server=http://a", "ping --gateway-group -x"]) {
    const error = await refusal(line);
    assert.equal(error.exitCode, 64);
    assert.match(error.message, /^Cannot use --(server|gateway-group): .*not every ADC/);
  }
  await resolve("lint --server http://a --server=http://b");
});

test("a named file that sets what controls Node.js is ignored, unless Node.js has applied it", async () => {
  await using folder = await temporaryFolder({ "x.env": "NODE_OPTIONS=--trace-warnings\n" });
  const warningsOf = async (env: Record<string, string>) => {
    const options = { env, cwd: folder.path, envFile: "x.env" };
    return (await resolveConnection(options)).warnings.join();
  };
  assert.match(await warningsOf({}), /^Ignoring NODE_OPTIONS in x\.env: /);
  const loaded = await warningsOf({ NODE_OPTIONS: "--trace-warnings" });
  assert.match(
    loaded,
    isNode() ? /^Node\.js has already applied NODE_OPTIONS from x\.env\. Use ADC_RUN/ : /^Ignoring/,
  );
});

/** A file, and the setting in it that another ADC reads otherwise, or not at all. */
const AMBIGUOUS: readonly [file: string, name: string | undefined, hint?: RegExp][] = [
  ["ADC_SERVER=http://a$HOST", "ADC_SERVER", /^Write it once, as ADC_SERVER='value'/],
  ['ADC_SERVER="http://a${HOST}"', "ADC_SERVER"],
  ["ADC_SERVER=`http://a`", "ADC_SERVER"],
  ["ADC_SERVER: http://a", "ADC_SERVER", /stops reading at line 1/],
  ["ADC_SERVER=http://a\nADC_SERVER=http://b", "ADC_SERVER"],
  [
    "\nX=don't\nADC_SERVER=http://a",
    "ADC_SERVER",
    /^A quote is not closed: one ADC stops reading at line 2/,
  ],
  ["X=1  # don't\nADC_SERVER=http://a", "ADC_SERVER", /stops reading at line 1/],
  ["X: 1\nADC_GATEWAY_GROUP=a", "ADC_GATEWAY_GROUP"],
  ["X=a b\nADC_BACKEND=api7ee", "ADC_BACKEND"],
  ["ADC_GATEWAY_GROUP=a b", "ADC_GATEWAY_GROUP"],
  ["ADC_GATEWAY_GROUP=a#b", "ADC_GATEWAY_GROUP"],
  ['ADC_GATEWAY_GROUP="a\\tb"', "ADC_GATEWAY_GROUP"],
  ["ADC_GATEWAY_GROUP=a\\", "ADC_GATEWAY_GROUP"],
  // A proxy that no request takes decides as well: one ADC may take it.
  ["ADC_SERVER=https://h\nHTTP_PROXY=http://$X:1", "HTTP_PROXY"],
  // What the one does not see, the other one does.
  ["X=`\nADC_SERVER=http://evil\n`", "ADC_SERVER"],
  ["X=`\nADC_TLS_SKIP_VERIFY=true\n`", "ADC_TLS_SKIP_VERIFY"],
  ["X=`\nHTTP_PROXY=http://evil\n`", "HTTP_PROXY"],
  ["X=`\nALL_PROXY=http://evil\n`", "ALL_PROXY"],
  ["X=`\nLD_PRELOAD=evil.so\n`", "LD_PRELOAD"],
  // Both read these alike, or they decide nothing.
  ["ADC_SERVER=http://a\nX: 1", undefined],
  ["ADC_SERVER='http://a$b'", undefined],
  ["export ADC_SERVER = http://a # the server\r\n", undefined],
  ['ADC_GATEWAY_GROUP="a b"\nX=$HOME', undefined],
  ["X=1\nX=2\nY=`z`\nADC_SERVER=http://a", undefined],
  ["X='a\nb'\nADC_SERVER=http://a", undefined],
];

test("`resolveConnection()` refuses a setting of `.env` that not every ADC reads alike", async () => {
  for (const [text, name, hint = /./] of AMBIGUOUS) {
    await using folder = await temporaryFolder({ ".env": text, "ci.env": text });
    const line = JSON.stringify(text);
    if (name === undefined) {
      await resolve("sync", {}, folder.path);
      continue;
    }
    const error = await refusal("sync", {}, folder.path);
    assert.equal(error.exitCode, 78, line);
    assert.ok(
      error.message.startsWith(`Cannot use ${name} in .env: `),
      `${line}: ${error.message}`,
    );
    if (name !== "LD_PRELOAD") assert.match(error.suggestion ?? "", hint, line);
    // What hides the file, or is handed on by adc-run alone, is read by both alike.
    if (/^ADC_[SG]/.test(name)) await resolve("sync", { [name]: "http://mine" }, folder.path);
  }
});

test("`connectionVariables()` hides a setting that one ADC alone finds in `.env`", async () => {
  await using folder = await temporaryFolder({
    ".env": "X=`\nADC_SERVER=http://evil\n`",
    "ci.env": "ADC_BACKEND=apisix\nADC_GATEWAY_GROUP: $x\n",
  });
  const connection = await resolveConnection({ env: {}, cwd: folder.path, envFile: "ci.env" });
  assert.equal(connectionVariables(connection).ADC_SERVER, "http://localhost:9180");
});

test("`resolveConnection()` reads another file instead of `.env` when it is named", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_SERVER=https://a\nADC_GATEWAY_GROUP=a\nADC_TLS_SKIP_VERIFY=true\n",
    "ci/prod.env": "ADC_SERVER=https://b\n",
  });
  for (const envFile of ["ci/prod.env", join(folder.path, "ci/prod.env")]) {
    const connection = await resolveConnection({ env: {}, cwd: folder.path, envFile });
    const { server, gatewayGroup, tls } = connection;
    assert.deepEqual(server, {
      value: "https://b",
      origin: { kind: "env-file", name: "ADC_SERVER", file: envFile },
    });
    assert.equal(gatewayGroup.value, "default");
    assert.equal(connection.envFile.name, envFile);
    // ADC reads `.env` all the same, and adc-run cannot take this one back.
    assert.deepEqual(tls.skipVerify, {
      value: true,
      origin: { kind: "env-file", name: "ADC_TLS_SKIP_VERIFY", file: ".env" },
    });
  }
});

test("`resolveConnection()` refuses an --env-file that is not there or cannot be read", async () => {
  await using folder = await temporaryFolder({ "sub/file": "" });
  await symlink("loop", join(folder.path, "loop"));
  const cases = { "absent.env": /there is no file/, "sub": /there is no file/, "loop": /ELOOP/ };
  for (const [envFile, found] of Object.entries(cases)) {
    await assert.rejects(
      resolveConnection({ env: {}, cwd: folder.path, envFile }),
      (error) => {
        assert.ok(error instanceof ConnectionError);
        assert.equal(error.exitCode, 64);
        assert.ok(error.message.startsWith("Cannot use --env-file: "));
        assert.ok(error.message.includes(`"${envFile}"`));
        assert.match(error.message, found);
        assert.ok(error.suggestion?.includes(folder.path));
        return true;
      },
    );
  }
});

test("`resolveConnection()` refuses wrong values with 64 for a flag and 78 for anything else", async () => {
  await using folder = await temporaryFolder({
    "backend.env": "ADC_BACKEND=kong",
    "server.env": "ADC_SERVER=localhost:9180",
  });
  const cases: readonly [line: string, env: Environment, code: number, message: RegExp][] = [
    ["sync --backend kong", {}, 64, /^Cannot use --backend: "kong" is not a backend of ADC$/],
    ["sync --backend=", {}, 64, /^Cannot use --backend: "" is not a backend of ADC$/],
    ["sync --backend APISIX", {}, 64, /"APISIX" is not a backend of ADC/],
    [
      "sync",
      { ADC_BACKEND: "kong" },
      78,
      /^Cannot use ADC_BACKEND: "kong" is not a backend of ADC$/,
    ],
    [
      "sync --server localhost:9180",
      {},
      64,
      /^Cannot use --server: .*"localhost:9180" is not an http/,
    ],
    ["sync", { ADC_SERVER: "localhost:9180" }, 78, /^Cannot use ADC_SERVER: .* is not an http/],
    ["sync --server=", {}, 64, /the server's address is empty/],
    ["sync --timeout soon", {}, 64, /^Cannot use --timeout: "soon" is not a duration$/],
    ["sync --timeout=", {}, 64, /^Cannot use --timeout: "" is not a duration$/],
    ["sync --timeout 1.5s", {}, 64, /^Cannot use --timeout: not every ADC reads "1.5s"/],
    ["sync --timeout 25d", {}, 64, /^Cannot use --timeout: "25d" is longer than ADC can wait/],
    ["sync --timeout=-1s", {}, 64, /^Cannot use --timeout: "-1s" is not a duration$/],
    ["sync", { ADC_RUN_ALLOWED_SERVERS: "https://a" }, 78, /^Cannot use ADC's default: .*not list/],
    [
      "sync --server http://b",
      { ADC_RUN_ALLOWED_SERVERS: "" },
      64,
      /^Cannot use --server: .*not list/,
    ],
    ["sync", { ADC_RUN_ALLOWED_SERVERS: "a" }, 78, /^Cannot use ADC_RUN_ALLOWED_SERVERS: "a"/],
    ["sync", { HTTP_PROXY: "http://" }, 78, /^Cannot use HTTP_PROXY: /],
    ["sync --server", {}, 64, /"--server" has no value/],
  ];
  for (const [line, env, code, message] of cases) {
    const error = await refusal(line, env);
    assert.match(error.message, message);
    assert.equal(error.exitCode, code, line);
  }
  for (const name of ["backend.env", "server.env"]) {
    await assert.rejects(
      resolveConnection({ env: {}, cwd: folder.path, envFile: name }),
      (error) =>
        error instanceof ConnectionError && error.exitCode === 78 &&
        error.message.includes(` in ${name}: `),
    );
  }
});

test("`resolveConnection()` suggests the scheme that the backend is served with", async () => {
  for (
    const [backend, scheme] of [["apisix", "http"], ["apisix-standalone", "http"], [
      "api7ee",
      "https",
    ]]
  ) {
    for (const address of ["127.0.0.1:9180", "localhost:9180"]) {
      const error = await refusal(`sync --backend ${backend}`, { ADC_SERVER: address });
      assert.equal(error.suggestion, `Did you mean "${scheme}://${address}"?`);
    }
  }
});

test("`resolveConnection()` names the backends that there are", async () => {
  const error = await refusal("sync --backend kong");
  assert.equal(error.suggestion, "Backends: api7ee, apisix, apisix-standalone.");
});

test("`resolveConnection()` takes an empty gateway group, which not all of ADC's commands look at", async () => {
  for (const backend of ["apisix", "apisix-standalone", "api7ee"]) {
    const { gatewayGroup } = await resolve("sync", { ADC_BACKEND: backend, ADC_GATEWAY_GROUP: "" });
    assert.equal(gatewayGroup.value, "");
  }
});

test("`resolveConnection()` never takes ADC_RUN_ALLOWED_SERVERS from `.env`", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_RUN_ALLOWED_SERVERS=https://evil.example\nADC_SERVER=https://evil.example\n",
  });
  const env = { ADC_RUN_ALLOWED_SERVERS: "https://good.example" };
  const error = await refusal("sync", env, folder.path);
  assert.match(error.message, /^Cannot use ADC_SERVER in \.env: /);
  assert.equal(
    (await resolve("sync --server https://c", {}, folder.path)).server.value,
    "https://c",
  );
});

test("`resolveConnection()` reads a list of servers for apisix-standalone alone", async () => {
  const env = { ADC_SERVER: "http://127.0.0.1:1,https://b/x, http://[::1]:3" };
  const connection = await resolve("sync --backend apisix-standalone", env);
  assert.deepEqual(connection.servers.map(({ display }) => display), [
    "http://127.0.0.1:1",
    "https://b/x",
    "http://[::1]:3",
  ]);
  assert.equal(connection.server.value, "http://127.0.0.1:1, https://b/x, http://[::1]:3");
  assert.equal(connection.serverValue.reveal(), env.ADC_SERVER);
  assert.equal(connection.proxies.length, 3);
  await refusal("sync --backend api7ee", env);
  const refused = { ...env, ADC_RUN_ALLOWED_SERVERS: "http://127.0.0.1:1 http://[::1]:3" };
  const error = await refusal("sync --backend apisix-standalone", refused);
  assert.match(error.message, /does not list "https:\/\/b"$/);
});

test("`resolveConnection()` warns of a token that crosses the network in plain", async () => {
  const { warnings } = await resolve("sync --server http://ann:hunter2@gateway.example.com/x");
  assert.deepEqual(warnings, [
    "The token will be sent to http://gateway.example.com/x unencrypted. Use https.",
  ]);
  for (const server of ["https://gateway.example.com", "http://localhost:1", "http://127.0.0.1"]) {
    assert.deepEqual((await resolve(`sync --server ${server}`)).warnings, []);
  }
  const several = "http://a,https://b,http://c,http://localhost";
  const list = await resolve(`sync --backend apisix-standalone --server ${several}`);
  assert.equal(list.warnings.length, 2);
});

test("`resolveConnection()` warns of an empty ADC_TOKEN that hides the one in `.env`", async () => {
  await using folder = await temporaryFolder({ ".env": "ADC_TOKEN=a7ee-example\n" });
  for (const value of ["", "  "]) {
    const { warnings } = await resolve("sync", { ADC_TOKEN: value }, folder.path);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? "",
      /^ADC_TOKEN is exported but empty, which hides the one in \.env/,
    );
    assert.ok(!warnings[0]?.includes("example"));
  }
  for (const env of [{}, { ADC_TOKEN: "x" }]) {
    assert.deepEqual((await resolve("sync", env, folder.path)).warnings, []);
  }
  await folder.write(".env", "ADC_TOKEN=\n");
  assert.deepEqual((await resolve("sync", { ADC_TOKEN: "" }, folder.path)).warnings, []);
  assert.deepEqual((await resolve("sync", { ADC_TOKEN: "" })).warnings, []);
});

test("`resolveConnection()` warns of a `.env` that cannot be read", async () => {
  await using folder = await temporaryFolder();
  await symlink(".env", join(folder.path, ".env"));
  const { warnings } = await resolve("sync", {}, folder.path);
  assert.deepEqual(warnings, [
    ".env is ignored: too many symbolic links (ELOOP).",
  ]);
});

const SECRETS = /hunter2|a7ee-one|a7ee-three|PRIVATE KEY|a7ee-env/;

test("`resolveConnection()` shows no secret when its result is printed", async () => {
  await using folder = await temporaryFolder({
    ".env": [
      "ADC_TOKEN=a7ee-three",
      "API_KEY=a7ee-three",
      "ADC_SERVER=https://ann:hunter2@h:1/x",
      "ADC_CA_CERT_FILE=ca.pem",
      "ADC_TLS_CLIENT_CERT_FILE=ca.pem",
      "ADC_TLS_CLIENT_KEY_FILE=key.pem",
      "HTTPS_PROXY=http://bob:hunter2@proxy:3128",
    ].join("\n"),
    "ca.pem": PAIR.cert,
    "key.pem": PAIR.key,
  });
  const connection = await resolve("sync --token a7ee-one", { ADC_TOKEN: "a7ee-env" }, folder.path);
  const texts = [
    inspect(connection, { depth: 20, showHidden: true }),
    JSON.stringify(connection),
    JSON.stringify(describeConnection(connection)),
  ];
  for (const text of texts) assert.ok(!SECRETS.test(text), text);
  assert.equal(connection.serverValue.reveal(), "https://ann:hunter2@h:1/x");
  assert.equal(connectionVariables(connection).ADC_SERVER, "https://ann:hunter2@h:1/x");
});

test("`resolveConnection()` shows no password that came in a server flag", async () => {
  const { args: _, ...connection } = await resolve("sync --server https://ann:hunter2@h:1/x");
  for (const text of [inspect(connection, { depth: 20 }), JSON.stringify(connection)]) {
    assert.ok(!SECRETS.test(text), text);
  }
});

test("`describeConnection()` tells each value and where it came from", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_CA_CERT_FILE=ca.pem\nADC_TLS_SKIP_VERIFY=true\n",
    "ca.pem": PAIR.cert,
    "key.pem": PAIR.key,
  });
  const env = {
    ADC_BACKEND: "api7ee",
    ADC_TLS_CLIENT_CERT_FILE: "ca.pem",
    ADC_TLS_CLIENT_KEY_FILE: "key.pem",
    https_proxy: "http://bob:hunter2@proxy:3128/",
  };
  const line = "sync --server https://ann:hunter2@h:1/x --timeout 1m";
  const flag = (name: string) => ({ kind: "flag", name });
  const variable = (name: string) => ({ kind: "environment", name });
  const inFile = (name: string) => ({ kind: "env-file", name, file: ".env" });
  assert.deepEqual(describeConnection(await resolve(line, env, folder.path)), {
    backend: { value: "api7ee", origin: variable("ADC_BACKEND") },
    server: { value: "https://h:1/x", origin: flag("--server") },
    gatewayGroup: { value: "default", origin: { kind: "default" } },
    timeoutMs: { value: 60_000, origin: flag("--timeout") },
    caCertFile: { value: "ca.pem", origin: inFile("ADC_CA_CERT_FILE") },
    tlsClientCertFile: { value: "ca.pem", origin: variable("ADC_TLS_CLIENT_CERT_FILE") },
    tlsClientKeyFile: { value: "key.pem", origin: variable("ADC_TLS_CLIENT_KEY_FILE") },
    tlsSkipVerify: { value: true, origin: inFile("ADC_TLS_SKIP_VERIFY") },
    proxy: { value: "proxy:3128", origin: variable("https_proxy") },
  });

  assert.deepEqual(Object.keys(describeConnection(await resolve("sync"))), [
    "backend",
    "server",
    "timeoutMs",
    "tlsSkipVerify",
  ]);
});

test("`resolveConnection()` takes settings by their names, as the flags of the same", async () => {
  const { backend, server } = await resolveConnection({
    backend: "api7ee",
    server: "https://gw:7443",
    args: ["sync", "--server", "https://other"],
  });
  assert.deepEqual(backend, { value: "api7ee", origin: { kind: "flag", name: "--backend" } });
  assert.equal(server.value, "https://gw:7443");
});
