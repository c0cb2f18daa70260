import { statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Environment } from "../connection/origin.ts";
import { throwIfNotCapable } from "../errors.ts";
import { homeFolder } from "../home_folder.ts";

/** Where the doctor was started. */
export interface Place {
  readonly env: Environment;
  readonly cwd: string;
}

/** Finds the repository that a folder lies in. */
export function repositoryRoot(folder: string): string | undefined {
  for (let each = resolve(folder);; each = dirname(each)) {
    if (exists(join(each, ".git"))) return each;
    if (dirname(each) === each) return undefined;
  }
}

/**
 * Tells whether a program came along with the project.
 *
 * That is so below the working directory, below its repository, and in any `node_modules` from there
 * upwards, which `npx` puts on `PATH`. A home folder is no project, though it may be a repository.
 */
export function cameWithProject(file: string, { env, cwd }: Place): boolean {
  const home = homeFolder(env);
  const roots = [resolve(cwd), repositoryRoot(cwd)];
  if (roots.some((root) => root !== undefined && !isBelow(home, root) && isBelow(file, root))) {
    return true;
  }
  const parts = file.split(sep);
  const at = parts.indexOf("node_modules");
  return at > 0 && isBelow(resolve(cwd), parts.slice(0, at).join(sep) || sep);
}

/** Whether a path is a folder, or lies in it. */
function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !way.startsWith(`..${sep}`));
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throwIfNotCapable(error);
    return false;
  }
}
