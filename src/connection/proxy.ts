/**
 * The proxy that ADC's requests go through, by the variables that axios, ADC's HTTP client, reads.
 *
 * @module
 */

import { lookUp, wrongValue } from "./layers.ts";
import type { Layers } from "./layers.ts";
import type { Setting } from "./origin.ts";
import type { Server } from "./server.ts";
import { Secret } from "../secret.ts";

/** The proxy for a scheme, and the hosts that are asked without it. */
export interface Proxy {
  /** The proxy's host and port, for messages. */
  readonly host: Setting<string>;
  /** The proxy's address, which may hold a password. */
  readonly url: Secret;
  /** The value of `NO_PROXY`; empty where there is none. */
  readonly noProxy: string;
}

/**
 * Finds the proxy for a server: `HTTPS_PROXY` for `https:`, `HTTP_PROXY` for `http:`, else `ALL_PROXY`;
 * lower case before upper case, and an empty variable counts as none.
 *
 * ADC loads `.env` before it makes its client, so the file's proxy variables count as well.
 *
 * @param server The server that is to be asked.
 * @param layers Environment and `.env`.
 * @returns The proxy, or `undefined` for a direct connection. `NO_PROXY` is not applied yet.
 * @throws {ConnectionError} The variable holds no URL.
 */
export function proxyFor(server: Server, layers: Layers): Proxy | undefined {
  const scheme = server.base.protocol === "https:" ? "https" : "http";
  const setting = either(`${scheme}_proxy`, layers) ?? either("all_proxy", layers);
  if (setting === undefined) return undefined;
  const text = setting.value.includes("://") ? setting.value : `${scheme}://${setting.value}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw wrongValue(setting.origin, "the proxy's address is no http or https URL");
  }
  return {
    host: { value: new URL(text).host, origin: setting.origin },
    url: new Secret(text),
    noProxy: either("no_proxy", layers)?.value ?? "",
  };
}

function either(name: string, layers: Layers): Setting<string> | undefined {
  return [name, name.toUpperCase()]
    .map((spelling) => lookUp(layers, spelling))
    .find((setting) => setting !== undefined && setting.value !== "");
}
