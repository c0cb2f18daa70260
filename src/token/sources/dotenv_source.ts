import type { TokenSource } from "../source.ts";
import { findInVariables } from "./variables.ts";

/**
 * The source `dotenv`: `ADC_TOKEN` in `.env`, or in the file that the connection was resolved with, read
 * as ADC reads it; then `API_KEY` if it starts with `a7ee-` or `a7adm-`.
 *
 * @returns The source.
 *
 * @example
 * ```ts
 * import { dotenvSource, NoTokenError, resolveConnection, resolveToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const connection = await resolveConnection({ env: {}, cwd: "/nowhere" });
 * await assert.rejects(resolveToken({ connection, sources: [dotenvSource()] }), NoTokenError);
 * ```
 */
export function dotenvSource(): TokenSource {
  return {
    name: "dotenv",
    timeout: 1_000,
    find: ({ connection: { envFile } }) => {
      if (envFile.unreadable !== undefined) {
        return Promise.resolve({
          status: "broken",
          reason: `${envFile.name} cannot be read (${envFile.unreadable})`,
          suggestion: "Make it readable for you, or leave the source out with --source.",
        });
      }
      if (!envFile.exists) {
        return Promise.resolve({ status: "absent", reason: `there is no ${envFile.name}` });
      }
      return Promise.resolve(findInVariables((name) => envFile.get(name), ` in ${envFile.name}`));
    },
  };
}
