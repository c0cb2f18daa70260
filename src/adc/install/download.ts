/**
 * A file from the web.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { judgeFailure } from "../../check/network_failure.ts";
import type { Connection } from "../../connection/connection.ts";
import { dispatcherFor } from "../../connection/dispatcher.ts";
import type { HttpDispatcher } from "../../http/http_client.ts";
import type { Environment } from "../../connection/origin.ts";
import { proxyFor } from "../../connection/proxy.ts";
import { AdcRunError, EXIT } from "../../errors.ts";
import { VERSION } from "../../version.ts";
import { isRedirect, redirectTarget } from "./redirect.ts";
import { saveChunks } from "./save_chunks.ts";

/** GitHub leads on once. */
const MOST_REDIRECTS = 5;

/** A server that sends a byte now and then would else keep a pipeline for ever. */
const LONGEST = 30 * 60_000;

/** How a file is downloaded. */
export interface DownloadOptions {
  /** The environment: the variables of proxies. */
  readonly env: Environment;
  /** How many bytes the file may have. */
  readonly maxBytes: number;
  /**
   * How long nothing may come, in milliseconds.
   *
   * @default 30_000
   */
  readonly timeout?: number | undefined;
  /**
   * Ends it.
   *
   * @default none
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends the requests, instead of a dispatcher of their own. The caller closes it.
   *
   * @default undefined
   */
  readonly dispatcher?: HttpDispatcher | undefined;
}

/** What came back from one address. */
interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: Readable;
  readonly close: () => Promise<void>;
}

/**
 * Downloads a file. Nothing is sent but the address: no token, no cookie, no password. Redirects are
 * followed, but not from https to http. `NODE_EXTRA_CA_CERTS` names a CA that signed a mirror's
 * certificate; those of ADC's own settings are the gateway's business.
 *
 * @param url The address.
 * @param path The new file, for its owner alone.
 * @param options Limits and proxies.
 * @returns The file's SHA-256, as hexadecimal digits.
 * @throws {AdcRunError} It does not come, does not come to its end, or is too long.
 * @throws {StoreError} It cannot be written.
 */
export async function download(url: URL, path: string, options: DownloadOptions): Promise<string> {
  const { signal, maxBytes, timeout = 30_000 } = options;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LONGEST);
  const signals = [limit.signal, signal].filter((each) => each !== undefined);
  const how = { ...options, timeout, signal: AbortSignal.any(signals) };
  const hash = createHash("sha256");
  let at = url;
  let answer: Answer | undefined;
  try {
    for (let redirects = 0;; redirects++) {
      answer = await ask(at, how);
      if (!isRedirect(answer.status)) break;
      if (redirects === MOST_REDIRECTS) throw failed(url, "it redirects without end");
      at = redirectTarget(at, answer.header("location"));
      await answer.close();
    }
    requireFile(at, answer, maxBytes);
    const tooLong = () => failed(at, `the file is longer than ${megabytes(maxBytes)}`);
    const onChunk = (chunk: Uint8Array) => void hash.update(chunk);
    await saveChunks(path, answer.body, { mode: 0o600, maxBytes, tooLong, onChunk });
    return hash.digest("hex");
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof AdcRunError) throw error;
    if (limit.signal.aborted) {
      throw failed(at, "it took longer than half an hour", { cause: error });
    }
    const { found, verdict } = judgeFailure(error, timeout);
    const suggestion = verdict === "tls"
      ? "Name the CA that signed a mirror's certificate with NODE_EXTRA_CA_CERTS."
      : undefined;
    throw failed(at, found, { suggestion, cause: error });
  } finally {
    clearTimeout(timer);
    await answer?.close();
  }
}

async function ask(
  url: URL,
  options: DownloadOptions & { readonly timeout: number; readonly signal: AbortSignal },
): Promise<Answer> {
  const { timeout, signal, env } = options;
  const { default: request } = await import("undici/lib/api/api-request.js") as unknown as {
    default: Dispatcher["request"];
  };
  const own = options.dispatcher === undefined ? await open(url, { timeout, env }) : undefined;
  try {
    const { statusCode, headers, body } = await request.call(
      own ?? options.dispatcher as Dispatcher,
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: "GET",
        headers: { accept: "application/octet-stream", "user-agent": `adc-run/${VERSION}` },
        headersTimeout: timeout,
        bodyTimeout: timeout,
        signal,
      },
    );
    return {
      status: statusCode,
      header: (name) => [headers[name]].flat()[0],
      body,
      close: async () => {
        // What is left of the body fails when its connection goes.
        body.on("error", () => {}).destroy();
        await own?.destroy();
      },
    };
  } catch (error) {
    await own?.destroy();
    throw error;
  }
}

/** The certificate is always verified, whatever ADC is told about the gateway's. */
async function open(
  url: URL,
  { timeout, env }: { readonly timeout: number; readonly env: Environment },
): Promise<Dispatcher> {
  const server = { base: url, origin: url.origin, display: url.origin };
  const origin = { kind: "default" } as const;
  const terms: Pick<Connection, "tls" | "timeout"> = {
    tls: { skipVerify: { value: false, origin } },
    timeout: { value: timeout, origin },
  };
  // Without `.env`, which a cloned repository brings along.
  const proxy = proxyFor(server, { env, files: [] });
  return await dispatcherFor(terms as Connection, { server, proxy });
}

function requireFile(url: URL, { status, header }: Answer, maxBytes: number): void {
  if (status === 404 || status === 410) {
    throw new AdcRunError(
      `Cannot download "${url.origin}${url.pathname}": there is no such file, the server answered ${status}`,
      EXIT.config,
      { suggestion: "Look at the version and at ADC_RUN_DOWNLOAD_URL." },
    );
  }
  if (status !== 200) throw failed(url, `the server answered ${status}`);
  if (Number(header("content-length") ?? 0) > maxBytes) {
    throw failed(url, `the file is longer than ${megabytes(maxBytes)}`);
  }
}

/** The query may be a signature that lets its holder in, as GitHub's is. */
function failed(
  url: URL,
  found: string,
  { suggestion, cause }: { readonly suggestion?: string | undefined; readonly cause?: unknown } =
    {},
): AdcRunError {
  return new AdcRunError(
    `Cannot download "${url.origin}${url.pathname}": ${found}`,
    EXIT.unavailable,
    {
      suggestion: suggestion ??
        "Try again, look at HTTPS_PROXY, or name a mirror with ADC_RUN_DOWNLOAD_URL.",
      cause,
    },
  );
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}
