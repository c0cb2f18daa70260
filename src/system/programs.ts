import { Buffer } from "node:buffer";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { extname, isAbsolute, resolve } from "node:path";
import process from "node:process";
import { type Context, type Environment, variableIn } from "../context.ts";
import { codeOf, throwIfNotCapable } from "../errors.ts";
import { statOrAbsent } from "./files.ts";

interface Place extends Pick<Context, "env" | "cwd"> {
  /** @default this system's */
  readonly platform?: string;
}

export function findOnPath(name: string, place: Place): string | undefined {
  // A shell takes an empty entry for the working directory, which may be a cloned repository.
  const folders = pathEntries(place).filter((entry) => entry !== "");
  return filesNamed(name, folders, place).find((file) =>
    isFile(file) && isExecutable(file, place.platform)
  );
}

export function findProgram(name: string, place: Place): string | undefined {
  if (!hasFolder(name, place.platform)) return findOnPath(name, place);
  const found = lookUpProgram(name, place);
  return "file" in found ? found.file : resolve(place.cwd, name);
}

/**
 * Where a program is, or why it does not start: as the system answers whoever starts it by this name.
 */
export function lookUpProgram(
  name: string,
  place: Place,
): { readonly file: string } | { readonly code: "ENOENT" | "EACCES" } {
  const { platform = process.platform } = place;
  const named = hasFolder(name, platform);
  // An empty entry is the working directory; Windows always looks there first.
  const folders = named
    ? [""]
    : [...platform === "win32" ? [""] : [], ...pathEntries(place, "/bin:/usr/bin")];
  const there = filesNamed(name, folders, place).filter((file) =>
    isFile(file) || (named && existsSync(file))
  );
  const file = there.find((each) => isFile(each) && isExecutable(each, platform));
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

function hasFolder(name: string, platform: string = process.platform): boolean {
  return isAbsolute(name) || name.includes("/") || (platform === "win32" && name.includes("\\"));
}

/** Windows allows quotes around an entry, and a semicolon within them. */
function pathEntries(
  { env, platform = process.platform }: Place,
  standard = "",
): readonly string[] {
  const path = variableIn(env, "PATH", platform);
  if (platform !== "win32") return (path ?? standard).split(":");
  return (path ?? "").match(/("[^"]*"?|[^;"])+/g)?.map((each) => each.replaceAll('"', "")) ?? [];
}

/** What Windows starts by itself, and what it has cmd.exe run. */
const STARTED_BY_WINDOWS = /^\.(exe|com|cmd|bat)$/i;

function filesNamed(
  name: string,
  folders: readonly string[],
  { env, cwd, platform = process.platform }: Place,
): readonly string[] {
  const endings = ["", ...platform === "win32" ? endingsOf(env) : []];
  return folders.flatMap((folder) => endings.map((ending) => resolve(cwd, folder, name + ending)));
}

function endingsOf(env: Environment): readonly string[] {
  const endings = variableIn(env, "PATHEXT", "win32") ?? ".COM;.EXE;.BAT;.CMD";
  return endings.split(";").filter((each) => STARTED_BY_WINDOWS.test(each));
}

export function isFile(file: string): boolean {
  try {
    return statOrAbsent(file)?.isFile() ?? false;
  } catch (error) {
    throwIfNotCapable(error);
    return false;
  }
}

export function isExecutable(file: string, platform: string = process.platform): boolean {
  if (platform === "win32") return STARTED_BY_WINDOWS.test(extname(file)) || isScript(file);
  try {
    // Deno asks for one more permission, --allow-sys, to answer access(2).
    return (statSync(file).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Whether Node.js has to start it. */
export function isScript(file: string): boolean {
  return [".js", ".cjs", ".mjs"].includes(extname(file));
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
