import process from "node:process";
import { promises as timers } from "node:timers";
import { codeOf } from "../errors.ts";

/** What Windows answers while another process, a virus scanner perhaps, has the file open. */
const SHARING_CODES: readonly string[] = ["EPERM", "EACCES", "EBUSY"];
const MOST_TRIES = 8;

/**
 * Makes a system call, on Windows a few times over: there a file that somebody has open can for that
 * moment not be renamed, replaced or read.
 */
export async function retrySharing<T>(
  call: () => T | Promise<T>,
  platform: string = process.platform,
): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await call();
    } catch (error) {
      const shared = platform === "win32" && SHARING_CODES.includes(codeOf(error) ?? "");
      if (!shared || tries === MOST_TRIES) throw error;
    }
    await timers.setTimeout(2 ** tries);
  }
}
