import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../context.ts";
import { AdcRunError, codeOf, EXIT, throwIfNotCapable } from "../errors.ts";
import { Secret } from "../secret.ts";
import { homeFolder } from "../system/files.ts";
import { validateToken } from "../token/token_value.ts";
import { isProfileName, type StoredProfile } from "./profile_settings.ts";
import { isRecord, validateProfiles } from "./validate.ts";

/**
 * A context of a7, API7's other command line, as a profile, and what a person should know of it.
 */
export interface A7Context {
  readonly name: string;
  readonly profile: string;
  readonly settings: StoredProfile;
  readonly token: Secret | undefined;
  readonly note: string | undefined;
}

/** What a7's file holds: contexts that can become profiles, and why the others cannot. */
export interface A7Contexts {
  readonly path: string;
  readonly current: unknown;
  readonly contexts: readonly A7Context[];
  readonly refused: { readonly name: string; readonly reason: string }[];
}

/** Reads a7's file: `file`, or where a7 itself looks (api7/a7, internal/config/config.go). */
export async function readA7Contexts(
  { env, cwd }: { readonly env: Environment; readonly cwd: string },
  file: string | undefined,
): Promise<A7Contexts> {
  const { A7_CONFIG_DIR: own, XDG_CONFIG_HOME: xdg, HOME: home } = env;
  const folder = own || join(xdg || join(home || homeFolder({}), ".config"), "a7");
  const path = file === undefined ? resolve(folder, "config.yaml") : resolve(cwd, file);
  const { contexts: listed, "current-context": current } = await readYaml(path);
  const entries = listed ?? [];
  if (!Array.isArray(entries)) throw notA7s(path, '"contexts" is not a list');
  const contexts: A7Context[] = [];
  const refused: A7Contexts["refused"] = [];
  for (const [index, each] of entries.entries()) {
    const value = isRecord(each) ? each : {};
    const made = contextOf(value, { path, taken: contexts.map(({ profile }) => profile) });
    const name = typeof value.name === "string" ? value.name : `number ${index + 1}`;
    if (typeof made === "string") refused.push({ name, reason: made });
    else contexts.push(made);
  }
  return { path, current, contexts, refused };
}

async function readYaml(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { loadAll, YAMLException } = await import("js-yaml");
  let value: unknown;
  try {
    // An empty file has no document, which `load` takes for an error.
    value = loadAll(await readFile(path, "utf8"))[0] ?? {};
  } catch (error) {
    throwIfNotCapable(error);
    const code = codeOf(error);
    if (code === "ENOENT") throw notA7s(path, "no such file", EXIT.usage);
    if (code !== undefined) throw notA7s(path, `it cannot be read (${code})`, EXIT.usage);
    // Without the error as its cause: that quotes the file, which holds tokens.
    const line = error instanceof YAMLException ? error.mark?.line ?? 0 : 0;
    throw notA7s(path, `line ${line + 1} is not YAML`);
  }
  if (isRecord(value)) return value;
  throw notA7s(path, "it contains no contexts");
}

/** Makes a profile of a context, or says why not. */
function contextOf(
  { name, server, token, "gateway-group": group, ...rest }: Readonly<Record<string, unknown>>,
  { path, taken }: { readonly path: string; readonly taken: readonly string[] },
): A7Context | string {
  const { "tls-skip-verify": skip, "ca-cert": ca } = rest;
  if (typeof name !== "string" || name === "") return "it has no name";
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[._-]+|[._-]+$/g, "");
  const profile = isProfileName(name) ? name : plain;
  if (!isProfileName(profile)) return "its name is not valid for a profile";
  if (taken.includes(profile)) return `another context has the same profile name, "${profile}"`;
  if (!server) return "it has no server";
  const settings = {
    backend: "api7ee",
    server,
    ...(group ? { gatewayGroup: group } : {}),
    // a7 takes a relative path from wherever it is called; its file's folder is the best guess.
    ...(ca ? { caCertFile: typeof ca === "string" ? resolve(dirname(path), ca) : ca } : {}),
    ...(skip ? { tlsSkipVerify: skip } : {}),
  };
  const issue = validateProfiles({ profiles: { [profile]: settings } }, { project: false });
  if (issue !== undefined) return issue.found;
  if (token && typeof token !== "string") return 'its "token" is not a string';
  const secret = typeof token === "string" && token.trim() ? new Secret(token.trim()) : undefined;
  const broken = secret && validateToken(secret, "api7ee");
  if (broken !== undefined) return `its token cannot be used: ${broken}`;
  const note = group && group !== "default"
    ? `a7 refers to a gateway group by id, ADC by name: check that "${group}" is the name.`
    : undefined;
  return { name, profile, settings: settings as StoredProfile, token: secret, note };
}

function notA7s(path: string, found: string, exitCode: number = EXIT.data): AdcRunError {
  const suggestion = "Set the path of a7's config.yaml with --file.";
  return new AdcRunError(`Cannot import from "${path}": ${found}`, exitCode, { suggestion });
}
