import { lstatSync, readFileSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../context.ts";
import { codeOf, reasonOf, throwIfNotCapable } from "../errors.ts";
import { requirePrivate, requirePrivateFolder, storeFolder } from "../store/private_path.ts";
import { isAbsent, statOrAbsent } from "../system/files.ts";
import type { ParsedProfiles } from "./parse_profiles.ts";
import { ProfileFileError } from "./profile_settings.ts";

export const USER_FILE = "config.json";

/** The name of a project's file, which stands beside `adc.yaml`. */
export const PROJECT_FILE = "adc-run.json";

/** Far more than thousands of profiles need; a project's file may be anybody's work. */
const MAX_BYTES = 4 * 1024 * 1024;

const LET_READ = "Check its permissions and its folder's.";

export interface ProfileFile extends ParsedProfiles {
  readonly path: string;
  readonly project: boolean;
}

export function userProfilesPath(env: Environment): string {
  return join(storeFolder(env), USER_FILE);
}

type Place = Pick<ProfileFile, "path" | "project">;

export async function readUserProfiles(env: Environment): Promise<ProfileFile> {
  return await readProfiles({ path: userProfilesPath(env), project: false });
}

export async function readProjectProfiles(cwd: string): Promise<ProfileFile> {
  return await readProfiles({ path: resolve(cwd, PROJECT_FILE), project: true });
}

async function readProfiles(where: Place): Promise<ProfileFile> {
  const text = readProfilesText(where);
  if (text === undefined) {
    return { ...where, use: undefined, profiles: new Map(), workflows: new Map() };
  }
  const { parseProfiles } = await import("./parse_profiles.ts");
  return { ...where, ...await parseProfiles(withoutMark(text), where) };
}

export function readProfilesText({ path, project }: Place): string | undefined {
  let bytes: Uint8Array;
  try {
    const stats = statOrAbsent(path);
    if (stats === undefined) {
      refuseBrokenLink(path);
      return undefined;
    }
    requireFile(path, stats);
    if (!project) {
      requirePrivateFolder(dirname(path), "plain");
      requirePrivate(path, stats, "plain");
    }
    bytes = readFileSync(path);
  } catch (error) {
    throwIfNotCapable(error);
    const code = codeOf(error);
    // HOME is /dev/null, say; or it was removed a moment ago.
    if (isAbsent(error)) return undefined;
    if (code === undefined || error instanceof ProfileFileError) throw error;
    throw new ProfileFileError(`it cannot be read: ${reasonOf(code)}`, {
      path,
      suggestion: LET_READ,
      cause: error,
    });
  }
  try {
    // The mark stays, for an edit to keep it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProfileFileError("it is not valid UTF-8", { path, suggestion: "Save it as UTF-8." });
  }
}

/** Somebody put it there, and would not expect it to count for nothing. */
function refuseBrokenLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new ProfileFileError("it is a link to a missing file", {
    path,
    suggestion: "Fix the link, or remove it.",
  });
}

/** Windows' editors put a byte order mark first, which JSON has not. */
export function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, "");
}

function requireFile(path: string, stats: Stats): void {
  if (!stats.isFile()) {
    const found = stats.isDirectory() ? "a directory" : "not a regular file";
    throw new ProfileFileError(`it is ${found}`, { path, suggestion: "Put a JSON file there." });
  }
  if (stats.size > MAX_BYTES) {
    throw new ProfileFileError(`it is larger than ${MAX_BYTES} bytes`, { path });
  }
}
