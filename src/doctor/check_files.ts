import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, delimiter, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import { parseVariables } from "../connection/env_file.ts";
import type { Context, Environment } from "../context.ts";
import { EXIT, throwIfNotCapable } from "../errors.ts";
import { USER_FILE } from "../profiles/profile_file.ts";
import { MIN_SECRET_LENGTH, type Secret } from "../secret.ts";
import { storeFolder } from "../store/private_path.ts";
import { TOKEN_FILE } from "../store/token_file.ts";
import { capture } from "../system/capture.ts";
import { homeFolder, readAtMost, statOrAbsent } from "../system/files.ts";
import { findOnPath } from "../system/programs.ts";
import type { DiagnoseOptions, Facts } from "./diagnose.ts";
import { failed, type Found, ok, warning } from "./finding.ts";

export async function checkFiles(
  options: DiagnoseOptions & Partial<Pick<Facts, "tokens">>,
  platform: string = process.platform,
): Promise<readonly Found[]> {
  const { env, cwd, envFile, tokens = [] } = options;
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
    const open = platform === "win32" ? undefined : await openness(file);
    if (open !== undefined) findings.push(open);
  }
  const unknown = [...lists.values()].find((list) => "unknown" in list);
  if (unknown !== undefined) {
    findings.push(warning(
      `cannot tell whether git tracks a file with a token: ${unknown.unknown}`,
      "Check yourself: git ls-files",
    ));
  }
  if (cut) {
    findings.push(warning(
      "too many files here to search them all for a token",
      "Run doctor in the folder of adc.yaml.",
    ));
  }
  if (findings.length > 0) return findings;
  const names = files.map(({ name }) => name);
  // Windows' modes say nothing.
  const readers = platform === "win32" ? "access lists not checked" : "not readable by others";
  const found = names.length === 0
    ? "no file here contains a token"
    : `${names.join(", ")} with a token: not tracked by git, ${readers}`;
  return [ok(found, { files: names })];
}

function trackedFinding({ name, path }: FileWithToken): Found {
  return failed(
    `${name} contains a token, and git tracks the file`,
    "Whoever gets the repository gets the token. Untrack the file (git rm --cached), list " +
      "it in .gitignore, and create a new token: the old one stays in git's history.",
    { exitCode: EXIT.config, data: { path } },
  );
}

/** Modes count where a way leads to the file: in a folder of mode 700, 644 opens it to nobody. */
async function openness({ name, path, stats }: FileWithToken): Promise<Found | undefined> {
  let mode = stats.mode & 0o077;
  for (let folder = await realpath(dirname(path)); mode !== 0; folder = dirname(folder)) {
    const way = (await stat(folder)).mode;
    if ((way & 0o010) === 0) mode &= ~0o070;
    if ((way & 0o001) === 0) mode &= ~0o007;
    if (dirname(folder) === folder) break;
  }
  if ((mode & 0o066) === 0) return undefined;
  const octal = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const data = { path, mode: octal };
  const found = (what: string) =>
    `${name} contains a token, and others can ${what} the file: its mode is ${octal}`;
  const suggestion = `Restrict it: chmod 600 ${name}`;
  return (mode & 0o002) === 0
    ? warning(found("read"), suggestion, data)
    : failed(found("change"), suggestion, { exitCode: EXIT.config, data });
}

const MAX_BYTES = 1024 * 1024;

const MAX_FILES = 1_000;

const MAX_TOTAL = 64 * MAX_BYTES;

/** What API7's tokens look like; shorter ones are placeholders. */
const TOKEN = /\ba7(?:ee|adm)-([\w-]{16,})/g;

interface FileWithToken {
  readonly name: string;
  readonly path: string;
  readonly stats: Stats;
}

const LIKELY = /^\.env|\.env$|^adc|token|secret/i;

async function filesWithTokens(
  folder: string,
  { others, tokens }: { readonly others: readonly string[]; readonly tokens: readonly Secret[] },
): Promise<{ readonly files: readonly FileWithToken[]; readonly cut: boolean }> {
  const secrets = tokens.map((token) => token.reveal()).filter((each) =>
    each.length >= MIN_SECRET_LENGTH
  );
  const found = new Map<string, FileWithToken>();
  const names = [...others, ...await namesIn(folder)];
  let left = MAX_TOTAL;
  for (const name of names.slice(0, MAX_FILES)) {
    const file = await readSmallFile(resolve(folder, name), left);
    if (file === undefined) continue;
    const { text, path, stats } = file;
    left -= text.length;
    const hasToken = holdsToken(text, secrets) || await setsToken(name, text);
    if (hasToken && !found.has(path)) found.set(path, { name, path, stats });
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

async function readSmallFile(
  name: string,
  left: number,
): Promise<Omit<FileWithToken, "name"> & { readonly text: string } | undefined> {
  try {
    const stats = await stat(name);
    if (!stats.isFile() || stats.size === 0) return undefined;
    const text = (await readAtMost(name, Math.min(MAX_BYTES, left)))?.toString("latin1");
    // Of a link git keeps the link alone; what counts is the file that it leads to.
    return text === undefined ? undefined : { text, path: await realpath(name), stats };
  } catch (error) {
    throwIfNotCapable(error);
    // A link that leads nowhere, or a file that only others can read.
    return undefined;
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
  const { ADC_TOKEN: token = "" } = await parseVariables(text);
  return token.trim().length >= MIN_SECRET_LENGTH && !/[\s$<>{}]/.test(token);
}

/** Variables that lead git to another repository than the one at hand. */
const MISLEADING =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|NAMESPACE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|PREFIX|TRACE.*|EXEC_PATH|SSH.*|PROXY_COMMAND|EXTERNAL_DIFF|PAGER|EDITOR|ASKPASS)$/;

/** They keep a repository's own configuration from naming a file system monitor or hooks to run. */
const NO_PROGRAMS =
  ("--no-pager --no-optional-locks -c core.fsmonitor=false -c core.hooksPath=/dev/null " +
    "-c safe.bareRepository=explicit").split(" ");

type TrackedFiles =
  | { readonly files: ReadonlySet<string> }
  | { readonly unknown: string };

/**
 * Lists the files that git tracks below a folder.
 *
 * `git ls-files` reads git's index and no file's contents. What a repository that was cloned, or copied
 * with its `.git`, could make it run is turned off: the file system monitor, hooks, and every way of
 * fetching objects that are missing. git itself is not taken from the project's own folders.
 */
export async function trackedFiles(
  folder: string,
  { env, signal, spawn }: Pick<DiagnoseOptions, "env" | "signal" | "spawn">,
): Promise<TrackedFiles> {
  if (repositoryRoot(folder) === undefined) return { files: new Set() };
  const git = findGit(env, folder);
  if (git === undefined) return { unknown: "git is not on PATH" };
  const answer = await capture(git, [...NO_PROGRAMS, "ls-files", "-z"], {
    env: gitEnvironment(env),
    cwd: folder,
    timeout: 10_000,
    maxBytes: 64 * MAX_BYTES,
    signal,
    spawn,
  });
  // It may refuse a repository that belongs to somebody else, or be one of another kind.
  if ("failure" in answer) return { unknown: `git ${answer.failure}` };
  const names = answer.stdout.split("\0").filter((name) => name !== "");
  return { files: new Set(names.map((name) => join(folder, name))) };
}

function findGit(env: Environment, folder: string): string | undefined {
  const entries = (env.PATH ?? env.Path ?? "").split(delimiter);
  const own = entries.filter((entry) =>
    isAbsolute(entry) && !cameWithProject(join(entry, "git"), { env, cwd: folder })
  );
  return findOnPath("git", { env: { ...env, PATH: own.join(delimiter) }, cwd: folder });
}

function gitEnvironment(env: Environment): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) =>
    !MISLEADING.test(name) && !/^(ADC_|API_KEY$|API7_)/.test(name)
  );
  return {
    ...Object.fromEntries(kept),
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    // Neither git nor a helper of its own may be made to fetch what is missing.
    GIT_ALLOW_PROTOCOL: "none",
    GIT_NO_LAZY_FETCH: "1",
    ...(process.platform !== "win32" && { LC_ALL: "C" }),
  };
}

export function repositoryRoot(folder: string): string | undefined {
  for (let each = resolve(folder);; each = dirname(each)) {
    if (statOrAbsent(join(each, ".git")) !== undefined) return each;
    if (dirname(each) === each) return undefined;
  }
}

/**
 * Tells whether a program came along with the project.
 *
 * That is so below the working directory, below its repository, and in any `node_modules` from there
 * upwards, which `npx` puts on `PATH`. A home folder is no project, though it may be a repository.
 */
export function cameWithProject(file: string, { env, cwd }: Pick<Context, "env" | "cwd">): boolean {
  const home = homeFolder(env);
  const roots = [resolve(cwd), repositoryRoot(cwd)];
  if (roots.some((root) => root !== undefined && !isBelow(home, root) && isBelow(file, root))) {
    return true;
  }
  const parts = file.split(sep);
  const at = parts.indexOf("node_modules");
  return at > 0 && isBelow(resolve(cwd), parts.slice(0, at).join(sep) || sep);
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !way.startsWith(`..${sep}`));
}
