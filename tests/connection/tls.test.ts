import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Tls } from "../../src/connection/tls.ts";
import type { Environment } from "../../src/context.ts";
import { ConnectionError } from "../../src/errors.ts";
import { createCertificate } from "../sandbox/certificate.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const { cert: CERTIFICATE, key: KEY } = createCertificate("test", { use: "client" });

async function tlsOf(line: string, env: Environment, cwd: string): Promise<Tls> {
  return (await resolveConnection({ args: line.split(" "), env, cwd })).tls;
}

async function refusal(line: string, env: Environment, cwd: string): Promise<ConnectionError> {
  try {
    await tlsOf(line, { ADC_SERVER: "https://gateway.example", ...env }, cwd);
  } catch (error) {
    assert.ok(error instanceof ConnectionError, inspect(error));
    return error;
  }
  assert.fail(`${line} was taken`);
}

const FILES = [
  ["caCertFile", "--ca-cert-file", "ADC_CA_CERT_FILE"],
  ["clientCertFile", "--tls-client-cert-file", "ADC_TLS_CLIENT_CERT_FILE"],
  ["clientKeyFile", "--tls-client-key-file", "ADC_TLS_CLIENT_KEY_FILE"],
] as const;

test("`readTls()` reads the PEM files from flag, environment and `.env`, relative or not", async () => {
  await using folder = await temporaryFolder({ "a/ca.pem": CERTIFICATE, "key.pem": KEY });
  const rest = { ADC_TLS_CLIENT_CERT_FILE: "a/ca.pem", ADC_TLS_CLIENT_KEY_FILE: "key.pem" };
  for (const [setting, flag, name] of FILES) {
    for (const path of ["a/ca.pem", join(folder.path, "a/ca.pem")]) {
      await folder.write(".env", `${name}=${path}\n`);
      const { [name as keyof typeof rest]: _, ...others } = rest;
      const file = (await tlsOf("sync", others, folder.path))[setting];
      assert.deepEqual(file?.origin, { kind: "env-file", name, file: ".env" });
      assert.equal(file.value.path, path);
      assert.equal(file.value.pem.reveal(), CERTIFICATE);
      await folder.write(".env", `${name}=absent.pem\n`);
      const inEnvironment = (await tlsOf("sync", { ...rest, [name]: path }, folder.path))[setting];
      assert.deepEqual(inEnvironment?.origin, { kind: "environment", name });
      const env = { ...rest, [name]: "absent.pem" };
      const inFlag = (await tlsOf(`sync ${flag} ${path}`, env, folder.path))[setting];
      assert.deepEqual(inFlag?.origin, { kind: "flag", name: flag });
      assert.equal(inFlag.value.pem.reveal(), CERTIFICATE);
    }
  }
});

test("`readTls()` refuses a file that is missing, a folder, empty, or no PEM file", async () => {
  await using folder = await temporaryFolder({
    "empty.pem": "",
    "der.pem": "\u0030\u0082",
    "text.pem": "BEGIN CERTIFICATE",
    "ca.pem": CERTIFICATE,
  });
  await mkdir(join(folder.path, "folder.pem"));
  const cases = {
    "absent.pem": /: there is no file "\/.*\/absent\.pem"$/,
    "folder.pem": /: "\/.*\/folder\.pem" is not a regular file$/,
    "empty.pem": /: the file "\/.*\/empty\.pem" is not a PEM file$/,
    "der.pem": /is not a PEM file$/,
    "text.pem": /is not a PEM file$/,
    "empty.pem/x": /cannot be read: .* is not a directory \(ENOTDIR\)$/,
    "": /: the path is empty$/,
  };
  for (const [, flag, name] of FILES) {
    // The other half of a client's pair is there.
    const { [name]: _, ...rest } = {
      ADC_CA_CERT_FILE: "ca.pem",
      ADC_TLS_CLIENT_CERT_FILE: "ca.pem",
      ADC_TLS_CLIENT_KEY_FILE: "ca.pem",
    };
    for (const [path, message] of Object.entries(cases)) {
      const inFlag = await refusal(`sync ${flag}=${path}`, rest, folder.path);
      assert.match(inFlag.message, message);
      assert.ok(inFlag.message.startsWith(`Cannot use ${flag}: `));
      assert.equal(inFlag.exitCode, 64);
      const inEnvironment = await refusal("sync", { ...rest, [name]: path }, folder.path);
      assert.match(inEnvironment.message, message);
      assert.equal(inEnvironment.exitCode, 78);
      await folder.write(".env", `${name}=${path}\n`);
      const inFile = await refusal("sync", rest, folder.path);
      assert.ok(inFile.message.startsWith(`Cannot use ${name} in .env: `));
      assert.equal(inFile.exitCode, 78);
      await folder.write(".env", "");
    }
  }
});

test("`readTls()` does not look into files that no connection uses, as ADC does not", async () => {
  await using folder = await temporaryFolder({ "empty.pem": "" });
  for (const [, flag] of FILES.slice(0, 1)) {
    const line = `sync ${flag}=empty.pem --server http://gateway.example`;
    assert.equal((await tlsOf(line, {}, folder.path)).caCertFile?.value.pem.reveal(), "");
    const error = await refusal(line, { HTTP_PROXY: "https://proxy.example" }, folder.path);
    assert.match(error.message, /is not a PEM file$/);
  }
});

test("`readTls()` refuses PEM files in which nothing can be read, where a connection uses them", async () => {
  const block = (kind: string, text: string) =>
    `-----BEGIN ${kind}-----\n${text}\n-----END ${kind}-----\n`;
  await using folder = await temporaryFolder({ "cert.pem": CERTIFICATE, "key.pem": KEY });
  const good = { ADC_TLS_CLIENT_CERT_FILE: "cert.pem", ADC_TLS_CLIENT_KEY_FILE: "key.pem" };
  const files: readonly [text: string, names: readonly string[]][] = [
    [block("CERTIFICATE", "zqzq"), FILES.map(([, , name]) => name)],
    [CERTIFICATE.slice(0, CERTIFICATE.length / 2), FILES.map(([, , name]) => name)],
    [CERTIFICATE.replace("MII", "AAA"), FILES.map(([, , name]) => name)],
    [block("PRIVATE KEY", "zqzq"), FILES.map(([, , name]) => name)],
    [block("PUBLIC KEY", "zqzq"), FILES.map(([, , name]) => name)],
    [KEY, ["ADC_CA_CERT_FILE", "ADC_TLS_CLIENT_CERT_FILE"]],
    [CERTIFICATE, ["ADC_TLS_CLIENT_KEY_FILE"]],
    // OpenSSL wants them in lines of their own.
    [CERTIFICATE.replace(/^/gm, " "), ["ADC_CA_CERT_FILE", "ADC_TLS_CLIENT_CERT_FILE"]],
    [`ca: ${CERTIFICATE}`, ["ADC_CA_CERT_FILE", "ADC_TLS_CLIENT_CERT_FILE"]],
    [CERTIFICATE.trim() + CERTIFICATE, ["ADC_CA_CERT_FILE", "ADC_TLS_CLIENT_CERT_FILE"]],
    [KEY.replace(/^/gm, " "), ["ADC_TLS_CLIENT_KEY_FILE"]],
    [`key: ${KEY}`, ["ADC_TLS_CLIENT_KEY_FILE"]],
  ];
  for (const [text, names] of files) {
    await folder.write("bad.pem", text);
    for (const name of names) {
      const env = { ...good, [name]: "bad.pem" };
      const error = await refusal("sync", env, folder.path);
      const what = name.includes("KEY") ? "private key" : "certificate";
      assert.ok(error.message.endsWith(`bad.pem" contains no readable ${what}`), error.message);
      assert.equal(error.exitCode, 78);
      assert.ok(!inspect(error).includes("zqzq"));
      await tlsOf("sync --server http://gateway.example", env, folder.path);
    }
  }
  // OpenSSL reads no further than that, and ADC with it.
  await folder.write("ca.pem", block("CERTIFICATE", "AAAA") + CERTIFICATE);
  const { message } = await refusal("sync", { ADC_CA_CERT_FILE: "ca.pem" }, folder.path);
  assert.match(message, /contains no readable certificate$/);
  await folder.write("ca.pem", CERTIFICATE + block("CERTIFICATE", "AAAA"));
  await tlsOf("sync --server https://h --ca-cert-file ca.pem", {}, folder.path);
});

test("`readTls()` takes a byte order mark off a file", async () => {
  const { cert } = createCertificate("Test CA");
  await using folder = await temporaryFolder({ "ca.pem": `\ufeff${cert}` });
  const { caCertFile } = await tlsOf("sync --ca-cert-file ca.pem", {}, folder.path);
  assert.equal(caCertFile?.value.pem.reveal(), cert);
});

/** A key of its own for each form in which one can be encrypted. */
function encrypted(privateKey: KeyObject): readonly string[] {
  const options = { format: "pem", cipher: "aes-256-cbc", passphrase: "canary" } as const;
  return [
    privateKey.export({ type: "pkcs8", ...options }).toString(),
    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" +
    "QUFB\n-----END EC PRIVATE KEY-----\n",
  ];
}

test("`readTls()` says that a client's key is encrypted, or made for another certificate", async () => {
  const { cert, key, privateKey } = createCertificate("client", { use: "client" });
  const other = createCertificate("other", { use: "client" });
  await using folder = await temporaryFolder({
    "cert.pem": cert,
    "chain.pem": cert + other.cert,
    "key.pem": key,
    "both.pem": key + cert,
    "other.pem": other.key,
    "sec1.pem": privateKey.export({ type: "sec1", format: "pem" }).toString(),
  });
  const line = (certificate: string, key: string) =>
    `sync --server https://h --tls-client-cert-file ${certificate} --tls-client-key-file ${key}`;
  for (const pair of [["cert", "key"], ["chain", "sec1"], ["both", "both"]] as const) {
    await tlsOf(line(`${pair[0]}.pem`, `${pair[1]}.pem`), {}, folder.path);
  }
  for (const certificate of ["cert.pem", "chain.pem"]) {
    const error = await refusal(line(certificate, "other.pem"), {}, folder.path);
    assert.match(error.message, /--tls-client-key-file: the key in ".*other\.pem" does not match /);
    assert.equal(error.exitCode, 64);
  }
  for (const text of encrypted(privateKey)) {
    await folder.write("encrypted.pem", text);
    const env = { ADC_TLS_CLIENT_CERT_FILE: "cert.pem", ADC_TLS_CLIENT_KEY_FILE: "encrypted.pem" };
    const error = await refusal("sync", env, folder.path);
    assert.match(error.message, /ADC_TLS_CLIENT_KEY_FILE: the key in ".*" is encrypted$/);
    assert.equal(error.exitCode, 78);
    // Nobody asks for it where nobody connects with it.
    await tlsOf("sync --server http://h", env, folder.path);
  }
});

test("`readTls()` refuses half a client certificate's pair, where ADC would exit with 0", async () => {
  await using folder = await temporaryFolder({ "cert.pem": CERTIFICATE, "key.pem": KEY });
  const cases: readonly [line: string, env: Environment, code: number, message: string][] = [
    [
      "sync --tls-client-cert-file cert.pem",
      {},
      64,
      "Cannot use --tls-client-cert-file: there is a client certificate but no key",
    ],
    [
      "sync --tls-client-key-file key.pem",
      {},
      64,
      "Cannot use --tls-client-key-file: there is a client key but no certificate",
    ],
    [
      "sync",
      { ADC_TLS_CLIENT_CERT_FILE: "cert.pem" },
      78,
      "Cannot use ADC_TLS_CLIENT_CERT_FILE: there is a client certificate but no key",
    ],
    [
      "sync",
      { ADC_TLS_CLIENT_KEY_FILE: "key.pem" },
      78,
      "Cannot use ADC_TLS_CLIENT_KEY_FILE: there is a client key but no certificate",
    ],
  ];
  for (const [line, env, code, message] of cases) {
    const error = await refusal(line, env, folder.path);
    assert.equal(error.message, message);
    assert.equal(error.exitCode, code);
    const other = message.includes("no key") ? "KEY" : "CERT";
    assert.ok(error.suggestion?.includes(`ADC_TLS_CLIENT_${other}_FILE`));
  }
  const mixed = { ADC_TLS_CLIENT_KEY_FILE: "key.pem" };
  const tls = await tlsOf("sync --tls-client-cert-file cert.pem", mixed, folder.path);
  assert.equal(tls.clientKeyFile?.value.pem.reveal(), KEY);
});

test("`readTls()` refuses values of ADC_TLS_SKIP_VERIFY that not every ADC reads alike", async () => {
  await using folder = await temporaryFolder();
  const values = [
    "1",
    "yes",
    "never",
    "null",
    "",
    " ",
    "TRUE",
    "True",
    "FALSE",
    "0",
    "no",
    " true",
  ];
  for (const value of values) {
    const error = await refusal("sync", { ADC_TLS_SKIP_VERIFY: value }, folder.path);
    assert.equal(error.exitCode, 78, value);
    assert.match(error.message, /^Cannot use ADC_TLS_SKIP_VERIFY: it is not "true", and/);
    assert.match(
      error.suggestion ?? "",
      /^Set it to "true" to skip verification, or unset it to verify/,
    );
    await folder.write(".env", `ADC_TLS_SKIP_VERIFY="${value}"\n`);
    const inFile = await refusal("sync", {}, folder.path);
    assert.match(inFile.message, /^Cannot use ADC_TLS_SKIP_VERIFY in \.env: it is not "true", and/);
    await folder.write(".env", "");
  }
});

test("`readTls()` verifies with ADC_TLS_SKIP_VERIFY=false, unless ADC would find one in .env", async () => {
  const name = "ADC_TLS_SKIP_VERIFY";
  await using folder = await temporaryFolder({ "ci.env": `${name}=false\n` });
  const { skipVerify } = await tlsOf("sync", { [name]: "false" }, folder.path);
  assert.deepEqual(skipVerify, { value: false, origin: { kind: "environment", name } });
  const named = await resolveConnection({ env: {}, cwd: folder.path, envFile: "ci.env" });
  assert.equal(named.tls.skipVerify.value, false);
  for (const value of ["false", "true"]) {
    await folder.write(".env", `${name}=${value}\n`);
    const error = await refusal("sync", { [name]: "false" }, folder.path);
    assert.equal(error.exitCode, 78);
    assert.match(error.message, /^Cannot use ADC_TLS_SKIP_VERIFY in \.env: ADC may turn off/);
    await assert.rejects(resolveConnection({ env: {}, cwd: folder.path, envFile: "ci.env" }));
  }
  await folder.write(".env", `${name}=false\n`);
  const alone = await refusal("sync", {}, folder.path);
  assert.match(alone.suggestion ?? "", /^Remove it from \.env to verify/);
});

test("`readTls()` skips verification with true alone", async () => {
  const name = "ADC_TLS_SKIP_VERIFY";
  const { skipVerify } = await tlsOf("sync", { [name]: "true" }, "/nowhere");
  assert.deepEqual(skipVerify, { value: true, origin: { kind: "environment", name } });
});

test("`readTls()` takes the flag whatever the variable says", async () => {
  const env = { ADC_TLS_SKIP_VERIFY: "false" };
  const { skipVerify } = await tlsOf("sync --tls-skip-verify", env, "/nowhere");
  assert.deepEqual(skipVerify, {
    value: true,
    origin: { kind: "flag", name: "--tls-skip-verify" },
  });
});
