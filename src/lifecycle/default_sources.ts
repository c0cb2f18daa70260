import { UsageError } from "../errors.ts";
import type { TokenSource } from "../token/source.ts";
import { commandSource } from "../token/sources/command_source.ts";
import { fileSource } from "../token/sources/file_source.ts";
import { keychainSource } from "../token/sources/stored.ts";
import { dotenvSource, envSource, flagSource } from "../token/sources/variables.ts";
import { adminApiSource } from "./admin_api_source.ts";
import type { AdminApiSourceOptions } from "./admin_api_source.ts";
import { storeSource } from "./store_source.ts";
import type { Context } from "../context.ts";

/** What the default sources look at. */
export interface DefaultSourcesOptions
  extends AdminApiSourceOptions, Pick<Context, "cwd" | "keychain"> {
  /**
   * Which sources, in which order.
   *
   * @default all of them: flag, env, file, dotenv, command, store, keychain, admin-api
   */
  readonly names?: readonly string[] | undefined;
  /**
   * What becomes of a helper command's standard error.
   *
   * @default "ignore"
   */
  readonly helperStderr?: "inherit" | "ignore" | undefined;
}

/**
 * The sources that the command line asks.
 *
 * @param options What they look at, and which of them.
 * @returns The sources in order.
 * @throws {UsageError} There is no source of such a name, or one is named twice, or none at all.
 *
 * @example
 * ```ts
 * import { defaultSources } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const sources = defaultSources({ env: {}, cwd: ".", names: ["env", "keychain"] });
 * assert.deepEqual(sources.map(({ name }) => name), ["env", "keychain"]);
 * ```
 */
export function defaultSources(options: DefaultSourcesOptions): readonly TokenSource[] {
  const { env, cwd, keychain, helperStderr } = options;
  const all = [
    flagSource(),
    envSource({ env }),
    fileSource({ env, cwd }),
    dotenvSource(),
    commandSource({ env, cwd, stderr: helperStderr }),
    storeSource({ env }),
    keychainSource(keychain && { keychain }),
    adminApiSource(options),
  ];
  const { names } = options;
  if (names === undefined) return all;
  const known = all.map(({ name }) => name).join(", ");
  if (names.length === 0) throw new UsageError(`Cannot ask no source: name some of ${known}`);
  return names.map((name, index) => {
    const source = all.find((each) => each.name === name);
    if (source === undefined) {
      throw new UsageError(`Cannot ask a source "${name}": there are ${known}`);
    }
    if (names.indexOf(name) !== index) throw new UsageError(`Cannot ask source "${name}" twice`);
    return source;
  });
}
