/**
 * ADC's HTTP client, as far as axios' behaviour can be seen from outside.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

const MAX_REDIRECTS = 21;

/** What axios throws. */
export class AxiosError extends Error {
  constructor(message, details) {
    super(message);
    this.name = "AxiosError";
    Object.assign(this, { isAxiosError: true, ...details });
  }
}

/**
 * Makes a client.
 *
 * @param options ADC's options.
 * @param log Where a debug line for each answer goes.
 * @returns A function that makes one request.
 */
export function createClient(options, { log, scope }) {
  const tls = {
    rejectUnauthorized: !options.tlsSkipVerify,
    ...(options.caCertFile ? { ca: readFileSync(options.caCertFile) } : {}),
    ...(options.tlsClientCertFile ? { cert: readFileSync(options.tlsClientCertFile) } : {}),
    ...(options.tlsClientKeyFile ? { key: readFileSync(options.tlsClientKeyFile) } : {}),
  };

  return async function request(method, address, more = {}) {
    let url = new URL(address, more.base);
    const { token = more.token, data, accept } = more;
    const body = data === undefined ? undefined : JSON.stringify(data);
    const headers = {
      "Accept": "application/json, text/plain, */*",
      "Content-Type": "application/json",
      ...(token === undefined ? {} : { "X-API-KEY": token }),
      ...more.headers,
      "User-Agent": "axios/1.18.1",
      ...(body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) }),
    };
    const config = { method: method.toLowerCase(), url: url.href, headers, data: body };
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await once(method, url, { headers, body, tls, config, options });
      const { status, headers: { location } } = response;
      if (status >= 300 && status < 400 && location !== undefined) {
        // Like axios: on to any origin, with X-API-KEY.
        url = new URL(location, url);
        continue;
      }
      log.debug(debugText(response), scope);
      if ((status < 200 || status >= 300) && accept !== true) throw failure(response);
      return response;
    }
    throw new AxiosError("Maximum number of redirects exceeded", { config });
  };
}

function once(method, url, { headers, body, tls, config, options }) {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === "https:";
    const request = (secure ? https : http).request(url, {
      method,
      headers,
      ...(secure ? tls : {}),
    }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode,
          statusText: response.statusMessage,
          headers: response.headers,
          config,
          request: { _header: request._header, method, path: request.path },
          data: parse(text),
        });
      });
    });
    function fail(error) {
      reject(
        new AxiosError(error.message, {
          code: error.code,
          config,
          request: { _header: request._header, method, path: request.path },
        }),
      );
    }
    request.setTimeout(options.timeout, () => {
      request.destroy(Object.assign(
        new Error(
          `Request "${method} ${url.href}" timed out after ${options.timeout}ms. ` +
            "Consider increasing the timeout with the --timeout flag.",
        ),
        { code: "ECONNABORTED" },
      ));
    });
    request.on("error", fail);
    request.end(body);
  });
}

/** axios leaves what is no JSON a string, silently. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function failure(response) {
  const { status, config, request } = response;
  return new AxiosError(`Request failed with status code ${status}`, {
    code: status >= 500 ? "ERR_BAD_RESPONSE" : "ERR_BAD_REQUEST",
    config,
    request,
    response,
    status,
  });
}

/** At verbosity 2 a request that succeeds is shown with its token starred out. */
function debugText({ config, status, statusText, headers, data }) {
  const lines = Object.entries(config.headers).map(([name, value]) =>
    `${name}: ${name === "X-API-KEY" ? "*****" : value}\n`
  );
  return [
    `\n${config.method.toUpperCase()} ${config.url}\n`,
    ...lines,
    config.data ? `\n${config.data}\n` : "",
    `\n${status} ${statusText}\n`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`),
    data ? `\n${JSON.stringify(data)}\n` : "\n",
  ].join("");
}
