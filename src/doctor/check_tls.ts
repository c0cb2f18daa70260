import { oneLine } from "../check/response.ts";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin } from "../connection/origin.ts";
import { crossesInPlain, type Server } from "../connection/server.ts";
import { EXIT } from "../errors.ts";
import { shakeHands } from "../http/open_socket.ts";
import { deadline } from "../system/deadline.ts";
import type { Contact } from "./check_server.ts";
import type { Given } from "./diagnose.ts";
import { failed, type Found, ok, skipped, warning } from "./finding.ts";

const DAY = 24 * 60 * 60 * 1000;

const SOON = 30;

/** Whether they can be verified, the requests have shown; the rest comes from a handshake of its own. */
export async function checkTls(
  given: Pick<Given<"connection" | "contacts">, "connection" | "contacts" | "signal" | "now">,
): Promise<readonly Found[]> {
  return await Promise.all(given.contacts.map((contact, index) => checkOne(contact, index, given)));
}

async function checkOne(
  { server, failure }: Contact,
  index: number,
  { connection, signal, now = Date.now }: Parameters<typeof checkTls>[0],
): Promise<Found> {
  const { display } = server;
  if (server.base.protocol !== "https:" && failure?.verdict !== "tls") {
    return crossesInPlain(server)
      ? warning(
        `${display} is reached without TLS: others on the network can read the token`,
        "Use an https address.",
      )
      : skipped(`${display} is on this machine, without TLS`);
  }
  if (failure !== undefined && failure.verdict !== "tls") {
    return skipped(`${display} does not answer`);
  }
  const proxied = connection.proxies[index] !== undefined;
  const certificate = proxied ? undefined : await readCertificate(server, connection, signal);
  const about = certificate && describeCertificate(certificate, now());
  const data = about?.data;
  const more = about === undefined ? "" : `; it is ${about.text}`;
  if (failure !== undefined) {
    const { reason, suggestion } = failure;
    const { unavailable: exitCode } = EXIT;
    return failed(`${display}: ${reason}${more}`, suggestion, { exitCode, data });
  }
  const { skipVerify, caCertFile } = connection.tls;
  if (skipVerify.value) {
    return warning(
      `${display}: certificate not verified (${describeOrigin(skipVerify.origin)})${more}`,
      "Set the CA that signed it with --ca-cert-file or ADC_CA_CERT_FILE instead: " +
        "anyone in between can steal the token.",
      data,
    );
  }
  const by = caCertFile === undefined ? "" : ` by ${describeOrigin(caCertFile.origin)}`;
  const verified = `${display}: certificate verified${by}`;
  if (about === undefined) {
    const why = proxied ? "the connection goes through a proxy" : "the second handshake failed";
    return ok(`${verified}; its expiry is unknown, as ${why}`);
  }
  const found = `${verified}: ${about.text}`;
  if (about.days >= SOON) return ok(found, data);
  const soon = `the certificate of ${display} expires soon (${about.text})`;
  return warning(soon, "Renew it on the server.", data);
}

function describeCertificate(
  { subject, issuer, names, ends }: CertificateReport,
  now: number,
): { readonly text: string; readonly days: number; readonly data: Record<string, unknown> } {
  const days = Math.floor((ends - now) / DAY);
  const shown = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  const end = days < 0
    ? `expired ${new Date(ends).toISOString().slice(0, 10)}`
    : `${days} day${days === 1 ? "" : "s"} left`;
  return {
    text: oneLine(`for ${shown || subject}, signed by "${issuer}", ${end}`),
    days,
    data: { subject, issuer, names, ends: new Date(ends).toISOString(), daysLeft: days },
  };
}

const TIME_LIMIT = 5_000;

interface CertificateReport {
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly ends: number;
}

/** Verifies nothing; no token crosses the connection, which bypasses any proxy. */
async function readCertificate(
  server: Server,
  connection: Connection,
  signal: AbortSignal | undefined,
): Promise<CertificateReport | undefined> {
  const end = deadline(TIME_LIMIT, [signal]);
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
    end.clear();
  }
}

function nameOf(name: { readonly CN?: unknown; readonly O?: unknown } | undefined): string {
  const text = [name?.CN ?? name?.O ?? ""].flat()[0];
  return String(text);
}
