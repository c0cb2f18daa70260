import { type AdcArguments, readAdcArguments, readDuration } from "../adc/arguments.ts";
import { ADC_SETTINGS, type SettingKey } from "../adc/settings.ts";
import type { Context, Environment } from "../context.ts";
import { Secret } from "../secret.ts";
import { type Backend, BACKEND_NAMES, BACKENDS, DEFAULT_BACKEND, isBackend } from "./backends.ts";
import { actsAtStart, type EnvFile, readEnvFile, readNamedFile } from "./env_file.ts";
import { describeOrigin, type Layers, readSetting, type Setting, wrongValue } from "./origin.ts";
import { readTarget, refuseUntrustedOverrides } from "./pinned_target.ts";
import type { Profile } from "./profile.ts";
import { type Proxy, proxyFor } from "./proxy.ts";
import { crossesInPlain, readServers, requireAllowed, type Server } from "./server.ts";
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
  /** The gateway group's name, which `api7ee` alone looks at; ADC's default is `default`. */
  readonly gatewayGroup: Setting<string>;
  /** The time limit of a request in milliseconds, 0 for none; ADC's default is 10,000. */
  readonly timeout: Setting<number>;
  /** Certificates and verification. */
  readonly tls: Tls;
  /** The proxy for each of the servers, `undefined` where there is none. */
  readonly proxies: readonly (Proxy | undefined)[];
  /** ADC's words on the command line, taken apart. */
  readonly args: AdcArguments;
  /** The environment file that the token may come from. */
  readonly envFile: EnvFile;
  /** The profile in force; `undefined` where there is none, or where it was ignored. */
  readonly profile: Profile | undefined;
  /** What a person should know before the run, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * What {@linkcode resolveConnection} looks at.
 * @category Connection
 */
export interface ConnectionOptions extends Pick<Context, "env" | "cwd"> {
  /** ADC's command and all that follows it; or the same, taken apart. @default [] */
  readonly args?: readonly string[] | AdcArguments;
  /**
   * An environment file to read instead of `.env` in the working directory; or one that was read, for a pipe
   * can be read only once.
   */
  readonly envFile?: string | EnvFile | undefined;
  /** A named target, whose values come behind `.env`. @default none */
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
 * ```
 */
export async function resolveConnection(options: ConnectionOptions): Promise<Connection> {
  const { env, cwd } = options;
  const { args: given = [] } = options;
  const args = "flags" in given ? given : await readAdcArguments(given);
  const dotEnv = await readEnvFile(".env", cwd);
  const envFile = options.envFile === undefined
    ? dotEnv
    : typeof options.envFile === "string"
    ? await readNamedFile(options.envFile, cwd)
    : options.envFile;
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
  requireAllowed({ value: servers, origin: server.origin }, env);
  const gatewayGroup: Setting<string> = target.gatewayGroup ??
    { value: "default", origin: { kind: "default" } };
  const tls = readTls(adcLayers, cwd);
  const proxies = servers.map((each) => proxyFor(each, adcLayers));
  refuseUntrustedOverrides({ env, profile, tls, proxies });
  const isSecure = servers.some(({ base }) => base.protocol === "https:") ||
    proxies.some((each) => each?.url.reveal().startsWith("https:"));
  if (isSecure) requireUsableTls(tls, cwd);
  return {
    backend,
    server: { value: servers.map(({ display }) => display).join(", "), origin: server.origin },
    serverValue: new Secret(server.value),
    servers,
    gatewayGroup,
    timeout: await readTimeout(layers),
    tls,
    proxies,
    args,
    envFile,
    profile,
    warnings: [
      ...target.warnings,
      ...warningsOf({ env, envFile, servers }),
      ...proxyWarnings(proxies),
    ],
  };
}

/** A proxy in the environment is the owner's; one in a file may be news. */
function proxyWarnings(proxies: readonly (Proxy | undefined)[]): readonly string[] {
  const proxy = proxies.find((each) => each?.host.origin.kind === "env-file");
  return proxy === undefined ? [] : [
    `Requests go through the proxy ${proxy.host.value}, which ${
      describeOrigin(proxy.host.origin)
    } names.`,
  ];
}

function readBackend(setting: Setting<string> | undefined): Setting<Backend> {
  if (setting === undefined) return { value: DEFAULT_BACKEND, origin: { kind: "default" } };
  const { value, origin } = setting;
  if (isBackend(value)) return { value, origin };
  throw wrongValue(origin, `ADC knows no backend "${value}"`, {
    suggestion: `Use one of ${BACKEND_NAMES.join(", ")}.`,
  });
}

async function readTimeout(layers: Layers): Promise<Setting<number>> {
  const text = readSetting("timeout", layers);
  if (text === undefined) return { value: 10_000, origin: { kind: "default" } };
  const value = await readDuration(text.value);
  if (value !== undefined) return { value, origin: text.origin };
  throw wrongValue(text.origin, `"${text.value}" is no duration`, {
    suggestion: 'Write it like "30s" or "1h10m". ADC would fall back to 10 s without a word.',
  });
}

function warningsOf(
  { env, envFile, servers }: {
    readonly env: Environment;
    readonly envFile: EnvFile;
    readonly servers: readonly Server[];
  },
): readonly string[] {
  const warnings = servers.filter(crossesInPlain).map((server) =>
    `The token will cross the network to ${server.display} without encryption. Use https.`
  );
  if (envFile.unreadable !== undefined) {
    warnings.push(`${envFile.name} cannot be read (${envFile.unreadable}) and was ignored.`);
  }
  const left = envFile.name === ".env"
    ? []
    : [...envFile.entries()].map(([name]) => name).filter(actsAtStart);
  if (left.length > 0) {
    warnings.push(
      `${left.join(", ")} in ${envFile.name} ${
        left.length === 1 ? "is" : "are"
      } left out: what programs load as they ` +
        "start, and how adc-run works, is not for such a file to say.",
    );
  }
  if (env.ADC_TOKEN?.trim() === "" && envFile.get("ADC_TOKEN")?.trim()) {
    warnings.push(
      `ADC_TOKEN is exported but empty, which hides the one in ${envFile.name} from ADC. ` +
        `adc-run takes the one in ${envFile.name}; unset the empty one.`,
    );
  }
  return warnings;
}

/** Each setting as ADC would be told it; `undefined` where there is nothing to tell. */
const SETTINGS: Readonly<
  Record<SettingKey, (connection: Connection) => Setting<string> | undefined>
> = {
  backend: ({ backend }) => backend,
  server: ({ server, serverValue }) => ({ ...server, value: serverValue.reveal() }),
  gatewayGroup: ({ backend, gatewayGroup }) =>
    BACKENDS[backend.value].hasGatewayGroups ? gatewayGroup : undefined,
  timeout: ({ timeout }) => ({ ...timeout, value: `${timeout.value}ms` }),
  caCertFile: ({ tls }) => pathOf(tls.caCertFile),
  tlsClientCertFile: ({ tls }) => pathOf(tls.clientCertFile),
  tlsClientKeyFile: ({ tls }) => pathOf(tls.clientKeyFile),
  tlsSkipVerify: ({ tls: { skipVerify } }) => ({ ...skipVerify, value: String(skipVerify.value) }),
};

const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

function pathOf(file: Setting<PemFile> | undefined): Setting<string> | undefined {
  return file && { ...file, value: file.value.path };
}

/**
 * The variables that tell ADC of the connection. What came from a flag stays a flag; and any value of a
 * switch turns it on, so that one that is off has no variable.
 */
export function connectionVariables(connection: Connection): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const key of SETTING_KEYS) {
    const { variable, kind } = ADC_SETTINGS[key];
    const setting = SETTINGS[key](connection);
    if (variable === undefined || setting === undefined || setting.origin.kind === "flag") continue;
    if (kind !== "boolean" || setting.value === "true") variables[variable] = setting.value;
  }
  return variables;
}

/** The connection as data, without secrets, for `--json` and `--dry-run`. */
export function describeConnection(
  connection: Connection,
): Record<string, { readonly value: string; readonly origin: string }> {
  const { server, proxies, profile } = connection;
  const entry = (value: string, { origin }: Setting<unknown>) => ({
    value,
    origin: describeOrigin(origin),
  });
  const proxy = proxies.find((each) => each !== undefined);
  const settings = SETTING_KEYS.flatMap((key) => {
    const setting = key === "server" ? server : SETTINGS[key](connection);
    return setting === undefined ? [] : [[key, entry(setting.value, setting)] as const];
  });
  return {
    ...(profile && { profile: { value: profile.name, origin: profile.file } }),
    ...Object.fromEntries(settings),
    ...(proxy && { proxy: entry(proxy.host.value, proxy.host) }),
  };
}
