/**
 * Faults on the way to the server.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Fault as SandboxFault } from "../sandbox/faults.ts";
import { freePort, serveHttp, serveTcp } from "../support/loopback.ts";
import { failedCheck, RUNS } from "./failed_check.ts";
import type { FaultGroup, ProvenFault } from "./fault.ts";

const LIMITED = ["--timeout", "1s"];

/** A server that breaks off; adc-run asks it thrice, and no more. */
function cutOff(fault: string, when: "before" | "during" | "after-headers"): ProvenFault {
  return failedCheck({
    fault,
    verdict: "unreachable",
    exit: 69,
    bound: "three attempts",
    message: /the connection was closed/,
    arrange: ({ sandbox }) => {
      sandbox.fault("/api", { kind: "reset", when });
      return {
        afterwards: () => {
          assert.ok(sandbox.requests.length <= 3 * RUNS, `${sandbox.requests.length} requests`);
        },
      };
    },
  });
}

/** A server that takes its time. */
function slow(fault: string, kind: SandboxFault & { readonly ms: "never" }): ProvenFault {
  return failedCheck({
    fault,
    verdict: "timeout",
    exit: 69,
    bound: "`--timeout`",
    message: /no response within 1 s[\s\S]*/,
    arrange: ({ sandbox }) => {
      sandbox.fault("/api", kind);
      return { words: LIMITED };
    },
  });
}

/** Connections that fail. */
export const CONNECTION_FAULTS: FaultGroup = {
  title: "On the way to the server",
  file: "tests/faults/connection_faults.ts",
  faults: [
    failedCheck({
      fault: "connection refused",
      verdict: "unreachable",
      exit: 69,
      bound: "three attempts",
      message: /the connection was refused \(ECONNREFUSED\)/,
      arrange: async () => ({ url: `http://127.0.0.1:${await freePort()}` }),
    }),
    failedCheck({
      fault: "no such host",
      verdict: "unreachable",
      exit: 69,
      bound: "three attempts",
      message: /no such host \(ENOTFOUND\)/,
      // No name has so long a part: the resolver says so without asking anybody.
      arrange: () => ({ url: `http://${"x".repeat(64)}.invalid` }),
    }),
    failedCheck({
      fault: "connection reset as soon as it is there",
      verdict: "unreachable",
      exit: 69,
      bound: "three attempts",
      message: /the connection was closed/,
      arrange: async () => {
        const server = await serveTcp((socket) => socket.resetAndDestroy());
        return {
          server,
          afterwards: () => assert.equal(server.connections, 3 * RUNS),
        };
      },
    }),
    cutOff("connection reset before the headers", "before"),
    cutOff("connection reset within the headers", "during"),
    cutOff("connection reset after the headers, within the body", "after-headers"),
    slow("slow headers", { kind: "slow-headers", ms: "never" }),
    slow("slow body", { kind: "slow-body", ms: "never" }),
    failedCheck({
      fault: "a body that trickles in",
      verdict: "timeout",
      exit: 69,
      bound: "`--timeout`, however much arrives meanwhile",
      message: /no response within 1 s/,
      arrange: async () => {
        const server = await serveHttp((_request, response) => {
          response.writeHead(200, { "content-type": "application/json" });
          const timer = setInterval(() => response.write(" "), 20);
          response.on("close", () => clearInterval(timer));
        });
        return { server, words: LIMITED };
      },
    }),
  ],
};
