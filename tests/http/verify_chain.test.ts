import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { DetailedPeerCertificate } from "node:tls";
import { inspect } from "node:util";
import { AdminApi } from "../../src/admin_api/admin_api.ts";
import { openRawRequester } from "../../src/admin_api/raw_request.ts";
import { checkToken } from "../../src/check/check_token.ts";
import { type Connection, resolveConnection } from "../../src/connection/connection.ts";
import { contactServers } from "../../src/doctor/check_server.ts";
import { verifyChain } from "../../src/http/verify_chain.ts";
import { Secret } from "../../src/secret.ts";
import type { ResolvedToken } from "../../src/token/resolve.ts";
import { badChains, goodChains, serveTls } from "../support/chains.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = new Secret("a7ee-canary-of-chains");

const ANSWER = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n" +
  '{"list":[{"name":"default"}]}   ';

async function connect(
  ca: string,
  env: Readonly<Record<string, string>>,
): Promise<Connection> {
  await using folder = await temporaryFolder({ "ca.pem": ca });
  return await resolveConnection({
    env: { ADC_BACKEND: "api7ee", ADC_CA_CERT_FILE: "ca.pem", ...env },
    cwd: folder.path,
  });
}

/** Each way to send a secret, and what it fails with. */
const SENDERS: Readonly<Record<string, (connection: Connection) => Promise<string>>> = {
  "the check": async (connection) => inspect(await checkToken(TOKEN, { connection })),
  "a login": async (connection) => {
    const api = await AdminApi.open(connection);
    const credentials = { username: "ci", password: new Secret("canary-of-passwords") };
    return await api.logIn(credentials).then(() => "logged in", inspect);
  },
  "`api`": async (connection) => {
    const server = connection.servers[0]!;
    const resolved: ResolvedToken = { token: TOKEN, source: "env", detail: "ADC_TOKEN", trail: [] };
    const requester = openRawRequester(connection, { server, token: TOKEN, resolved });
    const request = { method: "GET", path: "/api/users", headers: {}, body: undefined };
    return await requester.send(request).then(() => "sent", inspect);
  },
  "doctor": async (connection) => inspect(await contactServers(connection, {})),
};

for (const { name, cert, key, ca, found } of badChains()) {
  test(`\`verifyChain()\` has nothing sent over ${name}`, async () => {
    await using server = await serveTls({ cert, key }, ANSWER);
    for (const [sender, send] of Object.entries(SENDERS)) {
      const connection = await connect(ca, { ADC_SERVER: server.url });
      const said = await send(connection);
      assert.match(said, found, sender);
      assert.match(said, /verdict: '?tls|server's certificate/, sender);
      assert.equal(server.received, 0, sender);
    }
  });

  test(`\`verifyChain()\` has nothing sent to a proxy with ${name}`, async () => {
    await using proxy = await serveTls({ cert, key }, ANSWER);
    for (const ADC_SERVER of ["http://gateway.example", "https://gateway.example"]) {
      const env = { ADC_SERVER, ALL_PROXY: proxy.url.replace("//", "//bob:canary@") };
      const said = await SENDERS["the check"]!(await connect(ca, env));
      assert.match(said, found);
      assert.match(said, /the proxy's certificate/);
      assert.equal(proxy.received, 0);
    }
  });
}

for (const { name, cert, key, ca } of goodChains()) {
  test(`\`verifyChain()\` lets a certificate pass that is ${name}`, async () => {
    await using server = await serveTls({ cert, key }, ANSWER);
    const connection = await connect(ca, { ADC_SERVER: server.url });
    const { verdict, reason } = await checkToken(TOKEN, { connection });
    assert.equal(verdict, "valid", reason);
    assert.ok(server.received > 0);
  });
}

/** What a runtime shows of a chain; it may have refused some of them by itself. */
function shown(pem: string): { getPeerCertificate(): DetailedPeerCertificate } {
  const certificates = pem.match(/-----BEGIN[^]*?-----END.*/g)!.map((each) => ({
    raw: new X509Certificate(each).raw,
  }));
  const own = certificates.reduceRight<object>(
    (issuerCertificate, each) => ({ ...each, issuerCertificate }),
    {},
  );
  return { getPeerCertificate: () => own as DetailedPeerCertificate };
}

test("`verifyChain()` needs no runtime to refuse a chain", () => {
  for (const { name, cert, ca, found } of badChains()) {
    const code = found.source.includes("more CAs") ? "ERR_CHAIN_PATH_LENGTH" : /^ERR_CHAIN_/;
    assert.throws(() => verifyChain(shown(cert), ca), { code }, name);
  }
  for (const { cert, ca } of goodChains()) verifyChain(shown(cert), ca);
});

test("`verifyChain()` refuses what does not show its certificates", () => {
  const { ca } = goodChains()[0]!;
  assert.throws(
    () => verifyChain({ getPeerCertificate: () => ({}) }, ca),
    { code: "ERR_CHAIN_NOT_SHOWN" },
  );
});

test("`verifyChain()` is not asked where nothing is to be verified", async () => {
  const { cert, key, ca } = badChains()[0]!;
  await using server = await serveTls({ cert, key }, ANSWER);
  const connection = await connect(ca, { ADC_SERVER: server.url, ADC_TLS_SKIP_VERIFY: "true" });
  assert.equal((await checkToken(TOKEN, { connection })).verdict, "valid");
});
