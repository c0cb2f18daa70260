import { join } from "node:path";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { storeFolder } from "../store/private_path.ts";
import { TOKEN_FILE, tokenFile } from "../store/token_file.ts";
import { findStored, keychainSource } from "../token/keychain.ts";
import { isSourceName, SOURCE_NAMES, type SourceName, type TokenSource } from "../token/sources.ts";
import { commandSource } from "../token/sources/command_source.ts";
import { fileSource } from "../token/sources/file_source.ts";
import { dotenvSource, envSource, flagSource } from "../token/sources/variables.ts";
import { adminApiSource, type AdminApiSourceOptions } from "./admin_api_source.ts";

/**
 * The source `store`: the file that `adc-run auth login --storage file` keeps tokens in, under the user's
 * configuration folder.
 */
export function storeSource({ env }: Pick<Context, "env">): TokenSource {
  return {
    name: "store",
    timeoutMs: 5_000,
    find: ({ connection }) => {
      const folder = storeFolder(env);
      const place = join(folder, TOKEN_FILE);
      const detail = (accounts: string) => `${place}, account "${accounts}"`;
      // Errors say by themselves which file it is and what is wrong with it.
      return findStored(tokenFile(folder), { connection, place, detail });
    },
  };
}

/**
 * What the default sources look at.
 * @category Token sources
 */
export interface DefaultSourcesOptions extends AdminApiSourceOptions, Pick<Context, "cwd"> {
  /** Which sources, in which order. @default all of them, in the order of the reference's table */
  readonly names?: readonly string[] | undefined;
  /** Where a helper command's standard input comes from. @default "ignore" */
  readonly helperStdin?: "inherit" | "ignore" | undefined;
  /** What becomes of a helper command's standard error. @default "ignore" */
  readonly helperStderr?: "inherit" | "ignore" | undefined;
}

const MAKERS: Readonly<Record<SourceName, (options: DefaultSourcesOptions) => TokenSource>> = {
  "flag": flagSource,
  "env": envSource,
  "file": fileSource,
  "dotenv": dotenvSource,
  "command": ({ env, cwd, helperStdin, helperStderr }) =>
    commandSource({ env, cwd, stdin: helperStdin, stderr: helperStderr }),
  "store": storeSource,
  "keychain": ({ keychain, env }) => keychainSource({ keychain, env }),
  "admin-api": adminApiSource,
};

/**
 * The sources that the command line asks.
 *
 * @category Token sources
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
  const { names = SOURCE_NAMES } = options;
  const fail = (found: string) =>
    new UsageError(`Cannot use these sources: ${found}`, {
      suggestion: `List one or more of ${SOURCE_NAMES.join(", ")}.`,
    });
  if (names.length === 0) throw fail("the list is empty");
  return names.map((name, index) => {
    if (!isSourceName(name)) throw fail(`"${name}" is not a source`);
    if (names.indexOf(name) !== index) throw fail(`"${name}" is listed twice`);
    return MAKERS[name](options);
  });
}
