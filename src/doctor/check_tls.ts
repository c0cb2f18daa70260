import { oneLine } from "../check/response.ts";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin } from "../connection/origin.ts";
import { crossesInPlain } from "../connection/server.ts";
import type { Server } from "../connection/server.ts";
import { oneSignal } from "../http/http_client.ts";
import { shakeHands } from "../http/open_socket.ts";
import { EXIT } from "../errors.ts";
import type { Contact } from "./contact_servers.ts";
import type { Found } from "./finding.ts";

const DAY = 24 * 60 * 60 * 1000;

/** A certificate that ends sooner is worth a line, in days. */
const SOON = 30;

/** What `checkTls` is told. */
interface CheckTlsOptions {
  readonly connection: Connection;
  /** Ends the look at the certificates. */
  readonly signal: AbortSignal | undefined;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Says how the servers' certificates are. Whether they can be verified, the requests have shown; the name
 * and the days come from a handshake of its own.
 */
export async function checkTls(
  contacts: readonly Contact[],
  options: CheckTlsOptions,
): Promise<readonly Found[]> {
  const findings = contacts.map((contact, index) => {
    const proxied = options.connection.proxies[index] !== undefined;
    return checkOne(contact, { ...options, proxied });
  });
  return await Promise.all(findings);
}

async function checkOne(
  { server, failure }: Contact,
  { connection, signal, now, proxied }: CheckTlsOptions & { readonly proxied: boolean },
): Promise<Found> {
  const { display } = server;
  if (server.base.protocol !== "https:") {
    if (!crossesInPlain(server)) {
      return { status: "skipped", found: `${display} is on this machine, without TLS` };
    }
    return {
      status: "warning",
      found: `${display} is asked without TLS: others on the network can read the token`,
      suggestion: "Use an https address.",
    };
  }
  if (failure !== undefined && failure.verdict !== "tls") {
    return { status: "skipped", found: `${display} does not answer` };
  }
  const certificate = proxied ? undefined : await lookAtCertificate(server, connection, signal);
  const about = certificate && describe(certificate, now());
  if (failure !== undefined) {
    return {
      status: "failed",
      found: `${display}: ${failure.found}${about === undefined ? "" : `; it is ${about.text}`}`,
      suggestion: failure.suggestion,
      exitCode: EXIT.unavailable,
      ...(about && { data: about.data }),
    };
  }
  const { skipVerify, caCertFile } = connection.tls;
  if (skipVerify.value) {
    return {
      status: "warning",
      found: `${display}: its certificate is not verified (${describeOrigin(skipVerify.origin)})` +
        (about === undefined ? "" : `; it is ${about.text}`),
      suggestion: "Name the CA that signed it with --ca-cert-file or ADC_CA_CERT_FILE instead: " +
        "whoever sits in between can take the token.",
      ...(about && { data: about.data }),
    };
  }
  const by = caCertFile === undefined ? "" : ` by ${describeOrigin(caCertFile.origin)}`;
  if (about === undefined) {
    const why = proxied ? "the connection goes through a proxy" : "the second handshake failed";
    return {
      status: "ok",
      found:
        `${display}: its certificate is verified${by}; how long it lasts is not known, for ${why}`,
    };
  }
  const found = `${display}: its certificate is verified${by}: ${about.text}`;
  if (about.days < SOON) {
    return { status: "warning", found, suggestion: "Renew it on the server.", data: about.data };
  }
  return { status: "ok", found, data: about.data };
}

function describe(
  { subject, issuer, names, ends }: CertificateReport,
  now: number,
): { readonly text: string; readonly days: number; readonly data: Record<string, unknown> } {
  const days = Math.floor((ends - now) / DAY);
  const shown = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  const end = days < 0
    ? `ended ${new Date(ends).toISOString().slice(0, 10)}`
    : `${days} day${days === 1 ? "" : "s"} left`;
  return {
    text: oneLine(`for ${shown || subject}, signed by "${issuer}", ${end}`),
    days,
    data: { subject, issuer, names, ends: new Date(ends).toISOString(), daysLeft: days },
  };
}

/** The longest that the handshake may take, in milliseconds. */
const TIME_LIMIT = 5_000;

/** What a certificate says. */
interface CertificateReport {
  /** Whom it was made for. */
  readonly subject: string;
  /** Who signed it. */
  readonly issuer: string;
  /** The names and addresses that it is for. */
  readonly names: readonly string[];
  /** When it ends, in milliseconds. */
  readonly ends: number;
}

/**
 * Shakes hands with a server, verifying nothing, and reads its certificate. No token crosses the
 * connection, which goes past any proxy.
 */
async function lookAtCertificate(
  server: Server,
  connection: Connection,
  signal: AbortSignal | undefined,
): Promise<CertificateReport | undefined> {
  const end = oneSignal([signal], TIME_LIMIT);
  try {
    const socket = await shakeHands(server.base, {
      tls: connection.tls,
      unverified: true,
      signal: end.signal,
    });
    const { subject, issuer, subjectaltname, valid_to } = socket.getPeerCertificate();
    socket.destroy();
    return {
      subject: nameOf(subject),
      issuer: nameOf(issuer),
      names: (subjectaltname ?? "").split(", ").filter((name) => name !== "").map((name) =>
        name.replace(/^(DNS|IP Address):/, "")
      ),
      ends: Date.parse(valid_to),
    };
  } catch {
    // Whatever is wrong there, or with the files, the requests have told.
    signal?.throwIfAborted();
    return undefined;
  } finally {
    end.liftLimit();
  }
}

function nameOf(name: { readonly CN?: unknown; readonly O?: unknown } | undefined): string {
  const text = [name?.CN ?? name?.O ?? ""].flat()[0];
  return String(text);
}
