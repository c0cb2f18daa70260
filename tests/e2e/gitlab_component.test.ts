import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, cp, readdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { collect, standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { skipWithoutPrograms } from "../support/required.ts";
import { outputOf } from "../support/run_command.ts";
import { nodeRuntime, npmInstall, skipWithout } from "../support/runtimes.ts";
import { repository } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";
import { RECORDER, withMusl, withRelease } from "./fake_release.ts";

const ARCH = process.arch === "x64" ? "amd64" : process.arch;

const [home] = await testHomes("one home");
const skip = skipWithoutPrograms("release", ["git", "rsync"]) || await skipWithout(nodeRuntime(24));

describe("the GitLab component", { skip: process.platform !== "linux" || skip }, () => {
  let tools: TemporaryFolder;

  before(async () => {
    tools = await temporaryFolder();
    await npmInstall(tools.path, ["--ignore-scripts", "gitlab-ci-local@4.75.1"]);
  });

  after(() => tools[Symbol.asyncDispose]());

  /** Runs a pipeline that includes the component, with `adcRun` as the release's binary. */
  async function runPipeline(
    folder: TemporaryFolder,
    { adcRun, inputs, variables = {} }: {
      readonly adcRun: string | readonly string[];
      readonly inputs: Readonly<{ [name: string]: string }>;
      readonly variables?: Readonly<{ [name: string]: string }>;
    },
  ): Promise<Ending> {
    const programs = await withRelease(folder, adcRun);
    const sum = (await readFile(join(folder.path, "release/SHA256SUMS"), "utf8")).slice(0, 64);
    const include = [{ local: "templates/adc-run.yml", inputs: { sha256: sum, ...inputs } }];
    // YAML takes JSON.
    await folder.write("project/.gitlab-ci.yml", JSON.stringify({ include }));
    const cwd = join(folder.path, "project");
    await cp(join(repository, "templates"), join(cwd, "templates"), { recursive: true });
    const git = ["git", "-c", "user.name=x", "-c", "user.email=x@x.example"] as const;
    await outputOf([...git, "init", "--quiet"], { cwd });
    await outputOf([...git, "remote", "add", "origin", "https://gitlab.example/x/x.git"], { cwd });
    await outputOf([...git, "add", "."], { cwd });
    await outputOf([...git, "commit", "--quiet", "--message", "x"], { cwd });
    const script = join(tools.path, "node_modules/gitlab-ci-local/dist/index.js");
    const given = Object.entries(variables).flatMap(([name, value]) => [
      "--variable",
      `${name}=${value}`,
    ]);
    const words = ["--force-shell-executor", "--no-color", ...given, "adc-run"];
    return await collect([await nodeRuntime(24), script, ...words], {
      cwd,
      env: { HOME: folder.path, PATH: [programs, process.env.PATH].join(delimiter), CI: "true" },
    });
  }

  it("runs ADC with the inputs, and the token stays masked", async () => {
    await using f = await fixture();
    const { code, stdout, stderr } = await runPipeline(f.folder, {
      adcRun: home.command,
      inputs: {
        "args": "sync -f adc.yaml",
        "server": f.sandbox.url,
        "backend": "api7ee",
        "gateway-group": "default",
        "allowed-servers": f.sandbox.url,
      },
      variables: { ADC_TOKEN: f.token, ADC_RUN_ADC: standIn("report.mjs") },
    });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /"argv":\["sync","-f","adc\.yaml"\]/);
    assert.ok(!stdout.includes(f.token) && !stderr.includes(f.token));
  });

  it("hands on what was given, and nothing else", async () => {
    await using folder = await temporaryFolder();
    const { code, stdout, stderr } = await runPipeline(folder, {
      adcRun: RECORDER,
      inputs: { args: "diff -f *.yaml", profile: "prod,staging" },
      variables: { ADC_SERVER: "https://project.example" },
    });
    assert.equal(code, 0, stdout + stderr);
    const { words, env } = JSON.parse(/adc-run > (\{.*\})/.exec(stdout)![1]!);
    assert.deepEqual(words, ["diff", "-f", "*.yaml"]);
    assert.deepEqual(env, {
      ADC_SERVER: "https://project.example",
      ADC_RUN_PROFILE: "prod,staging",
      ADC_RUN_FAIL_ON_LEAK: "true",
    });
  });

  it("takes the binary for musl where that is the system's", async () => {
    await using folder = await temporaryFolder();
    await withMusl(folder);
    const { code, stdout, stderr } = await runPipeline(folder, {
      adcRun: RECORDER,
      inputs: { args: "ping" },
    });
    assert.equal(code, 0, stdout + stderr);
    const log = await readFile(join(folder.path, "curl.log"), "utf8");
    assert.match(log, /\/adc-run-linux-\w+-musl\n/);
  });

  it("fetches ADC by its sum", async () => {
    await using folder = await temporaryFolder();
    await chmod(await folder.write("build/adc", '#!/bin/sh\necho "adc $*"\n'), 0o755);
    const archive = await folder.write(`release/adc_0.28.0_linux_${ARCH}.tar.gz`, "");
    await outputOf(["tar", "-czf", archive, "-C", join(folder.path, "build"), "adc"]);
    const sum = createHash("sha256").update(await readFile(archive)).digest("hex");
    const inputs = { "args": "ping", "adc-version": "0.28.0", "adc-sha256": sum };
    const { stdout } = await runPipeline(folder, { adcRun: "adc", inputs });
    assert.match(stdout, /adc-run > adc ping$/m);
  });

  for (
    const [name, inputs, message = /does not match required regex/] of [
      [
        "another sum",
        { args: "ping", sha256: "0".repeat(64) },
        /The SHA-256 checksum of https:\S+ is [0-9a-f]{64}, not 0{64}/,
      ],
      ["ADC without a sum", { "args": "ping", "adc-version": "0.28.0" }, /requires adc-sha256/],
      ["a command in args", { args: "ping; touch pwned" }],
      ["a substitution in args", { args: "ping $(touch pwned)" }],
      ["a quote in args", { args: 'ping" \n  script: touch pwned #' }],
      ["a line in args", { args: "ping\ntouch pwned" }],
      ["blank args", { args: " " }],
      ["a path as the version", { args: "ping", version: "1.0.0/../../x" }],
      ["a variable as the server", { args: "ping", server: "https://$ADC_TOKEN.example" }],
      ["an unknown backend", { args: "ping", backend: "kong" }, /kong/],
    ] as const
  ) {
    it(`refuses ${name}, and runs nothing`, async () => {
      await using folder = await temporaryFolder();
      const { code, stdout, stderr } = await runPipeline(folder, { adcRun: RECORDER, inputs });
      assert.notEqual(code, 0, stdout + stderr);
      assert.match(stdout + stderr, message);
      assert.doesNotMatch(stdout, /"words"/);
      const left = await readdir(folder.path, { recursive: true });
      assert.ok(!left.some((name) => name.endsWith("pwned")));
    });
  }
});
