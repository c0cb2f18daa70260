import type { Connection } from "../connection/connection.ts";
import type { Storage } from "../store/state.ts";
import { surveyTokens } from "../token/resolve.ts";
import type { TokenSource } from "../token/source.ts";
import type { Reporter } from "./report.ts";

/**
 * Warns of sources that come before the one that a token was just stored in: that surprises whoever
 * stored it.
 */
export async function warnOfShadows(
  connection: Connection,
  { sources, storage, reporter }: {
    readonly sources: readonly TokenSource[];
    readonly storage: Storage;
    readonly reporter: Reporter;
  },
): Promise<void> {
  const own = storage === "file" ? "store" : "keychain";
  const at = sources.findIndex(({ name }) => name === own);
  const before = sources.slice(0, at === -1 ? sources.length : at)
    // A helper command may ask for a password, or take its time; others leave traces.
    .filter(({ name, outlook }) => name !== "command" && outlook === undefined);
  const { trail } = await surveyTokens({ connection, sources: before });
  for (const { source, status, detail } of trail) {
    if (status === "absent") continue;
    reporter.warn(`Source "${source}" comes before the ${own} and still wins: ${detail}`);
  }
}
