/**
 * What is still there of processes that should have ended, on Linux.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** How often is looked, and how long is waited in between, in milliseconds, until the system has tidied up. */
const LOOKS = 500;
const PAUSE = 20;

/** The states of a TCP socket that somebody holds: established, and closed by the other side alone. */
const HELD: readonly (string | undefined)[] = ["01", "08"];

/**
 * The processes that have a text in their environment, whoever their parent is by now.
 *
 * @param text The text.
 * @returns Their ids.
 */
export async function processesWith(text: string): Promise<readonly number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map(async (name) => {
    const environment = await readFile(`/proc/${name}/environ`, "latin1").catch(() => "");
    return environment.includes(text) ? [Number(name)] : [];
  }));
  return found.flat();
}

/**
 * Counts the connections that a server on this machine still has.
 *
 * @param port The server's port.
 * @returns How many there are.
 */
export async function connectionsTo(port: number): Promise<number> {
  const table = await readFile("/proc/net/tcp", "latin1");
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").filter((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return local?.endsWith(end) && HELD.includes(state);
  }).length;
}

/**
 * Looks until nothing is left, for a socket is gone only a moment after the process that had it.
 *
 * @param look Looks what is left.
 * @returns What is left after 10 s.
 */
export async function lastLeft<T>(look: () => Promise<readonly T[]>): Promise<readonly T[]> {
  let left = await look();
  for (let count = 1; left.length > 0 && count < LOOKS; count++) {
    await delay(PAUSE);
    left = await look();
  }
  return left;
}
