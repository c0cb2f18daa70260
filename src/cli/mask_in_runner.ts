import type { Connection } from "../connection/connection.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { splitTokens } from "../token/token_value.ts";
import { addMask, hasRunner } from "./annotations.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./options.ts";
import type { Reporter } from "./report.ts";

/** The token, and the connection that it is for. */
export interface RunnerSecret {
  readonly connection: Connection;
  readonly resolved: ResolvedToken;
}

/**
 * Tells the runner the token, in lines that it reads and does not show; not with `--json`, `--no-mask`, or
 * where nobody but a file would read them.
 */
export function maskInRunner(
  { connection, resolved }: RunnerSecret,
  { reporter, io, options }: {
    readonly reporter: Reporter;
    readonly io: Io;
    readonly options: Pick<GlobalOptions, "json" | "mask">;
  },
): void {
  if (!hasRunner(io) || !options.mask || options.json) return;
  const list = connection.backend.value === "apisix-standalone";
  for (const token of splitTokens(resolved.token, list)) {
    reporter.tellRunner(addMask(token.reveal()));
  }
}
