import { Buffer } from "node:buffer";
import type { Environment } from "../context.ts";
import { ConnectionError, EXIT } from "../errors.ts";
import { MIN_SECRET_LENGTH, Secret } from "../secret.ts";
import { type Setting, wrongValue } from "./origin.ts";

/**
 * One server that ADC will talk to.
 * @category Connection
 */
export interface Server {
  /** The base address without its trailing slashes, as ADC's requests start: `https://host:7443/prefix`. */
  readonly base: URL;
  /** Scheme, host and port: what a token belongs to. */
  readonly origin: string;
  /** The address for messages: without a user name or password that it may hold. */
  readonly display: string;
  /** The `Authorization` header that the address' user name and password make, as axios makes it. */
  readonly authorization: Secret | undefined;
  /** What must not be seen of the address: its password, as it is written and as it is sent. */
  readonly secrets: readonly Secret[];
}

/**
 * The servers that a value names, if every ADC finds the same ones in it: the Rust ADC takes any value for
 * a list, and an address that is not written out is put together from its parts in different ways.
 */
export function readServers(
  setting: Setting<string>,
  list: boolean,
  usualScheme: "http" | "https" = "https",
): readonly Server[] {
  const text = trimAddress(setting);
  if (list) {
    return text.split(",").map((part) => readServer(part.replace(/^ +/, ""), setting, usualScheme));
  }
  if (text.includes(",")) {
    throw wrongValue(
      setting.origin,
      "the server's address contains a comma, and only apisix-standalone has several servers",
      { suggestion: "Give one server; write a comma in its path as %2C." },
    );
  }
  return [readServer(text, setting, usualScheme)];
}

/**
 * An address without the white space around it. A flag's stays in ADC's words, where a blank or a byte
 * order mark at the wrong end would become part of the address; `URL` drops all others by itself.
 */
export function trimAddress({ value, origin }: Setting<string>): string {
  return origin.kind === "flag" ? value.replace(/^[\t-\r ]+|[\t\n\r]+$/g, "") : value.trim();
}

function readServer(
  text: string,
  { origin }: Setting<string>,
  usualScheme: "http" | "https",
): Server {
  const usual = 'Use an address such as "https://gateway.example.com:7443".';
  const refuse = (found: string, suggestion = usual): never => {
    throw wrongValue(origin, `the server's address ${found}`, { suggestion });
  };
  if (text === "") refuse("is empty");
  // deno-lint-ignore no-control-regex
  if (/[\s\0-\x1f\x7f-\x9f]/.test(text)) refuse("contains whitespace");
  if (text.includes("\\")) refuse("contains a backslash");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:\/\/[^/]/i.test(text)) {
    const [, scheme = usualScheme, rest = ""] =
      /^(?:(https?)(?::|(?=\/\/)))?\/*(.*)$/is.exec(text) ?? [];
    const meant = `${scheme}://${withoutUserinfo(rest)}`;
    return refuse(
      `"${withoutUserinfo(text)}" is not an http or https URL`,
      URL.canParse(meant) && !rest.includes("://") ? `Did you mean "${meant}"?` : undefined,
    );
  }
  // One with nothing behind it is none to `URL`, and moves ADC's paths behind it all the same.
  if (/[?#]/.test(text)) refuse("has a query or a fragment");
  const base = new URL(url);
  base.pathname = base.pathname.replace(/\/+$/, "");
  base.username = "";
  base.password = "";
  const display = url.origin + base.pathname.replace(/\/$/, "");
  const secrets = addressSecrets(text);
  return { base, origin: url.origin, display, authorization: basicAuthorization(url), secrets };
}

function basicAuthorization({ username, password }: URL): Secret | undefined {
  if (username === "" && password === "") return undefined;
  const pair = `${percentDecoded(username)}:${percentDecoded(password)}`;
  return new Secret(`Basic ${Buffer.from(pair).toString("base64")}`);
}

/** A shorter password is a word; masking it would garble what it occurs in. */
const MIN_PASSWORD_LENGTH = 4;

/**
 * What of an address, a server's or a proxy's, must not be seen: its password, or a user name that stands alone
 * and may be a token; as written, as `URL` writes it, decoded, and as it is sent.
 */
export function addressSecrets(address: string): readonly Secret[] {
  const [, scheme, userinfo] = /^([^/@]*:\/\/)?(.*)@/s.exec(address) ?? [];
  if (userinfo === undefined) return [];
  const url = scheme && URL.canParse(address) ? new URL(address) : undefined;
  const [name, ...rest] = userinfo.split(":");
  const forms = rest.length > 0
    ? [rest.join(":"), url?.password ?? ""]
    : [name!, url?.username ?? ""].filter((each) => each.length >= MIN_SECRET_LENGTH);
  const secrets = [...forms, ...forms.map(percentDecoded)]
    .filter((form) => form.length >= MIN_PASSWORD_LENGTH);
  const sent = url && basicAuthorization(url);
  return [...sent ? [sent] : [], ...[...new Set(secrets)].map((form) => new Secret(form))];
}

/** As axios, which sends what cannot be decoded as it is. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A password in the address must not reach a message, nor one that has a slash or an `@` in it. */
export function withoutUserinfo(text: string): string {
  return text.replace(/^([^/@]*\/\/)?.*@/s, "$1");
}

export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

export function urlOf(server: Server, path: string): URL {
  return new URL(server.base.pathname.replace(/\/$/, "") + path, server.base);
}

/** Names of this machine: a token on its way to them crosses no network. */
const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Tells whether a token on its way to this server can be read by others on the network. */
export function crossesInPlain(server: Server): boolean {
  return server.base.protocol === "http:" && !LOOPBACK.test(server.base.hostname);
}

/**
 * Holds the servers against `ADC_RUN_ALLOWED_SERVERS`, a list of origins apart by commas or white space.
 *
 * Only the environment is asked: a `.env` file comes along with a cloned repository, which must not
 * widen the list.
 */
export function requireAllowedServers(servers: Setting<readonly Server[]>, env: Environment): void {
  const text = env.ADC_RUN_ALLOWED_SERVERS;
  if (text === undefined) return;
  const allowed = text.split(/[\s,]+/).filter((entry) => entry !== "").map((entry) => {
    if (URL.canParse(entry) && new URL(entry).origin !== "null") return new URL(entry).origin;
    throw new ConnectionError(
      `Cannot use ADC_RUN_ALLOWED_SERVERS: "${withoutUserinfo(entry)}" is not an origin`,
      EXIT.config,
      { suggestion: 'List origins such as "https://gateway.example.com:7443".' },
    );
  });
  for (const server of servers.value) {
    if (allowed.includes(server.origin)) continue;
    throw wrongValue(servers.origin, `ADC_RUN_ALLOWED_SERVERS does not list "${server.origin}"`, {
      suggestion: `It lists ${allowed.join(", ") || "nothing"}. No token was sent.`,
    });
  }
}
