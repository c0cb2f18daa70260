import { existsSync, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import process from "node:process";
import { throwIfNotCapable } from "../errors.ts";

/** Finds a program as a shell would. */
export function findOnPath(
  name: string,
  { env, cwd }: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly cwd: string;
  },
): string | undefined {
  const windows = process.platform === "win32";
  const path = env.PATH ?? (windows ? env.Path : undefined) ?? "";
  const endings = windows ? ["", ...(env.PATHEXT ?? ".EXE;.CMD;.BAT").split(";")] : [""];
  // A shell takes an empty entry for the working directory, which may be a cloned repository.
  for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
    for (const ending of endings) {
      const file = resolve(cwd, folder, name + ending);
      if (isFile(file) && isExecutable(file)) return file;
    }
  }
  return undefined;
}

/**
 * Where a program is, or why it does not start: as the system answers whoever starts it by this name.
 */
export function lookUpProgram(
  name: string,
  { env, cwd }: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly cwd: string;
  },
): "found" | "ENOENT" | "EACCES" {
  const windows = process.platform === "win32";
  const path = env.PATH ?? (windows ? env.Path ?? "" : "/bin:/usr/bin");
  const hasFolder = name.includes("/") || (windows && name.includes("\\"));
  // An empty entry is the working directory; Windows always looks there first.
  const folders = hasFolder ? [""] : [...windows ? [""] : [], ...path.split(delimiter)];
  const endings = windows ? ["", ...(env.PATHEXT ?? ".EXE;.CMD;.BAT").split(";")] : [""];
  const files = folders.flatMap((folder) =>
    endings.map((ending) => resolve(cwd, folder, name + ending))
  );
  const there = files.filter((file) => isFile(file) || (hasFolder && existsSync(file)));
  if (there.some((file) => isFile(file) && isExecutable(file))) return "found";
  return there.length === 0 ? "ENOENT" : "EACCES";
}

/** Tells whether there is a file, and no folder, of that name. */
export function isFile(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch (error) {
    throwIfNotCapable(error);
    return false;
  }
}

/** Tells whether a file may be executed. */
export function isExecutable(file: string): boolean {
  try {
    // Deno asks for one more permission, --allow-sys, to answer access(2).
    return process.platform === "win32" || (statSync(file).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Tells Node.js from the runtimes that take its place. */
export function isNode(): boolean {
  const { versions } = process as { versions: Record<string, string | undefined> };
  return versions.deno === undefined && versions.bun === undefined;
}
