/**
 * The Rust ADC's HTTP client, as far as reqwest's behaviour can be seen from outside.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import http from "node:http";
import https from "node:https";
import { BlockList, isIP } from "node:net";
import process from "node:process";
import tls from "node:tls";

/**
 * Makes a client.
 *
 * @param options ADC's options.
 * @param log Where a debug line for each answer goes.
 * @returns A function that makes one request, and throws for an answer that is no success.
 */
export function createRustClient(options, { log, scope }) {
  const security = {
    rejectUnauthorized: !options.tlsSkipVerify,
    ...(options.tlsClientCertFile &&
      { cert: options.tlsClientCertFile, key: options.tlsClientKeyFile }),
  };
  // The roots are its own, and NODE_EXTRA_CA_CERTS says nothing to it; a CA file is one more.
  const roots = () => ({
    ca: [...tls.rootCertificates, ...options.caCertFile ? [String(options.caCertFile)] : []],
  });

  return async function request(method, address, { token, data, headers: more, accept } = {}) {
    const url = new URL(address);
    const body = data === undefined ? undefined : JSON.stringify(data);
    const headers = {
      "content-type": "application/json",
      // Every request of a client has it.
      "x-api-key": token ?? options.token.split(",")[0],
      accept: "*/*",
      ...more,
      ...(body && { "content-length": String(Buffer.byteLength(body)) }),
    };
    const isSecure = url.protocol === "https:";
    const signal = AbortSignal.timeout(options.timeout);
    const secure = isSecure ? { ...security, ...roots() } : {};
    try {
      signal.throwIfAborted();
      const proxy = proxyFor(url);
      const send = { method, headers, signal, ...secure };
      let call;
      if (proxy === undefined) call = (isSecure ? https : http).request(url, send);
      else if (isSecure) {
        const socket = await tunnel(proxy, url, { signal });
        call = https.request(url, { ...send, agent: false, socket });
      } else {
        const { authorization } = proxy;
        call = http.request({
          ...send,
          host: proxy.host,
          port: proxy.port,
          path: url.href,
          headers: {
            ...headers,
            host: url.host,
            ...(authorization && { "proxy-authorization": authorization }),
          },
        });
      }
      const answer = await answerOf(call, body);
      log.debug(debugText({ method, url, headers, body, answer }), scope);
      if ((answer.status < 200 || answer.status >= 300) && accept !== true) {
        throw new Error(
          [401, 403].includes(answer.status)
            ? `authentication failed: ${answer.text}`
            : `${url} answered ${answer.status}: ${answer.text}`,
        );
      }
      return answer;
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Error(`request "${method} ${url}" timed out. Consider increasing the timeout.`);
    }
  };
}

function answerOf(call, body) {
  return new Promise((resolve, reject) => {
    call.on("error", reject).on("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk)).on("error", reject).on("end", () => {
        const text = Buffer.concat(chunks).toString();
        let data = text;
        try {
          data = JSON.parse(text);
        } catch {
          // Whoever needs JSON fails over it.
        }
        resolve({ status: response.statusCode, headers: response.headers, text, data });
      });
    }).end(body);
  });
}

function tunnel({ host, port, authorization }, url, { signal }) {
  const path = `${url.hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    http.request({
      method: "CONNECT",
      host,
      port,
      path,
      signal,
      headers: { host: path, ...(authorization && { "proxy-authorization": authorization }) },
    }).on("error", reject).on("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error("tunnel error: unsuccessful"));
    }).end();
  });
}

/** Upper case comes first, an empty one too; one of another scheme is none. */
function proxyFor(url) {
  const first = (name) => process.env[name] ?? process.env[name.toLowerCase()] ?? "";
  const scheme = url.protocol.slice(0, -1).toUpperCase();
  if (isExempt(url.hostname, first("NO_PROXY"))) return undefined;
  for (const text of [first(`${scheme}_PROXY`), first("ALL_PROXY")]) {
    const address = text.includes("://") ? text : `http://${text}`;
    if (text === "" || !URL.canParse(address)) continue;
    const { protocol, hostname: host, port, username, password } = new URL(address);
    if (protocol !== "http:") continue;
    const pair = [username, password].map(decodeURIComponent).join(":");
    const authorization = username === "" ? undefined : `Basic ${btoa(pair)}`;
    return { host, port: port || 80, authorization };
  }
  return undefined;
}

/** Addresses, networks and names, which exempt what is below them; no ports, and one wildcard alone. */
export function isExempt(hostname, list) {
  const host = hostname.replace(/^\[|\]$/g, "");
  return list.split(",").map((each) => each.trim()).some((entry) => {
    const [network, bits] = entry.split("/");
    if (isIP(host) === 0) {
      if (entry === "*") return true;
      const name = entry.replace(/^\./, "").toLowerCase();
      return name !== "" && isIP(network) === 0 && (host === name || host.endsWith(`.${name}`));
    }
    if (isIP(network) !== isIP(host)) return false;
    const family = isIP(host) === 4 ? "ipv4" : "ipv6";
    const inside = new BlockList();
    inside.addSubnet(network, Number(bits ?? (isIP(host) === 4 ? 32 : 128)), family);
    return inside.check(host, family);
  });
}

/** The key is starred out, whatever the answer was. */
function debugText({ method, url, headers, body, answer }) {
  const lines = (pairs) => Object.entries(pairs).map(([name, value]) => `${name}: ${value}\n`);
  return [
    `\n${method} ${url}\n`,
    ...lines({ ...headers, "x-api-key": "*****" }),
    body ? `\n${body}\n` : "",
    `\n${answer.status}\n`,
    ...lines(answer.headers),
    `\n${answer.text}`,
  ].join("");
}
