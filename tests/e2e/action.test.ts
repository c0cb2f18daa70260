import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { it } from "node:test";
import { findOnPath } from "../../src/system/programs.ts";
import { collect, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";
import { readAction, runAction } from "./action_runner.ts";
import { quoted, RECORDER, withMusl, withRelease } from "./fake_release.ts";

const [home] = await testHomes("one home");

interface Record {
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<{ [name: string]: string }>;
}

it("the action takes over no text into a script, and needs no action of others", async () => {
  const { inputs, runs } = await readAction();
  assert.equal(runs.using, "composite");
  for (const step of runs.steps) {
    assert.equal(step.uses, undefined);
    assert.equal(step.shell, "bash");
    assert.doesNotMatch(step.run, /\$\{\{/, step.name);
  }
  const text = JSON.stringify(runs);
  for (const [name, { description }] of Object.entries(inputs)) {
    assert.ok(description, name);
    assert.ok(text.includes(`inputs.${name}`), `${name} is used`);
  }
});

it("the action runs ADC with the inputs, and shows no token", async () => {
  await using f = await fixture();
  await using folder = await temporaryFolder();
  const endings = await runAction({
    folder: folder.path,
    programs: await withRelease(folder, home!.command),
    inputs: {
      args: "sync -f adc.yaml",
      server: f.sandbox.url,
      backend: "api7ee",
      "gateway-group": "default",
      token: f.token,
      "allowed-servers": f.sandbox.url,
    },
    env: { ADC_RUN_ADC: standIn("report.mjs") },
  });
  assert.deepEqual([...endings.keys()], ["Set up", "Run ADC"]);
  const { code, stdout, stderr } = endings.get("Run ADC")!;
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).argv, ["sync", "-f", "adc.yaml"]);
  // The runner has it from the workflow.
  assert.ok(!stdout.includes(f.token) && !stderr.includes(f.token));
});

it("the action tells the runner a token that the run makes, and tells no child to do so", async () => {
  await using f = await fixture();
  await using folder = await temporaryFolder();
  const endings = await runAction({
    folder: folder.path,
    programs: await withRelease(folder, home!.command),
    inputs: {
      args: `exec -- sh -c 'echo "<$ADC_RUN_ACTION>"'`,
      server: f.sandbox.url,
      backend: "api7ee",
    },
    env: { API7_USERNAME: "ci-bot", API7_PASSWORD: "pass-word" },
  });
  const { code, stdout, stderr } = endings.get("Run ADC")!;
  assert.equal(code, 0, stderr);
  const { value } = f.sandbox.tokens.at(-1)!;
  assert.notEqual(value, f.token);
  assert.ok(stderr.includes(`::add-mask::${value}\n`));
  assert.equal(stdout, "<>\n");
});

it("a step of anybody's own shows no token, though its standard error is piped", async () => {
  await using f = await fixture();
  const env = {
    ...f.env,
    PATH: process.env.PATH!,
    HOME: f.folder.path,
    CI: "true",
    GITHUB_ACTIONS: "true",
    ADC_RUN_ADC: standIn("report.mjs"),
  };
  const tokenFile = await f.folder.write("token", f.token);
  const login = { API7_USERNAME: "ci-bot", API7_PASSWORD: "pass-word" };
  for (const source of [{ ADC_TOKEN: f.token }, { ADC_TOKEN_FILE: tokenFile }, login]) {
    for (
      const words of ["ping", "-q ping", "exec -- true", "auth status", "auth token >/dev/null"]
    ) {
      if (source === login && words.startsWith("auth token")) continue;
      const line = `${quoted(home!.command)} ${words} 2>&1 | tee out.log`;
      const ended = await collect(["sh", "-c", line], {
        cwd: f.folder.path,
        env: { ...env, ...source },
      });
      const shown = ended.stdout + await readFile(join(f.folder.path, "out.log"), "utf8");
      const tokens = f.sandbox.tokens.map(({ value }) => value);
      assert.ok(tokens.every((token) => !shown.includes(token)), words);
      assert.doesNotMatch(shown, /add-mask/, words);
    }
  }
});

it("the action shows a failure as an annotation, and ends as adc-run ends", async () => {
  await using f = await fixture();
  await using folder = await temporaryFolder();
  const endings = await runAction({
    folder: folder.path,
    programs: await withRelease(folder, home!.command),
    inputs: { args: "ping", server: f.sandbox.url, backend: "api7ee", token: "a7ee-wrong-token" },
    env: { ADC_RUN_ADC: standIn("report.mjs") },
  });
  const { code, stderr } = endings.get("Run ADC")!;
  assert.equal(code, 77);
  assert.match(
    stderr,
    /^::error title=adc-run::the server refused the token: 401 .*%0Atoken [0-9a-f]{8} from ADC_TOKEN%0A/m,
  );
  assert.doesNotMatch(stderr, /a7ee-wrong/);
});

it("the action splits `args` without a shell, and hands on what was set, and nothing else", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "workspace/deploy files"), { recursive: true });
  const args = `sync -f 'two words.yaml' "a'b"
    $(touch pwned) \\\r
    \`touch pwned\` ; $HOME * \\$x -- --token`;
  const endings = await runAction({
    folder: folder.path,
    programs: await withRelease(folder, RECORDER),
    inputs: { args, profile: "prod,staging", "working-directory": "deploy files", token: "canary" },
    env: { ADC_SERVER: "https://job.example", ADC_TOKEN: "job" },
  });
  const { code, stdout, stderr } = endings.get("Run ADC")!;
  assert.equal(code, 0, stderr);
  const record: Record = JSON.parse(stdout);
  assert.deepEqual(record.words, [
    ...["sync", "-f", "two words.yaml", "a'b", "$(touch", "pwned)", "`touch", "pwned`", ";"],
    ...["$HOME", "*", "$x", "--", "--token"],
  ]);
  assert.deepEqual(record.env, {
    ADC_SERVER: "https://job.example",
    ADC_TOKEN: "canary",
    ADC_RUN_PROFILE: "prod,staging",
    ADC_RUN_ACTION: "true",
    ADC_RUN_FAIL_ON_LEAK: "true",
  });
  assert.equal(record.cwd, join(folder.path, "workspace/deploy files"));
  assert.deepEqual(await readdir(record.cwd), []);
  const left = await readdir(join(folder.path, "temp"));
  assert.ok(left.every((name) => !name.includes("words")), left.join());
});

for (
  const [what, args, message] of [
    ["has a quote too many", "sync -f 'adc.yaml", /^::error title=adc-run::The input args cannot/m],
    ["is empty", " ", /^::error title=adc-run::The input args is empty/],
    ["has only blank lines", "\n\t\n", /^::error title=adc-run::The input args is empty/],
  ] as const
) {
  it(`the action fails where \`args\` ${what}, runs nothing and leaves no file`, async () => {
    await using folder = await temporaryFolder();
    const programs = await withRelease(folder, RECORDER);
    const endings = await runAction({ folder: folder.path, programs, inputs: { args } });
    const { code, stdout, stderr } = endings.get("Run ADC")!;
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, message);
    assert.doesNotMatch(stdout, /words/);
    assert.deepEqual(await readdir(join(folder.path, "temp")), ["0.sh", "1.sh", "adc-run"]);
  });
}

it("the action takes the version, and the binary, that was asked for", async () => {
  await using folder = await temporaryFolder();
  const programs = await withRelease(folder, RECORDER);
  const sum = (await readFile(join(folder.path, "release/SHA256SUMS"), "utf8")).slice(0, 64);
  const inputs = {
    "adc-run-version": "1.2.3-rc.1",
    "adc-run-sha256": `sha256:${sum.toUpperCase()}`,
  };
  const endings = await runAction({ folder: folder.path, programs, inputs });
  assert.deepEqual([...endings.keys()], ["Set up"]);
  assert.equal(endings.get("Set up")!.code, 0, endings.get("Set up")!.stdout);
  const log = await readFile(join(folder.path, "curl.log"), "utf8");
  const release = "https://github.com/adc-run/adc-run/releases/download/v1.2.3-rc.1";
  assert.deepEqual(log.match(/https:.*/g), [`${release}/adc-run-linux-x64`]);
  for (const word of ["--fail", "--proto", "=https", "--retry"]) assert.ok(log.includes(word));
  assert.deepEqual(await readdir(join(folder.path, "temp/adc-run")), ["adc-run"]);
});

it("the action takes the binary for musl where that is the system's", async () => {
  await using folder = await temporaryFolder();
  const programs = await withRelease(folder, RECORDER);
  await withMusl(folder);
  const endings = await runAction({ folder: folder.path, programs, inputs: {} });
  assert.equal(endings.get("Set up")!.code, 0, endings.get("Set up")!.stdout);
  const log = await readFile(join(folder.path, "curl.log"), "utf8");
  assert.match(log, /\/adc-run-linux-x64-musl\n/);
});

/** Puts an archive there whose only file is an ADC that prints its words; returns the archive's sum. */
async function withArchive(
  folder: TemporaryFolder,
  { archive: name = "adc_0.28.0_linux_amd64.tar.gz", member = "./adc" } = {},
): Promise<string> {
  await chmod(await folder.write(`build/${member}`, '#!/bin/sh\necho "adc $*"\n'), 0o755);
  const archive = await folder.write(`release/${name}`, "");
  const build = join(folder.path, "build");
  const { code } = await collect(["tar", "-czf", archive, "-C", build, member], { cwd: build });
  assert.equal(code, 0);
  return createHash("sha256").update(await readFile(archive)).digest("hex");
}

/** What the action has left where the steps that follow would find it. */
async function leftBy(folder: TemporaryFolder): Promise<readonly string[]> {
  const names = await readdir(join(folder.path, "temp"), { recursive: true });
  const path = await readFile(join(folder.path, "path"), "utf8");
  return [...names.filter((name) => /adc/.test(name)), ...path.split("\n").filter(Boolean)];
}

/** A PATH without `sha256sum`, as macOS has none, but with a `shasum`. */
async function pathWithShasum(folder: TemporaryFolder): Promise<string> {
  const where = { env: { PATH: process.env.PATH }, cwd: folder.path };
  const shasum = `#!/bin/sh\n[ "$*" = "-a 256" ] && exec ${findOnPath("sha256sum", where)}\n`;
  await chmod(await folder.write("tools/shasum", shasum), 0o755);
  const programs = "bash cat chmod grep gzip mkdir mktemp mv node rm sed sh tar tr";
  for (const name of programs.split(" ")) {
    await symlink(findOnPath(name, where)!, join(folder.path, "tools", name));
  }
  return join(folder.path, "tools");
}

for (
  const { os, arch, archive, member, prefix = "" } of [
    { os: "Linux", arch: "X64", archive: "adc_0.28.0_linux_amd64.tar.gz", member: "./adc" },
    { os: "Linux", arch: "ARM64", archive: "adc_0.28.0_linux_arm64.tar.gz", member: "adc" },
    {
      os: "macOS",
      arch: "ARM64",
      archive: "adc_0.28.0_darwin_arm64.tar.gz",
      member: "./adc",
      prefix: "sha256:",
    },
    { os: "Windows", arch: "X64", archive: "adc_0.28.0_windows_amd64.zip", member: "adc.exe" },
  ]
) {
  it(`the action fetches ADC, verifies it, and has it found on ${os} ${arch}`, async () => {
    await using folder = await temporaryFolder();
    const sum = await withArchive(folder, { archive, member });
    // It reads every format, as GNU's does not.
    const tar = `#!/bin/sh\necho "$*" >> "$HOME/tar.log"\nexec tar "$@"\n`;
    await chmod(await folder.write("Windows/System32/tar.exe", tar), 0o755);
    const endings = await runAction({
      folder: folder.path,
      programs: await withRelease(folder, RECORDER),
      inputs: { "adc-version": "v0.28.0", "adc-sha256": prefix + sum.toUpperCase() },
      env: { RUNNER_OS: os, RUNNER_ARCH: arch, SYSTEMROOT: join(folder.path, "Windows") },
      ...(os === "macOS" && { path: await pathWithShasum(folder) }),
    });
    const { code, stdout, stderr } = endings.get("Set up")!;
    assert.equal(code, 0, stdout + stderr);
    const [record, version] = stdout.trimEnd().split("\n");
    assert.deepEqual(JSON.parse(record!).words, ["--version"]);
    assert.equal(version, "adc --version");
    const program = member.replace("./", "");
    const place = join(folder.path, "temp/adc");
    assert.deepEqual(await readdir(place), [program]);
    const path = await readFile(join(folder.path, "path"), "utf8");
    assert.equal(path, `${folder.path}/temp/adc-run\n${place}\n`);
    const words = (await readFile(join(folder.path, "curl.log"), "utf8")).split("\n");
    for (const word of ["--fail", "--proto", "=https", "--retry"]) assert.ok(words.includes(word));
    const address = `https://github.com/api7/adc/releases/download/v0.28.0/${archive}`;
    assert.deepEqual(words.slice(-2), [address, ""]);
    const own = await readFile(join(folder.path, "tar.log"), "utf8").catch(() => "");
    assert.equal(own !== "", os === "Windows", "a zip takes Windows' own tar");
  });
}

it("the action runs the ADC that it has fetched", async () => {
  await using folder = await temporaryFolder();
  const sum = await withArchive(folder);
  const endings = await runAction({
    folder: folder.path,
    programs: await withRelease(folder, `sh -c '[ "$1" = --version ] || exec adc "$@"' --`),
    inputs: { "adc-version": "0.28.0", "adc-sha256": sum, args: "sync -f adc.yaml" },
  });
  assert.deepEqual([...endings.keys()], ["Set up", "Run ADC"]);
  assert.equal(endings.get("Run ADC")!.stdout, "adc sync -f adc.yaml\n");
});

it("the action fetches no ADC without a version and a sum", async () => {
  await using folder = await temporaryFolder();
  const sum = await withArchive(folder);
  const programs = await withRelease(folder, RECORDER);
  const versions = [
    ...["latest", "0.28", "v", "0.28.0;id", "$(touch pwned)", "--help", "0.28.0 -o x"],
    ...["../0.28.0", "0.28.0/../../x", "0.28.0-a/b", "0.28.0\n0.28.0", "0.28.0-\n::error::x"],
  ];
  const sums = [
    ...["", " ", "\n", "ab", "sha256:", "z".repeat(64), `${sum}0`, `${sum} ${sum}`, `${sum}\nx`],
    ...["$(touch pwned)", "*".repeat(64), "--check"],
  ];
  const cases = [
    ...versions.map((version) => ({ "adc-version": version, "adc-sha256": sum })),
    ...sums.map((other) => ({ "adc-version": "0.28.0", "adc-sha256": other })),
    { "adc-version": "0.28.0" },
  ];
  for (const inputs of cases) {
    const endings = await runAction({ folder: folder.path, programs, inputs });
    const label = JSON.stringify(inputs);
    assert.deepEqual([...endings.keys()], ["Set up"], label);
    const { code, stdout } = endings.get("Set up")!;
    assert.equal(code, 1, label);
    const name = "adc-sha256" in inputs && inputs["adc-sha256"] === sum ? "version" : "sha256";
    const error = `^::error title=adc-run::The input adc-${name} is not .*\n$`;
    assert.match(stdout, new RegExp(error), label);
    assert.deepEqual(await leftBy(folder), [], label);
  }
  const left = await readdir(folder.path, { recursive: true });
  assert.ok(!left.some((name) => /\.log$|pwned/.test(name)), "nothing was fetched or run");
});

it("the action takes no ADC whose sum is another, and none that did not come", async () => {
  await using folder = await temporaryFolder();
  const sum = await withArchive(folder);
  const programs = await withRelease(folder, RECORDER);
  const other = sum.replaceAll(/./g, (digit) => digit === "0" ? "1" : "0");
  const cases: readonly [
    sum: string,
    env: Readonly<{ [name: string]: string }>,
    message: RegExp,
  ][] = [
    [other, {}, /The SHA-256 checksum of adc_0\.28\.0_linux_amd64\.tar\.gz is [0-9a-f]{64}, not/],
    [
      sum,
      { CURL_FAILS: "adc_0.28.0_linux_amd64.tar.gz" },
      /https:\/\/github\.com\/\S+ cannot be downloaded/,
    ],
    [sum, { RUNNER_OS: "Plan9" }, /Nothing is released for Plan9/],
    [sum, { RUNNER_ARCH: "ARM" }, /Nothing is released for ARM/],
  ];
  for (const [given, env, message] of cases) {
    const inputs = { "adc-version": "0.28.0", "adc-sha256": given, args: "ping" };
    const endings = await runAction({ folder: folder.path, programs, inputs, env });
    assert.deepEqual([...endings.keys()], ["Set up"]);
    const { code, stdout } = endings.get("Set up")!;
    assert.equal(code, 1);
    assert.match(stdout, message);
    assert.deepEqual(await leftBy(folder), []);
  }
});

it("the action takes no binary without a version and its sum, and leaves no file behind", async () => {
  await using folder = await temporaryFolder();
  const programs = await withRelease(folder, RECORDER);
  const zeros = "0".repeat(64);
  const cases:
    readonly (readonly [inputs: Readonly<{ [name: string]: string }>, message: RegExp])[] = [
      ...["latest", "1.0.0 evil", "1.0.0;id", "git+ssh://evil", "1.0.0\nx", "../1.0.0", ""].map(
        (version) =>
          [{ "adc-run-version": version }, /The input adc-run-version is not a v/] as const,
      ),
      ...["ab", " ", "$(touch pwned)"].map(
        (sum) => [{ "adc-run-sha256": sum }, /The input adc-run-sha256 is not a SHA-256/] as const,
      ),
      [{ "adc-run-sha256": zeros }, /The SHA-256 checksum of adc-run-linux-x64 is .*, not 0{64}$/m],
    ];
  const fetched = ["adc-run-linux-x64", "SHA256SUMS"];
  const inputs = { args: "ping" };
  for (const [given, message] of cases) {
    const endings = await runAction({
      folder: folder.path,
      programs,
      inputs: { ...inputs, ...given },
    });
    const label = JSON.stringify(given);
    assert.deepEqual([...endings.keys()], ["Set up"], label);
    assert.match(endings.get("Set up")!.stdout, message, label);
    assert.deepEqual(await leftBy(folder), [], label);
  }
  for (const name of fetched) {
    const env = { CURL_FAILS: name };
    const endings = await runAction({ folder: folder.path, programs, inputs, env });
    assert.match(endings.get("Set up")!.stdout, new RegExp(`/${name} cannot be downloaded`));
    assert.deepEqual(await leftBy(folder), [], name);
  }
  await folder.write("release/SHA256SUMS", `${zeros}  adc-run-linux-x64.sig\n`);
  const endings = await runAction({ folder: folder.path, programs, inputs });
  assert.match(endings.get("Set up")!.stdout, /SHA256SUMS has no adc-run-linux-x64$/m);
  assert.deepEqual(await leftBy(folder), []);
});

it("the action's outputs are the numbers of drift, though the step fails", async () => {
  await using f = await fixture();
  await using folder = await temporaryFolder({ "workspace/adc.yaml": "services: []\n" });
  const outputs = await folder.write("outputs", "");
  const run = async (args: string) => {
    const endings = await runAction({
      folder: folder.path,
      programs: await withRelease(folder, home!.command),
      inputs: {
        args,
        server: f.sandbox.url,
        backend: "api7ee",
        token: f.token,
        "fail-on-drift": "true",
      },
      env: { ADC_RUN_ADC: standIn("adc.mjs"), GITHUB_OUTPUT: outputs },
    });
    return endings.get("Run ADC")!;
  };
  const diff = await run("diff -f adc.yaml");
  assert.equal(diff.code, 3, diff.stderr);
  const { outputs: declared, runs } = await readAction();
  const lines = (await readFile(outputs, "utf8")).trim().split("\n");
  assert.deepEqual(lines, ["drift=true", "created=1", "updated=0", "deleted=0"]);
  const id = runs.steps.find(({ name }) => name === "Run ADC")?.id;
  assert.deepEqual(
    Object.entries(declared).map(([name, { value }]) => [name, value]),
    lines.map((line) => line.split("=")[0]).map((name) => [
      name,
      `\${{ steps.${id}.outputs.${name} }}`,
    ]),
  );
  assert.equal((await run("sync -f adc.yaml")).code, 0, "what is no diff tells of none");
});
