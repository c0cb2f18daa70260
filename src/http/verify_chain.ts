import type { X509Certificate } from "node:crypto";
import process from "node:process";
import type { DetailedPeerCertificate } from "node:tls";
import { certificatesIn } from "../connection/tls.ts";

/** Why a chain is not trusted; `network_failure.ts` has the words. */
type ChainFailure =
  | "UNKNOWN_CA"
  | "SIGNATURE"
  | "NO_CA"
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
  const chain = sent.slice(0, 1);
  for (const each of chain) {
    failure = failureOf(each, { anchors, sent });
    if (failure === undefined) return;
    if (failure !== "UNKNOWN_CA") continue;
    chain.push(...sent.filter((other) => !chain.includes(other) && hasSigned(other, each)));
  }
  throw chainError(failure!);
}

/** Why one of the chain is not vouched for by an anchor, directly. */
function failureOf(
  certificate: X509Certificate,
  { anchors, sent }: {
    readonly anchors: readonly X509Certificate[];
    readonly sent: readonly X509Certificate[];
  },
): ChainFailure | undefined {
  const outside = outsideOfValidity(certificate);
  if (outside !== undefined || anchors.some(({ raw }) => raw.equals(certificate.raw))) {
    return outside;
  }
  if (!isVersion3(certificate.raw)) return "VERSION";
  if (certificate !== sent[0] && !certificate.ca) return "NO_CA";
  const signers = anchors.filter((each) => hasSigned(each, certificate));
  // A CA may be renewed with its old key, and the file may hold both of its certificates.
  if (signers.some((each) => outsideOfValidity(each) === undefined)) return undefined;
  if (signers[0] !== undefined) return outsideOfValidity(signers[0]);
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

function chainError(failure: ChainFailure): Error {
  const code = `ERR_CHAIN_${failure}`;
  return Object.assign(new Error(`The server's certificates are not trusted: ${code}`), { code });
}
