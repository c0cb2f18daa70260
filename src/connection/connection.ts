import process from "node:process";
import { type AdcArguments, needsBackend, readAdcArguments } from "../adc/arguments.ts";
import { ADC_SETTINGS, type AdcFlags, readTimeLimit, type SettingKey } from "../adc/settings.ts";
import { type Environment, variableName } from "../context.ts";
import { reasonOf } from "../errors.ts";
import { Secret } from "../secret.ts";
import { isNode } from "../system/programs.ts";
import { type Backend, BACKEND_NAMES, BACKENDS, DEFAULT_BACKEND, isBackend } from "./backends.ts";
import { type EnvFile, readEnvFile, readNamedFile } from "./env_file.ts";
import {
  type Layers,
  type Origin,
  type Profile,
  readSetting,
  type Setting,
  wrongValue,
} from "./origin.ts";
import {
  actsAtStart,
  effectOf,
  namesFromDotEnv,
  overridesOf,
  readTarget,
  refuseEffects,
  refuseUntrustedOverrides,
} from "./pinned_target.ts";
import { type Proxy, proxyFor, proxyWarnings } from "./proxy.ts";
import {
  crossesInPlain,
  readServers,
  requireAllowedServers,
  type Server,
  trimAddress,
} from "./server.ts";
import { type PemFile, readTls, requireUsableTls, type Tls } from "./tls.ts";

/**
 * Where and how ADC will connect.
 * @category Connection
 */
export interface Connection {
  /** The kind of gateway; ADC's default is `apisix`. */
  readonly backend: Setting<Backend>;
  /** The server, or the servers, for messages; ADC's default is `http://localhost:9180`. */
  readonly server: Setting<string>;
  /** The value of `--server` or `ADC_SERVER` as it was given; it may hold a password. */
  readonly serverValue: Secret;
  /** The servers that the value names: one, or for `apisix-standalone` one and more. */
  readonly servers: readonly Server[];
  /** The gateway group's name, which only `api7ee` uses; ADC's default is `default`. */
  readonly gatewayGroup: Setting<string>;
  /** The time limit of a request in milliseconds; ADC's default is 10,000. */
  readonly timeoutMs: Setting<number>;
  /** Certificates and verification. */
  readonly tls: Tls;
  /** The proxy for each of the servers, `undefined` where there is none. */
  readonly proxies: readonly (Proxy | undefined)[];
  /** ADC's words on the command line, taken apart. */
  readonly args: AdcArguments;
  /** The environment file that the token may come from. */
  readonly envFile: EnvFile;
  /** The `.env` in the working directory, which ADC loads by itself; most often the same. */
  readonly dotEnv: EnvFile;
  /**
   * What the `.env` in the working directory decides of the way to the server: a proxy, a CA, or that nothing
   * is verified. A token stored for the server is not used then.
   */
  readonly overrides: readonly Origin[];
  /** The profile in use; `undefined` if there is none, or if it was ignored. */
  readonly profile: Profile | undefined;
  /** What a person should know before the run, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Options for {@linkcode resolveConnection}.
 * @category Connection
 */
export interface ConnectionOptions extends AdcFlags {
  /** The environment. @default process.env */
  readonly env?: Environment | undefined;
  /** The working directory. @default process.cwd() */
  readonly cwd?: string | undefined;
  /** ADC's command and all that follows it; or the same, taken apart. @default [] */
  readonly args?: readonly string[] | AdcArguments;
  /**
   * An environment file to read instead of `.env` in the working directory; or one that was read, for a pipe
   * can be read only once.
   */
  readonly envFile?: string | EnvFile | undefined;
  /** A named target, whose values come after `.env`. @default none */
  readonly profile?: Profile | undefined;
}

/**
 * Decides where and how ADC will connect, the way ADC does: flag, environment, `.env`, ADC's default.
 *
 * It reads files and makes no request.
 *
 * @category Connection
 * @param options The environment, ADC's words, and the working directory.
 * @returns The connection, with the origin of every value.
 * @throws {UsageError} An option has no value.
 * @throws {ConnectionError} A value cannot be used; `exitCode` is 64 for a flag and 78 for anything else.
 *
 * @example
 * ```ts
 * import { resolveConnection } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const connection = await resolveConnection({
 *   args: ["sync", "--backend", "api7ee"],
 *   env: { ADC_SERVER: "https://gateway.example.com:7443" },
 *   cwd: "/nowhere",
 * });
 * assert.equal(connection.backend.value, "api7ee");
 * assert.deepEqual(connection.server.origin, { kind: "environment", name: "ADC_SERVER" });
 *
 * // The same without ADC's words.
 * const { server } = await resolveConnection({ backend: "api7ee", server: "https://gw:7443" });
 * assert.equal(server.value, "https://gw:7443");
 * ```
 */
export async function resolveConnection(options: ConnectionOptions = {}): Promise<Connection> {
  const { env = process.env, cwd = process.cwd(), args: given = [] } = options;
  const words = "flags" in given ? given : await readAdcArguments(given);
  // What an option says stands for the flag of the same name.
  const named = Object.entries(options)
    .filter(([key, value]) => Object.hasOwn(ADC_SETTINGS, key) && value !== undefined);
  const args = { ...words, flags: { ...words.flags, ...Object.fromEntries(named) } };
  if (args.ambiguous !== undefined && needsBackend(args)) {
    const { flag: name, found, suggestion } = args.ambiguous;
    throw wrongValue({ kind: "flag", name }, found, { suggestion });
  }
  const dotEnv = await readEnvFile(".env", cwd);
  const file = typeof options.envFile === "string"
    ? await readNamedFile(options.envFile, cwd)
    : options.envFile;
  const envFile = file === undefined || file.name === ".env" ? dotEnv : file;
  const names = namesFromDotEnv({ dotEnv, envFile, env });
  refuseEffects(names, dotEnv);
  const target = readTarget({
    flags: args.flags,
    env,
    files: [envFile],
    profile: options.profile,
  });
  const { profile, layers } = target;
  // ADC reads `.env` whatever adc-run was told. What adc-run sets in ADC's environment hides it; these
  // settings have no value that means "none", so those of `.env` remain in force behind the named file.
  const adcLayers: Layers = envFile === dotEnv ? layers : { ...layers, files: [envFile, dotEnv] };

  const backend = readBackend(target.backend);
  const server: Setting<string> = target.server ??
    { value: "http://localhost:9180", origin: { kind: "default" } };
  const { hasServerList, usualScheme } = BACKENDS[backend.value];
  const servers = readServers(server, hasServerList, usualScheme);
  requireAllowedServers({ value: servers, origin: server.origin }, env);
  const gatewayGroup: Setting<string> = target.gatewayGroup ??
    { value: "default", origin: { kind: "default" } };
  const tls = readTls(adcLayers, cwd);
  const proxies = servers.map((each) => proxyFor(each, adcLayers));
  const overrides = overridesOf(names.filter((name) => dotEnv.get(name) !== ""), tls);
  refuseUntrustedOverrides({ env, profile, tls, overrides });
  const isSecure = servers.some(({ base }) => base.protocol === "https:") ||
    proxies.some((each) => each?.url.reveal().startsWith("https:"));
  if (isSecure) requireUsableTls(tls, cwd);
  return {
    backend,
    server: { value: servers.map(({ display }) => display).join(", "), origin: server.origin },
    serverValue: new Secret(trimAddress(server)),
    servers,
    gatewayGroup,
    timeoutMs: await readTimeout(layers),
    tls,
    proxies,
    args,
    envFile,
    dotEnv,
    overrides,
    profile,
    warnings: [
      ...target.warnings,
      ...warningsOf({ env, envFile, servers }),
      ...proxyWarnings(proxies, { overrides, layers: adcLayers }),
    ],
  };
}

function readBackend(setting: Setting<string> | undefined): Setting<Backend> {
  if (setting === undefined) return { value: DEFAULT_BACKEND, origin: { kind: "default" } };
  const { value, origin } = setting;
  if (isBackend(value)) return { value, origin };
  throw wrongValue(origin, `"${value}" is not a backend of ADC`, {
    suggestion: `Backends: ${BACKEND_NAMES.join(", ")}.`,
  });
}

async function readTimeout(layers: Layers): Promise<Setting<number>> {
  const text = readSetting("timeout", layers);
  if (text === undefined) return { value: 10_000, origin: { kind: "default" } };
  const { origin } = text;
  const handedOn = origin.kind === "profile" ? "in milliseconds" : "as it is";
  const limit = await readTimeLimit(text.value, { handedOn });
  if ("milliseconds" in limit) return { value: limit.milliseconds, origin };
  throw wrongValue(origin, limit.found, { suggestion: limit.suggestion });
}

function warningsOf(
  { env, envFile, servers }: {
    readonly env: Environment;
    readonly envFile: EnvFile;
    readonly servers: readonly Server[];
  },
): readonly string[] {
  const warnings = servers.filter(crossesInPlain).map((server) =>
    `The token will be sent to ${server.display} unencrypted. Use https.`
  );
  if (envFile.unreadable !== undefined) {
    warnings.push(`${envFile.name} is ignored: ${reasonOf(envFile.unreadable)}.`);
  }
  const left = envFile.name === ".env"
    ? []
    : [...envFile.entries()].map(([name]) => name).filter(actsAtStart);
  // Node.js looks for --env-file among a script's own words, and loads the file before the script.
  const applied = isNode() ? left.filter((each) => env[each] === envFile.get(each)) : [];
  const ignored = left.filter((each) => !applied.includes(each));
  if (applied.length > 0) {
    warnings.push(
      `Node.js has already applied ${applied.join(", ")} from ${envFile.name}. Use ` +
        `ADC_RUN_ENV_FILE=${envFile.name} instead of --env-file.`,
    );
  }
  if (ignored.length > 0) {
    warnings.push(
      `Ignoring ${ignored.join(", ")} in ${envFile.name}: ` +
        "an env file may not set variables that control how programs start.",
    );
  }
  if (env.ADC_TOKEN?.trim() === "" && envFile.get("ADC_TOKEN")?.trim()) {
    warnings.push(
      `ADC_TOKEN is exported but empty, which hides the one in ${envFile.name} from ADC. ` +
        `adc-run uses the one in ${envFile.name}; unset the empty one.`,
    );
  }
  return warnings;
}

function settingsOf(
  { backend, server, gatewayGroup, timeoutMs, tls }: Connection,
): Readonly<Record<SettingKey, Setting<string | number | boolean> | undefined>> {
  return {
    backend,
    server,
    gatewayGroup: BACKENDS[backend.value].hasGatewayGroups ? gatewayGroup : undefined,
    timeout: timeoutMs,
    caCertFile: pathOf(tls.caCertFile),
    tlsClientCertFile: pathOf(tls.clientCertFile),
    tlsClientKeyFile: pathOf(tls.clientKeyFile),
    tlsSkipVerify: tls.skipVerify,
  };
}

function pathOf(file: Setting<PemFile> | undefined): Setting<string> | undefined {
  return file && { ...file, value: file.value.path };
}

/**
 * The variables that tell ADC of the connection; `undefined` for one that must not be there. What came from
 * a flag stays a flag, and what is ADC's own default is not told: adc.yaml may have `${ADC_GATEWAY_GROUP}`,
 * which stays as it is where nobody set that. Only what a `.env` would set otherwise is told all the same.
 */
export function connectionVariables(
  connection: Connection,
): Readonly<Record<string, string | undefined>> {
  const { serverValue, envFile, dotEnv, overrides } = connection;
  const variables: Record<string, string | undefined> = {};
  // Proxies that `.env` names are those of the check: in other words to the Rust ADC, which expands `$NAME`,
  // and npm's names, which only old versions ask for, are none.
  for (const each of overrides) {
    if (each.kind !== "env-file" || effectOf(each.name) !== "proxy") continue;
    const { name } = each;
    variables[name] = /^npm_/i.test(name) ? "" : dotEnv.get(name);
  }
  for (const [key, setting] of Object.entries(settingsOf(connection))) {
    const { variable } = ADC_SETTINGS[key as SettingKey];
    if (variable === undefined || setting === undefined || setting.origin.kind === "flag") continue;
    const isHidden = envFile !== dotEnv &&
      (dotEnv.get(variable) !== undefined || dotEnv.ambiguous.has(variableName(variable)));
    if (setting.origin.kind === "default" && !isHidden) continue;
    const value = key === "server" ? serverValue.reveal() : setting.value;
    // Any value of a switch turns it on, "false" too, for all but the Rust ADC.
    variables[variable] = value === false ? undefined : String(value);
  }
  return variables;
}

interface DescribedSetting {
  readonly value: string | number | boolean;
  readonly origin: Origin | { readonly kind: "file"; readonly name: string };
}

/** The connection as data, without secrets, for `--json` and `--dry-run`. */
export function describeConnection(connection: Connection): Record<string, DescribedSetting> {
  const { proxies, profile } = connection;
  const proxy = proxies.find((each) => each !== undefined)?.host;
  const settings = Object.entries({ ...settingsOf(connection), proxy })
    .filter(([, setting]) => setting !== undefined)
    .map(([key, setting]) => [key === "timeout" ? "timeoutMs" : key, setting]);
  return {
    ...(profile && {
      profile: { value: profile.name, origin: { kind: "file", name: profile.file } },
    }),
    ...Object.fromEntries(settings),
  };
}
