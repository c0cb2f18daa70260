/**
 * A disk that a test can fill, or make read-only for root as well.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { skipUnless } from "./fault.ts";

/** A file system of its own. */
export interface SmallDisk extends Disposable {
  /** Leaves no room on it. */
  readonly fill: () => void;
  /** Makes room again. */
  readonly empty: () => void;
  /** Whether it can be written to. */
  readonly turn: (state: "read-only" | "writable") => void;
}

/**
 * Why there is no disk to be had here; said aloud, and not accepted where it is required with
 * `ADC_RUN_TEST_REQUIRE=disk`.
 *
 * @returns The reason, or `false`.
 */
export function diskSkip(): string | false {
  const mountable = process.platform === "linux" && process.getuid?.() === 0 &&
    // In a mount namespace of its own, so that nothing stays behind.
    spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
  const reason = skipUnless(
    "disk",
    mountable ? undefined : "a full disk is not tested: only root of a Linux system may mount one",
    process.env.ADC_RUN_TEST_REQUIRE,
  );
  if (reason !== false) process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}

/**
 * Mounts a disk of 256 KiB.
 *
 * @param path The folder, which is made, with all that is above it.
 * @returns The disk; `using` unmounts it.
 * @throws {Error} It cannot be mounted.
 */
export function mountSmallDisk(path: string): SmallDisk {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  call("mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "none", path);
  const filler = join(path, "filler");
  return {
    fill: () => {
      const file = openSync(filler, "w");
      try {
        const block = new Uint8Array(4096);
        for (;;) writeSync(file, block);
      } catch (error) {
        if ((error as { code?: string }).code !== "ENOSPC") throw error;
      } finally {
        closeSync(file);
      }
    },
    empty: () => rmSync(filler, { force: true }),
    turn: (state) => {
      call("mount", "-o", `remount,${state === "read-only" ? "ro" : "rw"}`, path);
    },
    // Lazily: a process that was killed may still hold a file.
    [Symbol.dispose]: () => call("umount", "-l", path),
  };
}

function call(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
}
