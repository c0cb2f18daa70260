/**
 * Real X.509 certificates, made with `node:crypto` alone, so that the sandbox runs wherever Node or
 * Deno does: no `openssl` binary, no package.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import {
  bitString,
  booleanTrue,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  utcTime,
  utf8String,
} from "./der.ts";

/** A certificate with its private key. */
export interface KeyedCertificate {
  /** The common name: what an issued certificate calls its issuer. */
  readonly name: string;
  /** The certificate, PEM. */
  readonly cert: string;
  /** The private key, PKCS#8 PEM. */
  readonly key: string;
  /** The same key, to sign with. */
  readonly privateKey: KeyObject;
  /** SHA-1 of the public key: what names the issuer's key. */
  readonly keyId: Buffer;
}

/** What a certificate says. */
export interface CertificateOptions {
  /** The certificate that signs this one. @default itself */
  readonly issuer?: KeyedCertificate;
  /** Whose key signs it, whatever it says of its issuer. @default the issuer's */
  readonly signer?: KeyedCertificate;
  /** Version 1 has no extensions: neither what it is for nor hosts. @default 3 */
  readonly version?: 1 | 3;
  /** The bits of an RSA key. @default a P-256 key */
  readonly rsaBits?: number;
  /** What it is for. @default "authority" */
  readonly use?: "authority" | "server" | "client";
  /** How many CAs may follow this one. @default any number */
  readonly pathLength?: number;
  /** Whether its key usage lets a CA sign certificates. @default true */
  readonly maySign?: boolean;
  /** Host names and IP addresses. @default none */
  readonly hosts?: readonly string[];
  /** Start of validity. @default an hour ago */
  readonly notBefore?: Date;
  /** End of validity. @default in 10 days */
  readonly notAfter?: Date;
}

const HOUR = 3_600_000;
const ECDSA_WITH_SHA256 = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const RSA_WITH_SHA256 = sequence(objectIdentifier("1.2.840.113549.1.1.11"), der(0x05));
const EXTENDED_USE = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };

/**
 * Makes a P-256 key and a certificate for it.
 *
 * @param name The common name of the subject.
 * @param options Issuer, purpose, hosts and validity.
 * @returns The certificate and its key.
 */
export function createCertificate(
  name: string,
  options: CertificateOptions = {},
): KeyedCertificate {
  const { rsaBits } = options;
  const { publicKey, privateKey } = rsaBits === undefined
    ? generateKeyPairSync("ec", { namedCurve: "P-256" })
    : generateKeyPairSync("rsa", { modulusLength: rsaBits });
  const spki = publicKey.export({ type: "spki", format: "der" });
  // The uncompressed point is the last 65 bytes of a P-256 SPKI.
  const keyId = createHash("sha1").update(spki.subarray(-65)).digest();
  const issuer = options.issuer ?? { name, privateKey, keyId };
  const { version = 3, signer = issuer } = options;
  const algorithm = signer.privateKey.asymmetricKeyType === "rsa"
    ? RSA_WITH_SHA256
    : ECDSA_WITH_SHA256;
  const body = sequence(
    // Version 1 is the default, which DER leaves out.
    ...(version === 1 ? [] : [der(0xa0, integer(Buffer.from([2])))]),
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer.name),
    sequence(
      utcTime(options.notBefore ?? new Date(Date.now() - HOUR)),
      utcTime(options.notAfter ?? new Date(Date.now() + 240 * HOUR)),
    ),
    distinguishedName(name),
    spki,
    ...(version === 1 ? [] : [der(0xa3, sequence(...extensions(options, keyId, issuer.keyId)))]),
  );
  const signature = sign("sha256", body, signer.privateKey);
  return {
    name,
    cert: pem(sequence(body, algorithm, bitString(signature))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKey,
    keyId,
  };
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectIdentifier("2.5.4.3"), utf8String(commonName))));
}

function extensions(options: CertificateOptions, keyId: Buffer, issuerKeyId: Buffer): Buffer[] {
  const { use = "authority", hosts = [], pathLength, maySign = true } = options;
  const authority = use === "authority";
  const usage = !authority || !maySign ? [7, 0x80] : hosts.length > 0 ? [1, 0x86] : [1, 0x06];
  return [
    // basicConstraints: whether it may sign others
    extension(
      "2.5.29.19",
      sequence(
        ...(authority ? [booleanTrue()] : []),
        ...(pathLength === undefined ? [] : [integer(Buffer.from([pathLength]))]),
      ),
      { critical: true },
    ),
    // keyUsage: keyCertSign and cRLSign where it signs others, digitalSignature where it serves
    extension("2.5.29.15", der(0x03, Buffer.from(usage)), { critical: true }),
    extension("2.5.29.14", octetString(keyId)),
    extension("2.5.29.35", sequence(der(0x80, issuerKeyId))),
    ...(authority ? [] : [extension("2.5.29.37", sequence(objectIdentifier(EXTENDED_USE[use])))]),
    ...(hosts.length === 0
      ? []
      : [extension("2.5.29.17", sequence(...hosts.map(alternativeName)))]),
  ];
}

function extension(
  id: string,
  content: Buffer,
  options: { readonly critical?: boolean } = {},
): Buffer {
  const critical = options.critical === true ? [booleanTrue()] : [];
  return sequence(objectIdentifier(id), ...critical, octetString(content));
}

function alternativeName(host: string): Buffer {
  if (isIPv4(host)) return der(0x87, Buffer.from(host.split(".").map(Number)));
  if (isIPv6(host)) return der(0x87, ipv6Bytes(host));
  return der(0x82, Buffer.from(host));
}

function ipv6Bytes(host: string): Buffer {
  const [head = "", tail = ""] = host.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail.split(":").filter(Boolean);
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  const groups = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
