/**
 * Runs the tests for Windows under Wine: `deno task test:windows [--binary FILE] [TEST…]`.
 *
 * The tests themselves run there too, under Node.js 24, and start the npm package under Node.js 20, or a
 * binary for Windows. The first run fetches about 200 MB, and keeps 1 GB in the cache of the tests. Their report is in
 * `test-results/windows.xml`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { repository, tarball } from "../../tests/support/tarball.ts";
import { cachedFolder, forgetOldFolders } from "../../tests/support/test_cache.ts";
import { installForWindows, windowsMachine, windowsNode } from "./machine.ts";

/** Tests of their own, and those of all systems that need no shell, terminal or signal. */
const FILES = [
  ...["batch_files", "fan_out", "processes", "files"].map((name) =>
    `tests/windows/${name}.test.ts`
  ),
  ...["system/windows_command"].map((name) => `tests/${name}.test.ts`),
  ...["run", "verdicts", "profiles", "auth_login", "auth_tokens", "api", "doctor"]
    .map((name) => `tests/e2e/${name}.test.ts`),
];

async function installed(): Promise<string> {
  const file = await tarball();
  await forgetOldFolders("windows-");
  const hash = createHash("sha256").update(await readFile(file)).digest("hex").slice(0, 16);
  return await cachedFolder(`windows-${hash}`, (folder) => installForWindows(folder, [file]));
}

/** A path of this machine as Wine shows it. */
function onWindows(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

/** Prints what comes into a file, for as long as something goes on. */
async function follow(path: string, work: Promise<unknown>): Promise<void> {
  let going = true;
  void work.catch(() => {}).finally(() => going = false);
  const file = await open(path, "a+");
  const block = new Uint8Array(65_536);
  for (let position = 0;;) {
    const last = !going;
    const { bytesRead } = await file.read(block, 0, block.length, position);
    process.stdout.write(block.slice(0, bytesRead));
    position += bytesRead;
    if (bytesRead > 0) continue;
    if (last) break;
    await delay(200);
  }
  await file.close();
}

/** The words that start adc-run there. */
async function commandOf(binary: string | undefined): Promise<readonly string[]> {
  if (binary !== undefined) return [onWindows(resolve(binary))];
  const bin = join(await installed(), "node_modules", "adc-run", "bin", "adc-run.cjs");
  return [onWindows(await windowsNode(20)), onWindows(bin)];
}

const { values, positionals } = parseArgs({
  options: { binary: { type: "string" } },
  allowPositionals: true,
});
const files = positionals.length > 0 ? positionals : FILES;
const machine = await windowsMachine();
const runner = await windowsNode(24);
const command = JSON.stringify(await commandOf(values.binary));
const results = join(repository, "test-results");
await mkdir(results, { recursive: true });
const output = join(results, "windows.txt");
// The matrix has one column for Windows.
const report = values.binary !== undefined ? [] : [
  "--test-reporter=./scripts/windows/junit_reporter.mjs",
  "--test-reporter-destination=test-results/windows.xml",
];
// Where they are on this machine, they are there.
const cache = resolve(runner, "../../../../..");
const folders = [repository, cache, dirname(resolve(values.binary ?? "."))];
const mounts = Object.fromEntries(folders.map((each) => [each, each]));
const path = [dirname(runner), join(repository, "tests/windows/bin")].map(onWindows).join(";");
const run = machine.run(
  [
    runner,
    "--test",
    "--test-concurrency=2",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    ...report,
    ...files,
  ],
  {
    output,
    mounts,
    cwd: repository,
    env: {
      ADC_RUN_TEST_HOMES: "wine",
      ADC_RUN_TEST_WINE: command,
      WINEPATH: path,
    },
  },
);
await follow(output, run);
const passed = (await run).code === 0;
const typed = [await pressCtrlC("child", 42), await pressCtrlC("early", 130)];
process.exitCode = passed && typed.every(Boolean) ? 0 : 1;

/** Types Ctrl-C into a console that adc-run runs in: the test there cannot do so itself. */
async function pressCtrlC(mode: "child" | "early", expected: number): Promise<boolean> {
  const cwd = join(results, "console");
  await rm(cwd, { recursive: true, force: true });
  await mkdir(cwd);
  const [program, adc] = ["tests/windows/console.mjs", "tests/stand_ins/report.mjs"];
  await machine.run(
    [runner, program, mode, onWindows(cwd), command, onWindows(join(repository, adc))],
    {
      output: join(results, "console.txt"),
      mounts,
      cwd: repository,
      env: { TERM: "xterm", WINEPATH: path },
      onConsole: async (type) => {
        while (!existsSync(join(cwd, "ready")) && !existsSync(join(cwd, "ended"))) await delay(20);
        type("\x03");
      },
    },
  );
  const { code, output } = JSON.parse(await readFile(join(cwd, "ended"), "utf8"));
  const name = `Ctrl-C with all streams piped, ${mode}: ends with ${expected}`;
  process.stdout.write(
    code === expected ? `✔ ${name}\n` : `✖ ${name}, not ${code}\n${output}\n`,
  );
  return code === expected;
}
