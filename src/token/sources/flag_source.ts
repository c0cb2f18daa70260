import type { SourceAnswer, TokenSource } from "../source.ts";

/**
 * The source `flag`: `--token` among ADC's options. As for ADC, the last one counts.
 *
 * @returns The source.
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
