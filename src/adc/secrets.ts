import type { AdcArguments } from "../connection/adc_arguments.ts";
import type { Connection } from "../connection/connection.ts";
import type { Environment } from "../connection/origin.ts";
import { addressSecrets } from "../connection/server.ts";
import { Secret, SHORTEST_SECRET, tokenPrefix } from "../secret.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { splitTokens } from "../token/token_value.ts";

/** Masking a secret that is shorter would garble the output and tell where it occurs. */
const SHORTEST_KNOWN = 4;

/**
 * Collects the secrets that the child could print: the token, tokens of other sources that it can see,
 * and the passwords in addresses. Secrets of less than four characters cannot be masked.
 */
export function secretsOf(
  connection: Connection,
  { token, secrets = [] }: Pick<ResolvedToken, "token" | "secrets">,
  { env }: { readonly env: Environment },
): readonly Secret[] {
  const { backend, args, envFile, servers, proxies } = connection;
  const list = backend.value === "apisix-standalone";
  const others = [...bystanders(args, env), ...tokensIn((name) => envFile.get(name))];
  return [
    ...splitTokens(token, list),
    // A password is withheld from the child; a short one is a word that would garble the output.
    ...[...secrets, new Secret(env.API7_PASSWORD ?? "")].filter(isLong),
    ...others.flatMap((secret) => splitTokens(secret, list)),
    ...servers.flatMap(addressSecrets),
    ...proxies.flatMap((proxy) => proxy ? proxyPassword(proxy.url) : []),
  ].filter((secret) => secret.reveal().length >= SHORTEST_KNOWN);
}

/**
 * The tokens that a child can see though no source was asked: those in its environment, and what was
 * lifted out of its argv.
 */
export function bystanders(
  args: Pick<AdcArguments, "tokens">,
  env: Environment,
): readonly Secret[] {
  const lifted = args.tokens.filter((token) => token.reveal().length >= SHORTEST_SECRET);
  return [...lifted, ...tokensIn((name) => env[name])];
}

/** The two names that a token goes by; others use `API_KEY` too. */
function tokensIn(get: (name: string) => string | undefined): readonly Secret[] {
  const key = get("API_KEY");
  return [get("ADC_TOKEN"), key && tokenPrefix(key) ? key : undefined]
    .filter((value) => value !== undefined && value.length >= SHORTEST_SECRET)
    .map((value) => new Secret(value!));
}

function isLong(secret: Secret): boolean {
  return secret.reveal().length >= SHORTEST_SECRET;
}

function proxyPassword(url: Secret): readonly Secret[] {
  const { password } = new URL(url.reveal());
  return password === "" ? [] : [new Secret(decodeURIComponent(password))];
}
