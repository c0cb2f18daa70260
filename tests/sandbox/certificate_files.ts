/**
 * The PEM files that a sandbox and its clients need.
 *
 * @module
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate, type KeyedCertificate } from "./certificate.ts";

/** Paths of PEM files in one temporary folder, and what the server itself needs. */
export interface CertificateFiles {
  /** The folder. */
  readonly certDir: string;
  /** The authority that signed server and client. */
  readonly ca: string;
  /** An authority that signed neither. */
  readonly otherCa: string;
  /** A client certificate that the server takes. */
  readonly clientCert: string;
  /** Its key. */
  readonly clientKey: string;
  /** A client certificate from the other authority. */
  readonly otherClientCert: string;
  /** Its key. */
  readonly otherClientKey: string;
  /** What the server presents. */
  readonly server: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Deletes the folder. */
  readonly remove: () => Promise<void>;
}

/** What the server's certificate says. */
export interface CertificateFilesOptions {
  /** Names and addresses in it. @default localhost, 127.0.0.1 and ::1 */
  readonly hosts?: readonly string[] | undefined;
  /** Whether it ended yesterday. @default false */
  readonly expired?: boolean | undefined;
  /** Whether it is for another host, `elsewhere.example`. @default false */
  readonly wrongName?: boolean | undefined;
}

const DAY = 86_400_000;

/**
 * Makes two authorities, a server certificate and two client certificates, and writes them to a
 * new temporary folder. Keys are readable by their owner alone.
 *
 * @param options What the server's certificate says.
 * @returns Where the files are.
 */
export async function createCertificateFiles(
  options: CertificateFilesOptions = {},
): Promise<CertificateFiles> {
  const authority = createCertificate("Sandbox CA");
  const stranger = createCertificate("Other CA");
  const server = createCertificate("Sandbox Admin API", {
    issuer: authority,
    use: "server",
    hosts: options.wrongName === true
      ? ["elsewhere.example"]
      : options.hosts ?? ["localhost", "127.0.0.1", "::1"],
    ...(options.expired === true
      ? { notBefore: new Date(Date.now() - 9 * DAY), notAfter: new Date(Date.now() - DAY) }
      : {}),
  });
  const client = createCertificate("Sandbox client", { issuer: authority, use: "client" });
  const otherClient = createCertificate("Other client", { issuer: stranger, use: "client" });

  const certDir = await mkdtemp(join(tmpdir(), "adc-run-sandbox-"));
  async function pair(name: string, certificate: KeyedCertificate): Promise<[string, string]> {
    const [cert, key] = [join(certDir, `${name}.pem`), join(certDir, `${name}.key`)];
    await writeFile(cert, certificate.cert);
    await writeFile(key, certificate.key, { mode: 0o600 });
    return [cert, key];
  }
  const [ca] = await pair("ca", authority);
  const [otherCa] = await pair("other-ca", stranger);
  const [clientCert, clientKey] = await pair("client", client);
  const [otherClientCert, otherClientKey] = await pair("other-client", otherClient);
  return {
    certDir,
    ca,
    otherCa,
    clientCert,
    clientKey,
    otherClientCert,
    otherClientKey,
    server: { cert: server.cert, key: server.key, ca: authority.cert },
    remove: () => rm(certDir, { recursive: true, force: true }),
  };
}
