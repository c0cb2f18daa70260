import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { describeConnection, resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Profile } from "../../src/connection/origin.ts";
import { untrustedOverride } from "../../src/connection/pinned_target.ts";
import type { Environment } from "../../src/context.ts";
import { ConnectionError } from "../../src/errors.ts";
import type { AdcRunError } from "../../src/errors.ts";
import { needsConsent } from "../../src/lifecycle/credentials.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { createCertificate } from "../sandbox/certificate.ts";

const PAIR = createCertificate("test", { use: "client" });

const PROD: Profile = {
  name: "prod",
  file: "/home/me/.config/adc-run/config.json",
  project: false,
  explicit: true,
  backend: "api7ee",
  server: "https://prod.example.com:7443",
  gatewayGroup: "blue",
  timeout: "30s",
};

interface Given {
  readonly profile?: Profile;
  readonly env?: Environment;
  /** The lines of `.env`. */
  readonly file?: string;
}

async function resolve(
  line: string,
  { profile = PROD, env = {}, file }: Given = {},
): Promise<Connection> {
  await using folder = await temporaryFolder(file === undefined ? {} : { ".env": file });
  return await resolveConnection({ args: line.split(" "), env, cwd: folder.path, profile });
}

async function refusal(line: string, given: Given): Promise<AdcRunError> {
  try {
    await resolve(line, given);
  } catch (error) {
    assert.ok(error instanceof ConnectionError, inspect(error));
    return error;
  }
  assert.fail(`${line} was taken`);
}

const origin = (key: string) => ({ kind: "profile", name: "prod", key, project: false });

test("`resolveConnection()` takes from a profile what nothing else says", async () => {
  const connection = await resolve("sync");
  assert.deepEqual(connection.backend, { value: "api7ee", origin: origin("backend") });
  assert.deepEqual(connection.server, { value: PROD.server, origin: origin("server") });
  assert.deepEqual(connection.gatewayGroup, { value: "blue", origin: origin("gatewayGroup") });
  assert.deepEqual(connection.timeoutMs, { value: 30_000, origin: origin("timeout") });
  assert.equal(connection.profile, PROD);
  assert.deepEqual(connection.warnings, []);
  assert.deepEqual(describeConnection(connection).server?.origin, {
    kind: "profile",
    name: "prod",
    key: "server",
    project: false,
  });
});

test("`resolveConnection()` takes TLS from a profile", async () => {
  await using folder = await temporaryFolder({ "ca.pem": PAIR.cert });
  const caCertFile = `${folder.path}/ca.pem`;
  const { tls } = await resolve("sync", { profile: { ...PROD, caCertFile, tlsSkipVerify: true } });
  assert.equal(tls.caCertFile?.value.path, caCertFile);
  assert.deepEqual(tls.caCertFile?.origin, origin("caCertFile"));
  assert.deepEqual(tls.skipVerify, { value: true, origin: origin("tlsSkipVerify") });
  const half = { ...PROD, tlsClientCertFile: caCertFile };
  assert.match((await refusal("sync", { profile: half })).message, /profile "prod": there is a/);
});

test("`resolveConnection()` lets a flag differ from a profile's group, backend and time limit", async () => {
  const line = "sync --gateway-group green --backend apisix --timeout 5s";
  const { gatewayGroup, backend, timeoutMs: timeout, profile } = await resolve(line);
  assert.equal(gatewayGroup.value, "green");
  assert.equal(backend.value, "apisix");
  assert.equal(timeout.value, 5_000);
  assert.equal(profile, PROD);
});

const CONTRADICTIONS = [
  [
    "ADC_SERVER",
    "https://evil.example.com",
    /"https:\/\/evil\.example\.com".*"https:\/\/prod\.example/,
  ],
  ["ADC_BACKEND", "apisix", /"apisix", but the backend of profile "prod" is "api7ee"/],
  ["ADC_GATEWAY_GROUP", "green", /"green", but the gateway group of profile "prod" is "blue"/],
] as const;

test("`resolveConnection()` shows both where `.env` contradicts a profile, whoever chose it", async () => {
  for (const [name, value, shown] of CONTRADICTIONS) {
    for (const explicit of [true, false]) {
      const profile = { ...PROD, explicit };
      const { message, exitCode } = await refusal("sync", { profile, file: `${name}=${value}\n` });
      assert.ok(message.startsWith(`Cannot use ${name} in .env: `), message);
      assert.match(message, shown);
      assert.equal(exitCode, 78);
    }
  }
});

test("`resolveConnection()` refuses an environment that contradicts a profile named for the run", async () => {
  for (const [name, value, shown] of CONTRADICTIONS) {
    const { message, exitCode } = await refusal("sync", { env: { [name]: value } });
    assert.ok(message.startsWith(`Cannot use ${name}: `), message);
    assert.match(message, shown);
    assert.equal(exitCode, 78);
  }
});

test("`resolveConnection()` passes over a default profile where the environment names another server", async () => {
  const profile = { ...PROD, explicit: false };
  const connection = await resolve("sync", { profile, env: { ADC_SERVER: "http://localhost:1" } });
  assert.equal(connection.profile, undefined);
  assert.equal(connection.backend.value, "apisix");
  assert.equal(connection.gatewayGroup.value, "default");
  assert.match(
    connection.warnings.join(),
    /Profile "prod" is ignored: ADC_SERVER is a different server from its https/,
  );
});

test("`resolveConnection()` lets the environment differ from a default profile in the rest", async () => {
  const profile = { ...PROD, explicit: false };
  const connection = await resolve("sync", { profile, env: { ADC_GATEWAY_GROUP: "green" } });
  assert.equal(connection.gatewayGroup.value, "green");
  assert.equal(connection.profile, profile);
});

test("`resolveConnection()` sees no contradiction in the same server, written otherwise", async () => {
  for (
    const address of ["https://PROD.example.com:7443/", "https://user:word@prod.example.com:7443"]
  ) {
    const connection = await resolve("sync", { file: `ADC_SERVER=${address}\n` });
    assert.deepEqual(connection.server.origin, origin("server"));
    assert.equal(connection.serverValue.reveal(), address);
    assert.equal(connection.profile, PROD);
  }
});

test("`resolveConnection()` keeps a password in a contradicting address out of the message", async () => {
  for (
    const address of [
      "https://me:zqzq@other",
      "https://me:zqzq/x@other:7443",
      "me:zqzq@other:7443",
      "https://me:zq@zqzq@other",
    ]
  ) {
    const { message } = await refusal("sync", { env: { ADC_SERVER: address } });
    assert.ok(!message.includes("zqzq"), message);
  }
});

test("`resolveConnection()` does not use a profile's token at the server of a flag", async () => {
  const connection = await resolve("sync --server https://other.example.com");
  assert.equal(connection.server.value, "https://other.example.com");
  assert.equal(connection.profile, undefined);
  assert.equal(connection.gatewayGroup.value, "blue");
  assert.match(
    connection.warnings.join(),
    /--server is not the server of profile "prod" .*, so that profile's tokens are not used/,
  );
});

const DETOURS = [
  "HTTPS_PROXY=http://evil.example.com:3128",
  "https_proxy=http://evil.example.com:3128",
  "ALL_PROXY=http://evil.example.com:3128",
  "ADC_TLS_SKIP_VERIFY=true",
];

test("`resolveConnection()` lets no file lead past the server of the user's own profile", async () => {
  for (const line of DETOURS) {
    const { message, exitCode } = await refusal("sync", { file: `${line}\n` });
    assert.match(
      message,
      /in \.env: profile "prod" pins its server, and a file may not override that/,
    );
    assert.equal(exitCode, 78);
    const [name = "", value = ""] = line.split("=");
    await resolve("sync", { env: { [name]: value } });
  }
});

test("`untrustedOverride()` tells what .env decides of the way to the server, and nothing else", async () => {
  const at = async (lines: readonly string[], env: Environment = {}) => {
    await using folder = await temporaryFolder({
      ".env": lines.join("\n"),
      "ca.pem": PAIR.cert,
      "named.env": "HTTPS_PROXY=http://corp:3128\n",
    });
    const args = ["sync", "--server", "https://a.example.com"];
    const connection = await resolveConnection({ args, env, cwd: folder.path });
    return untrustedOverride(connection)?.reason;
  };
  for (
    const name of ["HTTPS_PROXY", "http_proxy", "ALL_PROXY", "no_proxy", "npm_config_https_proxy"]
  ) {
    assert.equal(
      await at([`${name}=http://evil:3128`]),
      `${name} in .env would decide who sees the token`,
    );
    assert.equal(
      await at([`${name}=http://evil:3128`], { [name]: "" }),
      undefined,
      "ADC ignores it",
    );
    assert.equal(await at([`${name}=`]), undefined);
  }
  const skip = await at(["ADC_TLS_SKIP_VERIFY=true"]);
  assert.equal(skip, "ADC_TLS_SKIP_VERIFY in .env would decide who sees the token");
  assert.match(await at(["ADC_CA_CERT_FILE=ca.pem"]) ?? "", /^ADC_CA_CERT_FILE in \.env/);
  assert.equal(await at(["ADC_CA_CERT_FILE=x"], { ADC_CA_CERT_FILE: "ca.pem" }), undefined);
  assert.equal(await at(["ADC_BACKEND=apisix", "UPSTREAM=x", "NODE_ENV=test"]), undefined);
});

test("`needsConsent()` is asked for a server that the project's own profile names", async () => {
  const mine = await resolve("sync");
  assert.equal(needsConsent(mine), undefined);
  const theirs = await resolve("sync", { profile: { ...PROD, project: true } });
  assert.equal(
    needsConsent(theirs),
    'the server https://prod.example.com:7443 is set only by "server" of profile "prod" in adc-run.json',
  );
});

/** What no `.env` may say; each with a value that would do harm. */
const RUNTIME = [
  "LOCALDOMAIN",
  "RESOLV_HOST_CONF",
  "GCONV_PATH",
  "RES_OPTIONS",
  "HOSTALIASES",
  "NODE_OPTIONS",
  "NODE_EXTRA_CA_CERTS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "NODE_USE_ENV_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "OPENSSL_CONF",
  "LD_PRELOAD",
  "DYLD_INSERT_LIBRARIES",
];

test("`resolveConnection()` refuses what libc or the runtime would act on in .env, whoever has the token", async () => {
  for (const name of RUNTIME) {
    await using folder = await temporaryFolder({
      ".env": `${name}=x\nADC_TOKEN=a7ee-x\n`,
      "ci.env": `${name}=x\n`,
    });
    const resolveWith = (env: Environment, envFile?: string) =>
      resolveConnection({ args: ["sync"], env, cwd: folder.path, envFile });
    for (const envFile of [undefined, "ci.env"]) {
      await assert.rejects(
        resolveWith({ ADC_TOKEN: "a7ee-x" }, envFile),
        (error) =>
          error instanceof ConnectionError && error.exitCode === 78 &&
          error.message.startsWith(`Cannot use ${name} in .env: `),
      );
    }
    // What the user has set himself is not taken from the file.
    await resolveWith({ [name]: "mine" });
    await folder.write(".env", "NODE_ENV=test\nUPSTREAM=10.0.0.1\n");
    const { warnings } = await resolveWith({}, "ci.env");
    assert.match(warnings.join(), new RegExp(`^Ignoring ${name} in ci\\.env: `));
  }
});

test("`resolveConnection()` takes a proxy in a file that was named as one of the environment", async () => {
  await using folder = await temporaryFolder({
    "ci.env": "HTTPS_PROXY=http://corp:3128\nADC_TLS_SKIP_VERIFY=true\n",
  });
  const options = { env: {}, cwd: folder.path, envFile: "ci.env", profile: PROD };
  const connection = await resolveConnection(options);
  assert.equal(connection.proxies[0]?.host.value, "corp:3128");
  assert.equal(untrustedOverride(connection), undefined);
  assert.deepEqual(connection.warnings, []);
});

test("a profile's own CA and switch come in front of those of `.env`", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_CA_CERT_FILE=evil.pem\n",
    "ca.pem": PAIR.cert,
    "evil.pem": PAIR.cert,
  });
  const at = (profile: Profile) => resolveConnection({ env: {}, cwd: folder.path, profile });
  const { tls, overrides } = await at({ ...PROD, caCertFile: join(folder.path, "ca.pem") });
  assert.equal(tls.caCertFile?.value.path, join(folder.path, "ca.pem"));
  assert.deepEqual(overrides, []);
  await assert.rejects(at(PROD), (error) =>
    error instanceof ConnectionError &&
    /profile set prod --ca-cert-file FILE/.test(error.suggestion ?? ""));
  await folder.write(".env", "ADC_TLS_SKIP_VERIFY=true\n");
  assert.equal((await at({ ...PROD, tlsSkipVerify: true })).tls.skipVerify.value, true);
  await assert.rejects(at({ ...PROD, tlsSkipVerify: false }), ConnectionError);
});

test("a project's profile turns no check of certificates off for a token that is not given to the run", async () => {
  const at = async (profile: Profile, env: Environment = {}) =>
    untrustedOverride(await resolveConnection({ env, cwd: "/nowhere", profile }))?.reason;
  const switched = { ...PROD, tlsSkipVerify: true };
  assert.match(
    await at({ ...switched, project: true }) ?? "",
    /^"tlsSkipVerify" of profile "prod" in adc-run.json would decide who sees the token$/,
  );
  assert.equal(await at(switched), undefined);
  assert.equal(
    await at({ ...switched, project: true }, { ADC_TLS_SKIP_VERIFY: "true" }),
    undefined,
  );
});

test("what a profile of one's own does not name is pinned to ADC's default", async () => {
  const { backend: _, gatewayGroup: __, ...bare } = PROD;
  const group = await refusal("sync", {
    profile: { ...bare, backend: "api7ee" },
    file: "ADC_GATEWAY_GROUP=red",
  });
  assert.match(group.message, /but the gateway group of profile "prod" is "default"$/);
  assert.match(group.suggestion ?? "", /profile set prod --gateway-group red/);
  const backend = await refusal("sync", { profile: bare, file: "ADC_BACKEND=api7ee" });
  assert.match(backend.message, /but the backend of profile "prod" is "apisix"$/);
  await resolve("sync", { profile: bare, file: "ADC_BACKEND=apisix\nADC_GATEWAY_GROUP=default" });
  await resolve("sync", {
    profile: bare,
    env: { ADC_BACKEND: "api7ee", ADC_GATEWAY_GROUP: "red" },
  });
  await resolve("sync", { profile: { ...bare, project: true }, file: "ADC_BACKEND=api7ee" });
});
