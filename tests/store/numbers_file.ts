/**
 * A JSON file of numbers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { JsonFile, type StoreOptions } from "../../src/store/json_file.ts";
import { DamagedFileError, StoreError } from "../../src/store/store_error.ts";

/** What the file holds. */
export interface Numbers {
  /** The numbers. */
  readonly list: readonly number[];
}

/**
 * Names the file `numbers.json` in a folder.
 *
 * @param folder The folder.
 * @param options Whether the file is secret, what collects its warnings, and how long others are waited for.
 * @returns The file.
 */
export function numbersFile(
  folder: string,
  { secret = false, warnings = [], ...options }: StoreOptions & {
    readonly secret?: boolean;
    readonly warnings?: string[];
  } = {},
): JsonFile<Numbers> {
  return new JsonFile<Numbers>({
    ...options,
    path: join(folder, "numbers.json"),
    read: ({ list }) => Array.isArray(list) ? { list } : undefined,
    empty: { list: [] },
    what: "the numbers",
    secret,
    onWarning: (warning) => warnings.push(warning),
  });
}

/** Appends a number. */
export function add({ list }: Numbers): Numbers {
  return { list: [...list, list.length] };
}

/**
 * Makes sure that an error is a refusal to use the file, and no damage to be set aside.
 *
 * @param pattern What the suggestion looks like.
 * @returns A check for `assert.rejects`.
 */
export function suggests(pattern: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.ok(!(error instanceof DamagedFileError));
    assert.equal(error.exitCode, 74);
    assert.match(error.suggestion ?? "", pattern);
    return true;
  };
}
