import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import process from "node:process";
import type { TLSSocket } from "node:tls";
import type { Proxy } from "../connection/proxy.ts";
import { hostOf, type Server } from "../connection/server.ts";
import { type Tls, tlsOptions } from "../connection/tls.ts";

interface OpenSocketOptions {
  readonly tls: Tls;
  readonly proxy: Proxy | undefined;
  /** Ends the opening; it has no part in what becomes of the socket later. */
  readonly signal: AbortSignal;
}

export async function openSocket(
  server: Server,
  { tls, proxy, signal }: OpenSocketOptions,
): Promise<Socket> {
  const isSecure = server.base.protocol === "https:";
  if (proxy === undefined) {
    return isSecure
      ? await approveSocket(await shakeHands(server.base, { tls, signal }), tls)
      : await openPlain(server.base, signal);
  }
  const url = new URL(proxy.url.reveal());
  // The client certificate is for the server alone.
  const { clientCertFile: _cert, clientKeyFile: _key, ...toVerify } = tls;
  const toProxy = url.protocol === "https:"
    ? await shakeHands(url, { tls: toVerify, signal }).then((socket) => approveSocket(socket, tls))
      .catch((error) => Promise.reject(Object.assign(error, { atProxy: true })))
    : await openPlain(url, signal);
  if (!isSecure) return toProxy;
  const tunnel = await openTunnel(toProxy, { server, proxy, signal });
  return await approveSocket(await shakeHands(server.base, { tls, signal, socket: tunnel }), tls);
}

function openPlain(url: URL, signal: AbortSignal): Promise<Socket> {
  const { connect } = process.getBuiltinModule("node:net");
  const socket = connect({ host: hostOf(url), port: Number(url.port || 80) });
  return untilOpened(socket, signal, (done) => socket.once("connect", () => done(socket)));
}

interface SecuredSocketOptions {
  readonly tls: Tls;
  /** Verifies nothing, whatever else is said. No token may cross such a connection. */
  readonly unverified?: boolean;
  readonly socket?: Socket | undefined;
}

/**
 * Starts to shake hands at an address. It throws where the files hold no certificate or key of use.
 */
export function startTls(
  url: URL,
  { tls, unverified = false, socket }: SecuredSocketOptions,
): TLSSocket {
  // Loaded only now: a run over http, or with no request at all, needs neither.
  const { isIP } = process.getBuiltinModule("node:net");
  const { connect } = process.getBuiltinModule("node:tls");
  const host = hostOf(url);
  return connect({
    host,
    port: Number(url.port || 443),
    ...(isIP(host) === 0 && { servername: host }),
    ...(socket && { socket }),
    ALPNProtocols: ["http/1.1"],
    ...tlsOptions(tls),
    ...(unverified && { rejectUnauthorized: false }),
  });
}

export async function shakeHands(
  url: URL,
  { signal, ...options }: SecuredSocketOptions & { readonly signal: AbortSignal },
): Promise<TLSSocket> {
  const secured = startTls(url, options);
  secured.once("close", () => options.socket?.destroy());
  return await untilOpened(secured, signal, (done) => {
    secured.once("secureConnect", () => done(secured));
  });
}

/**
 * Every TLS connection that a request is for passes here before a byte crosses it, those to proxies too.
 */
async function approveSocket(
  secured: TLSSocket,
  { skipVerify, caCertFile }: Tls,
): Promise<TLSSocket> {
  if (skipVerify.value) return secured;
  const chain = caCertFile && await import("./verify_chain.ts");
  // A server that misses a client certificate hangs up right after the handshake, and shows nothing any more.
  if (secured.destroyed) throw secured.errored ?? connectionClosed();
  try {
    if (!secured.authorized) throw new Error(`CERT_UNTRUSTED: ${secured.authorizationError}`);
    chain?.verifyChain(secured, caCertFile!.value.pem.reveal());
    return secured;
  } catch (error) {
    secured.destroy();
    throw error;
  }
}

function openTunnel(
  toProxy: Socket,
  { server: { base }, proxy, signal }: Omit<OpenSocketOptions, "tls"> & {
    readonly server: Server;
    readonly proxy: Proxy;
  },
): Promise<Socket> {
  const { request } = process.getBuiltinModule("node:http");
  const host = `${base.hostname}:${base.port || 443}`;
  return untilOpened(toProxy, signal, (done, fail) => {
    const sent = request({
      method: "CONNECT",
      path: host,
      headers: { host, ...proxyAuthorization(proxy) },
      createConnection: () => toProxy,
    });
    sent.on("connect", ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) done(socket);
      else fail(proxyRefusal(statusCode));
    });
    sent.on("response", ({ statusCode }) => fail(proxyRefusal(statusCode)));
    sent.on("error", fail);
    sent.end();
  });
}

export function proxyRefusal(status: number | undefined): Error {
  const code = `PROXY_${status}`;
  return Object.assign(new Error(`Proxy response (${status})`), { code });
}

/** The user name and password in a proxy's address, as they are written there, like axios. */
export function proxyAuthorization({ url }: Proxy): Readonly<Record<string, string>> {
  const { username, password } = new URL(url.reveal());
  if (username === "") return {};
  const pair = Buffer.from(`${username}:${password}`).toString("base64");
  return { "proxy-authorization": `Basic ${pair}` };
}

export function connectionClosed(): Error {
  return Object.assign(new Error("The connection was closed"), { code: "ECONNRESET" });
}

/**
 * Waits for what is to become of a socket; where that fails, or is given up, the socket is destroyed.
 */
function untilOpened<T>(
  socket: Socket,
  signal: AbortSignal,
  begin: (done: (result: T) => void, fail: (error: unknown) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => fail(signal.reason);
    const close = () => fail(connectionClosed());
    const settle = () => {
      signal.removeEventListener("abort", abort);
      socket.off("close", close);
    };
    const fail = (error: unknown) => {
      settle();
      socket.destroy();
      reject(error);
    };
    signal.addEventListener("abort", abort);
    // Listened to for as long as the socket is there: an error that nobody hears would end the process.
    socket.on("error", fail);
    socket.on("close", close);
    begin((result) => {
      settle();
      resolve(result);
    }, fail);
    if (signal.aborted) abort();
  });
}
