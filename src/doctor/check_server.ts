import { explainFailure, type NetworkFailure } from "../check/network_failure.ts";
import {
  errorMessageOf,
  isAddressRefusal,
  isJson,
  isTemporary,
  judgeStatus,
  oneLine,
  parseObject,
} from "../check/response.ts";
import { type Verdict, VERDICTS } from "../check/verdict.ts";
import { type Backend, BACKEND_NAMES, BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin, isFromProject } from "../connection/origin.ts";
import type { Proxy } from "../connection/proxy.ts";
import { crossesInPlain, type Server } from "../connection/server.ts";
import type { Context, Environment } from "../context.ts";
import { EXIT } from "../errors.ts";
import { type HttpClient, type HttpResponse, openHttpClient } from "../http/http_client.ts";
import { isOlder } from "./check_adc.ts";
import { tryToken } from "./check_token.ts";
import type { AdcVersion, Facts, Given, Outcome } from "./diagnose.ts";
import { failed, type Found, ok, skipped, warning } from "./finding.ts";

/** A clock that is further off is worth a line, in milliseconds. */
const MAX_SKEW = 60_000;

/** Further off than that, tokens end at another time than adc-run says, in milliseconds. */
const BAD_SKEW = 5 * 60_000;

export async function checkServers(given: Given<"connection">): Promise<Outcome> {
  const contacts = await contactServers(given.connection, given);
  return { findings: contacts.map(judgeContact), facts: { contacts } };
}

function judgeContact({ server: { display }, failure, status }: Contact): Found {
  if (failure !== undefined && failure.verdict !== "tls") {
    const { verdict, reason, suggestion } = failure;
    const data = { server: display, verdict };
    const exitCode = VERDICTS[verdict].exit;
    return failed(`${display} cannot be reached: ${reason}`, suggestion, { exitCode, data });
  }
  const { unavailable: exitCode } = EXIT;
  if (status === 407) {
    const found = `${display} cannot be reached: the proxy requires a login (407)`;
    const suggestion = "Put the user name and password in HTTP_PROXY or HTTPS_PROXY.";
    return failed(found, suggestion, { exitCode, data: { server: display, status } });
  }
  if (status !== undefined && isTemporary(status)) {
    const data = { server: display, verdict: "server-error" satisfies Verdict, status };
    const suggestion = "Check the server's log, or try again later.";
    return failed(`${display} answered ${status}`, suggestion, { exitCode, data });
  }
  return ok(`${display} answers`, { server: display });
}

export async function checkBackend(
  given: Given<"connection" | "survey" | "contacts">,
): Promise<Outcome> {
  const { contacts, connection: { backend } } = given;
  const trial = await tryToken(given);
  const { checked } = trial;
  // Whatever it looks like: a server that deals with the token as expected is the right one.
  const fits = checked !== undefined && VERDICTS[checked.verdict].tokenKnown;
  const findings = contacts.map((contact) => judgeBackend(contact, { ...trial, backend, fits }));
  const misplaced = findings.some(({ status }) => status === "failed");
  return { findings, facts: { trial: { ...trial, misplaced } } };
}

function judgeBackend(
  { server: { display }, failure, status, backend, software, shut }: Contact,
  { backend: { value: expected, origin }, fits, version }: Pick<Connection, "backend"> & {
    readonly fits: boolean;
    readonly version?: string | undefined;
  },
): Found {
  if (failure?.verdict === "tls") return skipped(`${display} not checked: TLS failed`);
  if (failure !== undefined || status === undefined || status >= 500) {
    return skipped(`${display} does not answer`);
  }
  if (shut) {
    return skipped(`${display} does not allow this IP address, so its type is unknown`);
  }
  const data = { server: display, expected, answers: backend ?? null, software: software ?? null };
  const { config: exitCode } = EXIT;
  const shown = software === undefined ? "" : ` (${software})`;
  if (backend === expected || (backend === undefined && fits)) {
    const found = `${display} is ${BACKENDS[expected].title}${shown}`;
    return version === undefined
      ? ok(found, data)
      : ok(`${found}, version ${version}`, { ...data, version });
  }
  if (backend === undefined) {
    return failed(
      `${display} is not an Admin API that ADC supports (${status})${shown}`,
      "Check --server or ADC_SERVER: the Admin API has another port than " +
        "the gateway and, for Apache APISIX, the dashboard.",
      { exitCode, data },
    );
  }
  const found = `${display} is ${BACKENDS[backend].title}${shown}, but the backend is ` +
    `"${expected}" (${describeOrigin(origin)})`;
  const suggestion = `Set --backend ${backend} or ADC_BACKEND=${backend}.`;
  return fits ? warning(found, suggestion, data) : failed(found, suggestion, { exitCode, data });
}

export function checkClock({ contacts }: Pick<Facts, "contacts">): readonly Found[] {
  const told = contacts.filter((each) => each.skew !== undefined);
  if (told.length === 0) return [skipped("no server reports the time")];
  return told.map(({ server: { display }, skew = 0 }): Found => {
    const off = Math.abs(skew);
    const data = { server: display, skewSeconds: Math.round(skew / 1000) };
    if (off <= MAX_SKEW) return ok(`${display} and this machine agree on the time`, data);
    return warning(
      `the clock of ${display} is ${spell(off)} ${skew > 0 ? "ahead of" : "behind"} this machine's`,
      off <= BAD_SKEW
        ? "Sync both clocks: tokens and sessions expire by the server's."
        : "Sync both clocks: tokens and sessions expire earlier or later than adc-run says, " +
          "a short-lived token may have expired already, and certificates may seem expired.",
      data,
    );
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

export function checkProxy(
  { connection, contacts, env, adcVersion }:
    & Context
    & Pick<Facts, "connection" | "contacts">
    & Partial<Facts>,
): readonly Found[] {
  const findings = new Map<string, Found>();
  for (const [index, proxy] of connection.proxies.entries()) {
    const contact = contacts[index];
    if (contact === undefined) continue;
    if (proxy === undefined) {
      const near = nearMiss(contact, connection, env);
      if (near !== undefined) findings.set(near, judgeWayPast(contact, near));
      continue;
    }
    if (findings.get(proxy.host.value)?.status === "failed") continue;
    const plain = contact.server.base.protocol === "https:" && adcVersion !== undefined &&
      isOlder(adcVersion, [0, 27, 0]);
    findings.set(
      proxy.host.value,
      plain ? readableByProxy(proxy, contact, adcVersion) : judgeProxy(proxy, contact),
    );
  }
  return findings.size > 0
    ? [...findings.values()]
    : [ok("none: requests go directly to the server")];
}

/** ADC's HTTP client takes CONNECT for https since ADC 0.27. */
function readableByProxy(
  { host: { value, origin } }: Proxy,
  { server: { display, base } }: Contact,
  { version }: AdcVersion,
): Found {
  return warning(
    `ADC ${version} sends requests to ${display}, token included, unencrypted to proxy ` +
      `${value} (${describeOrigin(origin)})`,
    `Use ADC 0.27 or later, or list "${base.hostname}" in NO_PROXY.`,
    { proxy: value, server: display },
  );
}

function judgeProxy(
  { host: { value, origin } }: Proxy,
  { server, failure, status }: Contact,
): Found {
  const { display, base } = server;
  const from = describeOrigin(origin);
  const found = `requests to ${display} go through proxy ${value} (${from})`;
  const data = { proxy: value, origin: from, server: display };
  if (status === 407 || (failure !== undefined && failure.verdict !== "tls")) {
    return failed(
      `${found}, but get no response`,
      "If the server is reachable without the proxy, unset it or list the server in NO_PROXY.",
      { exitCode: EXIT.unavailable, data },
    );
  }
  if (isFromProject(origin)) {
    const suggestion = "Remove it, unless you know the proxy.";
    return warning(`${found}, set by a file in this folder`, suggestion, data);
  }
  // On this machine, whatever the protocol.
  if (!crossesInPlain({ ...server, base: new URL(`http://${base.host}`) })) {
    const suggestion = `List "${base.hostname}" in NO_PROXY.`;
    return warning(`${found}, but the server is on this machine`, suggestion, data);
  }
  return ok(found, data);
}

function judgeWayPast({ server: { base, display } }: Contact, near: string): Found {
  return warning(
    `adc-run bypasses the proxy for ${display}, as NO_PROXY lists "${near}"; the TypeScript ADC matches ` +
      `that host alone, and uses the proxy`,
    `List ".${near}" or "${base.hostname}" in NO_PROXY.`,
    { server: display },
  );
}

/** For curl, the Rust ADC and others `example.com` exempts `api.example.com` too, for axios it does not. */
function nearMiss(
  { server: { base: { protocol, hostname: host } } }: Contact,
  { envFile }: Connection,
  env: Environment,
): string | undefined {
  const valueOf = (name: string) =>
    [env, Object.fromEntries(envFile.entries())].flatMap((each) => [
      each[name.toLowerCase()],
      each[name],
    ]).find((value) => value) ?? "";
  const scheme = protocol === "https:" ? "HTTPS" : "HTTP";
  if (valueOf(`${scheme}_PROXY`) + valueOf("ALL_PROXY") === "") return undefined;
  const entries = valueOf("NO_PROXY").toLowerCase().split(/[\s,]+/);
  const isClear = entries.some((entry) =>
    entry === host || (/^[.*]/.test(entry) && host.endsWith(entry.replace(/^\*/, "")))
  );
  return isClear
    ? undefined
    : entries.find((entry) =>
      /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(entry) && host.endsWith(`.${entry}`)
    );
}

export interface Contact {
  readonly server: Server;
  readonly failure: NetworkFailure | undefined;
  readonly status?: number | undefined;
  readonly software?: string | undefined;
  readonly backend?: Backend | undefined;
  readonly shut?: boolean | undefined;
  readonly skew?: number | undefined;
}

type ContactOptions = Pick<Context, "signal" | "dispatcher" | "now">;

export async function contactServers(
  connection: Connection,
  options: ContactOptions,
): Promise<readonly Contact[]> {
  const client = openHttpClient(connection, options);
  try {
    return await Promise.all(
      connection.servers.map((server) => contact({ client, connection, server }, options)),
    );
  } finally {
    await client.close();
  }
}

async function contact(
  { client, connection, server }: {
    readonly client: HttpClient;
    readonly connection: Connection;
    readonly server: Server;
  },
  { signal, now = Date.now }: ContactOptions,
): Promise<Contact> {
  const ask = (backend: Backend) =>
    client.send({ server, method: "GET", path: BACKENDS[backend].guardedPath, token: undefined });
  const expected = connection.backend.value;
  try {
    const before = now();
    const first = await ask(expected);
    const after = now();
    // nginx says in a page what is wrong with TLS.
    const { verdict, reason, suggestion = "" } = judgeStatus(first, expected) ?? {};
    if (verdict === "tls") return { server, failure: { verdict, reason: reason!, suggestion } };
    const answers = new Map([[expected, first]]);
    // One that is in trouble gives the same answer to everything.
    if (!isTemporary(first.status)) {
      const others = BACKEND_NAMES.filter((backend) => backend !== expected);
      const more = await Promise.all(others.map(async (each) => [each, await ask(each)] as const));
      for (const [backend, answer] of more) answers.set(backend, answer);
    }
    const software = first.header("server");
    const backend = BACKEND_NAMES.find((each) => {
      const answer = answers.get(each);
      return answer !== undefined && isAdminApi(answer, each);
    });
    const date = Date.parse(first.header("date") ?? "");
    return {
      server,
      failure: undefined,
      status: first.status,
      software: software && oneLine(software).slice(0, 80),
      backend,
      shut: backend === undefined && isAddressRefusal(first, expected),
      // The header has no fractions of a second: half of one is the best guess.
      skew: Number.isNaN(date) ? undefined : date + 500 - (before + after) / 2,
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { server, failure: await explainFailure(error, { connection, server }) };
  }
}

/** A refusal in JSON, or, where no token is asked for, what was asked for. */
function isAdminApi(response: HttpResponse, backend: Backend): boolean {
  const { status } = response;
  if (!isJson(response)) return false;
  if (status === 401 || status === 403) return errorMessageOf(response) !== "";
  if (status !== 200) return false;
  if (response.cut) return true;
  const keys = Object.keys(parseObject(response.body) ?? {});
  return backend === "apisix-standalone"
    ? keys.some((key) => key.endsWith("_conf_version"))
    : keys.includes("list") || keys.includes("node");
}
