/**
 * A process that changes a file and is killed at a system call of its choice, on Node.js.
 *
 *     crash_program.ts <folder> <number of the call, counted from 1>
 *
 * It prints the number of calls it came to make, if it was not killed.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";

const [folder = "", last = ""] = process.argv.slice(2);
let calls = 0;

type Call = (...args: unknown[]) => unknown;

/** Makes each call count, and the chosen one the last: it is made, and nobody hears of its end. */
function counted(call: Call): Call {
  return async (...args) => {
    const isLast = ++calls === Number(last);
    try {
      return await call(...args);
    } finally {
      if (isLast) process.kill(process.pid, "SIGKILL");
    }
  };
}

const patched = fs as unknown as Record<string, Call>;
for (const name of ["link", "mkdir", "rename", "rm", "unlink"]) {
  patched[name] = counted(patched[name]!);
}
const open = patched["open"]!;
patched["open"] = counted(async (...args) => {
  const handle = await open(...args) as FileHandle;
  const methods = handle as unknown as Record<string, Call>;
  for (const name of ["writeFile", "sync"]) methods[name] = counted(methods[name]!.bind(handle));
  return handle;
});
syncBuiltinESMExports();

const { openState } = await import("../../src/store/state.ts");
process.stdout.write("ready\n");
await openState(folder).put({
  account: "new",
  origin: "https://new:7443",
  storage: "file",
  fingerprint: "12345678",
});
process.stdout.write(`${calls}\n`);
