import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { VERSION } from "../../src/version.ts";
import { temporaryFolder } from "../temporary_folder.ts";
import type { TemporaryFolder } from "../temporary_folder.ts";
import { readAction, runAction } from "./action_runner.ts";
import { standIn } from "./adc_run.ts";
import { fixture } from "./fixture.ts";
import { testHomes } from "./homes.ts";

const [home] = await testHomes("one home");

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** An `npm` that installs what is under test, or what is given, and notes how it was called. */
async function withNpm(folder: TemporaryFolder, adcRun = quoted(home!.command)): Promise<string> {
  const npm = `#!/bin/sh
echo "cwd=$(pwd) args=$*" >> "${folder.path}/npm.log"
[ -z "$NPM_FAILS" ] || exit 1
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/bin"
cat > "$2/bin/adc-run" <<'END'
#!/bin/sh
exec ${adcRun} "$@"
END
chmod +x "$2/bin/adc-run"
`;
  await chmod(await folder.write("programs/npm", npm), 0o755);
  return join(folder.path, "programs");
}

/** Stands in for adc-run: prints its words and the variables that it was given. */
const RECORDER = `node -e '
  const { env, argv } = process;
  const names = Object.keys(env).filter((name) => /^(ADC_|INPUT_)/.test(name));
  console.log(JSON.stringify({ words: argv.slice(1), cwd: process.cwd(), env: Object.fromEntries(names.map((name) => [name, env[name]])) }));
' --`;

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
  assert.equal(inputs["adc-run-version"]!.default, VERSION);
});

it("the action runs ADC with the inputs, and the token gets masked", async () => {
  await using f = await fixture();
  await using folder = await temporaryFolder();
  const endings = await runAction({
    folder: folder.path,
    programs: await withNpm(folder),
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
  assert.deepEqual([...endings.keys()], ["Set up adc-run", "Run ADC"]);
  const { code, stdout, stderr } = endings.get("Run ADC")!;
  assert.equal(code, 0, stderr);
  assert.ok(stderr.includes(`::add-mask::${f.token}\n`));
  assert.deepEqual(JSON.parse(stdout).argv, ["sync", "-f", "adc.yaml"]);
  assert.ok(
    !stdout.includes(f.token) && !stderr.replaceAll(/::add-mask::.*/g, "").includes(f.token),
  );
});

it("the action shows a failure as an annotation, and ends as adc-run ends", async () => {
  await using f = await fixture();
  await using folder = await temporaryFolder();
  const endings = await runAction({
    folder: folder.path,
    programs: await withNpm(folder),
    inputs: { args: "ping", server: f.sandbox.url, backend: "api7ee", token: "a7ee-wrong-token" },
  });
  const { code, stderr } = endings.get("Run ADC")!;
  assert.equal(code, 77);
  assert.match(stderr, /^::error title=adc-run::GET .*%0A/m);
  assert.doesNotMatch(stderr, /a7ee-wrong/);
});

it("the action splits `args` without a shell, and hands on what was set, and nothing else", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "workspace/deploy files"), { recursive: true });
  const args = `sync -f 'two words.yaml' "a'b"
    $(touch pwned) \`touch pwned\` ; $HOME * \\$x -- --token`;
  const endings = await runAction({
    folder: folder.path,
    programs: await withNpm(folder, RECORDER),
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
    ADC_RUN_FAIL_ON_LEAK: "true",
  });
  assert.equal(record.cwd, join(folder.path, "workspace/deploy files"));
  assert.deepEqual(await readdir(record.cwd), []);
  const left = await readdir(join(folder.path, "temp"));
  assert.ok(left.every((name) => !name.includes("words")), left.join());
});

it("the action fails where `args` has a quote too many, and runs nothing", async () => {
  await using folder = await temporaryFolder();
  const endings = await runAction({
    folder: folder.path,
    programs: await withNpm(folder, RECORDER),
    inputs: { args: "sync -f 'adc.yaml" },
  });
  const { code, stdout, stderr } = endings.get("Run ADC")!;
  assert.notEqual(code, 0);
  assert.equal(stdout, "");
  assert.match(stderr, /quote/);
});

it("the action installs the version that was asked for, away from the repository", async () => {
  await using folder = await temporaryFolder();
  const endings = await runAction({
    folder: folder.path,
    programs: await withNpm(folder, RECORDER),
    inputs: { "adc-run-version": "1.2.3-rc.1", "adc-version": "0.28.0", "adc-sha256": "ab" },
  });
  assert.deepEqual([...endings.keys()], ["Set up adc-run", "Install ADC"]);
  const log = await readFile(join(folder.path, "npm.log"), "utf8");
  assert.ok(log.startsWith(`cwd=${folder.path}/temp args=install --global --prefix `), log);
  assert.match(log, / adc-run@1\.2\.3-rc\.1\n$/);
  const record: Record = JSON.parse(endings.get("Install ADC")!.stdout);
  assert.deepEqual(record.words, ["install-adc", "--sha256=ab", "--", "0.28.0"]);
});

it("the action refuses what is no version, and an npm that fails", async () => {
  await using folder = await temporaryFolder();
  const programs = await withNpm(folder, RECORDER);
  for (const version of ["latest", "1.0.0 evil", "1.0.0;id", "git+ssh://evil", "1.0.0\nx", ""]) {
    const inputs = { "adc-run-version": version, args: "ping" };
    const endings = await runAction({ folder: folder.path, programs, inputs });
    assert.deepEqual([...endings.keys()], ["Set up adc-run"], version);
    assert.match(endings.get("Set up adc-run")!.stdout, /^::error title=adc-run::/);
  }
  await assert.rejects(readFile(join(folder.path, "npm.log")), "npm was never run");
  const env = { NPM_FAILS: "yes" };
  const endings = await runAction({ folder: folder.path, programs, env, inputs: { args: "ping" } });
  assert.deepEqual([...endings.keys()], ["Set up adc-run"]);
});
