import type { X509Certificate } from "node:crypto";
import process from "node:process";
import type { DetailedPeerCertificate } from "node:tls";
import { certificatesIn } from "../connection/tls.ts";

/** Why a chain is not trusted; `network_failure.ts` has the words. */
type ChainFailure =
  | "UNKNOWN_CA"
  | "SIGNATURE"
  | "NO_CA"
  | "PATH_LENGTH"
  | "VERSION"
  | "EXPIRED"
  | "NOT_YET_VALID"
  | "NOT_SHOWN";

interface ShownCertificates {
  getPeerCertificate(detailed: true): Partial<DetailedPeerCertificate>;
}

/**
 * Verifies the certificates that a server sent once more: given a CA file, Deno takes one of version 1 that no
 * more than names the file's CA, and whatever such a one has signed.
 *
 * What the file holds is an anchor, trusted for being there: whatever its version, it has to have signed one of
 * those that were sent, or to be one of them.
 */
export function verifyChain(secured: ShownCertificates, pem: string): void {
  const sent = sentCertificates(secured);
  if (sent.length === 0) throw chainError("NOT_SHOWN");
  const anchors = certificatesIn(pem);
  let failure: ChainFailure | undefined;
  // From the server's own to those that signed it. Others may have been sent along that have no part in this.
  const depths = new Map(sent.slice(0, 1).map((own) => [own, 0]));
  for (const [each, depth] of depths) {
    failure = failureOf(each, { anchors, sent, depth });
    if (failure === undefined) return;
    if (failure !== "UNKNOWN_CA") continue;
    for (const other of sent) {
      if (!depths.has(other) && hasSigned(other, each)) depths.set(other, depth + 1);
    }
  }
  throw chainError(failure!);
}

function failureOf(
  certificate: X509Certificate,
  { anchors, sent, depth }: {
    readonly anchors: readonly X509Certificate[];
    readonly sent: readonly X509Certificate[];
    readonly depth: number;
  },
): ChainFailure | undefined {
  const outside = outsideOfValidity(certificate);
  if (outside !== undefined || anchors.some(({ raw }) => raw.equals(certificate.raw))) {
    return outside;
  }
  if (!isVersion3(certificate.raw)) return "VERSION";
  if (depth > 0 && !(certificate.ca && maySign(certificate))) return "NO_CA";
  if (depth - 1 > maxPathLength(certificate)) return "PATH_LENGTH";
  const signers = anchors.filter((each) => hasSigned(each, certificate));
  const limits = signers.map((each) =>
    outsideOfValidity(each) ?? (depth > maxPathLength(each) ? "PATH_LENGTH" : undefined)
  );
  // A CA may be renewed with its old key, and the file may hold both of its certificates.
  if (limits.length > 0) return limits.includes(undefined) ? undefined : limits[0];
  const named = [...anchors, ...sent].filter(({ subject }) => subject === certificate.issuer);
  const isForged = named.length > 0 && !named.some((each) => hasSigned(each, certificate));
  return isForged ? "SIGNATURE" : "UNKNOWN_CA";
}

/** Deno's `getPeerX509Certificate()` shows no more than two. */
function sentCertificates(secured: ShownCertificates): readonly X509Certificate[] {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  const sent: X509Certificate[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = secured.getPeerCertificate(true);
  while (next?.raw !== undefined) {
    const certificate = new X509Certificate(next.raw);
    // The last one of all names itself for its issuer.
    if (sent.some(({ raw }) => raw.equals(certificate.raw))) break;
    sent.push(certificate);
    next = next.issuerCertificate;
  }
  return sent;
}

function hasSigned(signer: X509Certificate, certificate: X509Certificate): boolean {
  if (signer.subject !== certificate.issuer) return false;
  try {
    return certificate.verify(signer.publicKey);
  } catch {
    // A key of a kind that the runtime does not know.
    return false;
  }
}

function outsideOfValidity({ validFrom, validTo }: X509Certificate): ChainFailure | undefined {
  const now = Date.now();
  if (!(now >= Date.parse(validFrom))) return "NOT_YET_VALID";
  return now <= Date.parse(validTo) ? undefined : "EXPIRED";
}

/**
 * `Certificate ::= SEQUENCE { SEQUENCE { [0] { INTEGER version }, …`: version 1 is the default, and left out;
 * 3 is written as 2. `X509Certificate` does not tell.
 */
function isVersion3(raw: Uint8Array): boolean {
  let at = 0;
  for (let depth = 0; depth < 2; depth++) {
    const length = raw[at + 1] ?? 0;
    at += 2 + (length > 0x80 ? length - 0x80 : 0);
  }
  return [0xa0, 3, 2, 1, 2].every((byte, index) => raw[at + index] === byte);
}

/** `basicConstraints`: how many CAs may stand between this one and a server's certificate. */
function maxPathLength({ raw }: X509Certificate): number {
  // deno-lint-ignore no-control-regex
  const constraints = /\x06\x03\x55\x1d\x13(?:\x01\x01\xff)?\x04.\x30.\x01\x01\xff\x02\x01(.)/s;
  return constraints.exec(raw.toString("latin1"))?.[1]?.charCodeAt(0) ?? Infinity;
}

/** `keyUsage`: where it is there, it has to have the bit for signing certificates. */
function maySign({ raw }: X509Certificate): boolean {
  // deno-lint-ignore no-control-regex
  const usage = /\x06\x03\x55\x1d\x0f(?:\x01\x01\xff)?\x04.\x03..(.)/s;
  const [, bits] = usage.exec(raw.toString("latin1")) ?? [];
  return bits === undefined || (bits.charCodeAt(0) & 4) !== 0;
}

function chainError(failure: ChainFailure): Error {
  const code = `ERR_CHAIN_${failure}`;
  return Object.assign(new Error(`The server's certificates are not trusted: ${code}`), { code });
}
