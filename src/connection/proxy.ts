import process from "node:process";
import { Secret } from "../secret.ts";
import {
  describeOrigin,
  isFromProject,
  type Layers,
  lookUp,
  type Origin,
  type Setting,
  wrongValue,
} from "./origin.ts";
import { effectOf } from "./pinned_target.ts";
import { hostOf, type Server } from "./server.ts";

/**
 * The proxy that a server is asked through.
 * @category Connection
 */
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
  const lists = ["no_proxy", "NO_PROXY"].map((name) => lookUp(layers, name)?.value ?? "");
  if (lists.some((list) => isExempt(server, list))) return undefined;
  const setting = either(`${scheme}_proxy`, layers) ?? either("all_proxy", layers);
  if (setting === undefined) return undefined;
  // As axios does; to the Rust ADC one without a scheme always speaks http.
  const text = setting.value.includes("://") ? setting.value : `${scheme}://${setting.value}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw wrongValue(setting.origin, "the proxy's address is not an http or https URL");
  }
  return { host: { value: new URL(text).host, origin: setting.origin }, url: new Secret(text) };
}

/** A proxy in the environment is the owner's; one in `.env` may be news. */
export function proxyWarnings(
  proxies: readonly (Proxy | undefined)[],
  { overrides, layers }: { readonly overrides: readonly Origin[]; readonly layers: Layers },
): readonly string[] {
  const warnings: string[] = [];
  const names = overrides.flatMap((each) =>
    each.kind === "env-file" && effectOf(each.name) === "proxy" ? [each.name] : []
  );
  const ofProject = proxies.find((each) => each && isFromProject(each.host.origin))?.host;
  if (ofProject !== undefined) {
    const { value, origin } = ofProject;
    warnings.push(`Requests go through proxy ${value}, set by ${describeOrigin(origin)}.`);
  } else if (names.length > 0) {
    warnings.push(
      `Proxy settings in .env (${names.join(", ")}): no request of this run goes through them.`,
    );
  }
  const secure = proxies.find((each) => each?.url.reveal().startsWith("https:"))?.host;
  if (secure !== undefined && secure.origin.kind !== "default") {
    const { value, origin } = secure;
    if (!lookUp(layers, origin.name)?.value.includes("://")) {
      warnings.push(
        `${describeOrigin(origin)} has no scheme: one ADC uses TLS to the proxy, ` +
          `another does not. Set it to http://${value}, or https://${value} if the proxy itself uses TLS.`,
      );
    }
  }
  return warnings;
}

/** The Rust ADC prefers upper case, an empty one too. */
function either(name: string, layers: Layers): Setting<string> | undefined {
  const [lower, upper] = [lookUp(layers, name), lookUp(layers, name.toUpperCase())];
  const setting = lower?.value ? lower : upper?.value ? upper : undefined;
  if (setting === undefined || (upper ?? lower)!.value === setting.value) return setting;
  throw wrongValue(setting.origin, `${name.toUpperCase()} has another value`, {
    suggestion: "ADCs differ in which one they use: unset one of them.",
  });
}

const LOOPBACK = /^(localhost|0\.0\.0\.0|127(\.\d+){3}|::1?)$/;

/**
 * Tells whether any ADC would go past the proxy: by proxy-from-env and axios (TypeScript), whose later versions
 * know networks, or by reqwest (Rust), for which `example.com` exempts `api.example.com` too. Where they
 * differ, the token must not go through the proxy.
 */
function isExempt({ base }: Server, noProxy: string): boolean {
  const host = canonical(base.hostname);
  const port = Number(base.port || (base.protocol === "https:" ? 443 : 80));
  return noProxy.toLowerCase().split(/[\s,]+/).filter((entry) => entry !== "").some((entry) => {
    // An address such as ::1 has colons of its own, so that the last number may be a port or not. What else
    // follows a bracket counts for nothing.
    const [, beforePort = "", onlyPort] = /^(.+):(\d+)$/.exec(entry) ?? [];
    const [, inBrackets] = /^(\[.*?\])(?!:\d+$)/.exec(entry) ?? [];
    const isForPort = [0, port].includes(Number(onlyPort));
    return [entry, inBrackets, isForPort ? beforePort : undefined].some((name) =>
      name !== undefined && (covers(name, host) || covers(name, base.hostname))
    );
  });
}

function covers(entry: string, host: string): boolean {
  const name = entry.replace(/\.+$/, "");
  const [network = "", bits] = name.split("/");
  if (bits !== undefined) return isInNetwork(host.replace(/^\[|\]$/g, ""), { network, bits });
  const [, star, dots, rest = ""] = /^(\*?)(\.*)(.*)$/s.exec(name) ?? [];
  if (rest === "") return star === "*";
  const isName = dots !== "" || (!host.includes(":") && !/^[\d.]+$/.test(host));
  return [rest, canonical(rest)].some((each) =>
    host === each || (LOOPBACK.test(each) && LOOPBACK.test(host)) ||
    (star === "*" && dots === "" && host.endsWith(each)) ||
    (isName && host.endsWith(`.${each}`))
  );
}

/** One spelling for each address: without brackets, shortened, and of version 4 where it is mapped. */
function canonical(text: string): string {
  const bare = text.replace(/^\[|\]$/g, "").replace(/\.+$/, "");
  const url = `http://${bare.includes(":") ? `[${bare}]` : bare}`;
  const host = URL.canParse(url) ? hostOf(new URL(url)) : bare;
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host;
  return [high, low].map((half) => parseInt(half, 16)).flatMap((word) => [word >> 8, word & 255])
    .join(".");
}

/** Of addresses of version 4 that are mapped to version 6, the one ADC knows that they are, the other not. */
function isInNetwork(
  host: string,
  { network, bits }: { readonly network: string; readonly bits: string },
): boolean {
  if (!/^\d+$/.test(bits)) return false;
  const bare = canonical(network);
  const mapped = network.includes(":") && !bare.includes(":") ? 96 : 0;
  const { BlockList, isIP } = process.getBuiltinModule("node:net");
  return [[network, Number(bits)], [bare, Number(bits) - mapped]].some(([base, length]) => {
    if (isIP(host) === 0 || isIP(host) !== isIP(String(base))) return false;
    const family = isIP(host) === 4 ? "ipv4" : "ipv6";
    try {
      const list = new BlockList();
      list.addSubnet(String(base), Number(length), family);
      return list.check(host, family);
    } catch {
      return false;
    }
  });
}
