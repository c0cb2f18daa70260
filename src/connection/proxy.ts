import { Secret } from "../secret.ts";
import { type Layers, lookUp, type Setting, wrongValue } from "./origin.ts";
import { hostOf, type Server } from "./server.ts";

/** The proxy that a server is asked through. */
export interface Proxy {
  /** The proxy's host and port, for messages. */
  readonly host: Setting<string>;
  /** The proxy's address, which may hold a password. */
  readonly url: Secret;
}

/**
 * Finds the proxy for a server: `HTTPS_PROXY` for `https:`, `HTTP_PROXY` for `http:`, else `ALL_PROXY`;
 * lower case before upper case, and an empty variable counts as none.
 *
 * ADC loads `.env` before it makes its client, so the file's proxy variables count as well.
 */
export function proxyFor(server: Server, layers: Layers): Proxy | undefined {
  const scheme = server.base.protocol === "https:" ? "https" : "http";
  const setting = either(`${scheme}_proxy`, layers) ?? either("all_proxy", layers);
  if (setting === undefined) return undefined;
  if (isExempt(server, either("no_proxy", layers)?.value ?? "")) return undefined;
  const text = setting.value.includes("://") ? setting.value : `${scheme}://${setting.value}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol) || !isDecodable(text)) {
    throw wrongValue(setting.origin, "the proxy's address is no http or https URL");
  }
  return { host: { value: new URL(text).host, origin: setting.origin }, url: new Secret(text) };
}

/** undici sends the user name and password decoded. */
function isDecodable(text: string): boolean {
  const { username, password } = new URL(text);
  try {
    return decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}

function either(name: string, layers: Layers): Setting<string> | undefined {
  return [name, name.toUpperCase()]
    .map((spelling) => lookUp(layers, spelling))
    .find((setting) => setting !== undefined && setting.value !== "");
}

const LOOPBACK = /^(localhost|0\.0\.0\.0|127(\.\d+){3}|::1?)$/;

/**
 * Reads `NO_PROXY` as axios and its proxy-from-env do. undici, curl and others read it otherwise: for
 * them `example.com` exempts `api.example.com` too, for ADC it does not.
 */
function isExempt({ base }: Server, noProxy: string): boolean {
  if (noProxy.trim() === "*") return true;
  const host = hostOf(base).replace(/\.+$/, "");
  const port = base.port || (base.protocol === "https:" ? "443" : "80");
  return noProxy.toLowerCase().split(/[\s,]+/).filter((entry) => entry !== "").some((entry) => {
    // An address such as ::1 has colons of its own; with a port it stands in brackets.
    const [, name = entry, onlyPort] = /^([^:]*|\[.*\]):(\d+)$/.exec(entry) ?? [];
    if (onlyPort !== undefined && onlyPort !== port) return false;
    if (/^[.*]/.test(name)) return host.endsWith(name.replace(/^\*/, ""));
    const bare = name.replace(/^\[|\]$/g, "").replace(/\.+$/, "");
    return bare === host || (LOOPBACK.test(bare) && LOOPBACK.test(host));
  });
}
