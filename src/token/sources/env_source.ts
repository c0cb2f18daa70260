import type { Environment } from "../../connection/origin.ts";
import type { TokenSource } from "../source.ts";
import { findInVariables } from "./variables.ts";

/**
 * The source `env`: `ADC_TOKEN`, then `API_KEY` if it starts with `a7ee-` or `a7adm-`.
 *
 * @param options The environment, usually `process.env`.
 * @returns The source.
 *
 * @example
 * ```ts
 * import { envSource, resolveConnection, resolveToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const env = { API_KEY: "a7ee-example" };
 * const connection = await resolveConnection({ env, cwd: "/nowhere" });
 * const { detail } = await resolveToken({ connection, sources: [envSource({ env })] });
 * assert.equal(detail, "API_KEY");
 * ```
 */
export function envSource({ env }: { readonly env: Environment }): TokenSource {
  return {
    name: "env",
    timeout: 1_000,
    find: () => Promise.resolve(findInVariables((name) => env[name], "")),
  };
}
