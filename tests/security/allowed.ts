/**
 * Which files a run may touch besides its user's, by what they are for.
 *
 * @module
 */

import { basename, dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { bareEnvironment } from "../support/adc_run.ts";
import type { Home } from "../support/homes.ts";
import { repository } from "../support/tarball.ts";
import type { Touch } from "./touched.ts";

/** The folders of a run. */
export interface Place {
  /** Where adc-run lives. */
  readonly home: Home;
  /** The working directory. */
  readonly project: string;
  /** The user's own folder. */
  readonly user: string;
  /** What else adc-run was told of: each path with what it is. */
  readonly named: Readonly<Record<string, string>>;
}

/** What the C library, the runtime and the keychain's client ask the system. */
const SYSTEM = [
  /^\/(?:usr\/)?lib(?:32|64)?\//,
  /^\/(?:proc|sys)\//,
  /^\/dev\/(?:null|urandom|random)$/,
  /^\/etc\/(?:ld\.so\.(?:cache|preload)|localtime|hosts|host\.conf|resolv\.conf|nsswitch\.conf|gai\.conf|passwd|machine-id)$/,
  // c-ares looks for these of other systems too; AWS-LC asks whether the machine was cloned.
  /^\/(?:etc\/(?:net)?svc\.conf|dev\/sysgenid)$/,
  // Read by the keychain's binding, to tell one C library from another.
  /^\/usr\/bin\/ldd$/,
  /^\/etc\/(?:ssl\/openssl\.cnf|pki\/tls\/openssl\.cnf)$/,
  /^\/usr\/share\/(?:zoneinfo|locale)(?:\/|$)/,
];

/** What a runtime looks for beside a module, and in each folder above it. */
const BESIDE_MODULES = /^(?:package\.json|deno\.jsonc?|tsconfig\.json|\.npmrc|node_modules)$/;

/** Below `node_modules/.deno`. */
const DENO_SETUP = [".deno.lock", ".deno.lock.poll", ".setup-cache.bin", "node_modules"];

/** What adc-run looks for on `PATH`. */
const PROGRAMS = ["adc", "node", "true", "mkfifo"];

/** The child's pipes, in a folder of their own, and the streams that were handed to adc-run. */
const STREAMS =
  /^\/tmp\/adc-run-\w{6}(?:\/[01])?$|^\/proc\/self\/fd\/[12]$|\/(?:pipe|socket):\[\d+\]$/;

/**
 * What a file is for.
 *
 * @param path The file.
 * @param touch How it was touched.
 * @param place The folders of the run.
 * @returns The purpose, or `undefined` for a file of the user's, or one that nobody expects.
 */
export function purposeOf(path: string, touch: Touch, place: Place): string | undefined {
  const { home, project, user, named } = place;
  const [program] = home.command;
  const deno = home.name === "deno";
  const { DENO_DIR } = bareEnvironment(project);
  // Deno keeps what it learned of modules, and of nothing else, from one run to the next.
  if (deno && isWithin(path, DENO_DIR!)) return "Deno's cache";
  // It makes sure that its node_modules is in order, and that no other Deno is at it.
  if (deno && DENO_SETUP.some((name) => path === join(repository, "node_modules/.deno", name))) {
    return "Deno's cache";
  }
  if (STREAMS.test(path)) return "a stream";
  if (touch === "changed") return undefined;
  if (path === program) return "the runtime";
  if (touch === "run") return undefined;
  if (SYSTEM.some((pattern) => pattern.test(path))) return "the system";
  const roots = deno
    ? ["src", "node_modules", "deno.json", "deno.lock"].map((name) => join(repository, name))
    : [dirname(dirname(dirname(home.command.at(-1)!)))];
  if (roots.some((root) => isWithin(path, root))) return "the package";
  if (touch !== "looked at") return undefined;
  if (roots.some((root) => isWithin(root, dirname(path))) && BESIDE_MODULES.test(basename(path))) {
    return "the way to the package";
  }
  if (deno && path === join(user, ".npmrc")) return "Deno's settings";
  const folders = (process.env.PATH ?? "").split(":").filter((each) => each !== "")
    .map((each) => resolve(each));
  if (PROGRAMS.includes(basename(path)) && folders.includes(dirname(path))) return "PATH";
  // Links are followed a folder at a time.
  const ends = [...roots, ...folders, program!, DENO_DIR!, "/usr/share/zoneinfo"];
  ends.push(project, join(user, ".config", "adc-run"), ...Object.keys(named).map(dirname));
  return ends.some((end) => isWithin(end, path)) ? "a folder on the way" : undefined;
}

/** Whether a path is a folder or below it. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith("../");
}
