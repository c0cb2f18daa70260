import assert from "node:assert/strict";
import { chmod, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { checkAdc, isOlder } from "../../src/doctor/check_adc.ts";
import type { DiagnoseOptions } from "../../src/doctor/diagnose.ts";
import type { Found } from "../../src/doctor/finding.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

async function script(folder: TemporaryFolder, name: string, lines: string): Promise<string> {
  const file = await folder.write(name, `#!/bin/sh\n${lines}\n`);
  await chmod(file, 0o755);
  return file;
}

/** The working directory is a project beside the folder with the programs. */
async function check(folder: TemporaryFolder, more: Partial<DiagnoseOptions> = {}): Promise<Found> {
  const cwd = dirname(await folder.write("project/adc.yaml", ""));
  const env = {
    PATH: `${join(folder.path, "bin")}:${process.env.PATH}`,
    HOME: "/nowhere",
    ADC_RUN_CONFIG_DIR: join(folder.path, "config"),
  };
  const { env: added, ...rest } = more;
  const outcome = await checkAdc({
    cwd,
    ...rest,
    env: { ...env, ...added },
  });
  const [found] = "findings" in outcome ? outcome.findings : [outcome].flat();
  return found!;
}

test("`checkAdc()` tells the version of the ADC on PATH", async () => {
  await using folder = await temporaryFolder();
  const path = await script(folder, "bin/adc", "echo 0.28.3");
  const { status, found, data } = await check(folder);
  assert.deepEqual([status, found], ["ok", `0.28.3 at ${path}`]);
  assert.deepEqual(data, { path, version: "0.28.3", rust: false });
});

test("`checkAdc()` gives ADC no token, and starts it in its own folder", async () => {
  await using folder = await temporaryFolder();
  await script(
    folder,
    "bin/adc",
    `env >'${folder.path}/env'; pwd >'${folder.path}/pwd'; echo 0.28.0`,
  );
  await check(folder, {
    env: {
      ADC_TOKEN: "canary-1",
      API_KEY: "canary-2",
      API7_PASSWORD: "canary-3",
      ADC_TOKEN_COMMAND: "canary-4",
    },
  });
  assert.doesNotMatch(await readFile(join(folder.path, "env"), "utf8"), /canary/);
  assert.equal((await readFile(join(folder.path, "pwd"), "utf8")).trim(), join(folder.path, "bin"));
});

test("`checkAdc()` executes nothing that comes with the project, unless it was asked for", async () => {
  await using folder = await temporaryFolder();
  const mark = join(folder.path, "ran");
  for (const name of ["project/node_modules/.bin/adc", "project/bin/adc", "project/adc"]) {
    const file = await script(folder, name, `echo 0.28.0; echo x >>'${mark}'`);
    const env = { PATH: `${dirname(file)}:/usr/bin:/bin` };
    const { status, found } = await check(folder, { env });
    assert.equal(status, "warning", found);
    assert.match(found, /came with this folder, so it was not run/);
    await assert.rejects(readFile(mark));
  }
  const asked = await check(folder, { adc: "./adc" });
  assert.equal(asked.status, "ok");
  assert.equal(await readFile(mark, "utf8"), "x\n");
  const named = await check(folder, { env: { ADC_RUN_ADC: join(folder.path, "project/adc") } });
  assert.equal(named.status, "ok");
});

test("`checkAdc()` says that there is no ADC", async () => {
  await using folder = await temporaryFolder();
  await assert.rejects(check(folder, { env: { PATH: "/nowhere" } }), { exitCode: 127 });
});

test("`checkAdc()` fails where ADC does, or is no ADC", async () => {
  await using folder = await temporaryFolder();
  for (
    const [lines, found] of [
      ["echo 0.28.0; exit 3", /did not report its version: it exited with 3/],
      ["kill -9 $$", /it was ended by SIGKILL/],
      ["echo hello", /did not report a version/],
      [
        "while :; do echo 0123456789012345678901234567890123456789; done",
        /it printed more than 65536 bytes/,
      ],
    ] as const
  ) {
    await script(folder, "bin/adc", lines);
    const finding = await check(folder);
    assert.equal(finding.status, "failed", lines);
    assert.equal(finding.exitCode, 126);
    assert.match(finding.found, found);
  }
});

test("`checkAdc()` does not wait for an ADC that hangs once it is given up", async () => {
  await using folder = await temporaryFolder();
  await script(folder, "bin/adc", `echo $$ >'${folder.path}/pid'; exec sleep 100`);
  const controller = new AbortController();
  const reason = new Error("given up");
  const checked = check(folder, { signal: controller.signal });
  let pid = "";
  while (!pid.endsWith("\n")) {
    pid = await readFile(join(folder.path, "pid"), "utf8").catch(() => "");
  }
  controller.abort(reason);
  await assert.rejects(checked, reason);
});

test("`checkAdc()` tells what is wrong with old ADCs, and the one in Rust apart", async () => {
  await using folder = await temporaryFolder();
  for (
    const [output, found, suggestion] of [
      ["0.21.1", /first gateway group/, /0\.21\.2 or later/],
      ["0.9.0", /first gateway group/, /0\.21\.2 or later/],
      ["0.21.2", /tested with 0\.28/, /may still work/],
      ["0.29.0", /tested with 0\.28/, /may still work/],
      ["adc 0.30.5", /written in Rust/, /ADC_CA_CERT_FILE/],
      ["adc 0.21.0", /written in Rust/, /ADC_CA_CERT_FILE/],
    ] as const
  ) {
    await script(folder, "bin/adc", `echo ${output}`);
    const finding = await check(folder);
    assert.equal(finding.status, "warning", output);
    assert.match(finding.found, found);
    assert.match(finding.suggestion ?? "", suggestion);
  }
});

test("`isOlder()` compares versions by their numbers, and never the one in Rust", () => {
  const older = (version: string, isRust = false) => isOlder({ version, isRust }, [0, 27, 0]);
  assert.deepEqual(
    ["0.26.9", "0.9.30", "0.27.0", "0.27.0-rc.1", "0.100.0", "1.0.0"].map((each) => older(each)),
    [true, true, false, false, false, false],
  );
  assert.equal(older("0.1.0", true), false);
});
