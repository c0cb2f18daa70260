import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Writable } from "node:stream";
import { it } from "node:test";
import { runMany } from "../../src/cli/commands/run_many.ts";
import type { GlobalOptions } from "../../src/cli/global_options.ts";
import type { Profile } from "../../src/connection/origin.ts";
import { AdcRunError } from "../../src/errors.ts";
import { readCall } from "../../src/run/run.ts";
import { fakeIo } from "../support/fake_io.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = "canary-of-run-many";

function profiles(...names: string[]): Profile[] {
  return names.map((name) => ({
    name,
    server: `http://127.0.0.1:${names.indexOf(name) + 1}`,
    file: "/config.json",
    project: false,
    explicit: true,
  }));
}

/** A folder with a stand-in for ADC. */
async function withAdc(script: string): Promise<TemporaryFolder & { readonly adc: string }> {
  const folder = await temporaryFolder();
  const adc = await folder.write("adc", `#!/bin/sh\n${script}\n`);
  await chmod(adc, 0o755);
  return Object.assign(folder, { adc });
}

async function start(
  folder: TemporaryFolder & { readonly adc: string },
  more: {
    readonly options?: Partial<GlobalOptions>;
    readonly env?: Record<string, string | undefined>;
    readonly words?: readonly string[];
    readonly profiles?: readonly Profile[];
    readonly stdout?: Writable;
  } = {},
): Promise<{ code: number; out: string; err: string }> {
  const { PATH } = process.env;
  const io = fakeIo({
    env: { PATH, HOME: folder.path, ADC_TOKEN: TOKEN, ...more.env },
    cwd: folder.path,
    ...(more.stdout && { stdout: more.stdout }),
  });
  const command: Parameters<typeof runMany>[0] = {
    call: await readCall(more.words ?? ["sync"]),
    profiles: more.profiles ?? profiles("eu", "us"),
    options: {
      adc: folder.adc,
      check: false,
      mask: true,
      fromEnvironment: new Set(),
      ...more.options,
    },
  };
  const code = await runMany(command, io);
  return { code, out: io.out.join(""), err: io.err.join("") };
}

it("`adc-run -p eu,us` says each thing with the target that it is about, and a table last", async () => {
  await using folder = await withAdc('echo "$ADC_SERVER $ADC_TOKEN"; echo oops >&2');
  const { code, out, err } = await start(folder);
  assert.equal(code, 0);
  assert.equal(out, "eu | http://127.0.0.1:1 ***\nus | http://127.0.0.1:2 ***\n");
  assert.match(
    err,
    new RegExp([
      "^adc-run: warning: The same token \\(.*\\) is sent to 2 servers\\.",
      "adc-run: checking 2 targets… ok",
      "eu \\| adc-run: http://127.0.0.1:1 · token [0-9a-f]{8} \\(ADC_TOKEN\\) · not checked",
      "us \\| adc-run: http://127.0.0.1:2 · token .*",
      "eu \\| oops",
      "eu \\| adc-run: masked a secret once",
      "us \\| oops",
      "us \\| adc-run: masked a secret once",
      "eu  ok  .* ms",
      "us  ok  .* ms",
      "2 ok",
      "$",
    ].join("\n")),
  );
  assert.doesNotMatch(err, /canary/);
});

it("`adc-run -q -p eu,us` says nothing after a success", async () => {
  await using folder = await withAdc("exit 0");
  assert.deepEqual(await start(folder, { options: { quiet: true } }), {
    code: 0,
    out: "",
    err: "",
  });
});

it("`adc-run -p eu,us` says once what stands in the way of all", async () => {
  await using folder = await withAdc("exit 0");
  await assert.rejects(
    start(folder, { env: { ADC_TOKEN: "a7ee-with a space" } }),
    (error: unknown) => error instanceof AdcRunError && error.exitCode === 65,
  );
  const { code, err } = await start(folder, {
    env: { ADC_TOKEN: "a7ee-with a space" },
    options: { json: true },
  });
  const { targets } = JSON.parse(err);
  assert.deepEqual([code, targets.length, targets[1].error.exitCode], [65, 2, 65]);
});

it("`adc-run -p eu,us` has GitHub's runner mask tokens, in lines of their own", async () => {
  await using folder = await withAdc("echo ::warning::from the child");
  const tokenFile = join(folder.path, "token");
  await writeFile(tokenFile, TOKEN);
  const { out, err } = await start(folder, {
    env: {
      GITHUB_ACTIONS: "true",
      ADC_RUN_ACTION: "true",
      ADC_TOKEN: undefined,
      ADC_TOKEN_FILE: tokenFile,
    },
  });
  assert.match(err, new RegExp(`^::add-mask::${TOKEN}\neu \\| adc-run: http:.* · token`, "m"));
  assert.doesNotMatch(err, /\| ::/);
  assert.equal(out, "eu | ::warning::from the child\nus | ::warning::from the child\n");
});

it("`adc-run --fail-on-leak -p eu,us` starts no more after a leak", async () => {
  await using folder = await withAdc('echo "$ADC_TOKEN"');
  const { code, out, err } = await start(folder, { options: { failOnLeak: true } });
  assert.deepEqual([code, out], [65, "eu | ***\n"]);
  assert.match(err, /\neu +printed a secret .*\nus +not started\n1 failed, 1 not started\n$/);
});

it("`adc-run --json -p eu,us` ends with the code of the signal that ended all", async () => {
  await using folder = await withAdc(
    "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done",
  );
  const signals = new EventEmitter();
  const ended: string[] = [];
  const err: string[] = [];
  const io = fakeIo({
    env: { PATH: process.env.PATH, HOME: folder.path, ADC_TOKEN: TOKEN },
    cwd: folder.path,
    signals,
    endedBy: (signal) => ended.push(signal),
    stdout: new Writable({
      write: (_chunk, _encoding, done) => {
        signals.emit("SIGTERM");
        done();
      },
    }),
    stderr: new Writable({
      write: (chunk, _encoding, done) => {
        err.push(String(chunk));
        done();
      },
    }),
  });
  const options = {
    adc: folder.adc,
    check: false,
    mask: true,
    json: true,
    fromEnvironment: new Set([""]),
  };
  const code = await runMany({
    call: await readCall(["sync"]),
    profiles: profiles("eu", "us"),
    options,
  }, io);
  const { exitCode, targets } = JSON.parse(err.join(""));
  assert.deepEqual([code, exitCode, ended], [143, 143, ["SIGTERM"]]);
  assert.deepEqual([targets[0].exitCode, targets[1].outcome], [7, "skipped"]);
});

it("`adc-run -p eu,us` leaves no listener on the process' streams", async () => {
  await using folder = await withAdc("echo line");
  const io = fakeIo({
    env: { PATH: process.env.PATH, HOME: folder.path, ADC_TOKEN: TOKEN },
    cwd: folder.path,
  });
  const before = [io.stdout, io.stderr].map((stream) => stream.eventNames().length);
  await runMany({
    call: await readCall(["sync"]),
    profiles: profiles("eu", "us"),
    options: { adc: folder.adc, check: false, mask: true, fromEnvironment: new Set() },
  }, io);
  assert.deepEqual([io.stdout, io.stderr].map((each) => each.eventNames().length), before);
  assert.deepEqual((io.signals as unknown as { eventNames(): unknown[] }).eventNames(), []);
});

it("`adc-run -p eu,us` warns of profiles that lead to one target", async () => {
  await using folder = await withAdc("exit 0");
  const [eu, us] = profiles("eu", "us");
  const { code, err } = await start(folder, { profiles: [eu!, { ...us!, server: eu!.server! }] });
  assert.equal(code, 0);
  assert.match(err, /^adc-run: warning: Profiles "eu", "us" have the same target/);
});

it("`adc-run --dry-run -p eu,us` fails where its output is lost, as Deno's own streams throw it", async () => {
  await using folder = await withAdc("exit 0");
  const stdout = new Writable();
  stdout.write = () => {
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  };
  await assert.rejects(start(folder, { options: { dryRun: true }, stdout }), { code: "ENOSPC" });
});
