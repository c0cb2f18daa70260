import { chmodSync, closeSync, lstatSync, openSync, renameSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { AdcRunError, codeOf, EXIT, reasonOf, throwIfNotCapable } from "../errors.ts";
import { isAbsent, readAtMost } from "../system/files.ts";

/**
 * How many resources differ between the configuration and the gateway, and what a sync would do with them.
 * @category Run
 */
export interface Drift {
  /** How many would be created. */
  readonly created: number;
  /** How many would be updated. */
  readonly updated: number;
  /** How many would be deleted. */
  readonly deleted: number;
}

/** ADC's name for it, whatever it is told. */
const DIFF_FILE = "diff.yaml";

/** Far more than the configuration of a large gateway, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

const TYPES = { create: "created", update: "updated", delete: "deleted" } as const;

/**
 * Counts what `adc diff` has found. Every ADC writes a YAML list; of its entries only `type` is common to all.
 *
 * @category Run
 * @param path The file, `diff.yaml` as a rule.
 * @returns The numbers, all 0 where nothing differs.
 * @throws {AdcRunError} There is no such file, it is not a regular file, is too large, or contains something else (65).
 *
 * @example
 * ```ts
 * import { readDrift } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 * import { mkdtemp, writeFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const path = join(await mkdtemp(join(tmpdir(), "drift-")), "diff.yaml");
 * await writeFile(path, "- type: create\n  resourceType: service\n- type: delete\n");
 * assert.deepEqual(await readDrift(path), { created: 1, updated: 0, deleted: 1 });
 * ```
 */
export async function readDrift(path: string): Promise<Drift> {
  const counts = { created: 0, updated: 0, deleted: 0 };
  const entries = await readYaml(path);
  if (!Array.isArray(entries)) throw cannotRead(path, "it is not a YAML list");
  for (const [index, entry] of entries.entries()) {
    const type: unknown = (entry as { readonly type?: unknown } | null)?.type;
    if (typeof type !== "string" || !Object.hasOwn(TYPES, type)) {
      throw cannotRead(path, `the type of entry ${index + 1} is not create, update or delete`);
    }
    counts[TYPES[type as keyof typeof TYPES]]++;
  }
  return counts;
}

async function readYaml(path: string): Promise<unknown> {
  try {
    if (!lstatSync(path).isFile()) throw cannotRead(path, "it is not a regular file");
    const bytes = await readAtMost(path, MAX_BYTES);
    if (bytes === undefined) throw cannotRead(path, `it is larger than ${MAX_BYTES} bytes`);
    const { load } = await import("js-yaml");
    return load(bytes.toString("utf8"));
  } catch (error) {
    throwIfNotCapable(error);
    if (error instanceof AdcRunError) throw error;
    if (isAbsent(error)) throw cannotRead(path, "ADC did not write it");
    const code = codeOf(error);
    if (code !== undefined) throw cannotRead(path, reasonOf(code));
    // Without the error as its cause: that quotes the file, which holds the gateway's values.
    const { mark } = error as { readonly mark?: { readonly line: number } };
    throw cannotRead(path, `line ${(mark?.line ?? 0) + 1} is not YAML`);
  }
}

function cannotRead(path: string, found: string): AdcRunError {
  return new AdcRunError(`Cannot tell the drift from "${path}": ${found}`, EXIT.data);
}

export interface DiffFile {
  /** Whether the run has written it; one that an earlier run left is not this one's. */
  isWritten(): boolean;
  read(): Promise<Drift>;
  keep(): void;
}

/**
 * Makes an earlier run's file known by its time, which no write leaves as it is. One that is to be kept under a
 * name of its own is for the user alone from the start: values stand in it in clear.
 */
export function openDiffFile(cwd: string, keepAs: string | undefined): DiffFile {
  const path = join(cwd, DIFF_FILE);
  const kept = keepAs === undefined ? undefined : join(cwd, keepAs);
  const marked = attempt(kept ?? path, () => {
    if (kept !== undefined) {
      rmSync(kept, { force: true });
      closeSync(openSync(path, "a", 0o600));
      chmodSync(path, 0o600);
    }
    try {
      utimesSync(path, 0, 0);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      // Only its owner sets a time.
      rmSync(path);
    }
    return timeOf(path);
  });
  const isWritten = () => {
    const time = timeOf(path);
    return time !== undefined && time !== marked;
  };
  return {
    isWritten,
    read: async () => {
      if (!isWritten()) throw cannotRead(path, "ADC did not write it in this run");
      return await readDrift(path);
    },
    keep: () => {
      if (kept === undefined) return;
      attempt(kept, () => isWritten() ? renameSync(path, kept) : rmSync(path, { force: true }));
    },
  };
}

function timeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function attempt<T>(path: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    throwIfNotCapable(error);
    throw new AdcRunError(
      `Cannot keep the differences in "${path}": ${reasonOf(codeOf(error))}`,
      EXIT.source,
      { cause: error },
    );
  }
}
