import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { checkEnvFile } from "../../src/doctor/check_env_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

test("`checkEnvFile()` counts the variables of a file that is well-formed", async () => {
  await using folder = await temporaryFolder({ ".env": "A=1\nB=2\nA=3\n", "other.env": "A=1" });
  const [finding] = await checkEnvFile({ cwd: folder.path });
  assert.equal(finding?.status, "ok");
  assert.equal(finding.found, ".env is well-formed: 2 variables");
  const [other] = await checkEnvFile({ envFile: "other.env", cwd: folder.path });
  assert.equal(other?.found, "other.env is well-formed: 1 variable");
});

test("`checkEnvFile()` fails for a file that is no UTF-8", async () => {
  await using folder = await temporaryFolder();
  await folder.write(
    ".env",
    Uint8Array.from([..."A=1\n"].flatMap((each) => [each.charCodeAt(0), 0])),
  );
  const [wide] = await checkEnvFile({ cwd: folder.path });
  assert.deepEqual([wide?.status, wide?.exitCode], ["failed", 65]);
  assert.match(wide!.found, /not UTF-8 text; it may be UTF-16/);
  await folder.write(".env", Uint8Array.from([0x41, 0x3d, 0xe4]));
  assert.equal((await checkEnvFile({ cwd: folder.path }))[0]?.status, "failed");
});

test("`checkEnvFile()` tells which of ADC's variables are set more than once, and no values", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_TOKEN=canary-1\nX=1\nX=2\nADC_TOKEN=canary-2\nnonsense canary-3\n",
  });
  const findings = await checkEnvFile({ cwd: folder.path });
  assert.deepEqual(findings.map(({ data }) => data), [{ lines: [5] }, { names: ["ADC_TOKEN"] }]);
  assert.ok(!JSON.stringify(findings).includes("canary"));
});

test("`checkEnvFile()` does not drink from a pipe", async () => {
  await using folder = await temporaryFolder();
  execFileSync("mkfifo", [join(folder.path, "pipe")]);
  const [finding] = await checkEnvFile({ envFile: "pipe", cwd: folder.path });
  assert.equal(finding?.status, "skipped");
  execFileSync("mkfifo", [join(folder.path, ".env")]);
  const [plain] = await checkEnvFile({ cwd: folder.path });
  assert.equal(plain?.found, "no .env here", "ADC ignores it");
});
