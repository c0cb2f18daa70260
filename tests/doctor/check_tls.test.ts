import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { checkTls } from "../../src/doctor/check_tls.ts";
import { contactServers } from "../../src/doctor/check_server.ts";
import type { Found } from "../../src/doctor/finding.ts";
import { createCertificate } from "../sandbox/certificate.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const DAY = 24 * 60 * 60 * 1000;

async function check(days: number): Promise<Found> {
  const authority = createCertificate("Test CA");
  const { cert, key } = createCertificate("gateway", {
    issuer: authority,
    use: "server",
    hosts: ["localhost", "127.0.0.1"],
    notAfter: new Date(Date.now() + days * DAY),
  });
  await using folder = await temporaryFolder({ "ca.pem": authority.cert });
  const server = createServer({ cert, key }, (_request, response) => {
    response.writeHead(401, { "content-type": "application/json" }).end('{"error_msg": "no"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const env = {
      ADC_SERVER: `https://localhost:${(server.address() as AddressInfo).port}`,
      ADC_CA_CERT_FILE: "ca.pem",
    };
    const connection = await resolveConnection({ env, cwd: folder.path });
    const contacts = await contactServers(connection, {});
    const [finding] = await checkTls({ connection, contacts });
    return finding!;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("`checkTls()` tells name, signer and days of a certificate that is good", async () => {
  const { status, found, data } = await check(100.5);
  assert.equal(status, "ok", found);
  assert.match(
    found,
    /verified by ADC_CA_CERT_FILE: for localhost, 127\.0\.0\.1, signed by "Test CA", 100 days left/,
  );
  assert.deepEqual(data?.names, ["localhost", "127.0.0.1"]);
  assert.equal(data?.daysLeft, 100);
});

test("`checkTls()` warns of a certificate that has less than 30 days", async () => {
  assert.equal((await check(30.5)).status, "ok");
  const { status, found } = await check(29.5);
  assert.equal(status, "warning");
  assert.match(found, /^the certificate of \S+ expires soon \(for .* 29 days left\)$/);
});

test("`checkTls()` warns of another machine without TLS", async () => {
  const env = { ADC_SERVER: "http://gateway.example.com:9180" };
  const connection = await resolveConnection({ env, cwd: "/nowhere" });
  const contacts = [{ server: connection.servers[0]!, failure: undefined }];
  const [finding] = await checkTls({ connection, contacts });
  assert.equal(finding?.status, "warning");
  assert.match(finding.found, /without TLS: others on the network can read the token/);
});
