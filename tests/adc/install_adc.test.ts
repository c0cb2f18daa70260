import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { it } from "node:test";
import { installAdc } from "../../src/adc/install/install_adc.ts";
import type { InstallOptions, InstallResult } from "../../src/adc/install/install_adc.ts";
import { findInstalledAdc } from "../../src/adc/install/installed.ts";
import { locateAdc } from "../../src/adc/locate.ts";
import { AdcRunError } from "../../src/errors.ts";
import { runtimeCommand, standIn } from "../stand_ins/run_stand_in.ts";
import { temporaryFolder } from "../temporary_folder.ts";
import { archive, fileServer, program, releasePath, sumOf } from "./install_fixture.ts";
import type { Answer, FileServer } from "./install_fixture.ts";

/** A folder to install into, and a mirror. */
interface Fixture extends AsyncDisposable {
  readonly server: FileServer;
  readonly env: Record<string, string>;
  /** The folder of installed ADCs. */
  readonly folder: string;
  readonly install: (options?: Partial<InstallOptions>) => Promise<InstallResult>;
  /** The files below {@linkcode Fixture.folder}. */
  readonly files: () => Promise<string[]>;
  /** What `adc --version` prints. */
  readonly version: () => Promise<string>;
}

async function fixture(answer: Answer | Uint8Array): Promise<Fixture> {
  const server = await fileServer(answer);
  const home = await temporaryFolder();
  const env = {
    PATH: process.env.PATH ?? "",
    ADC_RUN_CONFIG_DIR: join(home.path, "adc-run"),
    ADC_RUN_DOWNLOAD_URL: server.url,
  };
  const folder = join(env.ADC_RUN_CONFIG_DIR, "adc");
  return {
    server,
    env,
    folder,
    install: (options = {}) =>
      installAdc({
        env,
        ...(answer instanceof Uint8Array && { sha256: sumOf(answer) }),
        ...options,
      }),
    files: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((each) => !each.isDirectory())
        .map((each) => join(each.parentPath, each.name).slice(folder.length + 1)).sort();
    },
    version: async () => {
      const child = spawn(findInstalledAdc(env)!, ["--version"], { env });
      let text = "";
      for await (const chunk of child.stdout) text += chunk;
      return text.trim();
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

async function assertFails(
  call: Promise<unknown>,
  exitCode: number,
  words: RegExp,
): Promise<AdcRunError> {
  let found: unknown;
  await assert.rejects(call, (error: unknown) => {
    found = error;
    return true;
  });
  assert.ok(found instanceof AdcRunError, String(found));
  assert.match(found.message, words);
  assert.equal(found.exitCode, exitCode);
  return found;
}

/** Takes long to start where it is told to. */
const SLEEPY = '#!/bin/sh\n[ -z "$SLEEPS" ] || exec sleep 8\necho 0.28.0\n';

const INSTALL_PROGRAM = standIn("../adc/install_program.ts");

const INSTALLED = ["0.28.0/adc", "installed.json"];

it("`installAdc()` installs ADC for its owner alone, and `locateAdc()` takes it before PATH", async () => {
  await using it = await fixture(archive());
  const steps: string[] = [];
  const result = await it.install({ onStep: (step) => steps.push(step) });
  const file = join(it.folder, "0.28.0", "adc");
  assert.deepEqual(result, {
    version: "0.28.0",
    file,
    sha256: sumOf(archive()),
    url: it.server.url + releasePath(),
    how: "downloaded",
  });
  assert.deepEqual(steps, ["downloading", "unpacking", "trying"]);
  assert.deepEqual(it.server.requests.map(({ url }) => url), [releasePath()]);
  assert.deepEqual(await it.files(), INSTALLED);
  for (const path of [it.folder, join(file, ".."), file]) {
    assert.equal((await stat(path)).mode & 0o777, 0o700, path);
  }
  await using other = await temporaryFolder({ "bin/adc": "", "asked": "" });
  await chmod(join(other.path, "bin/adc"), 0o755);
  await chmod(join(other.path, "asked"), 0o755);
  const env = { ...it.env, PATH: join(other.path, "bin") };
  const cwd = other.path;
  assert.equal(locateAdc({ env, cwd }).file, file);
  assert.equal(locateAdc({ env, cwd, adc: "./asked" }).file, join(cwd, "asked"));
  assert.equal(
    locateAdc({ env: { ...env, ADC_RUN_ADC: "./asked" }, cwd }).file,
    join(cwd, "asked"),
  );
  assert.equal(await it.version(), "0.28.0");
});

it("`installAdc()` downloads nothing that is there, unless it is forced to", async () => {
  await using it = await fixture(archive());
  await it.install();
  assert.equal((await it.install()).how, "present");
  assert.equal(it.server.requests.length, 1);
  assert.equal((await it.install({ force: true })).how, "downloaded");
  assert.equal(it.server.requests.length, 2);
  await assertFails(it.install({ sha256: "0".repeat(64) }), 65, /sum of/);
  assert.equal(it.server.requests.length, 3, "another sum is another archive");
  assert.equal(await it.version(), "0.28.0");
});

it("`installAdc()` keeps the version before, which comes back without a download", async () => {
  const archives = Object.fromEntries(
    ["1.0.0", "2.0.0", "3.0.0"].map((version) => [releasePath(version), archive(program(version))]),
  );
  await using it = await fixture((request, response) => response.end(archives[request.url!]));
  const install = (version: string) =>
    it.install({ version, sha256: sumOf(archives[releasePath(version)]!) });
  await install("1.0.0");
  await install("2.0.0");
  assert.equal((await install("1.0.0")).how, "restored");
  assert.equal(await it.version(), "1.0.0");
  assert.equal(it.server.requests.length, 2);
  assert.equal((await install("2.0.0")).how, "restored");
  await install("3.0.0");
  assert.deepEqual(await it.files(), ["2.0.0/adc", "3.0.0/adc", "installed.json"]);
  assert.equal(await it.version(), "3.0.0");
});

it("`installAdc()` installs nothing that is not what it should be, and leaves what was there", async () => {
  let bytes = archive();
  await using it = await fixture((request, response) => {
    if (request.url !== releasePath()) response.writeHead(404).end();
    else response.end(bytes);
  });
  const assertRefused = async (
    content: Uint8Array,
    { exitCode, words, sha256 = sumOf(content) }: {
      readonly exitCode: number;
      readonly words: RegExp;
      readonly sha256?: string;
    },
  ) => {
    bytes = Buffer.from(content);
    return await assertFails(it.install({ sha256, force: true }), exitCode, words);
  };
  const failures = async () => {
    const wanted = sumOf(archive());
    const changed = archive(program("6.6.6"));
    const words = new RegExp(`is ${sumOf(changed)}, and not ${wanted}`);
    await assertRefused(changed, { exitCode: 65, words, sha256: wanted });
    await assertRefused(Buffer.from("<html>"), { exitCode: 65, words: /damaged/ });
    await assertRefused(changed, { exitCode: 65, words: /says that it is "6\.6\.6"/ });
    await assertRefused(archive("#!/bin/sh\necho a7ee-x\n"), { exitCode: 65, words: /or none/ });
    await assertRefused(archive("#!/bin/sh\nexit 3\n"), { exitCode: 126, words: /exited with 3/ });
    await assertRefused(archive("#!/bin/sh\nkill -9 $$\n"), { exitCode: 126, words: /signal/ });
    const missing = await assertRefused(archive("#!/lib/ld-missing.so.1\n"), {
      exitCode: 126,
      words: /cannot be executed \(ENOENT\)/,
    });
    assert.match(missing.suggestion!, /glibc/);
    await assertFails(it.install({ version: "9.9.9", sha256: wanted }), 78, /no such file/);
  };
  await failures();
  assert.deepEqual(await it.files(), []);
  assert.equal(findInstalledAdc(it.env), undefined);
  bytes = archive();
  await it.install({ sha256: sumOf(bytes) });
  await failures();
  assert.deepEqual(await it.files(), INSTALLED);
  assert.equal(await it.version(), "0.28.0");
});

it("`installAdc()` tries the new ADC without tokens, away from the working directory", async () => {
  const script = '#!/bin/sh\nenv > "$OUT"\npwd >> "$OUT"\necho 0.28.0\n';
  await using it = await fixture(archive(script));
  const out = join(it.env.ADC_RUN_CONFIG_DIR!, "out");
  const token = "a7ee-hidden";
  await it.install({
    env: {
      ...it.env,
      OUT: out,
      ADC_TOKEN: token,
      API_KEY: token,
      API7_PASSWORD: token,
      ADC_TOKEN_COMMAND: token,
    },
  });
  const text = await readFile(out, "utf8");
  assert.match(text, new RegExp(`^${it.folder}/\\.new-`, "m"));
  assert.doesNotMatch(text, /hidden/);
});

it("`installAdc()` leaves nothing behind when it is given up, at any step", async () => {
  const controllers: AbortController[] = [];
  await using it = await fixture(
    archive(SLEEPY),
  );
  for (const step of ["downloading", "unpacking", "trying"]) {
    const controller = new AbortController();
    controllers.push(controller);
    const reason = new Error(`given up ${step}`);
    await assert.rejects(
      it.install({
        env: { ...it.env, SLEEPS: "1" },
        signal: controller.signal,
        onStep: (each) => void (each === step && controller.abort(reason)),
      }),
      (error) => error === reason,
    );
    assert.deepEqual(await it.files(), []);
  }
  assert.equal((await it.install()).how, "downloaded");
});

it("`installAdc()` clears up after one that was killed, at any step, and no half is ever used", async () => {
  const bytes = archive(SLEEPY);
  let stall = false;
  let arrived = () => {};
  await using it = await fixture((_, response) => {
    if (!stall) return void response.end(bytes);
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, 100), () => arrived());
  });
  const env = { ...it.env, ADC_RUN_ADC_SHA256: sumOf(bytes), SLEEPS: "1" };
  const [command, ...args] = runtimeCommand(INSTALL_PROGRAM);
  for (const step of ["downloading", "trying"]) {
    stall = step === "downloading";
    const child = spawn(command, args, { env: { ...process.env, ...env } });
    const kill = () => process.kill(child.pid!, "SIGKILL");
    arrived = kill;
    let text = "";
    for await (const chunk of child.stdout) {
      text += chunk;
      if (step === "trying" && text.includes(step)) kill();
    }
    assert.match(text, new RegExp(`${step}\n$`));
    assert.ok((await readdir(it.folder)).some((name) => name.startsWith(".new-")), "it was killed");
    assert.equal(findInstalledAdc(it.env), undefined);
    stall = false;
    const { how } = await it.install({ sha256: sumOf(bytes), force: true });
    assert.equal(how, "downloaded");
    assert.deepEqual(await it.files(), INSTALLED);
    await writeFile(join(it.folder, "installed.json"), '{"version": 1}');
  }
});

it("`installAdc()` says that the disk is full, and leaves nothing behind", async () => {
  // The limit on the length of files stands in for the disk's: 64 blocks of 512 bytes or of 1 KiB.
  const prefix = ["-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "sh"];
  const zeros = `${program()}exit\n${"#".repeat(200_000)}`;
  const noise = `${program()}exit\n${randomBytes(200_000).toString("hex")}`;
  for (const [name, content] of [["archive", noise], ["adc", zeros]] as const) {
    const bytes = archive(content);
    await using it = await fixture(bytes);
    const env = { ...process.env, ...it.env, ADC_RUN_ADC_SHA256: sumOf(bytes) };
    const child = spawn("sh", [...prefix, ...runtimeCommand(INSTALL_PROGRAM)], { env });
    let text = "";
    for await (const chunk of child.stderr) text += chunk;
    const words = new RegExp(`Cannot write "[^"]*/${name}": the file may not grow \\(EFBIG\\)`);
    assert.match(text, words);
    assert.deepEqual(await readdir(it.folder), []);
  }
});

it("two processes that install ADC at once download it once", async () => {
  const bytes = archive();
  let isWaiting = () => {};
  const waits = new Promise<void>((resolve) => isWaiting = resolve);
  await using it = await fixture((_, response) => void waits.then(() => response.end(bytes)));
  const env = { ...process.env, ...it.env, ADC_RUN_ADC_SHA256: sumOf(bytes) };
  const [command, ...args] = runtimeCommand(INSTALL_PROGRAM);
  const run = async () => {
    const child = spawn(command, args, { env });
    let text = "";
    for await (const chunk of child.stdout) {
      text += chunk;
      // Whoever has to wait says so; then the other one gets its file.
      if (text.includes("waiting")) isWaiting();
    }
    return text;
  };
  const texts = (await Promise.all([run(), run()])).sort();
  assert.match(texts[0]!, /^downloading\n(unpacking\ntrying\n)downloaded\n$/);
  assert.equal(texts[1], "waiting\npresent\n");
  assert.equal(it.server.requests.length, 1);
  assert.deepEqual(await it.files(), INSTALLED);
});

it("`findInstalledAdc()` trusts nothing that others can change, and passes over nothing in silence", async () => {
  await using it = await fixture(archive());
  assert.equal(findInstalledAdc(it.env), undefined);
  assert.equal(findInstalledAdc({ ADC_RUN_CONFIG_DIR: "/dev/null/adc-run" }), undefined);
  await it.install();
  const file = findInstalledAdc(it.env)!;
  const record = join(it.folder, "installed.json");
  for (const path of [it.folder, join(file, ".."), file, record]) {
    const { mode } = await stat(path);
    await chmod(path, mode | 0o020);
    assert.throws(() => findInstalledAdc(it.env), /others can change it/, path);
    await chmod(path, mode);
  }
  const good = await readFile(record, "utf8");
  const { version: _, ...rest } = JSON.parse(good);
  for (
    const text of [
      "",
      "{",
      "[]",
      "null",
      "{}",
      JSON.stringify({ ...rest, version: 2 }),
      good.replace("0.28.0", "../../x"),
      good.replace('"0.28.0"', "28"),
      JSON.stringify({ version: 1, current: null }),
    ]
  ) {
    await writeFile(record, text);
    assert.throws(() => findInstalledAdc(it.env), /is gone or damaged/, text);
  }
  const warnings: string[] = [];
  const { how } = await it.install({ onWarning: (each) => warnings.push(each) });
  assert.equal(how, "downloaded");
  assert.match(warnings.join(), /was moved to/);
  assert.equal(findInstalledAdc(it.env), file);
  await writeFile(record, good.replace("0.28.0", "0.28.1"), { mode: 0o600 });
  const gone = await assertFails(
    Promise.resolve().then(() => findInstalledAdc(it.env)),
    126,
    /0\.28\.1" is gone/,
  );
  assert.match(gone.suggestion!, /install-adc/);
  await mkdir(join(it.folder, "0.28.1"), { mode: 0o700 });
  await symlink(file, join(it.folder, "0.28.1", "adc"));
  assert.throws(() => findInstalledAdc(it.env), /is gone or damaged/);
});

it("`installAdc()` refuses a folder that is open to others", async () => {
  await using it = await fixture(archive());
  await mkdir(it.folder, { recursive: true });
  await chmod(it.folder, 0o777);
  await assertFails(it.install(), 74, /others can change it/);
  assert.equal(it.server.requests.length, 0);
});
