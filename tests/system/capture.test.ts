import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { capture } from "../../src/system/capture.ts";
import type { Captured } from "../../src/system/capture.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

type Options = Partial<Parameters<typeof capture>[2]>;

function run(script: string, options: Options = {}): Promise<Captured> {
  const env = { PATH: process.env.PATH };
  return capture("/bin/sh", ["-c", script], { env, cwd: "/", maxBytes: 1_000, ...options });
}

test("`capture()` takes what a program prints, however many bytes may come", async () => {
  assert.deepEqual(await run("echo ä; echo hidden >&2"), { stdout: "ä\n" });
  assert.deepEqual(await run("printf 12345", { maxBytes: 5 }), { stdout: "12345" });
  const failure = "printed more than 5 bytes";
  assert.deepEqual(await run("printf 123456", { maxBytes: 5 }), { failure });
});

test("`capture()` says how a program ended, and nothing that it printed", async () => {
  assert.deepEqual(await run("echo canary; exit 3"), { failure: "exited with 3" });
  assert.deepEqual(await run("echo canary; kill -9 $$"), { failure: "was ended by SIGKILL" });
  const options = { env: {}, cwd: "/", maxBytes: 1 };
  assert.deepEqual(await capture("/nowhere/x", [], options), { failure: "was not found" });
  const words = ["canary\0"];
  const { failure } = await capture("/bin/sh", words, options) as { readonly failure: string };
  assert.match(failure, /^cannot be run: \w+/);
});

test("`capture()` does not wait for what a program leaves running", async () => {
  assert.deepEqual(await run("sleep 60 & echo token"), { stdout: "token\n" });
});

/** Runs something that has started something else, and waits until both are there. */
async function withTree(
  stop: (tree: (options: Options) => Promise<Captured>, ready: Promise<void>) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const pids = join(folder.path, "pids");
  const script = `sh -c 'echo $$ >>${pids}; trap "" TERM; sleep 60; :' & echo $$ >>${pids}; wait`;
  const read = async () => (await readFile(pids, "utf8").catch(() => "")).trim().split("\n");
  const ready = async () => {
    while ((await read()).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await stop((options) => run(script, options), ready());
  for (const pid of (await read()).map(Number)) {
    while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const skip = process.platform !== "linux" && "only Linux tells what a program has started";

test(
  "`capture()` kills a program with all that it started when its time is over",
  { skip },
  () =>
    withTree(async (captured) => {
      assert.deepEqual(await captured({ timeout: 1_000 }), { failure: "did not end within 1 s" });
    }),
);

test(
  "`capture()` kills it when the signal ends, and throws its reason",
  { skip },
  () =>
    withTree(async (tree, ready) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const ended = tree({ signal: controller.signal });
      await ready;
      controller.abort(reason);
      await assert.rejects(ended, reason);
    }),
);

test("`capture()` starts nothing once the signal has ended", async () => {
  const signal = AbortSignal.abort(new Error("before"));
  const spawn = () => assert.fail("it was started");
  await assert.rejects(run("echo", { signal, spawn }), { message: "before" });
});
