import { closeSync, constants, openSync, statSync } from "node:fs";

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
