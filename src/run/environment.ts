import { delimiter } from "node:path";
import type { AdcArguments } from "../adc/arguments.ts";
import { type Connection, connectionVariables } from "../connection/connection.ts";
import { actsAtStart, effectOf } from "../connection/pinned_target.ts";
import { addressSecrets } from "../connection/server.ts";
import { type Environment, variableIn, variableName } from "../context.ts";
import { MIN_SECRET_LENGTH, Secret, tokenPrefix } from "../secret.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { isWayToTokens, withoutWaysToTokens } from "../token/sources.ts";
import { sentToken, splitTokens, trimToken } from "../token/token_value.ts";
import type { Program } from "./locate.ts";

export type ChildEnvironment = Record<string, string | undefined>;

/** On Windows the variable is there by any case, and the child would get one of them. */
function setVariable(child: ChildEnvironment, name: string, value: string | undefined): void {
  for (const each of Object.keys(child)) if (variableName(each) === name) delete child[each];
  if (value !== undefined) child[name] = value;
}

export function childEnvironment(connection: Connection, env: Environment): ChildEnvironment {
  // The whole, but for that: ADC fills `${NAME}` in adc.yaml from it.
  const child = withoutWaysToTokens(env);
  // A file named with --env-file stands in for `.env`, whose variables ADC would load by itself.
  if (connection.envFile.name !== ".env") {
    for (const [name, value] of connection.envFile.entries()) {
      if (!isWayToTokens(name) && !actsAtStart(name) && variableIn(child, name) === undefined) {
        child[name] = value;
      }
    }
  }
  for (const [name, value] of Object.entries(connectionVariables(connection))) {
    setVariable(child, name, value);
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
  setVariable(child, "ADC_TOKEN", token.reveal());
}

/** The files that were started as ADC, by an adc-run and by one inside of it. */
const STARTED_ADC = "ADC_RUN_STARTED_ADC";

export function isStartedAdc({ name }: Pick<Program, "name">, env: Environment): boolean {
  return env[STARTED_ADC]?.split(delimiter).includes(name) ?? false;
}

/** A script in ADC's place that calls adc-run is told; another program may start what it likes. */
export function markStartedAdc(
  child: ChildEnvironment,
  adc: Pick<Program, "name"> | undefined,
): void {
  child[STARTED_ADC] = adc &&
    [...child[STARTED_ADC]?.split(delimiter) ?? [], adc.name].join(delimiter);
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
  const { backend, args, envFile, servers } = connection;
  const others = [...visibleTokens(args, env), ...tokensIn((name) => envFile.get(name))];
  return [
    ...sentToken(token) === undefined ? [] : splitTokens(token, backend.value),
    // A password is withheld from the child; a short one is a word that would garble the output.
    ...[...secrets, new Secret(env.API7_PASSWORD ?? "")].filter(isLong),
    ...others.flatMap((secret) => splitTokens(trimToken(secret, backend.value), backend.value)),
    ...servers.flatMap((server) => server.secrets),
    // Those of proxies that this run goes past are in the child's environment too.
    ...[...Object.entries(env), ...envFile.entries()].flatMap(([name, value = ""]) =>
      effectOf(name) === "proxy" ? addressSecrets(value) : []
    ),
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
