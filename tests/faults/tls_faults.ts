/**
 * Faults of certificates. The token must not have left: the server saw no request.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Sandbox, SandboxOptions } from "../sandbox/sandbox_options.ts";
import { failedCheck } from "./failed_check.ts";
import type { FaultGroup, ProvenFault } from "./fault.ts";

function certificate(
  fault: string,
  message: RegExp,
  options: SandboxOptions,
  files: (sandbox: Sandbox) => Readonly<Record<string, string>> = ({ ca }) => ({
    ADC_CA_CERT_FILE: ca,
  }),
): ProvenFault {
  return failedCheck({
    fault,
    verdict: "tls",
    exit: 69,
    bound: "the handshake, and a second one of 2 s that finds the reason",
    message,
    sandbox: { https: true, ...options },
    arrange: ({ sandbox }) => ({
      env: files(sandbox),
      afterwards: () => assert.deepEqual(sandbox.requests, [], "no request was sent"),
    }),
  });
}

/** Certificates that are not accepted. */
export const TLS_FAULTS: FaultGroup = {
  title: "TLS",
  file: "tests/faults/tls_faults.ts",
  faults: [
    certificate(
      "server certificate of an unknown CA",
      /signed by an unknown CA/,
      {},
      ({ otherCa }) => ({ ADC_CA_CERT_FILE: otherCa }),
    ),
    certificate("server certificate that has expired", /certificate has expired/, {
      expiredCertificate: true,
    }),
    certificate("server certificate for another name", /certificate is for another name/, {
      wrongName: true,
    }),
    certificate("client certificate missing", /client certificate/, { clientCertificate: true }),
    certificate(
      "client certificate of another CA",
      /client certificate/,
      { clientCertificate: true },
      ({ ca, otherClientCert, otherClientKey }) => ({
        ADC_CA_CERT_FILE: ca,
        ADC_TLS_CLIENT_CERT_FILE: otherClientCert,
        ADC_TLS_CLIENT_KEY_FILE: otherClientKey,
      }),
    ),
  ],
};
