/**
 * What adc-run should make of what ADC reads, written down once more, without origins and messages.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import parseDuration from "parse-duration";
import type { Connection } from "../../src/connection/connection.ts";

/** ADC's options as its own parser gives them, from flags, environment and `.env` together. */
export interface AdcOptions {
  readonly backend?: string;
  readonly server?: string;
  readonly token?: string;
  readonly gatewayGroup?: string;
  readonly timeout?: string;
  readonly caCertFile?: string;
  readonly tlsClientCertFile?: string;
  readonly tlsClientKeyFile?: string;
  readonly tlsSkipVerify?: boolean;
}

/** What the connection's values should be. */
export interface ExpectedConnection {
  readonly backend: string;
  readonly server: string;
  readonly origins: readonly string[];
  readonly gatewayGroup: string;
  readonly timeout: number;
  readonly files: readonly (string | undefined)[];
  readonly skipVerify: boolean;
}

/**
 * Says what the connection should be.
 *
 * @param options ADC's options.
 * @param where The working directory; the value of `ADC_TLS_SKIP_VERIFY`, where no flag hides it; and which
 * of the options are flags.
 * @returns The values, or `undefined` where one cannot be used and has to be refused.
 */
export function expectedConnection(
  options: AdcOptions,
  { cwd, skipVerify, flags = {} }: {
    readonly cwd: string;
    readonly skipVerify: string | undefined;
    readonly flags?: AdcOptions;
  },
): ExpectedConnection | undefined {
  const { backend = "apisix", gatewayGroup = "default" } = options;
  const given = options.server ?? "http://localhost:9180";
  // A flag stays in ADC's words, and what is behind the address becomes part of it.
  const server = flags.server === undefined
    ? given.trim()
    : given.replace(/^[\t-\r ]*/, "").replace(/[\t\n\r]*$/, "");
  if (!["apisix", "api7ee", "apisix-standalone"].includes(backend)) return undefined;
  const origins = originsOf(server, backend === "apisix-standalone");
  if (origins === undefined) return undefined;
  const timeout = parseDuration(options.timeout ?? "10s");
  if (timeout === null || !(timeout > 0) || timeout >= 2 ** 31) return undefined;
  if (!/^(\d+(ms|s|m|h))+$/.test(options.timeout ?? "10s")) return undefined;
  const files = [options.caCertFile, options.tlsClientCertFile, options.tlsClientKeyFile];
  const isSecure = origins.some((origin) => origin.startsWith("https:"));
  const isUsable = (file: string, index: number) =>
    isSecure
      ? isPem(file, { cwd, kind: index === 2 ? "PRIVATE KEY" : "CERTIFICATE" })
      : isFile(file, cwd);
  if (!files.every((file, index) => file === undefined || isUsable(file, index))) return undefined;
  if ((files[1] === undefined) !== (files[2] === undefined)) return undefined;
  if (skipVerify !== undefined && skipVerify !== "true") return undefined;
  return {
    backend,
    server,
    origins,
    gatewayGroup,
    timeout: Math.round(timeout),
    files,
    skipVerify: options.tlsSkipVerify === true,
  };
}

/**
 * Holds a connection against what it should be.
 *
 * @param connection The connection.
 * @param expected What it should be.
 */
export function assertConnection(connection: Connection, expected: ExpectedConnection): void {
  const { backend, serverValue, servers, gatewayGroup, timeoutMs: timeout, tls } = connection;
  assert.deepEqual({
    backend: backend.value,
    server: serverValue.reveal(),
    origins: servers.map(({ origin }) => origin),
    gatewayGroup: gatewayGroup.value,
    timeout: timeout.value,
    files: [tls.caCertFile, tls.clientCertFile, tls.clientKeyFile].map((file) => file?.value.path),
    skipVerify: tls.skipVerify.value,
  }, expected);
}

/**
 * Says what becomes of a token.
 *
 * @param token The token; not blank.
 * @param backend The backend; for `apisix-standalone` commas separate tokens.
 * @returns The token that is handed on, or `undefined` where it is malformed.
 */
export function expectedToken(token: string, backend: string): string | undefined {
  const list = backend === "apisix-standalone" ? token.split(",") : [token];
  const parts = list.map((part) => part.trim());
  if (parts.length > 1 && parts.at(-1) === "") parts.pop();
  const good = parts.every((part) =>
    /^[ -~]+$/.test(part) && !part.includes(",") && !/^(export\s+)?ADC_TOKEN\s*[=:]/.test(part) &&
    (!(backend === "api7ee" || /^["'`]?a7(ee|adm)-/.test(part)) ||
      !(part.includes(" ") ||
        (part.length > 1 && /["'`]/.test(part[0]!) && part.endsWith(part[0]!))))
  );
  return good ? parts.join(",") : undefined;
}

function originsOf(server: string, list: boolean): readonly string[] | undefined {
  const parts = list ? server.split(",").map((part) => part.replace(/^ */, "")) : [server];
  const good = parts.every((part) =>
    /^https?:\/\/[^\s?#,\\/][^\s?#,\\]*$/i.test(part) && URL.canParse(part)
  );
  return good ? parts.map((part) => new URL(part).origin) : undefined;
}

function isFile(file: string, cwd: string): boolean {
  const path = resolve(cwd, file);
  if (file === "" || file.includes("\0")) return false;
  return existsSync(path) && statSync(path).isFile();
}

/** Whether it is one of the files here that hold that; they all belong together. */
function isPem(
  file: string,
  { cwd, kind }: { readonly cwd: string; readonly kind: string },
): boolean {
  return isFile(file, cwd) &&
    readFileSync(resolve(cwd, file), "utf8").includes(`-----BEGIN ${kind}-----`);
}
