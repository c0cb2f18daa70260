import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { Server } from "node:https";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { openHttpClient } from "../../src/http/http_client.ts";
import type { HttpResponse } from "../../src/http/http_client.ts";
import { Secret } from "../../src/secret.ts";
import { createCertificate } from "../sandbox/certificate.ts";
import { createCertificateFiles } from "../sandbox/certificate_files.ts";
import { serveTls } from "../support/chains.ts";
import { startForwardProxy } from "../support/forward_proxy.ts";
import { serveHttp, serveTcp } from "../support/loopback.ts";

const TOKEN = "a7ee-canary-of-proxies";

/** Reads from a server, through the proxies that the environment names. */
async function read(
  url: string,
  env: Environment,
  ...flags: readonly string[]
): Promise<HttpResponse> {
  const args = ["ping", "--server", url, ...flags];
  const connection = await resolveConnection({ args, env, cwd: "/nowhere" });
  const server = connection.servers[0]!;
  const request = { server, method: "GET", path: "/x", token: new Secret(TOKEN) } as const;
  return await openHttpClient(connection).send(request);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

test("`openSocket()` is asked for three sockets at most, whatever a proxy answers", async () => {
  for (const status of [408, 425, 429, 502, 503, 504]) {
    let asked = 0;
    await using proxy = await serveHttp((_, response) => {
      asked += 1;
      response.writeHead(status, { "content-length": "0" }).end();
    });
    const { status: answered } = await read("http://gateway.example", { HTTP_PROXY: proxy.url });
    assert.deepEqual([answered, asked], [status, 3]);
  }
});

test("`openSocket()` has tried thrice where a proxy hangs up, and tells of it", async () => {
  for (const url of ["http://gateway.example", "https://gateway.example"]) {
    await using proxy = await serveTcp((socket) => {
      socket.once("data", () => socket.destroy());
    });
    await assert.rejects(read(url, { ALL_PROXY: proxy.url }), { code: "ECONNRESET" });
    assert.equal(proxy.connections, 3);
  }
});

test("`openSocket()` waits for a proxy no longer than the time limit", async () => {
  await using proxy = await serveTcp(() => {});
  for (const url of ["http://gateway.example", "https://gateway.example"]) {
    for (const address of [proxy.url, proxy.url.replace("http:", "https:")]) {
      const reading = read(url, { ALL_PROXY: address }, "--timeout", "50ms");
      await assert.rejects(reading, { name: "TimeoutError" });
    }
  }
});

test("`openSocket()` sends a proxy's user and password as they are written, and no path", async () => {
  await using server = await serveHttp((_, response) => void response.end());
  const files = await createCertificateFiles();
  await using secure = await serveTls(files.server, "HTTP/1.1 204 No Content\r\n\r\n");
  const env = { ADC_CA_CERT_FILE: files.ca };
  for (
    const [written, sent] of [
      ["bob@", "bob:"],
      ["bob:p%40ss@", "bob:p%40ss"],
      ["us%er:pw@", "us%er:pw"],
      [":pw@", undefined],
      ["", undefined],
    ] as const
  ) {
    await using proxy = await startForwardProxy();
    const ALL_PROXY = `${proxy.url.replace("//", `//${written}`)}/some/path?x=1`;
    await read(server.url, { ...env, ALL_PROXY });
    await read(secure.url, { ...env, ALL_PROXY });
    const header = sent && `Basic ${btoa(sent)}`;
    assert.deepEqual(proxy.authorizations, [header, header]);
    assert.deepEqual(proxy.asked, [`GET ${server.url}/x`, `CONNECT localhost:${secure.port}`]);
  }
  await files.remove();
});

test("`openSocket()` verifies nothing of an https proxy either, where that is turned off", async () => {
  const { cert, key } = createCertificate("anybody", { use: "server" });
  await using proxy = await serveTls({ cert, key }, "HTTP/1.1 204 No Content\r\n\r\n");
  const env = { HTTP_PROXY: proxy.url, ADC_TLS_SKIP_VERIFY: "true" };
  assert.equal((await read("http://gateway.example", env)).status, 204);
});

test("`openSocket()` verifies an https proxy with the connection's CA, and shows it no certificate", async () => {
  const files = await createCertificateFiles();
  const asked: string[] = [];
  const shown: (string | undefined)[] = [];
  const peerOf = (socket: unknown) =>
    (socket as TLSSocket).getPeerCertificate().subject?.CN?.toString();
  const server = createServer({ ...files.server, requestCert: true, rejectUnauthorized: false });
  server.on("request", (request, response) => {
    shown.push(peerOf(request.socket));
    response.end("from the server");
  });
  const proxy = createServer({ ...files.server, requestCert: true, rejectUnauthorized: false });
  const note = (line: string, socket: unknown) => {
    asked.push(line);
    assert.equal(peerOf(socket), undefined);
  };
  proxy.on("request", (request, response) => {
    note(`${request.method} ${request.url}`, request.socket);
    response.end("from the proxy");
  });
  proxy.on("connect", (request, socket) => {
    note(`CONNECT ${request.url}`, socket);
    const tunnel = connect(Number(request.url?.split(":").at(-1)), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(tunnel).pipe(socket);
    });
    tunnel.on("error", () => socket.destroy());
    socket.on("error", () => tunnel.destroy()).on("close", () => tunnel.destroy());
  });
  const port = await listen(server);
  const address = `https://127.0.0.1:${await listen(proxy)}`;
  const env = {
    HTTP_PROXY: address,
    HTTPS_PROXY: address,
    ADC_CA_CERT_FILE: files.ca,
    ADC_TLS_CLIENT_CERT_FILE: files.clientCert,
    ADC_TLS_CLIENT_KEY_FILE: files.clientKey,
  };
  try {
    // Without a scheme it is the server's.
    const bare = { ...env, HTTPS_PROXY: address.replace("https://", "") };
    const bodies = [
      (await read("http://gateway.example", env)).body,
      (await read(`https://localhost:${port}`, env)).body,
      (await read(`https://localhost:${port}`, bare)).body,
    ];
    assert.deepEqual(bodies, ["from the proxy", "from the server", "from the server"]);
    assert.deepEqual(shown, ["Sandbox client", "Sandbox client"]);
    const tunnel = `CONNECT localhost:${port}`;
    assert.deepEqual(asked, ["GET http://gateway.example/x", tunnel, tunnel]);
    const stranger = { ...env, ADC_CA_CERT_FILE: files.otherCa };
    await assert.rejects(read("http://gateway.example", stranger));
    await assert.rejects(read(`https://localhost:${port}`, stranger));
    assert.equal(asked.length, 3, "neither the proxy nor the server heard of it");
  } finally {
    proxy.close();
    server.close();
    await files.remove();
  }
});
