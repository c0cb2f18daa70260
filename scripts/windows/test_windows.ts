/**
 * Runs the tests for Windows under Wine: `deno task test:windows [TEST…]`.
 *
 * The tests themselves run there too, under Node.js 24, and start the npm package under Node.js 20 (the home
 * `wine`), then the binary for Windows (`wine-binary`); `ADC_RUN_TEST_HOMES` names one of them alone. The first
 * run fetches about 200 MB, and keeps 1 GB in the cache of the tests. A report of each is in `test-results/`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { WINE_HOMES } from "../../tests/support/homes.ts";
import { fingerprint, repository, tarball } from "../../tests/support/tarball.ts";
import { cachedFolder, forgetOldFolders } from "../../tests/support/test_cache.ts";
import { compileBinary } from "../compile_binary.ts";
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
async function commandOf(home: string): Promise<readonly string[]> {
  if (home === "wine-binary") {
    await forgetOldFolders("binary-win-");
    const folder = await cachedFolder(
      `binary-win-${await fingerprint()}`,
      (folder) => compileBinary(join(folder, "adc-run.exe"), "windows-x64"),
    );
    return [onWindows(join(folder, "adc-run.exe"))];
  }
  const bin = join(await installed(), "node_modules", "adc-run", "bin", "adc-run.cjs");
  return [onWindows(await windowsNode(20)), onWindows(bin)];
}

const files = process.argv.length > 2 ? process.argv.slice(2) : FILES;
const homes = process.env.ADC_RUN_TEST_HOMES?.split(",") ?? WINE_HOMES;
const machine = await windowsMachine();
const runner = await windowsNode(24);
const results = join(repository, "test-results");
await mkdir(results, { recursive: true });
// Where they are on this machine, they are there.
const cache = resolve(runner, "../../../../..");
const mounts = Object.fromEntries([repository, cache].map((each) => [each, each]));
const path = [dirname(runner), join(repository, "tests/windows/bin")].map(onWindows).join(";");
for (const home of homes) {
  process.stdout.write(`\n${home}\n`);
  const command = JSON.stringify(await commandOf(home));
  const ways = [await runTests(home, command)];
  if (home === "wine-binary") {
    process.stdout.write(
      "SKIPPED: Ctrl-C on wine-binary, for what Bun writes at a console of Wine passes its pipes by\n",
    );
  } else {
    ways.push(await pressCtrlC("child", { expected: 42, command }));
    ways.push(await pressCtrlC("early", { expected: 130, command }));
  }
  if (ways.includes(false)) process.exitCode = 1;
}

async function runTests(home: string, command: string): Promise<boolean> {
  const output = join(results, `windows-${home}.txt`);
  const run = machine.run(
    [
      runner,
      "--test",
      "--test-concurrency=2",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=./scripts/windows/junit_reporter.mjs",
      `--test-reporter-destination=test-results/windows-${home}.xml`,
      ...files,
    ],
    {
      output,
      mounts,
      cwd: repository,
      env: { ADC_RUN_TEST_HOMES: home, ADC_RUN_TEST_WINE: command, WINEPATH: path },
    },
  );
  await follow(output, run);
  return (await run).code === 0;
}

/** Types Ctrl-C into a console that adc-run runs in: the test there cannot do so itself. */
async function pressCtrlC(
  mode: "child" | "early",
  { expected, command }: { readonly expected: number; readonly command: string },
): Promise<boolean> {
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
