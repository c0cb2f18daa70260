import { createHash } from "node:crypto";
import { promises as fs } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { codeOf, throwIfNotCapable } from "../errors.ts";

/**
 * A process, told from any other, one that comes by the same id later included. What the system does not
 * tell is left out: all but `host` and `pid` are known on Linux alone, and on the BSDs the machine.
 */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** A digest of the machine's id, which is not for others to know. */
  readonly machine?: string | undefined;
  /** When it was started, in ticks since the machine was. */
  readonly started?: string | undefined;
  /** Which start of the machine that was. */
  readonly boot?: string | undefined;
  /** The namespace that the process id belongs to. */
  readonly pidNamespace?: string | undefined;
}

/** Linux's process ids end at 2^22, those of others well below 2^31. */
const GREATEST_PID = 2 ** 31 - 1;

/**
 * Tells whether a process runs; `undefined` where that cannot be told, and only the age of what it left can
 * judge. A home may be shared by machines of one name, made from one image: another boot may be this
 * machine's last, or another machine's.
 */
export async function isAlive(identity: ProcessIdentity): Promise<boolean | undefined> {
  const self = await ownIdentity();
  // One boot is one machine, whatever it is called by now.
  const sameBoot = identity.boot !== undefined && identity.boot === self.boot;
  if (!sameBoot && identity.host !== self.host) return undefined;
  for (const fact of ["machine", "boot", "pidNamespace"] as const) {
    const [theirs, own] = [identity[fact], self[fact]];
    if (theirs !== undefined && own !== undefined && theirs !== own) return undefined;
  }
  // Read first: one that ends in between is not there any more, rather than unclear.
  const now = await statusOf(identity.pid);
  const exists = signalReaches(identity.pid);
  if (exists !== true) return exists;
  // A zombie has ended, and only its parent has not looked yet.
  if (now?.state === "Z" || now?.state === "X") return false;
  // Without its start, it may be another that has come by the same id.
  if (identity.started === undefined || now === undefined) return undefined;
  return identity.started === now.started;
}

export function readIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { host, pid, machine, started, boot, pidNamespace } = value as Record<string, unknown>;
  if (typeof host !== "string" || !isPid(pid)) return undefined;
  const text = (fact: unknown) => typeof fact === "string" ? fact : undefined;
  return {
    host,
    pid,
    machine: text(machine),
    started: text(started),
    boot: text(boot),
    pidNamespace: text(pidNamespace),
  };
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  const { pid } = process;
  return {
    host: hostname(),
    pid,
    machine: await machineId(),
    started: (await statusOf(pid))?.started,
    boot: await readFact(() => fs.readFile("/proc/sys/kernel/random/boot_id", "utf8")),
    pidNamespace: await readFact(() => fs.readlink("/proc/self/ns/pid")),
  };
}

/** See machine-id(5), which asks not to show the id itself. An image may have an empty file. */
async function machineId(): Promise<string | undefined> {
  for (const path of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    const id = await readFact(() => fs.readFile(path, "utf8"));
    if (id && id !== "uninitialized") {
      return createHash("sha256").update(`adc-run ${id}`).digest("hex").slice(0, 16);
    }
  }
  return undefined;
}

/** Zero and less would stand for groups of processes. */
function isPid(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= GREATEST_PID;
}

function signalReaches(pid: number): boolean | undefined {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    throwIfNotCapable(error);
    const code = codeOf(error);
    // EPERM: there is one, and it is somebody else's.
    return code === "EPERM" ? true : code === "ESRCH" ? false : undefined;
  }
}

/** Fields 3 and 22 of proc_pid_stat(5). The name before them may hold spaces and parentheses. */
async function statusOf(
  pid: number,
): Promise<{ readonly state: string; readonly started: string } | undefined> {
  const text = await readFact(() => fs.readFile(`/proc/${pid}/stat`, "utf8"));
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
}

/** Without /proc, and where Deno withholds it, less is known; that is no failure. */
async function readFact(read: () => Promise<string>): Promise<string | undefined> {
  if (process.platform === "win32") return undefined;
  try {
    return (await read()).trim();
  } catch {
    return undefined;
  }
}
