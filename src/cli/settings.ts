import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type Connection, resolveConnection } from "../connection/connection.ts";
import { type EnvFile, readNamedFile } from "../connection/env_file.ts";
import {
  misuse,
  type Origin,
  type Profile,
  profilesOrigin,
  wrongValue,
} from "../connection/origin.ts";
import { untrustedOverride } from "../connection/pinned_target.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { defaultSources, type DefaultSourcesOptions } from "../lifecycle/default_sources.ts";
import { DEFAULT_TTL, readTtl } from "../lifecycle/expiry.ts";
import type { SessionPool } from "../lifecycle/open_session.ts";
import { readProjectProfiles, readUserProfiles } from "../profiles/profile_file.ts";
import { selectProfiles } from "../profiles/select_profiles.ts";
import { secretsOf } from "../run/environment.ts";
import { letGoOfPipe } from "../system/files.ts";
import { isNode } from "../system/programs.ts";
import type { TokenSource } from "../token/sources.ts";
import { accountOf, PLACEHOLDER } from "../token/token_value.ts";
import type { GlobalOptions } from "./global_options.ts";
import { canAsk, contextOf, hasTerminal, type Io } from "./io.ts";
import type { TargetOptions } from "./manual/auth_commands.ts";
import type { OwnCall } from "./manual/manual.ts";
import { fixed, line } from "./output/out.ts";
import type { Reporter } from "./output/report.ts";
import { askConfirmation, askCredentials } from "./prompts.ts";

export function sourcesOf(
  io: Io,
  { options, reporter, connection, mayAsk = true, ...more }:
    & {
      readonly mayAsk?: boolean | undefined;
      readonly options: GlobalOptions;
      readonly reporter: Reporter;
      readonly connection: Connection;
    }
    & Pick<DefaultSourcesOptions, "ephemeral" | "confirm" | "sessions">,
): readonly TokenSource[] {
  io.secrets.add(...secretsOf(connection, { token: PLACEHOLDER }, io.env));
  const howLong = async (target: Connection) => {
    if (more.ephemeral !== undefined) return " for this run";
    const { isMissingKeychain, openTokenStores, storedToken } = await import(
      "../lifecycle/token_stores.ts"
    );
    const account = accountOf(target.servers[0]!.origin, target);
    const place = { stores: openTokenStores(io), storage: "keychain", account } as const;
    const isMissing = await storedToken(place).then(() => false, isMissingKeychain);
    return isMissing ? " for this run" : " and keep one for 30 days";
  };
  const sources = () =>
    defaultSources({
      ...contextOf(io, reporter),
      names: options.source ?? connection.profile?.sources,
      // Several helpers cannot share what a person types.
      helperStdin: canAsk(io) && more.sessions === undefined ? "inherit" : "ignore",
      helperStderr: options.quiet ? "ignore" : "inherit",
      ask: mayAsk && canAsk(io) ? askCredentials(io, howLong) : undefined,
      ...more,
    }).map((source) => remembering(source, io));
  try {
    return sources();
  } catch (error) {
    if (!(error instanceof UsageError) || options.source === undefined) throw error;
    const message = (name: string) => error.message.replace("these sources", name);
    throw options.fromEnvironment.has("source")
      ? new ConnectionError(message("ADC_RUN_SOURCE"), EXIT.config, error)
      : new UsageError(message("--source"), error);
  }
}

/** Whatever a source finds is kept out of all that is said from then on. */
function remembering(source: TokenSource, { secrets, sign }: Io): TokenSource {
  return {
    ...source,
    find: async (context) => {
      const { server } = context.connection;
      const host = server.value.replace(/^https?:\/\//, "");
      // A helper may ask at the terminal itself.
      if (source.name === "command") sign?.hide();
      else if (source.name === "admin-api") sign?.show(line`logging in at ${host}`);
      else sign?.show(line`asking the source ${fixed(source.name)}`);
      const answer = await source.find(context);
      sign?.show(line`waiting for ${host}`);
      if (answer.status === "found") {
        secrets.add(answer.token, answer.lease?.parent, ...answer.secrets ?? []);
      }
      return answer;
    },
  };
}

export async function profilesOf(
  io: Io,
  { options, reporter }: { readonly options: GlobalOptions; readonly reporter: Reporter },
): Promise<readonly Profile[]> {
  if (options.profile === false) return [];
  return await selectProfiles({ ...contextOf(io, reporter), names: options.profile });
}

export async function targetNames(
  { options, reporter }: OwnCall<TargetOptions>,
  io: Io,
): Promise<readonly string[] | undefined> {
  if (options.all) {
    if (options.profile) throw new UsageError("Cannot use --all with --profile");
    const files = [await readUserProfiles(io.env), await readProjectProfiles(io.cwd)];
    const names = [...new Set(files.flatMap(({ profiles }) => [...profiles.keys()]))];
    if (names.length > 0) return names;
    throw new UsageError("Cannot use --all: there are no profiles", {
      suggestion: "Create one with: adc-run profile set NAME",
    });
  }
  const profiles = await profilesOf(io, { options, reporter });
  return profiles.length > 1 ? profiles.map(({ name }) => name) : undefined;
}

export function forTarget<T>(name: string, call: OwnCall<T>): OwnCall<T> {
  const { options, reporter } = call;
  return {
    ...call,
    options: { ...options, profile: [name] },
    reporter: { ...reporter, warn: (text) => reporter.warn(`${name}: ${text}`) },
  };
}

export interface OwnConnection {
  readonly connection: Connection;
  /** Whether nobody named a backend, and the command's own stands. */
  readonly backendIsAssumed: boolean;
  readonly serverIsTyped: boolean;
  readonly sources: readonly TokenSource[];
}

export async function openConnection(
  { spec, options, connectionWords, reporter }: OwnCall,
  io: Io,
  { backend = spec.backend, askServer, mayAsk = true }: {
    readonly mayAsk?: boolean;
    readonly backend?: "api7ee" | undefined;
    readonly askServer?: (() => Promise<string | undefined>) | undefined;
  } = {},
): Promise<OwnConnection> {
  const { env, cwd } = io;
  const [profile, ...others] = await profilesOf(io, { options, reporter });
  if (others.length > 0) {
    const message = `Cannot use ${others.length + 1} profiles with "adc-run ${spec.name}"`;
    throw misuse(profilesOrigin(options.profile !== undefined), message, {
      suggestion: "It works on one target: name one profile.",
    });
  }
  const envFile = await namedEnvFile(io, options);
  // The connection flags mean the same as for ADC, and are read by the same code.
  const args = [spec.name, ...connectionWords];
  const connect = () => resolveConnection({ args, env, cwd, envFile, profile });
  let connection = await connect();
  const backendIsAssumed = backend !== undefined && connection.backend.origin.kind === "default";
  if (backendIsAssumed) {
    args.push("--backend", backend);
    connection = await connect();
  }
  let serverIsTyped = false;
  if (connection.server.origin.kind === "default") {
    const server = await askServer?.();
    if (server !== undefined) {
      serverIsTyped = true;
      args.push("--server", server);
      connection = await connect();
    }
  }
  const sources = sourcesOf(io, { options, reporter, connection, mayAsk });
  for (const warning of connection.warnings) reporter.warn(warning);
  const override = spec.connection === "with the stored token" && untrustedOverride(connection);
  if (override) {
    throw new ConnectionError(
      `Cannot use the stored token: ${override.reason}`,
      EXIT.config,
      override,
    );
  }
  return { connection, backendIsAssumed, serverIsTyped, sources };
}

/** Reads the file of `--env-file` or `ADC_RUN_ENV_FILE`, once for the whole command: it may be a pipe. */
export async function namedEnvFile(
  { cwd }: Io,
  { envFile: name, fromEnvironment }: GlobalOptions,
  signal?: AbortSignal,
): Promise<EnvFile | undefined> {
  if (name === undefined) return undefined;
  signal?.throwIfAborted();
  const path = resolve(cwd, name);
  const origin: Origin = fromEnvironment.has("envFile")
    ? { kind: "environment", name: "ADC_RUN_ENV_FILE" }
    : { kind: "flag", name: "--env-file" };
  if (origin.kind === "flag" && isNode() && isPipe(path)) {
    // Node.js looks for an option of this name among a script's own words.
    throw wrongValue(origin, `"${name}" is a pipe that Node.js reads before adc-run can`, {
      suggestion: "Use ADC_RUN_ENV_FILE instead, or write it to a file.",
    });
  }
  const file = readNamedFile(name, cwd, origin);
  if (signal === undefined) return await file;
  return await Promise.race([
    file,
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        letGoOfPipe(path);
        reject(signal.reason);
      }, { once: true });
    }),
  ]);
}

function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

export interface RunCommand {
  readonly words: readonly string[];
  readonly exec: boolean;
  readonly options: GlobalOptions;
}

export async function runOptionsOf(
  options: GlobalOptions,
  { io, reporter }: { readonly io: Io; readonly reporter: Reporter },
) {
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
    sources: (connection: Connection, sessions?: SessionPool): readonly TokenSource[] =>
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

function rejectTokens(options: GlobalOptions): void {
  const { token, source, ephemeral, ephemeralTtl, fromEnvironment } = options;
  if (token !== false) return;
  const isFlag = (...keys: string[]) => !keys.some((key) => fromEnvironment.has(key));
  // A variable says where tokens come from in general.
  const clash = source !== undefined && isFlag("source")
    ? "--source"
    : ephemeralTtl !== undefined || ephemeral
    ? isFlag("ephemeral", "ephemeralTtl") ? "--ephemeral" : "ADC_RUN_EPHEMERAL"
    : undefined;
  if (clash === undefined) return;
  const name = isFlag("token") ? "--no-token" : "ADC_RUN_NO_TOKEN";
  throw new ConnectionError(
    `Cannot use ${name} with ${clash}: there is no token to find`,
    name.startsWith("--") || clash.startsWith("--") ? EXIT.usage : EXIT.config,
  );
}

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
