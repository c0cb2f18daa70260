import type { SourceAnswer, TokenSource } from "../source.ts";

/**
 * The source `flag`: `--token` among ADC's options. As for ADC, the last one counts.
 *
 * @returns The source.
 *
 * @example
 * ```ts
 * import { flagSource, resolveConnection, resolveToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const args = ["sync", "--token", "a7ee-example"];
 * const connection = await resolveConnection({ args, env: {}, cwd: "/nowhere" });
 * const { detail } = await resolveToken({ connection, sources: [flagSource()] });
 * assert.equal(detail, "--token");
 * ```
 */
export function flagSource(): TokenSource {
  return {
    name: "flag",
    timeout: 1_000,
    find: ({ connection }): Promise<SourceAnswer> => {
      const token = connection.args.tokens.at(-1);
      return Promise.resolve(
        token === undefined
          ? { status: "absent", reason: "there is no --token" }
          : { status: "found", token, detail: "--token" },
      );
    },
  };
}
