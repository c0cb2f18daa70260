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
 * @param where The working directory; and the value of `ADC_TLS_SKIP_VERIFY`, where no flag hides it.
 * @returns The values, or `undefined` where one cannot be used and has to be refused.
 */
export function expectedConnection(
  options: AdcOptions,
  { cwd, skipVerify }: { readonly cwd: string; readonly skipVerify: string | undefined },
): ExpectedConnection | undefined {
  const { backend = "apisix", server = "http://localhost:9180", gatewayGroup = "default" } =
    options;
  if (!["apisix", "api7ee", "apisix-standalone"].includes(backend)) return undefined;
  const origins = originsOf(server, backend === "apisix-standalone");
  if (origins === undefined) return undefined;
  const timeout = parseDuration(options.timeout ?? "10s");
  if (timeout === null || !Number.isFinite(timeout) || timeout < 0) return undefined;
  const files = [options.caCertFile, options.tlsClientCertFile, options.tlsClientKeyFile];
  const isSecure = origins.some((origin) => origin.startsWith("https:"));
  const isUsable = (file: string) => isSecure ? isPem(file, cwd) : isFile(file, cwd);
  if (!files.every((file) => file === undefined || isUsable(file))) return undefined;
  if ((files[1] === undefined) !== (files[2] === undefined)) return undefined;
  const no = ["", "0", "n", "no", "f", "false", "off"];
  if (skipVerify !== undefined && no.includes(skipVerify.trim().toLowerCase())) return undefined;
  return {
    backend,
    server,
    origins,
    gatewayGroup,
    timeout: timeout === 0 ? 0 : Math.max(1, Math.round(timeout)),
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
  const { backend, serverValue, servers, gatewayGroup, timeout, tls } = connection;
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
 * Tells whether a token can be sent, for each of the servers where it is a list.
 *
 * @param token The token; not blank.
 * @param list Whether commas separate tokens.
 * @returns Whether each is printable ASCII without quotes around it.
 */
export function isSendable(token: string, list: boolean): boolean {
  return (list ? token.split(",") : [token]).every((each) =>
    /^[!-~]+$/.test(each) && !(each.length > 1 && /["'`]/.test(each[0]!) && each.endsWith(each[0]!))
  );
}

function originsOf(server: string, list: boolean): readonly string[] | undefined {
  const parts = list ? server.split(",").map((part) => part.trim()) : [server];
  const good = parts.every((part) =>
    /^https?:[^\s?#]+$/i.test(part) && URL.canParse(part) && new URL(part).host !== ""
  );
  return good ? parts.map((part) => new URL(part).origin) : undefined;
}

function isFile(file: string, cwd: string): boolean {
  const path = resolve(cwd, file);
  if (file === "" || file.includes("\0")) return false;
  return existsSync(path) && statSync(path).isFile();
}

function isPem(file: string, cwd: string): boolean {
  return isFile(file, cwd) && readFileSync(resolve(cwd, file), "utf8").includes("-----BEGIN ");
}
