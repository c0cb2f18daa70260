import { join } from "node:path";
import type { Environment } from "../connection/origin.ts";
import { storeFolder } from "../store/folder.ts";
import { TOKEN_FILE, tokenFile } from "../store/token_file.ts";
import type { TokenSource } from "../token/source.ts";
import { findStored } from "../token/sources/find_stored.ts";

/**
 * The source `store`: the file that `adc-run auth login --storage file` keeps tokens in, under the user's
 * configuration folder.
 *
 * @param options The environment, which says where the folder is.
 * @returns The source.
 *
 * @example
 * ```ts
 * import { NoTokenError, resolveConnection, resolveToken, storeSource } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const env = { ADC_RUN_CONFIG_DIR: "/nowhere" };
 * const connection = await resolveConnection({ env, cwd: "/nowhere" });
 * const sources = [storeSource({ env })];
 * await assert.rejects(resolveToken({ connection, sources }), (error: NoTokenError) => {
 *   return error.trail[0]?.detail === "/nowhere/tokens.json has no entry for http://localhost:9180";
 * });
 * ```
 */
export function storeSource({ env }: { readonly env: Environment }): TokenSource {
  return {
    name: "store",
    timeout: 5_000,
    find: async ({ connection }) => {
      const folder = storeFolder(env);
      const place = join(folder, TOKEN_FILE);
      // Errors say by themselves which file it is and what is wrong with it.
      return await findStored(tokenFile(folder), {
        connection,
        place,
        detail: (accounts) => `${place}, account "${accounts}"`,
      });
    },
  };
}
