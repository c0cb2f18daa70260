import { homedir } from "node:os";
import { isAbsolute } from "node:path";
import { throwIfNotCapable } from "./errors.ts";

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
