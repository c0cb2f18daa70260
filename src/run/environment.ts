import type { AdcArguments } from "../adc/arguments.ts";
import { type Connection, connectionVariables } from "../connection/connection.ts";
import { actsAtStart, variableName } from "../connection/env_names.ts";
import { addressSecrets } from "../connection/server.ts";
import type { Environment } from "../context.ts";
import { MIN_SECRET_LENGTH, Secret, tokenPrefix } from "../secret.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { isWayToTokens, withoutWaysToTokens } from "../token/sources.ts";
import { sentToken, splitTokens, trimToken } from "../token/token_value.ts";

export type ChildEnvironment = Record<string, string | undefined>;

/** On Windows the variable is there by any case. */
function withdraw(name: string, child: ChildEnvironment): void {
  for (const each of Object.keys(child)) if (variableName(each) === name) delete child[each];
}

export function childEnvironment(connection: Connection, env: Environment): ChildEnvironment {
  // The whole, but for that: ADC fills `${NAME}` in adc.yaml from it.
  const child = withoutWaysToTokens(env);
  // A file named with --env-file stands in for `.env`, whose variables ADC would load by itself.
  if (connection.envFile.name !== ".env") {
    for (const [name, value] of connection.envFile.entries()) {
      if (!isWayToTokens(name) && !actsAtStart(name)) child[name] ??= value;
    }
  }
  for (const [name, value] of Object.entries(connectionVariables(connection))) {
    if (value === undefined) withdraw(name, child);
    else child[name] = value;
  }
  return child;
}

/**
 * Gives the child its token. One that it was made with is not the child's to have: wherever it stands, the
 * child's own takes its place.
 */
export function handOver(
  child: ChildEnvironment,
  { token, lease }: Pick<ResolvedToken, "token" | "lease">,
  { envFile }: Pick<Connection, "envFile">,
): void {
  const parent = lease?.parent?.reveal();
  // ADC would load a variable of `.env` by itself, unless it is set.
  const variables = { ...Object.fromEntries(envFile.entries()), ...child };
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined && value.trim() === parent) child[name] = token.reveal();
  }
  child.ADC_TOKEN = token.reveal();
}

/**
 * Collects the secrets that the child could print: the token, tokens of other sources that it can see,
 * and the passwords in addresses. Secrets of less than four characters cannot be masked.
 */
export function secretsOf(
  connection: Connection,
  { token, secrets = [] }: Pick<ResolvedToken, "token" | "secrets">,
  env: Environment,
): readonly Secret[] {
  const { backend, args, envFile, servers, proxies } = connection;
  const others = [...visibleTokens(args, env), ...tokensIn((name) => envFile.get(name))];
  return [
    ...sentToken(token) === undefined ? [] : splitTokens(token, backend.value),
    // A password is withheld from the child; a short one is a word that would garble the output.
    ...[...secrets, new Secret(env.API7_PASSWORD ?? "")].filter(isLong),
    ...others.flatMap((secret) => splitTokens(trimToken(secret, backend.value), backend.value)),
    ...servers.flatMap(addressSecrets),
    ...proxies.flatMap((proxy) => proxy ? proxyPassword(proxy.url) : []),
  ].filter((secret) => secret.reveal() !== "");
}

/**
 * The tokens that a child can see though no source was asked: those in its environment, and what was
 * taken out of its argv.
 */
export function visibleTokens(
  args: AdcArguments,
  env: Environment,
): readonly Secret[] {
  const given = args.tokens.map((token) => new Secret(token.reveal().trim()));
  return [...given.filter(isLong), ...tokensIn((name) => env[name])];
}

/** The two names that a token goes by; others use `API_KEY` too. */
function tokensIn(get: (name: string) => string | undefined): readonly Secret[] {
  const key = get("API_KEY");
  return [get("ADC_TOKEN"), key && tokenPrefix(key.trim()) ? key : undefined]
    .map((value = "") => new Secret(value.trim()))
    .filter(isLong);
}

function isLong(secret: Secret): boolean {
  return secret.reveal().length >= MIN_SECRET_LENGTH;
}

function proxyPassword(url: Secret): readonly Secret[] {
  const { password } = new URL(url.reveal());
  return password === "" ? [] : [new Secret(decodeURIComponent(password))];
}
