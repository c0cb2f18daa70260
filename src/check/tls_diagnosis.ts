import type { Connection } from "../connection/connection.ts";
import type { Server } from "../connection/server.ts";
import { startTls } from "../http/open_socket.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { NetworkFailure } from "./network_failure.ts";
import { judgeTls } from "./network_failure.ts";

/** How long the server may take to hang up after the handshake, in milliseconds. */
const PATIENCE = 300;

/** The longest that the handshake may take, in milliseconds. */
const TIME_LIMIT = 2_000;

const HUNG_UP: NetworkFailure = {
  verdict: "tls",
  found:
    "the server hung up after the TLS handshake, as one does that asks for a client certificate",
  suggestion: "Give the right one with --tls-client-cert-file and --tls-client-key-file.",
};

/**
 * Shakes hands once more, with the verification off and nothing to say, and looks at what happens.
 *
 * With TLS 1.3 a server that misses a client certificate hangs up after the handshake, and the HTTP
 * client then reports no more than a closed connection. Deno reports an expired certificate as one of
 * an unknown CA. No token crosses this connection.
 */
export function diagnoseTls(
  server: Server,
  connection: Connection,
): Promise<NetworkFailure | undefined> {
  const diagnosis = new Promise<NetworkFailure | undefined>((resolve) => {
    const socket = startTls(server.base, { tls: connection.tls, unverified: true });
    let timer = setTimeout(() => finish(undefined), TIME_LIMIT);
    const finish = (failure: NetworkFailure | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    let shaken = false;
    socket.once("secureConnect", () => {
      shaken = true;
      const { valid_from, valid_to } = socket.getPeerCertificate();
      const now = Date.now();
      if (Date.parse(valid_to) < now) finish(judgeTls("CERT_HAS_EXPIRED"));
      else if (Date.parse(valid_from) > now) finish(judgeTls("CERT_NOT_YET_VALID"));
      else {
        clearTimeout(timer);
        timer = setTimeout(() => finish(undefined), PATIENCE);
      }
    });
    socket.once("error", (error) => finish(judgeTls(`${codeOf(error)} ${messageOf(error)}`)));
    // The alert that gives the reason may be lost with the connection.
    socket.once("close", () => finish(shaken ? HUNG_UP : undefined));
    // A stream that nobody reads does not notice its end.
    socket.resume();
  });
  // Files that hold no certificate or key of use throw; the first failure has told that.
  return diagnosis.catch(() => undefined);
}
