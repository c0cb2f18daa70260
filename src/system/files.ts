import { closeSync, constants, openSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute } from "node:path";
import { throwIfNotCapable } from "../errors.ts";

/** A folder in which nothing is, and nothing can be made. */
const NOWHERE = "/dev/null";

/** The user's home: `HOME`, else what the system knows. */
export function homeFolder({ HOME: home }: Readonly<Record<string, string | undefined>>): string {
  if (home && isAbsolute(home)) return home;
  try {
    // Node throws where there is none, Deno says `null`.
    return homedir() || NOWHERE;
  } catch (error) {
    throwIfNotCapable(error);
    return NOWHERE;
  }
}

/**
 * Lets go of whoever waits to open a pipe for reading: Node.js cannot end as long as one of its threads
 * waits. Nothing is written.
 */
export function letGoOfPipe(path: string): void {
  try {
    if (!statSync(path).isFIFO()) return;
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // Nobody waits, or there is no right to write.
  }
}
