/**
 * A real HTTP(S) server that behaves as the Admin API of API7 Enterprise or Apache APISIX does, as
 * far as ADC and adc-run use it.
 *
 * @module
 */

import { Accounts } from "./accounts.ts";
import { createApi7eeBackend } from "./api7ee_backend.ts";
import { createApisixBackend } from "./apisix_backend.ts";
import type { Backend } from "./backend.ts";
import { createCertificateFiles } from "./certificate_files.ts";
import type { SandboxRequest } from "./exchange.ts";
import { Faults } from "./faults.ts";
import { GatewayGroups } from "./gateway_groups.ts";
import { Holds } from "./holds.ts";
import type { AddTokenOptions, Sandbox, SandboxHooks, SandboxOptions } from "./sandbox_options.ts";
import { listen } from "./server.ts";
import { createStandaloneBackend } from "./standalone_backend.ts";
import { type SandboxToken, Tokens } from "./tokens.ts";

export type { AddTokenOptions, Sandbox, SandboxHooks, SandboxOptions } from "./sandbox_options.ts";
export type { SandboxRequest } from "./exchange.ts";
export type { Hold } from "./holds.ts";
export type { Fault, FaultMatch } from "./faults.ts";
export type { SandboxToken } from "./tokens.ts";

const VERSIONS = { "api7ee": "3.9.14", "apisix": "3.18.0", "apisix-standalone": "3.18.0" };

/**
 * Starts an Admin API on loopback.
 *
 * @param options Whose API it is, how it is reached, and what it knows from the start.
 * @returns The running sandbox; `await using` closes it.
 *
 * @example
 * ```ts ignore
 * await using sandbox = await startSandbox();
 * const { value } = sandbox.addToken();
 * await fetch(`${sandbox.url}/api/version`, { headers: { "X-API-KEY": value } });
 * ```
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { backend: kind = "api7ee", clientCertificate = false, now = Date.now } = options;
  const https = options.https === true || clientCertificate;
  const seconds = (): number => Math.floor(now() / 1000);
  const accounts = new Accounts(seconds);
  const hooks: SandboxHooks = {};
  const tokens = new Tokens(seconds, () => hooks.tokenValue?.());
  const groups = new GatewayGroups(seconds, { byName: options.groupsByName ?? true });
  const faults = new Faults();
  const holds = new Holds();
  const requests: SandboxRequest[] = [];
  const version = options.version ?? VERSIONS[kind];

  function createBackend(): Backend {
    if (kind !== "api7ee") {
      const make = kind === "apisix" ? createApisixBackend : createStandaloneBackend;
      return make({
        keys: tokens,
        version,
        seconds,
        allowAdmin: options.allowAdmin ?? true,
        keyRequired: options.keyRequired ?? true,
        adminApiVersion: options.adminApiVersion ?? "v3",
        etcd: options.etcd ?? true,
        streamProxy: options.streamProxy ?? true,
        clientCertificate,
      });
    }
    return createApi7eeBackend({
      accounts,
      tokens,
      groups,
      version,
      tokenPath: options.tokenPath ?? "/api/tokens",
      loginOptions: options.loginOptions ?? [
        { id: "corp-ldap", name: "Corporate LDAP", provider_type: "ldap" },
        { id: "sso", name: "Single sign-on", provider_type: "oidc" },
      ],
      secure: https,
      errorField: options.errorField ?? "error_msg",
      license: options.license ?? true,
      maxPageSize: options.maxPageSize ?? Infinity,
    });
  }

  function addToken(token: AddTokenOptions = {}): SandboxToken {
    const prefix = token.prefix ?? (kind === "api7ee" ? "a7ee-" : "");
    return tokens.add({
      user: prefix === "a7ee-" ? userOf(token.user) : undefined,
      name: token.name ?? `token ${tokens.all.length + 1}`,
      expiresAt: token.expiresAt ?? 0,
      prefix,
      permissions: token.permissions ?? {},
      ...(token.value === undefined ? {} : { value: token.value }),
    });
  }
  function userOf(user: AddTokenOptions["user"]): ReturnType<Accounts["add"]> {
    if (typeof user === "object") return user;
    const known = accounts.find(user ?? "admin");
    if (known !== undefined) return known;
    if (user !== undefined) throw new Error(`User "${user}" does not exist`);
    return accounts.add({ username: "admin", password: "admin", superAdmin: true });
  }

  for (const value of options.adminKeys ?? []) addToken({ value });
  const created = createBackend();
  const { serverHeader = created.server } = options;
  const backend = { ...created, server: serverHeader === "" ? undefined : serverHeader };
  const files = await createCertificateFiles({
    hosts: options.hosts,
    expired: options.expiredCertificate,
    wrongName: options.wrongName,
  });
  const start = (port: number): ReturnType<typeof listen> =>
    listen({
      backend,
      faults,
      holds,
      hooks,
      requests,
      port,
      tls: https ? { ...files.server, clientCertificate } : undefined,
      nginx: kind !== "api7ee",
    });
  let server = await start(options.port ?? 0);
  const { port } = server;

  async function close(): Promise<void> {
    await server.close();
    await files.remove();
  }
  const host = options.serverName ?? (https ? "localhost" : "127.0.0.1");
  const { ca, otherCa, clientCert, clientKey, otherClientCert, otherClientKey, certDir } = files;
  return {
    url: `${https ? "https" : "http"}://${host}:${port}`,
    port,
    ca,
    otherCa,
    clientCert,
    clientKey,
    otherClientCert,
    otherClientKey,
    certDir,
    requests,
    tokens: tokens.all,
    hooks,
    get liveTokens() {
      return tokens.live;
    },
    get secrets() {
      return [...tokens.values, ...accounts.sessionValues];
    },
    get openSessions() {
      return accounts.openSessions;
    },
    resources: backend.resources,
    addUser: (user) => accounts.add(user),
    addToken,
    revokeToken: (idOrValue) => tokens.revoke(idOrValue),
    addGatewayGroup: (name) => groups.add(name),
    fault: (match, fault, { times = Infinity } = {}) => faults.add(match, fault, times),
    hold: (match, moment = "before") => holds.add(match, moment),
    clearFaults: () => faults.clear(),
    stop: () => server.close(),
    restart: async () => {
      server = await start(port);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
