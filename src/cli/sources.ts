import type { Connection } from "../connection/connection.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { defaultSources } from "../lifecycle/default_sources.ts";
import type { DefaultSourcesOptions } from "../lifecycle/default_sources.ts";
import type { TokenSource } from "../token/source.ts";
import { canAsk } from "./io.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./options.ts";
import { askCredentials } from "./prompts.ts";
import type { Reporter } from "./report.ts";

/**
 * The sources that the options or the profile name, with this process' environment, keychain and terminal.
 */
export function sourcesOf(
  io: Io,
  { options, reporter, connection, ...more }:
    & {
      readonly options: GlobalOptions;
      readonly reporter: Reporter;
      readonly connection: Connection;
    }
    & Pick<DefaultSourcesOptions, "ephemeral" | "confirm">,
): readonly TokenSource[] {
  const { env, cwd, keychain } = io;
  const sources = () =>
    defaultSources({
      env,
      cwd,
      keychain,
      names: options.source ?? connection.profile?.sources,
      helperStderr: options.quiet ? "ignore" : "inherit",
      onWarning: reporter.warn,
      ...(canAsk(io) && { ask: askCredentials(io) }),
      ...more,
    });
  if (!options.ambient.has("source")) return sources();
  try {
    return sources();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new ConnectionError(`Cannot use ADC_RUN_SOURCE: ${error.message}`, EXIT.config);
  }
}
