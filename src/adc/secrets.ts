/**
 * What must not be seen in the child's output.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Connection } from "../connection/connection.ts";
import type { Environment } from "../connection/origin.ts";
import { Secret, tokenPrefix } from "../secret.ts";
import { splitTokens } from "../token/token_value.ts";

/** A value of another source that is shorter is more likely a word than a token. */
const SHORTEST = 8;

/**
 * Collects the secrets that the child could print: the token, tokens of other sources that it can see,
 * and the passwords in addresses.
 *
 * @param connection The connection.
 * @param token The token of the run; for `apisix-standalone` it may be a list.
 * @param options The environment.
 * @returns The secrets, some of them perhaps twice.
 */
export function secretsOf(
  connection: Connection,
  token: Secret,
  { env }: { readonly env: Environment },
): readonly Secret[] {
  const { backend, args, envFile, servers, proxies } = connection;
  const list = backend.value === "apisix-standalone";
  const others = [
    ...args.tokens.map((each) => each.reveal()),
    env.ADC_TOKEN,
    envFile.get("ADC_TOKEN"),
    ...[env.API_KEY, envFile.get("API_KEY")].filter((key) => key && tokenPrefix(key)),
  ].filter((value) => value !== undefined && value.length >= SHORTEST);
  return [
    ...splitTokens(token, list),
    ...others.flatMap((value) => splitTokens(new Secret(value!), list)),
    ...servers.flatMap(({ authorization }) =>
      authorization ? [authorization, passwordIn(authorization)] : []
    ),
    ...proxies.flatMap((proxy) => proxy ? proxyPassword(proxy.url) : []),
  ].filter((secret) => secret.reveal() !== "");
}

function passwordIn(authorization: Secret): Secret {
  const pair = Buffer.from(authorization.reveal().replace(/^Basic /, ""), "base64").toString();
  return new Secret(pair.slice(pair.indexOf(":") + 1));
}

function proxyPassword(url: Secret): readonly Secret[] {
  const { password } = new URL(url.reveal());
  return password === "" ? [] : [new Secret(decodeURIComponent(password))];
}
