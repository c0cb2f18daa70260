import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { ask } from "./ask.ts";
import { createCertificateFiles } from "./certificate_files.ts";
import { startSandbox } from "./sandbox.ts";

test("`createCertificateFiles()` signs server and client, with names and addresses", async () => {
  const files = await createCertificateFiles();
  const ca = new X509Certificate(readFileSync(files.ca));
  const server = new X509Certificate(files.server.cert);
  const client = new X509Certificate(readFileSync(files.clientCert));
  const other = new X509Certificate(readFileSync(files.otherClientCert));
  await files.remove();
  assert.equal(ca.ca, true);
  assert.deepEqual([server, client, other].map((each) => each.verify(ca.publicKey)), [
    true,
    true,
    false,
  ]);
  for (const name of ["localhost", "127.0.0.1"]) {
    assert.match(server.subjectAltName ?? "", new RegExp(name.replaceAll(".", "\\.")));
  }
});

test("`createCertificateFiles()` keeps keys from other users", {
  skip: process.platform === "win32",
}, async () => {
  const files = await createCertificateFiles();
  const mode = statSync(files.clientKey).mode & 0o777;
  await files.remove();
  assert.equal(mode, 0o600);
});

test("`startSandbox()` is trusted over HTTPS with its CA, under each of its names", async () => {
  await using sandbox = await startSandbox({ https: true });
  const { value: key } = sandbox.addToken();
  for (const host of ["localhost", "127.0.0.1"]) {
    const url = `https://${host}:${sandbox.port}/api/version`;
    assert.equal((await ask(url, { key, ca: sandbox.ca })).status, 200);
  }
});

test("`startSandbox()` is refused over HTTPS with no CA or another one", async () => {
  await using sandbox = await startSandbox({ https: true });
  await assert.rejects(ask(sandbox.url));
  await assert.rejects(ask(sandbox.url, { ca: sandbox.otherCa }));
  assert.equal(sandbox.requests.length, 0);
});

test("`startSandbox()` is refused with an expired certificate or another host's", async () => {
  for (const options of [{ expiredCertificate: true }, { wrongName: true }]) {
    await using sandbox = await startSandbox({ https: true, ...options });
    await assert.rejects(ask(sandbox.url, { ca: sandbox.ca }));
  }
});

test("`startSandbox()` demands a client certificate of its own CA", async () => {
  await using sandbox = await startSandbox({ clientCertificate: true });
  const { ca, clientCert, clientKey, otherClientCert, otherClientKey } = sandbox;
  await assert.rejects(ask(sandbox.url, { ca }));
  await assert.rejects(ask(sandbox.url, { ca, cert: otherClientCert, certKey: otherClientKey }));
  const answer = await ask(sandbox.url, { ca, cert: clientCert, certKey: clientKey });
  assert.equal(answer.status, 404);
  assert.equal(sandbox.requests[0]?.clientCertificate, "Sandbox client");
});
