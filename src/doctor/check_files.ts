import type { Stats } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { EXIT, throwIfNotCapable } from "../errors.ts";
import { USER_FILE } from "../profiles/profile_file.ts";
import { MIN_SECRET_LENGTH } from "../secret.ts";
import type { Secret } from "../secret.ts";
import { storeFolder } from "../store/private_path.ts";
import { TOKEN_FILE } from "../store/token_file.ts";
import type { Spawner } from "../system/spawn.ts";
import type { Found } from "./finding.ts";
import { trackedFiles } from "./tracked_files.ts";
import type { Place, TrackedFiles } from "./tracked_files.ts";

/** What `checkFiles` looks at. */
interface CheckFilesOptions extends Place {
  /** The environment file that was named. */
  readonly envFile: string | undefined;
  readonly tokens: readonly Secret[];
  /** Ends the check. */
  readonly signal: AbortSignal | undefined;
  /** How git is started. */
  readonly spawn: Spawner | undefined;
}

/**
 * Looks for tokens in the files of the working directory, the environment file, the file that
 * `ADC_TOKEN_FILE` names and adc-run's own, and whether git tracks them or others can read them.
 */
export async function checkFiles(options: CheckFilesOptions): Promise<readonly Found[]> {
  const { env, cwd, envFile, tokens } = options;
  const others = [
    ".env",
    envFile,
    env.ADC_TOKEN_FILE || undefined,
    join(storeFolder(env), USER_FILE),
    join(storeFolder(env), TOKEN_FILE),
  ].filter((name) => name !== undefined);
  const { files, cut } = await filesWithTokens(cwd, { others, tokens });
  const lists = new Map<string, TrackedFiles>();
  const findings: Found[] = [];
  for (const file of files) {
    const folder = dirname(file.path);
    if (!lists.has(folder)) lists.set(folder, await trackedFiles(folder, options));
    const list = lists.get(folder)!;
    if ("files" in list && list.files.has(file.path)) findings.push(trackedFinding(file));
    const open = await openness(file);
    if (open !== undefined) findings.push(open);
  }
  const failed = [...lists.values()].find((list) =>
    "none" in list && list.none !== "no repository"
  );
  if (failed !== undefined && "none" in failed) {
    const why = failed.none === "no git"
      ? "there is no git on PATH"
      : `git does not tell: ${failed.detail}`;
    findings.push({
      status: "warning",
      found: `whether git tracks a file with a token was not found out: ${why}`,
      suggestion: "Look by hand: git ls-files",
    });
  }
  if (cut) {
    findings.push({
      status: "warning",
      found: "there are more files here than were looked through for a token",
      suggestion: "Start the doctor in the folder that adc.yaml lies in.",
    });
  }
  if (findings.length > 0) return findings;
  const names = files.map(({ name }) => name).join(", ");
  return [{
    status: "ok",
    found: files.length === 0
      ? "no file here has a token in it"
      : `${names} with a token: not tracked by git, and nobody else's to read`,
    data: { files: files.map(({ name }) => name) },
  }];
}

function trackedFinding({ name, path }: FileWithToken): Found {
  return {
    status: "failed",
    found: `${name} has a token in it, and git tracks the file`,
    suggestion:
      "Whoever gets the repository gets the token. Take the file out (git rm --cached), name " +
      "it in .gitignore, and make a new token: the old one stays in git's history.",
    exitCode: EXIT.config,
    data: { path },
  };
}

/** Modes count where a way leads to the file: in a folder of mode 700, 644 opens it to nobody. */
async function openness({ name, path, stats }: FileWithToken): Promise<Found | undefined> {
  if (process.platform === "win32") return undefined;
  let mode = stats.mode & 0o077;
  for (let folder = await realpath(dirname(path)); mode !== 0; folder = dirname(folder)) {
    const way = (await stat(folder)).mode;
    if ((way & 0o010) === 0) mode &= ~0o070;
    if ((way & 0o001) === 0) mode &= ~0o007;
    if (dirname(folder) === folder) break;
  }
  if ((mode & 0o066) === 0) return undefined;
  const octal = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const writable = (mode & 0o002) !== 0;
  return {
    status: writable ? "failed" : "warning",
    found: `${name} has a token in it, and others can ${
      writable ? "change" : "read"
    } the file: its mode is ${octal}`,
    suggestion: `Close it: chmod 600 ${name}`,
    ...(writable && { exitCode: EXIT.config }),
    data: { path, mode: octal },
  };
}

/** A longer file is no configuration, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** So many files are looked at. */
const MAX_FILES = 1_000;

/** So much is read of all of them, in bytes. */
const MAX_TOTAL = 64 * MAX_BYTES;

/** What API7's tokens look like; shorter ones are placeholders. */
const TOKEN = /\ba7(?:ee|adm)-([\w-]{16,})/g;

interface FileWithToken {
  readonly name: string;
  /** The absolute path, without symbolic links. */
  readonly path: string;
  /** What the system says of it. */
  readonly stats: Stats;
}

/** What a search came to. */
interface TokenSearch {
  /** The files with a token in them, the named ones first. */
  readonly files: readonly FileWithToken[];
  /** Whether there were more files than are looked at. */
  readonly cut: boolean;
}

/** Names that files with a token often have; they are looked at first. */
const LIKELY = /^\.env|\.env$|^adc|token|secret/i;

/** Looks for tokens in the files of a folder, and in others that are named. */
async function filesWithTokens(
  folder: string,
  { others, tokens }: { readonly others: readonly string[]; readonly tokens: readonly Secret[] },
): Promise<TokenSearch> {
  const secrets = tokens.map((token) => token.reveal()).filter((each) =>
    each.length >= MIN_SECRET_LENGTH
  );
  const found = new Map<string, FileWithToken>();
  const names = [...others, ...await namesIn(folder)];
  let left = MAX_TOTAL;
  for (const name of names.slice(0, MAX_FILES)) {
    const { size, file } = await look(resolve(folder, name), { secrets, left });
    left -= size;
    if (file !== undefined && !found.has(file.path)) found.set(file.path, { ...file, name });
  }
  return { files: [...found.values()], cut: names.length > MAX_FILES || left < MAX_BYTES };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).sort();
    return [
      ...names.filter((name) => LIKELY.test(name)),
      ...names.filter((name) => !LIKELY.test(name)),
    ];
  } catch (error) {
    throwIfNotCapable(error);
    return [];
  }
}

/** Reads one file, unless it is no regular one, empty, or more than is to be read. */
async function look(
  name: string,
  { secrets, left }: { readonly secrets: readonly string[]; readonly left: number },
): Promise<{ readonly size: number; readonly file?: Omit<FileWithToken, "name"> }> {
  try {
    const stats = await stat(name);
    const { size } = stats;
    if (!stats.isFile() || size === 0 || size > Math.min(MAX_BYTES, left)) return { size: 0 };
    const text = await readFile(name, "latin1");
    if (!holdsToken(text, secrets) && !await setsToken(name, text)) return { size };
    // Of a link git keeps the link alone; what counts is the file that it leads to.
    return { size, file: { path: await realpath(name), stats } };
  } catch (error) {
    throwIfNotCapable(error);
    // A link that leads nowhere, or a file that only others can read.
    return { size: 0 };
  }
}

function holdsToken(text: string, secrets: readonly string[]): boolean {
  if (secrets.some((secret) => text.includes(secret))) return true;
  // "a7ee-xxxxxxxxxxxxxxxx" and "a7ee-your-token-goes-here" are no tokens.
  return [...text.matchAll(TOKEN)].some(([, value]) =>
    /\d/.test(value!) && new Set(value).size >= 8
  );
}

/** A key of Apache APISIX looks like nothing in particular; the variable's name tells. */
async function setsToken(file: string, text: string): Promise<boolean> {
  if (!/^\.env($|\.)|\.env$/.test(basename(file)) || !text.includes("ADC_TOKEN")) return false;
  const { parse } = await import("dotenv");
  const { ADC_TOKEN: token = "" } = parse(text);
  return token.trim().length >= MIN_SECRET_LENGTH && !/[\s$<>{}]/.test(token);
}
