import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runAdc } from "../../mod.ts";
import { capture } from "../../src/system/capture.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const skip = process.platform !== "win32" && "it needs Windows";

/** A batch file whose program starts another, which writes its process id and stays. */
async function batchFile(folder: TemporaryFolder): Promise<string> {
  await folder.write(
    "leaf.mjs",
    `import { writeFileSync } from "node:fs";\n` +
      `writeFileSync("leaf", String(process.pid));\nconsole.log("x".repeat(200));\nsetInterval(() => {}, 1000);\n`,
  );
  await folder.write(
    "middle.mjs",
    `import { spawn } from "node:child_process";\n` +
      `spawn(process.execPath, ["leaf.mjs"], { stdio: "inherit" });\n`,
  );
  return await folder.write("adc.cmd", `@"${process.execPath}" middle.mjs\r\n`);
}

async function leafOf({ path }: TemporaryFolder): Promise<number> {
  const file = `${path}/leaf`;
  while (!existsSync(file) || readFileSync(file, "utf8") === "") await delay(20);
  return Number(readFileSync(file, "utf8"));
}

/** Fails by the test's own limit where the process stays. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await delay(20);
  }
}

describe("all that a batch file has started", { skip, timeout: 60_000 }, () => {
  it("ends when `runAdc()` is aborted", async () => {
    await using folder = await temporaryFolder();
    const adc = await batchFile(folder);
    const abort = new AbortController();
    const run = runAdc(["lint"], {
      adc,
      cwd: folder.path,
      env: process.env,
      signal: abort.signal,
      stdout: "ignore",
    });
    const leaf = await leafOf(folder);
    abort.abort();
    await run.catch(() => {});
    await ended(leaf);
  });

  it("ends when a helper prints too much, or is given up", async () => {
    for (const maxBytes of [100, 1_000]) {
      await using folder = await temporaryFolder();
      const abort = new AbortController();
      const { path: cwd } = folder;
      const captured = capture(await batchFile(folder), [], {
        cwd,
        env: process.env,
        maxBytes,
        signal: abort.signal,
      });
      const leaf = await leafOf(folder);
      if (maxBytes === 100) {
        assert.deepEqual(await captured, { failure: "printed more than 100 bytes" });
      } else {
        abort.abort();
        await assert.rejects(captured);
      }
      await ended(leaf);
    }
  });
});
