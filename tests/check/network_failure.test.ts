import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { explainFailure, explainNoToken, judgeFailure } from "../../src/check/network_failure.ts";
import { howToSetServer, NoTokenError } from "../../src/token/resolve.ts";
import { adviseOn, type Origin } from "../../src/connection/origin.ts";
import { connect } from "../support/asking.ts";

function errorOf(message: string, code?: string, cause?: unknown): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return code === undefined ? error : Object.assign(error, { code });
}

/** What the runtimes say: OpenSSL's codes on Node, rustls' words on Deno. */
const TLS: readonly [error: Error, found: RegExp][] = [
  [errorOf("certificate has expired", "CERT_HAS_EXPIRED"), /has expired/],
  [errorOf("invalid peer certificate: Expired"), /has expired/],
  [errorOf("invalid peer certificate: certificate expired: verification time 1"), /has expired/],
  [errorOf("certificate is not yet valid", "CERT_NOT_YET_VALID"), /not valid yet/],
  [errorOf("invalid peer certificate: NotValidYet"), /not valid yet/],
  [errorOf("invalid peer certificate: certificate not valid yet: verification"), /not valid yet/],
  [
    errorOf("Hostname/IP does not match certificate's altnames", "ERR_TLS_CERT_ALTNAME_INVALID"),
    /another name/,
  ],
  [errorOf("invalid peer certificate: NotValidForName"), /another name/],
  [errorOf("invalid peer certificate: certificate not valid for name"), /another name/],
  [errorOf("self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"), /is self-signed/],
  [errorOf("in chain", "SELF_SIGNED_CERT_IN_CHAIN"), /unknown CA/],
  [errorOf("unable to verify", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"), /unknown CA/],
  [errorOf("unable to get", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"), /unknown CA/],
  [errorOf("invalid peer certificate: UnknownIssuer"), /unknown CA/],
  [errorOf("path length constraint exceeded", "PATH_LENGTH_EXCEEDED"), /more CAs in a row/],
  [errorOf("permitted subtree violation", "UNSPECIFIED"), /violates one of its own constraints/],
  [errorOf("alert", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"), /requires a client cert/],
  [errorOf("received fatal alert: CertificateRequired"), /requires a client cert/],
  [errorOf("alert", "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"), /rejected the client certificate/],
  [errorOf("received fatal alert: UnknownCA"), /rejected the client certificate/],
  [errorOf("received fatal alert: BadCertificate"), /rejected the client certificate/],
  [errorOf("alert", "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"), /rejected the client certificate/],
  [
    errorOf("key values mismatch", "ERR_OSSL_X509_KEY_VALUES_MISMATCH"),
    /rejected the client certificate/,
  ],
  [errorOf("alert", "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"), /no TLS version later than 1\.1/],
  [errorOf("received fatal alert: ProtocolVersion"), /no TLS version later than 1\.1/],
  [errorOf("wrong version number", "ERR_SSL_WRONG_VERSION_NUMBER"), /does not use TLS/],
  [errorOf("packet length too long", "ERR_SSL_PACKET_LENGTH_TOO_LONG"), /does not use TLS/],
  [errorOf("received corrupt message of type InvalidContentType"), /does not use TLS/],
  [errorOf("no start line", "ERR_OSSL_PEM_NO_START_LINE"), /the TLS handshake failed$/],
  [errorOf("write EPROTO", "EPROTO"), /the TLS handshake failed$/],
];

test("`judgeFailure()` knows a TLS failure by Node's codes and by Deno's words", () => {
  for (const [error, found] of TLS) {
    for (const thrown of [error, errorOf("fetch failed", undefined, error)]) {
      const failure = judgeFailure(thrown, 1_000);
      assert.equal(failure.verdict, "tls", error.message);
      assert.match(failure.reason, found, error.message);
      assert.notEqual(failure.suggestion, "");
    }
  }
});

test("`judgeFailure()` knows every kind of time limit", () => {
  const errors = [
    errorOf("Connect Timeout Error", "UND_ERR_CONNECT_TIMEOUT"),
    errorOf("Headers Timeout Error", "UND_ERR_HEADERS_TIMEOUT"),
    errorOf("Body Timeout Error", "UND_ERR_BODY_TIMEOUT"),
    errorOf("connect ETIMEDOUT 10.0.0.1:443", "ETIMEDOUT"),
    new DOMException("The operation was aborted due to timeout", "TimeoutError"),
    new DOMException("Signal timed out.", "TimeoutError"),
  ];
  for (const error of errors) {
    const failure = judgeFailure(error, 2_500);
    assert.deepEqual([failure.verdict, failure.reason], ["timeout", "no response within 2.5 s"]);
  }
});

test("`explainFailure()` names the proxy where nothing came through it", async () => {
  const connection = await connect("ping --server https://h", {
    env: { HTTPS_PROXY: "proxy.example:3128" },
  });
  const [server] = connection.servers;
  const error = errorOf("The operation was aborted due to timeout");
  const failure = await explainFailure(error, { connection, server: server! });
  assert.equal(failure.verdict, "timeout");
  assert.match(failure.suggestion, /proxy proxy\.example:3128 over TLS, which HTTPS_PROXY sets/);
  assert.match(failure.suggestion, /--timeout/);
});

test("`judgeFailure()` knows why a server cannot be reached", () => {
  const codes = {
    ENOTFOUND: /no such host/,
    EAI_AGAIN: /could not be resolved/,
    ECONNREFUSED: /refused/,
    ECONNRESET: /closed/,
    EPIPE: /closed/,
    UND_ERR_SOCKET: /closed before the response/,
    EHOSTUNREACH: /no route to the host/,
    ENETUNREACH: /network is unreachable/,
  };
  for (const [code, found] of Object.entries(codes)) {
    const failure = judgeFailure(errorOf("zqzq", code), 1_000);
    assert.equal(failure.verdict, "unreachable");
    assert.match(failure.reason, found);
    assert.ok(failure.reason.endsWith(` (${code})`));
  }
});

test("`judgeFailure()` looks at all addresses that were tried, and at the causes", () => {
  const both = new AggregateError([errorOf("::1", "ECONNREFUSED"), errorOf("v4", "ECONNREFUSED")]);
  for (const error of [both, errorOf("failed", undefined, both), errorOf("failed", "X", both)]) {
    assert.equal(judgeFailure(error, 1).reason, "the connection was refused (ECONNREFUSED)");
  }
});

test("`judgeFailure()` tells a proxy that refuses from a host that is named after one", () => {
  const aborted = errorOf("Proxy response (407) !== 200 when HTTP Tunneling", "UND_ERR_ABORTED");
  assert.match(judgeFailure(aborted, 1).reason, /^the proxy refused/);
  const tls = errorOf("Secure Proxy Connection failed", "UND_ERR_PRX_TLS");
  assert.match(judgeFailure(tls, 1).reason, /^the proxy refused/);
  const lookUp = errorOf("getaddrinfo ENOTFOUND apiproxy.example", "ENOTFOUND");
  assert.match(judgeFailure(lookUp, 1).reason, /^no such host/);
});

test("`judgeFailure()` makes something of anything that is thrown", () => {
  const loop = new Error("loop");
  loop.cause = loop;
  for (const thrown of [loop, new Error("odd"), "text", undefined, null, 7, { code: 7 }, {}]) {
    const failure = judgeFailure(thrown, 1_000);
    assert.equal(failure.verdict, "unreachable");
    assert.match(failure.reason, /^no response \(/);
  }
});

test("`judgeFailure()` reads no verdict out of a host's name", () => {
  for (const host of ["self-signed.example", "untrusted.example", "certificate-required.example"]) {
    for (const code of ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED"]) {
      const failure = judgeFailure(errorOf(`getaddrinfo ${code} ${host}`, code), 1);
      assert.equal(failure.verdict, "unreachable", `${host}: ${failure.reason}`);
      assert.doesNotMatch(failure.suggestion, /tls|certificate/);
    }
  }
});

test("`judgeFailure()` tells a server that speaks something else from one that speaks HTTP badly", () => {
  for (
    const [code, reason, suggestion] of [
      ["HPE_INVALID_CONSTANT", "the server does not speak HTTP", /https:/],
      ["HPE_CR_EXPECTED", "the response breaks the rules of HTTP/1.1", /^ADC would reject it too/],
      ["HPE_UNEXPECTED_CONTENT_LENGTH", "the response breaks the rules of HTTP/1.1", /any proxy/],
    ] as const
  ) {
    const failure = judgeFailure(errorOf("Parse Error", code), 1);
    assert.deepEqual([failure.verdict, failure.reason], ["unreachable", reason]);
    assert.match(failure.suggestion, suggestion);
  }
});

test("a server that nothing names and nobody runs is what is missing, not a token", async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  const named = await connect(`sync --server http://127.0.0.1:${port}`);
  // Where ADC's default is would depend on the machine.
  const unnamed = { ...named, server: { ...named.server, origin: { kind: "default" } as const } };
  const error = new NoTokenError(named, [{ source: "env", status: "absent", detail: "x" }]);
  assert.equal(await explainNoToken(error, unnamed), error, "something answers");
  await new Promise((resolve) => listener.close(resolve));
  const missing = await explainNoToken(error, unnamed);
  assert.equal(missing.message, "No server is set");
  assert.equal(missing.suggestion, "Start with: adc-run auth login --server URL");
  assert.deepEqual([missing.exitCode, missing.trail], [77, []]);
  assert.equal(await explainNoToken(error, named), error, "a server is named");
  const refused = errorOf("connect", "ECONNREFUSED");
  const [server] = unnamed.servers;
  const { suggestion } = await explainFailure(refused, { connection: unnamed, server: server! });
  assert.equal(suggestion, "No server is set. Start with: adc-run auth login --server URL");
  const profile = { name: "prod", file: "config.json", project: false, explicit: true };
  assert.equal(
    howToSetServer({ profile }),
    "Set it with: adc-run profile set prod --server URL",
  );
  assert.equal(
    howToSetServer({ profile: { ...profile, project: true } }),
    "Start with: adc-run -p prod auth login --server URL",
  );
});

test("advice on the server or its group names the place that sets it", async () => {
  const connection = await connect("sync --server http://h");
  const named = { kind: "profile", name: "prod", key: "server", project: false } as const;
  const suggestionFor = async (origin: Origin) => {
    const server = { value: "http://h", origin };
    const terms = { connection: { ...connection, server }, server: connection.servers[0]! };
    return (await explainFailure(errorOf("connect", "ECONNREFUSED"), terms)).suggestion;
  };
  const cases: readonly (readonly [Origin, string])[] = [
    [{ kind: "flag", name: "--server" }, "--server"],
    [{ kind: "environment", name: "ADC_SERVER" }, "ADC_SERVER"],
    [{ kind: "env-file", name: "ADC_SERVER", file: ".env" }, "ADC_SERVER in .env"],
    [named, '"server" of profile "prod" (adc-run profile set prod --server URL)'],
    [{ kind: "env-file", name: "ADC_SERVER", file: "$&.env" }, "ADC_SERVER in $&.env"],
    [{ ...named, project: true }, '"server" of profile "prod" in adc-run.json'],
  ];
  for (const [origin, place] of cases) {
    assert.equal(
      await suggestionFor(origin),
      `Check the address in ${place}, and that the server is running.`,
    );
  }
  const group = "Set --gateway-group or ADC_GATEWAY_GROUP.";
  assert.equal(adviseOn(group, connection), group);
  const gatewayGroup = { value: "x", origin: { ...named, key: "gatewayGroup" } };
  assert.equal(
    adviseOn(group, { ...connection, gatewayGroup }),
    'Set "gatewayGroup" of profile "prod" (adc-run profile set prod --gateway-group NAME).',
  );
});
