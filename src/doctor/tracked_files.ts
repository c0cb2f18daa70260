import { delimiter, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import type { Context, Environment } from "../context.ts";
import { capture } from "../system/capture.ts";
import { homeFolder, statOrAbsent } from "../system/files.ts";
import { findOnPath } from "../system/programs.ts";
import type { DiagnoseOptions } from "./diagnose.ts";

const MAX_BYTES = 64 * 1024 * 1024;

const TIME_LIMIT = 10_000;

/** Variables that lead git to another repository than the one at hand. */
const MISLEADING =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|NAMESPACE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|PREFIX|TRACE.*|EXEC_PATH|SSH.*|PROXY_COMMAND|EXTERNAL_DIFF|PAGER|EDITOR|ASKPASS)$/;

/**
 * Settings that keep a repository's own configuration from naming programs: a monitor of the file system
 * is asked before the index is read, and hooks run when it is written.
 */
const NO_PROGRAMS = [
  "--no-pager",
  "--no-optional-locks",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "safe.bareRepository=explicit",
];

export type TrackedFiles =
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
    timeout: TIME_LIMIT,
    maxBytes: MAX_BYTES,
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
