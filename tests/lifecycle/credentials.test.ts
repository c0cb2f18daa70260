import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { needsConsent, plainPasswordWarning } from "../../src/lifecycle/credentials.ts";
import { connect } from "../support/lifecycle_fixture.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { createCertificate } from "../sandbox/certificate.ts";

const PAIR = createCertificate("test", { use: "client" });

const SERVER = "https://gateway.example";

/** A connection of which a file says something; the server is the user's choice. */
async function connectBy(
  content: string,
  { env = {}, args = [], file = ".env" }: {
    readonly env?: Environment;
    readonly args?: readonly string[];
    readonly file?: string;
  } = {},
): Promise<Connection> {
  await using folder = await temporaryFolder({
    [file]: content,
    "ca.pem": PAIR.cert,
  });
  return await resolveConnection({
    args: ["sync", ...args],
    env: { ADC_BACKEND: "api7ee", ADC_SERVER: SERVER, ...env },
    cwd: folder.path,
    ...(file !== ".env" && { envFile: file }),
  });
}

const CASES = [
  {
    name: "ADC_TLS_SKIP_VERIFY",
    value: "true",
    args: ["--tls-skip-verify"],
    reason: "skipping certificate verification is set only by ADC_TLS_SKIP_VERIFY in .env",
  },
  {
    name: "ADC_CA_CERT_FILE",
    value: "ca.pem",
    args: ["--ca-cert-file", "ca.pem"],
    reason: "the trusted CA is set only by ADC_CA_CERT_FILE in .env",
  },
] as const;

test("`needsConsent()` tells that .env alone says whom to trust", async () => {
  for (const { name, value, reason } of CASES) {
    assert.equal(needsConsent(await connectBy(`${name}=${value}`)), reason);
  }
});

test("`needsConsent()` has nothing against what the user says about trust", async () => {
  for (const { name, value, args } of CASES) {
    const content = `${name}=${value}`;
    const connections = [
      await connectBy(content, { env: { [name]: value } }),
      await connectBy(content, { args }),
      await connectBy(content, { file: "mine.env" }),
      await connectBy("OTHER=1"),
    ];
    for (const connection of connections) assert.equal(needsConsent(connection), undefined, name);
  }
});

test("`plainPasswordWarning()` speaks up where a password crosses a network in plain", async () => {
  assert.equal(
    plainPasswordWarning(await connect("http://gateway.example")),
    "The password will be sent to http://gateway.example unencrypted. Use https.",
  );
  for (const server of [SERVER, "http://localhost:9180", "http://127.0.0.1:1", "http://[::1]:1"]) {
    assert.equal(plainPasswordWarning(await connect(server)), undefined, server);
  }
});
