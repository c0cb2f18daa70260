/**
 * What traced processes touched: files, hosts, programs, and where bytes went.
 *
 * @module
 */

import { resolve } from "node:path";
import type { Call, TracedProcess } from "./strace.ts";

/** How a file was touched; a later one of these counts for more. */
export const TOUCHES = ["looked at", "read", "run", "changed"] as const;

/** How a file was touched. */
export type Touch = typeof TOUCHES[number];

/** Calls that learn of a file no more than that it is there. */
const LOOKS =
  /^(?:[fl]?stat(?:x|fs|64)?|newfstatat|f?access(?:at2?)?|readlink(?:at)?|chdir|l?getxattr)$/;
const OPENS = /^(?:open(?:at2?)?|creat)$/;

/** The calls that lead to one name by way of another, or move it. */
const TWO_PATHS = /^(?:rename(?:at2?)?|link(?:at)?|symlink(?:at)?)$/;

/**
 * The files that a process touched.
 *
 * @param traced The process.
 * @param cwd What relative paths start from, where the call does not say.
 * @returns Each path with the strongest touch.
 */
export function filesOf({ calls }: TracedProcess, cwd: string): ReadonlyMap<string, Touch> {
  const touched = new Map<string, Touch>();
  for (const call of calls) {
    const touch = touchOf(call);
    if (touch === undefined) continue;
    for (const path of pathsOf(call, cwd)) {
      const known = touched.get(path) ?? "looked at";
      touched.set(path, TOUCHES.indexOf(touch) > TOUCHES.indexOf(known) ? touch : known);
    }
  }
  return touched;
}

function touchOf({ name, args, result }: Call): Touch | undefined {
  const failed = result.startsWith("-1");
  if (name === "getcwd") return undefined;
  if (LOOKS.test(name)) return "looked at";
  if (name === "execve") return failed ? "looked at" : "run";
  // An attempt counts: what fails here may succeed elsewhere.
  if (OPENS.test(name)) {
    if (name === "creat" || /\bO_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/.test(args)) return "changed";
    return failed ? "looked at" : "read";
  }
  return takesPath(name) ? "changed" : undefined;
}

/** Of what is traced, everything with a path in it but for these. Unheard-of calls are taken for changes. */
function takesPath(name: string): boolean {
  return !/^(?:p?writev?(?:64|2)?|send|recv|(?:sendfile|copy_file_range|v?m?splice)$|socket|connect|bind|listen|accept|[gs]etsockopt|getsockname|getpeername|shutdown|clone|v?fork|wait|exit|kill|t(?:g)?kill|rt_|pidfd_|set_tid|unshare|setns|io_uring)/
    .test(name);
}

function pathsOf({ name, args }: Call, cwd: string): readonly string[] {
  const found: string[] = [];
  // A folder's descriptor, if the call takes one, and the path.
  for (const match of args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)) {
    const [, folder = cwd, text] = match;
    found.push(resolve(folder, unescape(text!)));
    if (!TWO_PATHS.test(name) || found.length === 2) break;
  }
  // A descriptor alone, without a path.
  if (found.length === 0 && /^\d+<.*?>, NULL,/.test(args)) return [];
  if (found.length === 0) throw new Error(`Cannot find the path in ${name}(${args.slice(0, 200)})`);
  return found;
}

function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{1,3}|.)/g, (_, code) => {
    return /^[0-7]/.test(code) ? String.fromCharCode(parseInt(code, 8)) : code;
  });
}

/**
 * Where a process connected to, or tried to; also where it listened, or sent without a connection.
 *
 * @param traced The process.
 * @returns `HOST:PORT`, `unix:PATH`, or what `strace` says of any other kind, each once.
 */
export function addressesOf({ calls }: TracedProcess): readonly string[] {
  const addresses = calls
    .filter(({ name }) => /^(?:connect|bind|sendto|sendmsg|sendmmsg)$/.test(name))
    .flatMap(({ args }) => [...args.matchAll(/\{sa_family=(\w+)([^}]*)\}/g)])
    .map(([all, family, rest]) => {
      const host = /inet_(?:addr\(|pton\(AF_INET6, )"([^"]*)"/.exec(rest!)?.[1];
      const port = /sin6?_port=htons\((\d+)\)/.exec(rest!)?.[1];
      if (host !== undefined && port !== undefined) return `${host}:${port}`;
      const path = family === "AF_UNIX" ? /sun_path=@?"([^"]*)"/.exec(rest!)?.[1] : undefined;
      return path === undefined ? all : `unix:${path}`;
    });
  return [...new Set(addresses)];
}

/** A program that was started, or was to be. */
export interface Started {
  /** Its arguments, as `strace` writes them. */
  readonly argv: string;
  /** Its environment, likewise. */
  readonly environment: string;
}

/**
 * The programs that a process became, or tried to become.
 *
 * @param traced The process.
 * @returns Each with its arguments and environment.
 */
export function programsOf({ calls }: TracedProcess): readonly Started[] {
  return calls.filter(({ name }) => /^execve(?:at)?$/.test(name)).map(({ args }) => {
    const strings = String.raw`\[(?:"(?:[^"\\]|\\.)*"(?:, )?)*\]`;
    const parts = new RegExp(`(${strings}), (${strings})`).exec(args);
    if (parts === null) throw new Error(`Cannot read execve(${args.slice(0, 200)})`);
    return { argv: parts[1]!, environment: parts[2]! };
  });
}

/**
 * Where a process sent any of some texts.
 *
 * @param traced The process.
 * @param texts What to look for.
 * @returns What each descriptor led to, each once, as `strace` writes it.
 */
export function receiversOf({ calls }: TracedProcess, texts: readonly string[]): readonly string[] {
  const receivers = calls
    .filter(({ name }) => /^(?:p?writev?(?:64|2)?|send(?:to|m?msg)|vmsplice)$/.test(name))
    .filter(({ args }) => texts.some((text) => args.includes(text)))
    .map(({ args }) => /^\d+<(.*?[^-])>/.exec(args)?.[1] ?? args.slice(0, 40));
  return [...new Set(receivers)];
}
