import type { Connection } from "../connection/connection.ts";
import type { Server } from "../connection/server.ts";
import { startTls } from "../http/open_socket.ts";

/** The longest that the handshake may take, in milliseconds. */
const TIME_LIMIT = 5_000;

/** What a certificate says. */
export interface CertificateReport {
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
export async function lookAtCertificate(
  server: Server,
  connection: Connection,
  signal: AbortSignal | undefined,
): Promise<CertificateReport | undefined> {
  const report = new Promise<CertificateReport | undefined>((resolve) => {
    const socket = startTls(server.base, { tls: connection.tls, unverified: true });
    const finish = (result?: CertificateReport) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      socket.destroy();
      resolve(result);
    };
    const abort = () => finish();
    const timer = setTimeout(finish, TIME_LIMIT);
    signal?.addEventListener("abort", abort, { once: true });
    socket.once("secureConnect", () => {
      const { subject, issuer, subjectaltname, valid_to } = socket.getPeerCertificate();
      finish({
        subject: nameOf(subject),
        issuer: nameOf(issuer),
        names: (subjectaltname ?? "").split(", ").filter((name) => name !== "").map((name) =>
          name.replace(/^(DNS|IP Address):/, "")
        ),
        ends: Date.parse(valid_to),
      });
    });
    // Listened to for as long as the socket is there: one that nobody hears would end the process.
    socket.on("error", () => finish());
    socket.once("close", () => finish());
  });
  // Files that hold no certificate or key of use throw; the requests have told that.
  const result = await report.catch(() => undefined);
  signal?.throwIfAborted();
  return result;
}

function nameOf(name: { readonly CN?: unknown; readonly O?: unknown } | undefined): string {
  const text = [name?.CN ?? name?.O ?? ""].flat()[0];
  return String(text);
}
