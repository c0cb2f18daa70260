import { Buffer } from "node:buffer";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import process from "node:process";
import type { Context } from "../context.ts";
import { codeOf, throwIfNotCapable } from "../errors.ts";
import { statOrAbsent } from "./files.ts";

const isWindows = process.platform === "win32";

type Place = Pick<Context, "env" | "cwd">;

/** Finds a program as a shell would. */
export function findOnPath(name: string, { env, cwd }: Place): string | undefined {
  const path = env.PATH ?? (isWindows ? env.Path : undefined) ?? "";
  // A shell takes an empty entry for the working directory, which may be a cloned repository.
  const folders = path.split(delimiter).filter((entry) => entry !== "");
  return filesNamed(name, folders, { env, cwd }).find((file) => isFile(file) && isExecutable(file));
}

/**
 * Where a program is, or why it does not start: as the system answers whoever starts it by this name.
 */
export function lookUpProgram(
  name: string,
  { env, cwd }: Place,
): { readonly file: string } | { readonly code: "ENOENT" | "EACCES" } {
  const path = env.PATH ?? (isWindows ? env.Path ?? "" : "/bin:/usr/bin");
  const hasFolder = name.includes("/") || (isWindows && name.includes("\\"));
  // An empty entry is the working directory; Windows always looks there first.
  const folders = hasFolder ? [""] : [...isWindows ? [""] : [], ...path.split(delimiter)];
  const there = filesNamed(name, folders, { env, cwd }).filter((file) =>
    isFile(file) || (hasFolder && existsSync(file))
  );
  const file = there.find((each) => isFile(each) && isExecutable(each));
  return file === undefined ? { code: there.length === 0 ? "ENOENT" : "EACCES" } : { file };
}

/** The interpreter that a script's first line names, as the system reads it. */
export function interpreterOf(file: string): string | undefined {
  try {
    const descriptor = openSync(file, "r");
    try {
      const line = Buffer.alloc(256);
      const length = readSync(descriptor, line);
      return /^#![ \t]*([^ \t\n]+)/.exec(line.toString("utf8", 0, length))?.[1];
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

function filesNamed(
  name: string,
  folders: readonly string[],
  { env, cwd }: Place,
): readonly string[] {
  const endings = isWindows ? ["", ...(env.PATHEXT ?? ".EXE;.CMD;.BAT").split(";")] : [""];
  return folders.flatMap((folder) => endings.map((ending) => resolve(cwd, folder, name + ending)));
}

/** Tells whether there is a file, and no folder, of that name. */
export function isFile(file: string): boolean {
  try {
    return statOrAbsent(file)?.isFile() ?? false;
  } catch (error) {
    throwIfNotCapable(error);
    return false;
  }
}

export function isExecutable(file: string): boolean {
  try {
    // Deno asks for one more permission, --allow-sys, to answer access(2).
    return isWindows || (statSync(file).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

export const isDeno: boolean = "deno" in process.versions;

/** Tells Node.js from the runtimes that take its place. */
export function isNode(): boolean {
  return !isDeno && !("bun" in process.versions);
}

/** A file of `/proc`, which Deno reads with all permissions alone, but not to a program. */
export function readProcess(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!isDeno || codeOf(error) === "ENOENT") return undefined;
  }
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { status, stdout } = spawnSync("/bin/cat", [path], { env: {}, encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}
