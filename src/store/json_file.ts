import { lstatSync, promises as fs, readFileSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import type { Context } from "../context.ts";
import { isAbsent } from "../system/files.ts";
import type { LockOptions } from "./lock.ts";
import {
  type Contents,
  preparePrivateFolder,
  requirePrivate,
  requirePrivateFolder,
} from "./private_path.ts";
import { retrySharing, SHARING_TIMEOUT } from "./replace_file.ts";
import { DamagedFileError, StoreError, storeError } from "./store_error.ts";

/** The version of all files that this adc-run writes, and the newest that it reads. */
const VERSION = 1;

/** How a change waits for other processes, and who is told that a damaged file was set aside. */
export type StoreOptions = Pick<LockOptions, "timeout" | "signal"> & Pick<Context, "onWarning">;

interface JsonFileOptions<T> extends StoreOptions {
  readonly path: string;
  /** Makes sure that what the file holds is of the right shape; `undefined` says that it is not. */
  readonly read: (value: Readonly<Record<string, unknown>>) => T | undefined;
  /** What a file that is not there stands for. */
  readonly empty: T;
  /** What the file holds, for messages, such as `the stored tokens`. */
  readonly what: string;
  /** Whether reading, too, is refused where others can use the file or its folder. @default false */
  readonly secret?: boolean;
}

/**
 * A JSON file that many processes read and change at once, and that is whole at any time, even if one of
 * them is killed: every change is written beside it under a lock, and moved into its place.
 *
 * On disk it is an object with `"version": 1`, for its owner alone, in a folder for its owner alone.
 */
export class JsonFile<T extends object> {
  readonly path: string;
  readonly #options: JsonFileOptions<T>;

  constructor(options: JsonFileOptions<T>) {
    this.path = options.path;
    this.#options = options;
  }

  async read(): Promise<T> {
    const { secret = false, empty } = this.#options;
    return await this.#load(secret) ?? empty;
  }

  /**
   * Reads the file, and sets a damaged one aside: what it held is lost to the program, and kept for a
   * person to look at.
   */
  async readOrSetAside(): Promise<T> {
    try {
      return await this.read();
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error;
      return await this.update((value) => value);
    }
  }

  async update(change: (value: T) => T): Promise<T> {
    const [{ withLock }, { replaceFile }] = await Promise.all([
      import("./lock.ts"),
      import("./replace_file.ts"),
    ]);
    await preparePrivateFolder(dirname(this.path), this.#contents);
    return await withLock(`${this.path}.lock`, async (lock) => {
      const before = await this.#loadOrSetAside();
      const after = change(before);
      if (after === before) return after;
      const text = JSON.stringify({ ...after, version: VERSION }, null, 2) + "\n";
      await replaceFile(this.path, text, { check: () => lock.check() });
      return after;
    }, this.#options);
  }

  get #contents(): Contents {
    return this.#options.secret ? "secret" : "plain";
  }

  async #load(mustBePrivate: boolean): Promise<T | undefined> {
    let bytes: Uint8Array;
    try {
      // Not by `node:fs/promises`, which no run but those that write something have to load.
      const stats = lstatSync(this.path, { throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      requireFile(this.path, stats);
      if (mustBePrivate) {
        requirePrivateFolder(dirname(this.path), this.#contents);
        requirePrivate(this.path, stats, this.#contents);
      }
      bytes = await retrySharing(() => readFileSync(this.path));
    } catch (error) {
      // HOME is /dev/null, say.
      if (isAbsent(error)) return undefined;
      throw storeError("read", this.path, error);
    }
    return this.#parse(bytes);
  }

  /** No error here quotes the file, nor has a cause that does: `JSON.parse` would. */
  #parse(bytes: Uint8Array): T {
    const { path } = this;
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw damaged(path, "it is not JSON");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw damaged(path, "its JSON is not what adc-run writes");
    }
    const version: unknown = "version" in value ? value.version : undefined;
    if (Number.isInteger(version) && (version as number) > VERSION) {
      throw new StoreError(`Cannot read "${path}": a newer adc-run wrote it`, {
        path,
        suggestion: "Use that version of adc-run, or set another folder with ADC_RUN_CONFIG_DIR.",
      });
    }
    const known = version === VERSION ? this.#options.read({ ...value }) : undefined;
    if (known === undefined) throw damaged(path, "its JSON is not what adc-run writes");
    return known;
  }

  async #loadOrSetAside(): Promise<T> {
    const { path } = this;
    try {
      return await this.#load(true) ?? this.#options.empty;
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error;
      const aside = `${path}.damaged-${new Date().toISOString().replace(/[-:]/g, "")}`;
      try {
        await retrySharing(() => fs.rename(path, aside), { timeout: SHARING_TIMEOUT });
      } catch (cause) {
        throw storeError("set aside the damaged file", path, cause);
      }
      this.#options.onWarning?.(`${error.message}; it was moved to "${aside}"`);
      return this.#options.empty;
    }
  }
}

function requireFile(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const found = stats.isSymbolicLink()
    ? "a symbolic link"
    : stats.isDirectory()
    ? "a directory"
    : "not a regular file";
  throw new StoreError(`Cannot use "${path}": it is ${found}`, {
    path,
    suggestion: "Replace it with a regular file, or move it away.",
  });
}

function damaged(path: string, found: string): DamagedFileError {
  return new DamagedFileError(`Cannot read "${path}": it is damaged (${found})`, {
    path,
    suggestion: "Move it away; otherwise the next change will.",
  });
}

/** What fields hold: one type, which `?` makes optional, or one of these values. */
type Fields = Readonly<
  Record<string, "string" | "string?" | "number?" | "boolean?" | readonly (string | undefined)[]>
>;

/** Makes sure that a value is a record with certain fields. It may have others. */
export function hasFields(
  value: unknown,
  fields: Fields,
): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return Object.entries(fields).every(([name, type]) => {
    const field = record[name];
    if (typeof type !== "string") return (type as readonly unknown[]).includes(field);
    return typeof field === type.replace("?", "") || (field === undefined && type.endsWith("?"));
  });
}

/** Whatever else a caller's object may have, a secret perhaps, does not reach the disk. */
export function keepFields(record: object, fields: Fields): Record<string, unknown> {
  const entries = Object.entries(record).filter(([name, value]) =>
    Object.hasOwn(fields, name) && value !== undefined
  );
  return Object.fromEntries(entries);
}
