import type { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { DEFAULT_TTL, readTtl } from "../lifecycle/expiry.ts";
import type { SessionPool } from "../lifecycle/open_session.ts";
import type { RunOptions } from "../run/options.ts";
import type { RunTerms } from "../run/run.ts";
import type { TokenSource } from "../token/sources.ts";
import type { GlobalOptions } from "./global_options.ts";
import { canAsk, hasTerminal, type Io } from "./io.ts";
import type { Reporter } from "./output/report.ts";
import { askConfirmation } from "./prompts.ts";
import { sourcesOf } from "./settings.ts";

export interface RunCommand {
  readonly words: readonly string[];
  readonly exec: boolean;
  readonly options: GlobalOptions;
}

export type RunSettings =
  & Context
  & Pick<RunOptions, "adc" | "check" | "drift" | "mask" | "token" | "ephemeral" | "terminal">
  & Pick<RunTerms, "fromEnvironment">
  & {
    readonly sources: (
      connection: Connection,
      sessions?: SessionPool,
    ) => readonly TokenSource[];
  };

export async function runOptionsOf(
  options: GlobalOptions,
  { io, reporter }: { readonly io: Io; readonly reporter: Reporter },
): Promise<RunSettings> {
  const { env, cwd, keychain } = io;
  requireMask(options);
  rejectTokens(options);
  const ephemeral = await ephemeralOf(options);
  const { adc, check, mask, token, fromEnvironment } = options;
  const confirm = (reason: string) =>
    askConfirmation(`Send the password, even though ${reason}?`, io);
  return {
    env,
    cwd,
    keychain,
    adc,
    check,
    mask,
    token,
    ephemeral,
    drift: options.failOnDrift,
    fromEnvironment,
    terminal: hasTerminal(io),
    sources: (connection, sessions) =>
      sourcesOf(io, {
        options,
        reporter,
        connection,
        sessions,
        // A dry run leaves nothing behind.
        ephemeral: options.dryRun ? ephemeral ?? DEFAULT_TTL : ephemeral,
        confirm: canAsk(io) ? confirm : undefined,
      }),
  };
}

/** The mask is what finds a leak. */
function requireMask({ failOnLeak, mask, fromEnvironment }: GlobalOptions): void {
  if (!failOnLeak || mask) return;
  const leak = fromEnvironment.has("failOnLeak") ? "ADC_RUN_FAIL_ON_LEAK" : "--fail-on-leak";
  const without = fromEnvironment.has("mask") ? "ADC_RUN_MASK=false" : "--no-mask";
  throw new ConnectionError(
    `Cannot use ${leak} with ${without}: leaks are found by masking`,
    fromEnvironment.has("failOnLeak") && fromEnvironment.has("mask") ? EXIT.config : EXIT.usage,
  );
}

/** Options that say where a token comes from, where there is to be none. */
function rejectTokens(options: GlobalOptions): void {
  const { token, source, ephemeral, ephemeralTtl, fromEnvironment } = options;
  if (token !== false) return;
  const isFlag = (key: string) => !fromEnvironment.has(key);
  // A variable says where tokens come from in general.
  const clash = source !== undefined && isFlag("source")
    ? "--source"
    : ephemeralTtl !== undefined || ephemeral
    ? isFlag("ephemeral") && isFlag("ephemeralTtl") ? "--ephemeral" : "ADC_RUN_EPHEMERAL"
    : undefined;
  if (clash === undefined) return;
  const name = isFlag("token") ? "--no-token" : "ADC_RUN_NO_TOKEN";
  throw new ConnectionError(
    `Cannot use ${name} with ${clash}: there is no token to find`,
    name.startsWith("--") || clash.startsWith("--") ? EXIT.usage : EXIT.config,
  );
}

/** `--ephemeral`, and how long the token lives at most where it cannot be revoked. */
async function ephemeralOf(options: GlobalOptions): Promise<string | undefined> {
  const { ephemeralTtl: ttl } = options;
  if (ttl === undefined) return options.ephemeral ? DEFAULT_TTL : undefined;
  const fromEnvironment = options.fromEnvironment.has("ephemeralTtl");
  const name = fromEnvironment ? "ADC_RUN_EPHEMERAL" : "--ephemeral";
  try {
    await readTtl(ttl, name);
    return ttl;
  } catch (error) {
    if (!fromEnvironment || !(error instanceof UsageError)) throw error;
    const { message, suggestion } = error;
    throw new ConnectionError(message, EXIT.config, { suggestion });
  }
}
