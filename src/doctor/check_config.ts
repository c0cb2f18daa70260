import { join } from "node:path";
import { describeConnection, resolveConnection } from "../connection/connection.ts";
import { describeOrigin, type Profile } from "../connection/origin.ts";
import type { Context } from "../context.ts";
import { AdcRunError, ConnectionError, EXIT } from "../errors.ts";
import { defaultSources } from "../lifecycle/default_sources.ts";
import {
  PROJECT_FILE,
  readProjectProfiles,
  readUserProfiles,
  USER_FILE,
} from "../profiles/profile_file.ts";
import { selectProfiles } from "../profiles/select_profiles.ts";
import { storeFolder } from "../store/private_path.ts";
import { type Survey, surveyTokens } from "../token/resolve.ts";
import { splitTokens } from "../token/token_value.ts";
import type { DiagnoseOptions, Given, Outcome } from "./diagnose.ts";
import { failureOf, type Found, ok, warning } from "./finding.ts";

/** Where it is unclear which profile is in use, nothing can be asked on its behalf. */
export async function checkConfig(options: DiagnoseOptions): Promise<Outcome> {
  const { env, cwd } = options;
  const findings: Found[] = [];
  const good: string[] = [];
  for (
    const [name, read] of [
      [join(storeFolder(env), USER_FILE), () => readUserProfiles(env)],
      [PROJECT_FILE, () => readProjectProfiles(cwd)],
    ] as const
  ) {
    try {
      const { profiles: { size } } = await read();
      if (size > 0) good.push(`${size} profile${size === 1 ? "" : "s"} in ${name}`);
    } catch (error) {
      const suggestion = "Fix the file, or use no profile with --no-profile.";
      const failure = failureOf(error);
      findings.push({ ...failure, suggestion: failure.suggestion ?? suggestion });
    }
  }
  if (findings.length > 0 && options.profile !== false) return findings;
  const onWarning = (text: string) => void findings.push(warning(text));
  const profile = await selectProfile({ ...options, onWarning });
  if (findings.length === 0) {
    const allowed = profile?.allow && ` (allows only ${profile.allow.join(", ") || "nothing"})`;
    const inForce = profile === undefined
      ? "none in use"
      : `"${profile.name}" in use${allowed ?? ""}`;
    const found = good.length === 0 ? "no profiles" : `${good.join(", ")}; ${inForce}`;
    findings.push(ok(found, { profile: profile?.name ?? null }));
  }
  return { findings, facts: { selected: { profile } } };
}

async function selectProfile(
  { env, cwd, profile, onWarning }: Context & Pick<DiagnoseOptions, "profile">,
): Promise<Profile | undefined> {
  if (profile === false) return undefined;
  const names = profile === undefined ? undefined : [profile];
  const [first, ...others] = await selectProfiles({ env, cwd, names, onWarning });
  if (others.length > 0) {
    const message = "Cannot check several profiles at once: ADC_RUN_PROFILE lists more than one";
    throw new ConnectionError(message, EXIT.config, { suggestion: "Choose one with --profile." });
  }
  return first;
}

export async function checkConnection(given: Given<"selected">): Promise<Outcome> {
  const { env, cwd, envFile, args = [], selected: { profile } } = given;
  const connection = await resolveConnection({
    env,
    cwd,
    envFile,
    profile,
    args: ["doctor", ...args],
  });
  const survey = await askSources({ ...given, connection });
  const { backend, server, servers, warnings } = connection;
  const { winner } = survey;
  const tokens = winner ? splitTokens(winner.token, backend.value) : [];
  const secrets = [
    ...tokens,
    ...winner?.secrets ?? [],
    ...servers.flatMap((server) => server.secrets),
  ];
  const found = `${backend.value} (${describeOrigin(backend.origin)}) at ${server.value} (${
    describeOrigin(server.origin)
  })`;
  return {
    findings: [ok(found, describeConnection(connection)), ...warnings.map((text) => warning(text))],
    facts: { connection, survey, tokens, secrets },
  };
}

async function askSources(
  { env, cwd, sources, signal, connection, watched }: Given<"connection">,
): Promise<Survey> {
  const { keychain } = watched;
  try {
    const asked = sources?.(connection, keychain) ??
      defaultSources({ env, cwd, keychain, names: connection.profile?.sources });
    return await surveyTokens({ connection, sources: asked, signal });
  } catch (error) {
    signal?.throwIfAborted();
    // A profile can name sources that there are not.
    if (error instanceof AdcRunError) return { trail: [], winner: undefined, error };
    throw error;
  }
}
