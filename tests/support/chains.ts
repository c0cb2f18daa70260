/**
 * Chains of certificates that are to be trusted or not, and a server that shows one of them.
 *
 * @module
 */

import type { Socket } from "node:net";
import { createServer, type TlsOptions } from "node:tls";
import type { AddressInfo } from "node:net";
import { createCertificate, type KeyedCertificate } from "../sandbox/certificate.ts";

/** What a server shows, and the CA file of whoever asks it. */
export interface Chain {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Those that no client may trust, and what it says of them, whatever the runtime. */
export interface BadChain extends Chain {
  readonly found: RegExp;
}

const DAY = 86_400_000;
const PAST = { notBefore: new Date(Date.now() - 9 * DAY), notAfter: new Date(Date.now() - DAY) };

const server = { use: "server", hosts: ["localhost"] } as const;

function chainOf(
  name: string,
  ca: KeyedCertificate,
  [leaf, ...more]: readonly [KeyedCertificate, ...KeyedCertificate[]],
): Chain {
  return {
    name,
    ca: ca.cert,
    key: leaf.key,
    cert: [leaf, ...more].map(({ cert }) => cert).join(""),
  };
}

/** Chains that work. */
export function goodChains(): readonly Chain[] {
  const ca = createCertificate("Test CA");
  const intermediate = createCertificate("Intermediate", { issuer: ca });
  const inner = createCertificate("Inner", { issuer: intermediate });
  const byInner = createCertificate("localhost", { issuer: inner, ...server });
  const limited = createCertificate("Test CA", { pathLength: 1 });
  const lastOne = createCertificate("Last", { issuer: limited, pathLength: 0 });
  const root = createCertificate("Old Root", { version: 1 });
  const own = createCertificate("localhost", server);
  const ownAuthority = createCertificate("localhost", { hosts: server.hosts });
  const stranger = createCertificate("Stranger");
  const direct = createCertificate("localhost", { issuer: ca, ...server });
  const both = { ...ca, cert: stranger.cert + ca.cert };
  const unreadable = "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n";
  return [
    chainOf("signed by the CA", ca, [direct]),
    chainOf("with two intermediates", ca, [byInner, inner, intermediate]),
    chainOf("with as many intermediates as are allowed", limited, [
      createCertificate("localhost", { issuer: lastOne, ...server }),
      lastOne,
    ]),
    chainOf("with its root", ca, [direct, ca]),
    chainOf("with a certificate of no use", ca, [direct, stranger]),
    chainOf("by one of several CAs", both, [direct]),
    chainOf("by a CA in front of what cannot be read", { ...ca, cert: ca.cert + unreadable }, [
      direct,
    ]),
    chainOf("under a root is version 1", root, [
      createCertificate("localhost", { issuer: root, ...server }),
    ]),
    chainOf("self-signed, and named as the CA", own, [own]),
    chainOf("self-signed by a CA, and named as the CA", ownAuthority, [ownAuthority]),
  ];
}

/** Chains that do not. */
export function badChains(): readonly BadChain[] {
  const ca = createCertificate("Test CA");
  const evil = createCertificate("Evil");
  const under = (issuer: KeyedCertificate) =>
    [createCertificate("localhost", { issuer, ...server }), issuer] as const;
  const lonely = createCertificate("Test CA", { pathLength: 0 });
  const belowLonely = createCertificate("Intermediate", { issuer: lonely });
  const byLonely = createCertificate("localhost", { issuer: belowLonely, ...server });
  const narrow = createCertificate("Narrow", { issuer: ca, pathLength: 0 });
  const belowNarrow = createCertificate("Inner", { issuer: narrow });
  const byNarrow = createCertificate("localhost", { issuer: belowNarrow, ...server });
  const forged = { issuer: ca, signer: evil, version: 1 } as const;
  return [
    {
      ...chainOf("a leaf is version 1 that no more than names the CA", ca, [
        createCertificate("localhost", forged),
      ]),
      found: /is version 1|names a CA that did not sign it/,
    },
    {
      ...chainOf(
        "a flawless leaf under an issuer is version 1",
        ca,
        under(
          createCertificate("Old", { issuer: ca, version: 1 }),
        ),
      ),
      found: /is version 1|for another purpose/,
    },
    {
      ...chainOf(
        "a flawless leaf under a forged issuer is version 1",
        ca,
        under(
          createCertificate("Old", forged),
        ),
      ),
      found: /is version 1|for another purpose|did not sign it/,
    },
    {
      ...chainOf(
        "an issuer that is no CA",
        ca,
        under(
          createCertificate("No CA", { issuer: ca, ...server }),
        ),
      ),
      found: /not a CA|signed by an unknown CA/,
    },
    {
      ...chainOf(
        "an issuer that may not sign",
        ca,
        under(
          createCertificate("No Signer", { issuer: ca, maySign: false }),
        ),
      ),
      found: /not a CA|signed by an unknown CA/,
    },
    {
      ...chainOf("more CAs than the root allows", lonely, [byLonely, belowLonely]),
      found: /more CAs in a row/,
    },
    {
      ...chainOf("more CAs than one of them allows", ca, [byNarrow, belowNarrow, narrow]),
      found: /more CAs in a row|signed by an unknown CA/,
    },
    {
      ...chainOf(
        "a wrong signature in the middle",
        ca,
        under(
          createCertificate("Intermediate", { issuer: ca, signer: evil }),
        ),
      ),
      found: /did not sign it|signed by an unknown CA/,
    },
    {
      ...chainOf(
        "an intermediate that has expired",
        ca,
        under(
          createCertificate("Intermediate", { issuer: ca, ...PAST }),
        ),
      ),
      found: /has expired|signed by an unknown CA/,
    },
    {
      ...chainOf("a forged leaf", ca, [
        createCertificate("localhost", { issuer: ca, signer: evil, ...server }),
      ]),
      found: /did not sign it|signed by an unknown CA/,
    },
    {
      ...chainOf("a CA that has expired", createCertificate("Test CA", PAST), [
        createCertificate("localhost", { issuer: ca, ...server }),
      ]),
      found: /has expired|did not sign it|signed by an unknown CA/,
    },
  ];
}

/** A server over TLS that counts what it is told, and answers nothing or as told. */
export interface TlsServer extends AsyncDisposable {
  readonly port: number;
  /** `https://localhost:PORT` */
  readonly url: string;
  /** How many handshakes were completed. */
  readonly handshakes: number;
  /** How many bytes came after a handshake. */
  readonly received: number;
}

/**
 * Starts one on loopback.
 *
 * @param options The certificate and whatever else `node:tls` takes.
 * @param answer What it says to whoever says something.
 * @returns The server.
 */
export async function serveTls(options: TlsOptions, answer?: string): Promise<TlsServer> {
  let handshakes = 0;
  let received = 0;
  const sockets = new Set<Socket>();
  const listener = createServer(options, (socket) => {
    handshakes += 1;
    socket.on("data", (data: Uint8Array) => {
      received += data.length;
      if (answer !== undefined) socket.end(answer);
    });
  });
  listener.on("tlsClientError", () => {});
  for (const event of ["connection", "secureConnection"]) {
    listener.on(event, (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    });
  }
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    url: `https://localhost:${port}`,
    get handshakes() {
      return handshakes;
    },
    get received() {
      return received;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
