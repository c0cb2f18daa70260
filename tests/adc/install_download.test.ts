import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { Agent } from "undici";
import { download } from "../../src/adc/install/download.ts";
import type { DownloadOptions } from "../../src/adc/install/download.ts";
import { AdcRunError } from "../../src/errors.ts";
import { startForwardProxy } from "../check/forward_proxy.ts";
import { createCertificate } from "../sandbox/certificate.ts";
import { temporaryFolder } from "../temporary_folder.ts";
import { fileServer, sumOf } from "./install_fixture.ts";

const BYTES = Buffer.alloc(300_000, "archive");

/** Downloads into a folder of its own, and gives the file and its sum. */
async function downloaded(
  url: string,
  options: Partial<DownloadOptions> = {},
): Promise<{ readonly sum: string; readonly bytes: Buffer }> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "file");
  const sum = await download(new URL(url), path, { env: {}, maxBytes: 1024 * 1024, ...options });
  return { sum, bytes: await readFile(path) };
}

async function assertFails(
  url: string,
  words: RegExp,
  { exitCode = 69, ...options }: Partial<DownloadOptions> & { readonly exitCode?: number } = {},
): Promise<void> {
  await assert.rejects(downloaded(url, options), (error: unknown) => {
    assert.ok(error instanceof AdcRunError, String(error));
    assert.match(error.message, words);
    assert.doesNotMatch(error.message + error.suggestion, /hidden/);
    assert.equal(error.exitCode, exitCode);
    assert.ok(error.suggestion);
    return true;
  });
}

it("`download()` saves a file, tells its sum, and sends nothing that identifies anybody", async () => {
  await using server = await fileServer(BYTES);
  const env = { ADC_TOKEN: "a7ee-hidden", API7_PASSWORD: "hidden" };
  const { sum, bytes } = await downloaded(`${server.url}/file`, { env });
  assert.equal(sum, sumOf(BYTES));
  assert.deepEqual(bytes, BYTES);
  const [request] = server.requests;
  const names = Object.keys(request!.headers).sort();
  assert.deepEqual(names, ["accept", "connection", "host", "user-agent"]);
});

it("`download()` follows redirects, to other hosts too, and not for ever", async () => {
  await using second = await fileServer((request, response) => {
    if (request.url === "/signed?s=hidden") response.end(BYTES);
    else response.writeHead(302, { location: "/again" }).end();
  });
  await using first = await fileServer((request, response) => {
    const location = request.url === "/loop" ? `${second.url}/loop` : "/next";
    const there = request.url === "/next" ? `${second.url}/signed?s=hidden` : location;
    response.writeHead(request.url === "/next" ? 307 : 301, { location: there }).end("moved");
  });
  assert.equal((await downloaded(`${first.url}/file`)).sum, sumOf(BYTES));
  assert.equal(second.requests.length, 1);
  await assertFails(`${first.url}/loop`, /redirects without end/);
  assert.equal(second.requests.length, 6);
});

it("`download()` does not go from https to http, nor over http to another machine", async () => {
  const authority = createCertificate("CA");
  const server = createCertificate("Mirror", {
    issuer: authority,
    use: "server",
    hosts: ["localhost", "127.0.0.1"],
  });
  await using plain = await fileServer(BYTES);
  await using away = await fileServer((_, response) => {
    response.writeHead(302, { location: "http://mirror.example/hidden" }).end();
  });
  await using secure = await fileServer((request, response) => {
    if (request.url === "/file") response.end(BYTES);
    else response.writeHead(302, { location: `${plain.url}/file` }).end();
  }, server);
  const dispatcher = new Agent({ connect: { ca: authority.cert } });
  try {
    assert.equal((await downloaded(`${secure.url}/file`, { dispatcher })).sum, sumOf(BYTES));
    await assertFails(`${secure.url}/other`, /from https to http/, { dispatcher });
    await assertFails(`${away.url}/file`, /none of https, or http on this machine/);
    assert.equal(plain.requests.length, 0);
  } finally {
    await dispatcher.destroy();
  }
});

it("`download()` verifies certificates, whatever ADC is told about the gateway's", async () => {
  const authority = createCertificate("CA");
  const certificate = createCertificate("Mirror", {
    issuer: authority,
    use: "server",
    hosts: ["localhost"],
  });
  await using server = await fileServer(BYTES, certificate);
  const env = { ADC_TLS_SKIP_VERIFY: "true" };
  await assertFails(`${server.url}/file`, /certificate was signed by a CA that is not known/, {
    env,
  });
  assert.equal(server.requests.length, 0);
});

it("`download()` says what the server answered", async () => {
  await using server = await fileServer((request, response) => {
    response.writeHead(Number(request.url!.slice(1, 4))).end("words");
  });
  await assertFails(`${server.url}/404?s=hidden`, /no such file, the server answered 404/, {
    exitCode: 78,
  });
  for (const status of [204, 206, 304, 401, 403, 500, 503]) {
    await assertFails(`${server.url}/${status}?s=hidden`, new RegExp(`answered ${status}`));
  }
});

it("`download()` says that the file was cut off, and that nothing came", async () => {
  await using server = await fileServer((request, response) => {
    if (request.url === "/silent") return;
    response.writeHead(200, { "content-length": BYTES.length });
    response.write(BYTES.subarray(0, 100_000), () => {
      if (request.url === "/cut") response.destroy();
    });
  });
  await assertFails(`${server.url}/cut`, /cut off before the answer was complete/);
  await assertFails(`${server.url}/stalled`, /no answer came within 0\.3 s/, { timeout: 300 });
  await assertFails(`${server.url}/silent`, /no answer came within 0\.3 s/, { timeout: 300 });
  const { url } = server;
  await server[Symbol.asyncDispose]();
  await assertFails(`${url}/file`, /connection was refused/);
});

it("`download()` takes no more bytes than it may, announced or not", async () => {
  await using server = await fileServer((request, response) => {
    if (request.url === "/announced") response.setHeader("content-length", BYTES.length);
    response.write(BYTES);
    if (request.url === "/announced") response.end();
  });
  await assertFails(`${server.url}/announced`, /longer than 0 MiB/, { maxBytes: 200_000 });
  await assertFails(`${server.url}/endless`, /longer than 0 MiB/, { maxBytes: 200_000 });
});

it("`download()` goes through the proxy of the environment, for each address", async () => {
  await using server = await fileServer((request, response) => {
    if (request.url === "/file") response.end(BYTES);
    else response.writeHead(302, { location: "/file" }).end();
  });
  await using proxy = await startForwardProxy();
  const env = { HTTP_PROXY: proxy.url };
  assert.equal((await downloaded(`${server.url}/start`, { env })).sum, sumOf(BYTES));
  assert.deepEqual(proxy.asked, [`GET ${server.url}/start`, `GET ${server.url}/file`]);
  await downloaded(`${server.url}/file`, { env: { ...env, NO_PROXY: "localhost" } });
  assert.equal(proxy.asked.length, 2);
});

it("`download()` ends with the reason of its signal", async () => {
  const controller = new AbortController();
  const reason = new Error("given up");
  await using server = await fileServer((_, response) => {
    response.write(BYTES.subarray(0, 1000), () => controller.abort(reason));
  });
  const { signal } = controller;
  await assert.rejects(downloaded(`${server.url}/file`, { signal }), (error) => error === reason);
});

it("`download()` says when what answers is no web server", async () => {
  await using server = await fileServer(BYTES);
  // It speaks TLS to a server that does not.
  await assertFails(server.url.replace("http:", "https:"), /does not speak TLS/);
});
