import { readAdcArguments } from "../adc/arguments.ts";
import type { AdcArguments } from "../adc/arguments.ts";
import { readDuration } from "../adc/duration.ts";
import { Secret } from "../secret.ts";
import { actsAtStart, readEnvFile, readNamedFile } from "./env_file.ts";
import type { EnvFile } from "./env_file.ts";
import { describeOrigin, flagOr, wrongValue } from "./origin.ts";
import type { Layers, Setting } from "./origin.ts";
import { readTarget, refuseDetours } from "./pinned_target.ts";
import type { Profile } from "./profile.ts";
import { proxyFor } from "./proxy.ts";
import type { Proxy } from "./proxy.ts";
import { crossesInPlain, readServers, requireAllowed } from "./server.ts";
import type { Server } from "./server.ts";
import { readTls } from "./tls.ts";
import type { Tls } from "./tls.ts";
import type { Environment } from "../context.ts";

/** The kinds of gateway that ADC manages. */
export type Backend = "apisix" | "api7ee" | "apisix-standalone";

const BACKENDS: readonly Backend[] = ["apisix", "api7ee", "apisix-standalone"];

/** Where and how ADC will connect. */
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
  /** The profile in force; `undefined` where there is none, or where it was passed over. */
  readonly profile: Profile | undefined;
  /** What a person should know before the run, a sentence each. */
  readonly warnings: readonly string[];
}

/** What {@linkcode resolveConnection} looks at. */
export interface ConnectionOptions {
  /** The environment, usually `process.env`. */
  readonly env: Environment;
  /**
   * ADC's command and all that follows it; or the same, taken apart.
   *
   * @default []
   */
  readonly args?: readonly string[] | AdcArguments;
  /** The working directory: `.env` and relative certificate paths are looked up from it. */
  readonly cwd: string;
  /**
   * An environment file to read instead of `.env` in the working directory; or one that was read, for a pipe
   * can be read only once.
   *
   * @default undefined
   */
  readonly envFile?: string | EnvFile | undefined;
  /**
   * A named target, whose values come behind `.env`.
   *
   * @default undefined
   */
  readonly profile?: Profile | undefined;
}

/**
 * Decides where and how ADC will connect, the way ADC does: flag, environment, `.env`, ADC's default.
 *
 * It reads files and makes no request.
 *
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
  const { flags } = args;
  const dotEnv = await readEnvFile(".env", cwd);
  const envFile = options.envFile === undefined
    ? dotEnv
    : typeof options.envFile === "string"
    ? await readNamedFile(options.envFile, cwd)
    : options.envFile;
  const target = readTarget(flags, { env, files: [envFile], profile: options.profile });
  const { profile, layers } = target;
  // ADC reads `.env` whatever adc-run was told. What adc-run sets in ADC's environment hides it; these
  // settings have no value that means "none", so those of `.env` remain in force behind the named file.
  const adcLayers: Layers = envFile === dotEnv ? layers : { ...layers, files: [envFile, dotEnv] };

  const backend = readBackend(target.backend);
  const server: Setting<string> = target.server ??
    { value: "http://localhost:9180", origin: { kind: "default" } };
  const servers = readServers(server, backend.value === "apisix-standalone");
  requireAllowed({ value: servers, origin: server.origin }, env);
  const gatewayGroup: Setting<string> = target.gatewayGroup ??
    { value: "default", origin: { kind: "default" } };
  if (backend.value === "api7ee" && gatewayGroup.value.trim() === "") {
    throw wrongValue(gatewayGroup.origin, "the gateway group's name is empty", {
      suggestion: "ADC would change whichever group the server lists first. Name the one you mean.",
    });
  }
  const tls = readTls({ flags, layers: adcLayers, cwd });
  const proxies = servers.map((each) => proxyFor(each, adcLayers));
  refuseDetours({ env, profile, tls, proxies });
  return {
    backend,
    server: { value: servers.map(({ display }) => display).join(", "), origin: server.origin },
    serverValue: new Secret(server.value),
    servers,
    gatewayGroup,
    timeout: await readTimeout(flags.timeout, layers),
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
  if (setting === undefined) return { value: "apisix", origin: { kind: "default" } };
  const backend = BACKENDS.find((each) => each === setting.value);
  if (backend !== undefined) return { value: backend, origin: setting.origin };
  throw wrongValue(setting.origin, `ADC knows no backend "${setting.value}"`, {
    suggestion: `Use one of ${BACKENDS.join(", ")}.`,
  });
}

async function readTimeout(
  flag: string | undefined,
  layers: Layers,
): Promise<Setting<number>> {
  const text = flagOr(
    { name: "--timeout", value: flag },
    { layers, variable: undefined, key: "timeout" },
  );
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
    warnings.push(`${envFile.name} cannot be read (${envFile.unreadable}) and was passed over.`);
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

/** The connection as data, without secrets, for `--json` and `--dry-run`. */
export function describeConnection(
  connection: Connection,
): Record<string, { readonly value: string; readonly origin: string }> {
  const { backend, server, gatewayGroup, timeout, tls, proxies, profile } = connection;
  const entry = (value: string, { origin }: Setting<unknown>) => ({
    value,
    origin: describeOrigin(origin),
  });
  const proxy = proxies.find((each) => each !== undefined);
  return {
    ...(profile && { profile: { value: profile.name, origin: profile.file } }),
    backend: entry(backend.value, backend),
    server: entry(server.value, server),
    ...(backend.value === "api7ee" && {
      gatewayGroup: entry(gatewayGroup.value, gatewayGroup),
    }),
    timeout: entry(`${timeout.value}ms`, timeout),
    ...(tls.caCertFile && { caCertFile: entry(tls.caCertFile.value.path, tls.caCertFile) }),
    ...(tls.clientCertFile && {
      tlsClientCertFile: entry(tls.clientCertFile.value.path, tls.clientCertFile),
    }),
    ...(tls.clientKeyFile && {
      tlsClientKeyFile: entry(tls.clientKeyFile.value.path, tls.clientKeyFile),
    }),
    tlsSkipVerify: entry(String(tls.skipVerify.value), tls.skipVerify),
    ...(proxy && { proxy: entry(proxy.host.value, proxy.host) }),
  };
}
