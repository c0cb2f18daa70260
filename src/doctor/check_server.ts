import { VERDICTS } from "../check/verdict.ts";
import type { Verdict } from "../check/verdict.ts";
import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin } from "../connection/origin.ts";
import { EXIT } from "../errors.ts";
import type { Contact } from "./contact_servers.ts";
import type { Found } from "./finding.ts";

/** A clock that is further off is worth a line, in milliseconds. */
const MAX_SKEW = 60_000;

/** Further off than that, tokens end at another time than adc-run says, in milliseconds. */
const BAD_SKEW = 5 * 60_000;

/** Says whether the servers can be reached. */
export function checkServers(contacts: readonly Contact[]): readonly Found[] {
  return contacts.map(({ server, failure, status }): Found => {
    const { display } = server;
    if (failure !== undefined && failure.verdict !== "tls") {
      const { verdict, found, suggestion } = failure;
      return {
        status: "failed",
        found: `${display} cannot be reached: ${found}`,
        suggestion,
        exitCode: VERDICTS[verdict].exit,
        data: { server: display, verdict },
      };
    }
    if (status === 407) {
      return {
        status: "failed",
        found: `${display} cannot be reached: a proxy asks for a log-in (407)`,
        suggestion: "Put user and password into HTTP_PROXY or HTTPS_PROXY.",
        exitCode: EXIT.unavailable,
        data: { server: display, status },
      };
    }
    if (status !== undefined && (status >= 500 || status === 429)) {
      return {
        status: "failed",
        found: `${display} answers ${status}`,
        suggestion: "Look at the server's own log, or try again later.",
        exitCode: EXIT.unavailable,
        data: { server: display, verdict: "server-error" satisfies Verdict, status },
      };
    }
    return { status: "ok", found: `${display} answers`, data: { server: display } };
  });
}

/** Says whether what answers is the backend that ADC will take it for. */
export function checkBackend(
  contacts: readonly Contact[],
  { connection, verdict }: {
    readonly connection: Pick<Connection, "backend">;
    readonly verdict: Verdict | undefined;
  },
): readonly Found[] {
  const { value: expected, origin } = connection.backend;
  // Whatever it looks like: a server that deals with the token as expected is the right one.
  const fits = verdict !== undefined && VERDICTS[verdict].tokenKnown;
  return contacts.map(({ server, failure, status, backend, software }): Found => {
    const { display } = server;
    if (failure?.verdict === "tls") {
      return { status: "skipped", found: `${display} was not asked: TLS is in the way` };
    }
    if (failure !== undefined || status === undefined || status >= 500) {
      return { status: "skipped", found: `${display} does not answer` };
    }
    const data = {
      server: display,
      expected,
      answers: backend ?? null,
      software: software ?? null,
    };
    const shown = software === undefined ? "" : ` (${software})`;
    if (backend === expected || (backend === undefined && fits)) {
      return {
        status: "ok",
        found: `${BACKENDS[expected].title} answers at ${display}${shown}`,
        data,
      };
    }
    if (backend === undefined) {
      return {
        status: "failed",
        found: `what answers at ${display} is no Admin API that ADC knows (${status})${shown}`,
        suggestion:
          "Look at --server (ADC_SERVER): the port of the Admin API differs from those of " +
          "the gateway and, for Apache APISIX, the dashboard.",
        exitCode: EXIT.config,
        data,
      };
    }
    return {
      status: fits ? "warning" : "failed",
      found:
        `${
          BACKENDS[backend].title
        } answers at ${display}${shown}, and the backend is "${expected}" ` +
        `(${describeOrigin(origin)})`,
      suggestion: `Set --backend ${backend} or ADC_BACKEND=${backend}.`,
      ...(!fits && { exitCode: EXIT.config }),
      data,
    };
  });
}

/** Compares the clocks. */
export function checkClock(contacts: readonly Contact[]): readonly Found[] {
  const told = contacts.filter((each) => each.skew !== undefined);
  if (told.length === 0) return [{ status: "skipped", found: "no server tells the time" }];
  return told.map(({ server, skew = 0 }): Found => {
    const off = Math.abs(skew);
    const data = { server: server.display, skewSeconds: Math.round(skew / 1000) };
    if (off <= MAX_SKEW) {
      return { status: "ok", found: `${server.display} and this machine agree on the time`, data };
    }
    const way = skew > 0 ? "ahead of" : "behind";
    return {
      status: "warning",
      found: `the clock of ${server.display} is ${spell(off)} ${way} this machine's`,
      suggestion: off <= BAD_SKEW
        ? "Set the clocks by a time server: tokens and sessions end by the server's."
        : "Set the clocks by a time server: tokens and sessions end earlier or later than adc-run says, " +
          "a short-lived one may be dead at birth, and certificates may seem to have expired.",
      data,
    };
  });
}

function spell(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
