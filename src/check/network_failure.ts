import { connect } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Connection } from "../connection/connection.ts";
import { adviseOn, describeOrigin } from "../connection/origin.ts";
import type { Server } from "../connection/server.ts";
import { codeOf, messageOf, throwIfNotCapable } from "../errors.ts";
import { startTls } from "../http/open_socket.ts";
import { howToSetServer, NoTokenError } from "../token/resolve.ts";
import type { Judgement } from "./response.ts";

export async function explainFailure(
  error: unknown,
  { connection, server }: { readonly connection: Connection; readonly server: Server },
): Promise<NetworkFailure> {
  const judged = judgeFailure(error, connection.timeoutMs.value);
  const failure = { ...judged, suggestion: adviseOn(judged.suggestion, connection) };
  if (failure.verdict === "unreachable" && connection.server.origin.kind === "default") {
    return { ...failure, suggestion: `No server is set. ${howToSetServer(connection)}` };
  }
  const proxy = connection.proxies[connection.servers.indexOf(server)];
  if (proxy !== undefined && ["unreachable", "timeout"].includes(failure.verdict)) {
    const host = proxy.host.value + (proxy.url.reveal().startsWith("https:") ? " over TLS" : "");
    const way = `The request goes through proxy ${host}, which ` +
      `${describeOrigin(proxy.host.origin)} sets. Check that, and NO_PROXY.`;
    const suggestion = failure.verdict === "timeout" ? `${way} ${failure.suggestion}` : way;
    return { ...failure, suggestion };
  }
  if ((error as { readonly atProxy?: boolean } | undefined)?.atProxy) {
    return { ...failure, reason: failure.reason.replaceAll("the server", "the proxy") };
  }
  const unclear =
    (failure.verdict === "tls" && !/^ERR_CHAIN_(?!NOT_SHOWN)/.test(codeOf(error) ?? "")) ||
    failure.cutOff === true;
  if (server.base.protocol !== "https:" || proxy !== undefined || !unclear) return failure;
  return await diagnoseTls(server, connection, failure) ?? failure;
}

/** Where nothing names a server, and none listens at ADC's default, it is not the token that is missing. */
export async function explainNoToken<T>(
  error: T,
  connection: Connection,
): Promise<T | NoTokenError> {
  const { server, servers: [first] } = connection;
  if (!(error instanceof NoTokenError) || server.origin.kind !== "default") return error;
  return await listens(first!) ? error : new NoTokenError(connection, [], { serverIsSet: false });
}

function listens({ base }: Server): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: base.hostname, port: Number(base.port) });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIME_LIMIT, () => finish(false));
    socket.once("connect", () => finish(true)).once("error", () => finish(false));
  });
}

export interface NetworkFailure extends Judgement {
  readonly suggestion: string;
  /** Whether the connection was cut off, for which TLS may be the reason. @default false */
  readonly cutOff?: boolean | undefined;
}

const CA_HINT =
  "Set the CA that signed it with --ca-cert-file or ADC_CA_CERT_FILE; --tls-skip-verify turns verification off.";

const NO_HTTP1 = "the server does not support HTTP/1.1";

const HTTP1_HINT = "ADC needs it: enable it alongside HTTP/2, or use a port that supports it.";

/** What a TLS failure says, by our own code, by OpenSSL's (Node.js), or by rustls' words (Deno). */
const TLS_FAILURES: readonly (readonly [RegExp, string, string])[] = [
  [
    /^HUNG_UP$/,
    "the server closed the connection after the TLS handshake; it may require a client certificate",
    "Set the right one with --tls-client-cert-file and --tls-client-key-file.",
  ],
  [
    /^WEAK_KEY$/,
    "this runtime rejects the server's certificate even unverified: its key is too short or of an unsupported type",
    "Use a server certificate with an RSA key of at least 2048 bits or an elliptic-curve key; or run " +
    "adc-run with Node.js.",
  ],
  [
    /CHAIN_EXPIRED/,
    "the server's certificate, or the CA's that signed it, has expired",
    "Renew it on the server, or in the file set with --ca-cert-file or ADC_CA_CERT_FILE.",
  ],
  [
    /CHAIN_VERSION/,
    "the server's certificate, or one that signed it, is version 1, which does not state its purpose",
    "Reissue it as version 3. A version 1 CA is trusted only if --ca-cert-file or ADC_CA_CERT_FILE names it.",
  ],
  [
    /CHAIN_NO_CA|INVALID_CA|key usage does not include certificate signing/,
    "the server's certificate was signed by a certificate that is not a CA",
    "Have it signed by a CA. If this is unexpected, somebody may be trying to read the token.",
  ],
  [
    /PATH_LENGTH/,
    "the server's certificate was signed by more CAs in a row than one of them allows",
    "Have it signed by a CA whose basicConstraints allow as many CAs below it.",
  ],
  [
    /(key|certificate key) too (weak|small)/i,
    "the key of the server's certificate is too short for this runtime",
    "Use a server certificate with an RSA key of at least 2048 bits, or an elliptic-curve key.",
  ],
  [
    /\bUNSPECIFIED\b|CERT_(REVOKED|REJECTED)/,
    "the server's certificate, or one that signed it, violates one of its own constraints",
    "Check its extensions, such as name constraints or an unknown critical one: openssl x509 -text.",
  ],
  [
    /INVALID_PURPOSE/,
    "the server's certificate, or one that signed it, was issued for another purpose",
    "Have it issued for a server and signed by a CA.",
  ],
  [
    /CHAIN_SIGNATURE|CERT_SIGNATURE_FAILURE/,
    "the server's certificate names a CA that did not sign it",
    "Check the address: somebody may be trying to read the token. Or the file set with " +
    "--ca-cert-file or ADC_CA_CERT_FILE holds an older CA of the same name.",
  ],
  [
    /CHAIN_NOT_SHOWN/,
    "the server's certificates cannot be verified: this runtime does not expose them",
    "Use another runtime, such as Node.js, or remove --ca-cert-file and ADC_CA_CERT_FILE.",
  ],
  [
    /CERT_HAS_EXPIRED|certificate (has )?expired|peer certificate: Expired/i,
    "the server's certificate has expired",
    "Renew it on the server; --tls-skip-verify turns verification off.",
  ],
  [
    /NOT_YET_VALID|not (yet valid|valid yet)|NotValidYet/i,
    "the server's certificate is not valid yet",
    "Check the clocks on both sides.",
  ],
  [
    /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|ProtocolVersion/,
    "the server supports no TLS version later than 1.1",
    "Enable TLS 1.2 or later there: ADC needs it too.",
  ],
  [/NO_APPLICATION_PROTOCOL|NoApplicationProtocol/i, NO_HTTP1, HTTP1_HINT],
  [
    /DEPTH_ZERO_SELF_SIGNED_CERT/,
    "the server's certificate is self-signed",
    "Set it with --ca-cert-file or ADC_CA_CERT_FILE, even if NODE_EXTRA_CA_CERTS lists it: on Deno that is not " +
    "enough. --tls-skip-verify turns verification off.",
  ],
  [
    /ALTNAME_INVALID|NotValidForName|does not match certificate|not valid for/i,
    "the server's certificate is for another name",
    "Use the name in the certificate for --server or ADC_SERVER.",
  ],
  [
    /CERTIFICATE_REQUIRED|certificate required|CertificateRequired|NoCertificatesPresented/i,
    "the server requires a client certificate",
    "Set one with --tls-client-cert-file and --tls-client-key-file.",
  ],
  [
    /ALERT_UNKNOWN_CA|ALERT_BAD_CERTIFICATE|BAD_CERTIFICATE|HANDSHAKE_FAILURE|DECRYPT_ERROR|alert.*(UnknownCA|BadCertificate|HandshakeFailure)|(KEY_VALUES_MISMATCH|key values mismatch)/i,
    "the TLS handshake failed: the server rejected the client certificate or the TLS settings",
    "Check --tls-client-cert-file and --tls-client-key-file: the server may require them.",
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST|InvalidContentType|corrupt message/i,
    "the server does not use TLS on that port",
    "Should the address start with http:// instead of https://?",
  ],
  [
    /CHAIN_UNKNOWN_CA|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|self-signed|UnknownIssuer|unknown issuer|CaUsedAsEndEntity|unable to (verify|get)|UNTRUSTED|CERT_CHAIN|INVALID_CA/i,
    "the server's certificate was signed by an unknown CA",
    CA_HINT,
  ],
  [
    /\bERR_(TLS|SSL|OSSL)|\bCERT_|peer certificate|tls handshake|received fatal alert|\bEPROTO\b/im,
    "the TLS handshake failed",
    "Check the files set with --ca-cert-file, --tls-client-cert-file and --tls-client-key-file, or with " +
    "ADC_CA_CERT_FILE, ADC_TLS_CLIENT_CERT_FILE and ADC_TLS_CLIENT_KEY_FILE.",
  ],
];

const TIMEOUTS =
  /UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ETIMEDOUT|TimeoutError|aborted due to timeout/i;

const LOOK_AT_ADDRESS =
  "Check the address in --server or ADC_SERVER, and that the server is running.";

/** With these there was no connection that TLS could have failed on. */
const NO_CONNECTION: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host name could not be resolved",
  ECONNREFUSED: "the connection was refused",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network is unreachable",
};

const CUT_OFF = "the connection was closed";

const BROKEN_CONNECTION: Readonly<Record<string, string>> = {
  ECONNRESET: CUT_OFF,
  EPIPE: CUT_OFF,
  UND_ERR_SOCKET: `${CUT_OFF} before the response was complete`,
  UND_ERR_REQ_RETRY: `${CUT_OFF} before the response was complete`,
  HPE_HEADER_OVERFLOW: "the response headers are too long",
  UND_ERR_HEADERS_OVERFLOW: "the response headers are too long",
};

const HTTP_FAILURES: readonly (readonly [RegExp, string, string])[] = [
  [
    // undici's own words: "proxy" alone may be part of a host's name.
    /Proxy (response|Authentication)|Proxy ?Connection|UND_ERR_PRX/i,
    "the proxy refused the request",
    "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
  ],
  [
    /\bERR_CONTENT_ENCODING\b/,
    "the response has an encoding that cannot be decoded",
    "adc-run asks for no encoding. Check any proxy in front of the server.",
  ],
  [/\bHTTP2_ONLY\b/, NO_HTTP1, HTTP1_HINT],
  [
    /\bHPE_(?!HEADER_OVERFLOW|INVALID_CONSTANT)/,
    "the response breaks the rules of HTTP/1.1",
    "ADC would reject it too. Check the server, and any proxy in front of it.",
  ],
  [
    /\bHPE_INVALID_CONSTANT\b/,
    "the server does not speak HTTP",
    `Should the address start with https://? ${LOOK_AT_ADDRESS}`,
  ],
];

export function judgeFailure(error: unknown, timeout: number): NetworkFailure {
  const chain = flatten(error);
  chain.forEach(throwIfNotCapable);
  const words = chain.map((each) =>
    `${each instanceof Error ? each.name : ""} ${codeOf(each) ?? ""} ${messageOf(each)}`
  ).join("\n");
  const codes = chain.map((each) => codeOf(each) ?? "");
  // Before anything else is read out of their words, which hold the host's name, whatever that is.
  const unmet = codes.find((each) => each in NO_CONNECTION);
  if (unmet !== undefined) return unreachable(`${NO_CONNECTION[unmet]} (${unmet})`);
  const tls = judgeTls(words);
  if (tls !== undefined) return tls;
  if (TIMEOUTS.test(words)) {
    return {
      verdict: "timeout",
      reason: `no response within ${timeout / 1000} s`,
      suggestion: "Check the server's load and the network, or allow more time with --timeout.",
    };
  }
  const known = HTTP_FAILURES.find(([pattern]) => pattern.test(words));
  if (known !== undefined) {
    const [status = ""] = /(?<=Proxy response )\(\d+\)/.exec(words) ?? [];
    return unreachable(`${known[1]} ${status}`.trimEnd(), known[2]);
  }
  const code = codes.find((each) => each in BROKEN_CONNECTION);
  if (code === undefined) {
    return unreachable(`no response (${codes.find((each) => each !== "") ?? messageOf(error)})`);
  }
  const reason = BROKEN_CONNECTION[code]!;
  return { ...unreachable(`${reason} (${code})`), cutOff: reason.startsWith(CUT_OFF) };
}

function unreachable(reason: string, suggestion = LOOK_AT_ADDRESS): NetworkFailure {
  return { verdict: "unreachable", reason, suggestion };
}

function judgeTls(words: string): NetworkFailure | undefined {
  const known = TLS_FAILURES.find(([pattern]) => pattern.test(words));
  return known && { verdict: "tls", reason: known[1], suggestion: known[2] };
}

function flatten(error: unknown, depth = 0): readonly unknown[] {
  if (depth > 5 || error === undefined || error === null) return [];
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  return [
    error,
    ...(Array.isArray(errors) ? errors.flatMap((each) => flatten(each, depth + 1)) : []),
    ...flatten(cause, depth + 1),
  ];
}

/** Deno and Bun report such a certificate as one of an unknown CA. */
function isSelfSigned(socket: TLSSocket): boolean {
  const certificate = socket.getPeerX509Certificate?.();
  try {
    return certificate !== undefined && certificate.issuer === certificate.subject &&
      certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}

/** How long the server may take to hang up after the handshake, in milliseconds. */
const PATIENCE = 300;

/** The longest that the handshake may take, in milliseconds. */
const TIME_LIMIT = 2_000;

/** What Deno says of a certificate although nothing is to be verified. */
const REFUSED_ANYWAY = /SELF_SIGNED|UNABLE_TO_|UnknownIssuer/;

/**
 * Shakes hands once more, with the verification off and nothing to say, and looks at what happens.
 *
 * With TLS 1.3 a server that misses a client certificate hangs up after the handshake, and the HTTP
 * client then reports no more than a closed connection. Deno reports an expired certificate as one of
 * an unknown CA. No token crosses this connection.
 */
function diagnoseTls(
  server: Server,
  connection: Connection,
  { suggestion }: NetworkFailure,
): Promise<NetworkFailure | undefined> {
  const diagnosis = new Promise<NetworkFailure | undefined>((resolve) => {
    const socket = startTls(server.base, { tls: connection.tls, unverified: true });
    let timer = setTimeout(() => finish(), TIME_LIMIT);
    const finish = (words = "") => {
      clearTimeout(timer);
      socket.destroy();
      resolve(judgeTls(words));
    };
    let shaken = false;
    socket.once("secureConnect", () => {
      shaken = true;
      const { valid_from, valid_to } = socket.getPeerCertificate();
      const now = Date.now();
      if (Date.parse(valid_to) < now) finish("CERT_HAS_EXPIRED");
      else if (Date.parse(valid_from) > now) finish("CERT_NOT_YET_VALID");
      else if (suggestion === CA_HINT && isSelfSigned(socket)) {
        finish("DEPTH_ZERO_SELF_SIGNED_CERT");
      } else {
        clearTimeout(timer);
        timer = setTimeout(() => finish(), PATIENCE);
      }
    });
    socket.once("error", (error) => {
      const words = `${codeOf(error)} ${messageOf(error)}`;
      finish(REFUSED_ANYWAY.test(words) ? "WEAK_KEY" : words);
    });
    // The alert that gives the reason may be lost with the connection.
    socket.once("close", () => finish(shaken ? "HUNG_UP" : ""));
    // A stream that nobody reads does not notice its end.
    socket.resume();
  });
  // Files that hold no certificate or key of use throw; the first failure has told that.
  return diagnosis.catch(() => undefined);
}
