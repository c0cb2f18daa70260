import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Context, Environment } from "../context.ts";
import { AdcRunError, codeOf, EXIT, throwIfNotCapable } from "../errors.ts";
import { Secret } from "../secret.ts";
import { homeFolder } from "../system/files.ts";
import { isBlank } from "../token/token_value.ts";
import { isProfileName } from "./profile_settings.ts";
import type { StoredProfile } from "./profile_settings.ts";
import { validateProfiles } from "./validate.ts";

export interface A7Context {
  /** What a7 calls it. */
  readonly name: string;
  readonly profile: string;
  readonly settings: StoredProfile;
  readonly token: Secret | undefined;
  readonly notes: readonly string[];
}

export interface RefusedContext {
  /** What a7 calls it, or its place in the list. */
  readonly name: string;
  readonly reason: string;
}

export interface A7Contexts {
  readonly path: string;
  readonly current: string | undefined;
  readonly contexts: readonly A7Context[];
  readonly refused: readonly RefusedContext[];
}

export interface ReadA7Options extends Pick<Context, "env" | "cwd"> {
  /** The file, instead of a7's own place. @default the place where a7 looks */
  readonly file?: string | undefined;
}

export async function readA7Contexts(options: ReadA7Options): Promise<A7Contexts> {
  const path = options.file === undefined
    ? a7ConfigPath(options.env)
    : resolve(options.cwd, options.file);
  const data = await readYaml(path);
  const listed = data.contexts ?? [];
  if (!Array.isArray(listed)) throw notA7s(path, '"contexts" is no list');
  const contexts: A7Context[] = [];
  const refused: RefusedContext[] = [];
  for (const [index, each] of listed.entries()) {
    const name = isRecord(each) && typeof each.name === "string" ? each.name : undefined;
    const shown = name ?? `number ${index + 1}`;
    const outcome = contextOf(each, { path, taken: contexts.map(({ profile }) => profile) });
    if (typeof outcome === "string") refused.push({ name: shown, reason: outcome });
    else contexts.push(outcome);
  }
  const current = data["current-context"];
  return { path, current: typeof current === "string" ? current : undefined, contexts, refused };
}

/** As a7 looks for it (api7/a7, internal/config/config.go). */
function a7ConfigPath(
  { A7_CONFIG_DIR: own, XDG_CONFIG_HOME: xdg, HOME: home }: Environment,
): string {
  if (own) return resolve(own, "config.yaml");
  if (xdg) return resolve(xdg, "a7", "config.yaml");
  return join(home || homeFolder({}), ".config", "a7", "config.yaml");
}

async function readYaml(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throwIfNotCapable(error);
    const code = codeOf(error);
    if (error instanceof TypeError) throw notA7s(path, "it is not valid UTF-8");
    const found = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})`;
    throw new AdcRunError(`Cannot import from "${path}": ${found}`, EXIT.usage, {
      suggestion: "Name a7's file with --file.",
      cause: error,
    });
  }
  const { loadAll, YAMLException } = await import("js-yaml");
  let value: unknown;
  try {
    // An empty file has no document, which `load` takes for an error.
    [value] = loadAll(text);
  } catch (error) {
    // Without the error as its cause: that quotes the file, which holds tokens.
    const line = error instanceof YAMLException ? error.mark?.line : undefined;
    throw notA7s(path, line === undefined ? "it is no YAML" : `line ${line + 1} is no YAML`);
  }
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw notA7s(path, "it holds something else than contexts");
  return value;
}

function contextOf(
  value: unknown,
  { path, taken }: { readonly path: string; readonly taken: readonly string[] },
): A7Context | string {
  if (!isRecord(value)) return "it is no context";
  const { name, server, token, "gateway-group": group, "tls-skip-verify": skip, "ca-cert": ca } =
    value;
  if (typeof name !== "string" || name === "") return "it has no name";
  const profile = profileName(name);
  if (profile === undefined) return "its name cannot be a profile's";
  if (taken.includes(profile)) return `there is another context for the profile "${profile}"`;
  for (
    const [key, each] of Object.entries({ server, token, "gateway-group": group, "ca-cert": ca })
  ) {
    if (each !== undefined && typeof each !== "string") return `its "${key}" is no text`;
  }
  if (skip !== undefined && typeof skip !== "boolean") return 'its "tls-skip-verify" is no boolean';
  if (!server) return "it has no server";
  const settings: StoredProfile = {
    backend: "api7ee",
    server: server as string,
    ...(group ? { gatewayGroup: group as string } : {}),
    // a7 takes a relative path from wherever it is called; its file's folder is the best guess.
    ...(ca ? { caCertFile: resolve(dirname(path), ca as string) } : {}),
    ...(skip ? { tlsSkipVerify: true } : {}),
  };
  const issue = validateProfiles({ profiles: { [profile]: settings } }, { project: false });
  if (issue !== undefined) return issue.found;
  const notes: string[] = [];
  if (profile !== name) {
    notes.push(`It becomes profile "${profile}": ${JSON.stringify(name)} is no profile name.`);
  }
  if (group && group !== "default") {
    notes.push(
      `a7 names a gateway group by its id and ADC by its name: make sure that "${group}" is the name.`,
    );
  }
  const secret = typeof token === "string" && !isBlank(token)
    ? new Secret(token.trim())
    : undefined;
  return { name, profile, settings, token: secret, notes };
}

/** The name of a context, with dashes for what a profile's must not have. */
function profileName(name: string): string | undefined {
  if (isProfileName(name)) return name;
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[._-]+|[._-]+$/g, "");
  return isProfileName(plain) ? plain : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notA7s(path: string, found: string): AdcRunError {
  return new AdcRunError(`Cannot import from "${path}": ${found}`, EXIT.data, {
    suggestion: "Name a7's file with --file: it is called config.yaml.",
  });
}
