import process from "node:process";
import type { Connection } from "../connection/connection.ts";
import { actsAtStart } from "../connection/env_file.ts";
import type { Environment, Setting } from "../connection/origin.ts";
import type { Secret } from "../secret.ts";

/** Ways to more tokens, which are none of the child's business. */
const WITHHELD = ["ADC_TOKEN_FILE", "ADC_TOKEN_COMMAND", "API7_USERNAME", "API7_PASSWORD"];

/**
 * The whole environment but for the ways to more tokens: ADC fills `${NAME}` in adc.yaml from it.
 */
export function plainEnvironment(
  env: Environment,
  platform: string = process.platform,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isWithheld(name, platform)));
}

function isWithheld(name: string, platform: string = process.platform): boolean {
  return WITHHELD.includes(platform === "win32" ? name.toUpperCase() : name);
}

/** What is added to the child's environment. */
export interface ChildEnvironmentOptions {
  /** The environment of adc-run. */
  readonly env: Environment;
  /** The connection, whose values are set unless they came from a flag, which stays a flag. */
  readonly connection: Connection;
  readonly token: Secret;
  /**
   * A token that the child is not to have, for it has one of its own: wherever it stands, that takes its
   * place.
   */
  readonly instead?: Secret | undefined;
}

/** The environment of a child that talks to the gateway. */
export function childEnvironment(
  { env, connection, token, instead }: ChildEnvironmentOptions,
): Record<string, string | undefined> {
  const child = plainEnvironment(env);
  // A file named with --env-file stands in for `.env`, whose variables ADC would load by itself.
  if (connection.envFile.name !== ".env") {
    for (const [name, value] of connection.envFile.entries()) {
      if (!isWithheld(name) && !actsAtStart(name)) child[name] ??= value;
    }
  }
  // ADC would load a variable of `.env` by itself, unless it is set.
  const variables = { ...Object.fromEntries(connection.envFile.entries()), ...child };
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined && value === instead?.reveal()) child[name] = token.reveal();
  }
  child.ADC_TOKEN = token.reveal();
  const { backend, server, serverValue, gatewayGroup, tls } = connection;
  const set = (name: string, setting: Setting<unknown> | undefined, value: string) => {
    if (setting !== undefined && setting.origin.kind !== "flag") child[name] = value;
  };
  set("ADC_BACKEND", backend, backend.value);
  set("ADC_SERVER", server, serverValue.reveal());
  if (backend.value === "api7ee") set("ADC_GATEWAY_GROUP", gatewayGroup, gatewayGroup.value);
  set("ADC_CA_CERT_FILE", tls.caCertFile, tls.caCertFile?.value.path ?? "");
  set("ADC_TLS_CLIENT_CERT_FILE", tls.clientCertFile, tls.clientCertFile?.value.path ?? "");
  set("ADC_TLS_CLIENT_KEY_FILE", tls.clientKeyFile, tls.clientKeyFile?.value.path ?? "");
  // Any value of this variable turns the verification off, so it is never set to "false".
  if (tls.skipVerify.value) set("ADC_TLS_SKIP_VERIFY", tls.skipVerify, "true");
  return child;
}
