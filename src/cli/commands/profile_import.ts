import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { resolveConnection } from "../../connection/connection.ts";
import { AdcRunError, codeOf, EXIT, reasonOf, throwIfNotCapable } from "../../errors.ts";
import { withAccount } from "../../lifecycle/open_session.ts";
import { adoptToken } from "../../lifecycle/replace_token.ts";
import { describeEntries, previousToken } from "../../lifecycle/token_stores.ts";
import { setProfile } from "../../profiles/edit_profiles.ts";
import { readUserProfiles } from "../../profiles/profile_file.ts";
import { isProfileName, type StoredProfile } from "../../profiles/profile_settings.ts";
import { isRecord, validateProfiles } from "../../profiles/validate.ts";
import { Secret } from "../../secret.ts";
import { homeFolder } from "../../system/files.ts";
import { accountOf, validateToken } from "../../token/token_value.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import type { ImportOptions } from "../manual/profile_commands.ts";
import { fixed, line } from "../output/out.ts";
import { requireConfirmation, requireTerminal } from "../prompts.ts";
import { storesOf } from "./account.ts";

/** A token is stored before its profile: whatever interrupts this, calling it once more completes it. */
export async function profileImport(call: OwnCall<ImportOptions>, io: Io): Promise<number> {
  const { options, reporter } = call;
  const { storage = "keychain", overwrite = false, dryRun = false } = options;
  const { info, warn } = reporter;
  const stores = storesOf(io, reporter);
  const { folder } = stores;
  const { path, contexts, current, refused } = await readA7Contexts(io, options.file);
  io.secrets.add(...contexts.map(({ token }) => token));
  const { profiles } = await readUserProfiles(io.env);
  const chosen = contexts.filter(({ profile }) => overwrite || !profiles.has(profile));
  const others = contexts.filter((each) => !chosen.includes(each));
  const skipped = others.map(({ name, profile }) => ({ context: name, profile }));
  if (!options.yes && !dryRun && chosen.length > 0) {
    requireTerminal(io, "Preview with --dry-run, and confirm with --yes.");
    const names = chosen.map(({ profile }) => `"${profile}"`).join(", ");
    const question = `Import ${names} from ${path}, and store the tokens in the ${storage}?`;
    await requireConfirmation(question, io);
  }
  // What speaks against a context's values must not come from the environment, nor from a project's `.env`.
  const kept = Object.entries(io.env).filter(([name]) => /_proxy$|_ALLOWED_SERVERS$/i.test(name));
  const where = { env: Object.fromEntries(kept), cwd: folder };
  const imported: { context: string; profile: string; account: string | null }[] = [];
  for (const { name, profile, settings, token, note } of chosen) {
    const target = { ...settings, name: profile, file: folder, project: false, explicit: true };
    const refuse = (error: unknown): void => {
      if (!(error instanceof AdcRunError)) throw error;
      refused.push({ name, reason: error.message });
    };
    const connection = await resolveConnection({ ...where, profile: target }).catch(refuse);
    if (connection === undefined) continue;
    if (note !== undefined) warn(`Context "${name}": ${note}`);
    const { origin } = connection.servers[0]!;
    const account = accountOf(origin, connection);
    const place = { stores, storage, account, connection, origin, onWarning: warn } as const;
    const isStored = token !== undefined && (dryRun || await withAccount(account, async () => {
      const before = await previousToken(place);
      const isFree = overwrite || [undefined, token.fingerprint].includes(before?.fingerprint);
      if (!isFree) {
        warn(`Another token is already stored for "${profile}": use --overwrite to replace it.`);
        return false;
      }
      for (const old of await adoptToken(token, place)) info(line`revoked the old token "${old}"`);
      return true;
    }, stores));
    if (!dryRun) await setProfile(profile, { env: io.env, set: settings, replace: overwrite });
    imported.push({ context: name, profile, account: isStored ? account : null });
    const into = isStored
      ? line`its token in ${describeEntries([account], { storage, folder })}`
      : fixed(`without ${token === undefined ? "a" : "its"} token`);
    info(line`${fixed(dryRun ? "would import" : "imported")} "${name}" as "${profile}", ${into}`);
    if (name !== current || dryRun) continue;
    info(line`"${name}" is a7's current context; to use it here: adc-run profile use ${profile}`);
  }
  for (const { context, profile } of skipped) {
    info(line`skipped "${context}": profile "${profile}" exists; use --overwrite to replace it`);
  }
  for (const { name, reason } of refused) warn(`Context "${name}" cannot be imported: ${reason}.`);
  if (!dryRun && imported.some(({ account }) => account !== null)) {
    info(line`"${path}" still contains the tokens: remove them if a7 no longer needs them`);
  }
  if (options.json) reporter.answer({ file: path, imported, skipped, refused, dryRun });
  return refused.length === 0 ? 0 : EXIT.data;
}

/** A context of a7, API7's other command line, as a profile, and what a person should know of it. */
interface A7Context {
  readonly name: string;
  readonly profile: string;
  readonly settings: StoredProfile;
  readonly token: Secret | undefined;
  readonly note: string | undefined;
}

/** Reads a7's file: `file`, or where a7 itself looks (api7/a7, internal/config/config.go). */
export async function readA7Contexts({ env, cwd }: Pick<Io, "env" | "cwd">, file?: string) {
  const { A7_CONFIG_DIR: own, XDG_CONFIG_HOME: xdg, HOME: home } = env;
  const folder = own || join(xdg || join(home || homeFolder({}), ".config"), "a7");
  const path = file === undefined ? resolve(folder, "config.yaml") : resolve(cwd, file);
  const { contexts: listed, "current-context": current } = await readYaml(path);
  const entries = listed ?? [];
  if (!Array.isArray(entries)) throw notA7s(path, '"contexts" is not a list');
  const contexts: A7Context[] = [];
  const refused: { readonly name: string; readonly reason: string }[] = [];
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
    if (code !== undefined) throw notA7s(path, reasonOf(code), EXIT.usage);
    // Without the error as its cause: that quotes the file, which holds tokens.
    const line = error instanceof YAMLException ? error.mark?.line ?? 0 : 0;
    throw notA7s(path, `line ${line + 1} is not YAML`);
  }
  if (isRecord(value)) return value;
  throw notA7s(path, "it contains no contexts");
}

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
