import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { checkFiles } from "../../src/doctor/check_files.ts";
import type { Found } from "../../src/doctor/finding.ts";
import { Secret } from "../../src/secret.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = "a7ee-0123456789abcdef0123456789abcdef";

function git(cwd: string, ...args: readonly string[]): void {
  execFileSync("git", args, { cwd, stdio: "ignore" });
}

async function check(
  { path }: TemporaryFolder,
  { env = {}, tokens = [], envFile }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly tokens?: readonly string[];
    readonly envFile?: string;
  } = {},
): Promise<readonly Found[]> {
  return await checkFiles({
    cwd: path,
    env: { PATH: process.env.PATH, HOME: "/nowhere", ADC_RUN_CONFIG_DIR: join(path, "c"), ...env },
    envFile,
    tokens: tokens.map((token) => new Secret(token)),
  });
}

test("`checkFiles()` knows a token where it sees one", async () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    [".env", `API_KEY=${TOKEN}\n`, true],
    [".env", "ADC_TOKEN=edd1c9f034335f136f87ad84b625c8f1\n", true],
    [".env.production", "export ADC_TOKEN='edd1c9f034335f136f87ad84b625c8f1'\n", true],
    [".env", "ADC_TOKEN=\nADC_SERVER=https://gateway.example.com\n", false],
    [".env.example", "ADC_TOKEN=<your-token>\n", false],
    ["adc.yaml", `services: [{name: ${TOKEN}}]\n`, true],
    ["adc.yaml", "services: [{name: '${ADC_TOKEN}'}]\n", false],
    ["adc-run.json", `{"x": "${TOKEN.replace("a7ee", "a7adm")}"}`, true],
    ["README.md", "ADC_TOKEN=a7ee-xxxxxxxxxxxxxxxxxxxx, or a7ee-your-token-goes-here\n", false],
    ["notes", "the key is my-own-admin-key-1\n", true],
  ];
  for (const [name, text, found] of cases) {
    await using folder = await temporaryFolder({ [name]: text });
    const [finding] = await check(folder, { tokens: ["my-own-admin-key-1"] });
    const { files } = finding!.data as { files: string[] };
    assert.deepEqual(files, found ? [name] : [], `${name}: ${text}`);
  }
});

test("`checkFiles()` looks where ADC_TOKEN_FILE and --env-file lead", async () => {
  await using folder = await temporaryFolder({
    "work/x": "",
    "secrets/token": TOKEN,
    "secrets/prod.env": "ADC_TOKEN=edd1c9f034335f136f87ad84b625c8f1",
  });
  const { path } = folder;
  git(join(path, "secrets"), "init", "-q");
  git(join(path, "secrets"), "add", ".");
  const work = { ...folder, path: join(path, "work") };
  const found = await check(work, {
    env: { ADC_TOKEN_FILE: "../secrets/token" },
    envFile: "../secrets/prod.env",
  });
  assert.deepEqual(found.map(({ status }) => status), ["failed", "failed"]);
  assert.match(found[0]!.found, /^\.\.\/secrets\/prod\.env contains a token, and git tracks/);
  assert.match(found[1]!.found, /^\.\.\/secrets\/token contains a token, and git tracks/);
  assert.ok(found.every(({ exitCode }) => exitCode === 78));
});

test("`checkFiles()` follows a link to the file that holds the token", async () => {
  await using folder = await temporaryFolder({ "outside/env": `ADC_TOKEN=${TOKEN}`, "repo/x": "" });
  const repo = join(folder.path, "repo");
  git(repo, "init", "-q");
  await symlink("../outside/env", join(repo, ".env"));
  git(repo, "add", ".");
  const [finding] = await check({ ...folder, path: repo });
  assert.equal(finding?.status, "ok", "git has the link, and not the token");
});

test("`checkFiles()` is not led astray by devices, folders and links into nothing", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  await symlink("/dev/zero", join(path, ".env"));
  await symlink("/nowhere", join(path, "adc.yaml"));
  await mkdir(join(path, "folder"));
  await folder.write("long", TOKEN.padEnd(2 * 1024 * 1024, "x"));
  execFileSync("mkfifo", [join(path, "pipe")]);
  assert.deepEqual((await check(folder)).map(({ found }) => found), [
    "no file here contains a token",
  ]);
});

test("`checkFiles()` looks into likely files first, and says that it left some out", async () => {
  await using folder = await temporaryFolder();
  for (let count = 0; count < 1_000; count++) await folder.write(`a${count}`, "x");
  assert.equal((await check(folder))[0]!.status, "warning", "there are others that are named");
  const token = await folder.write("zz.env", TOKEN);
  git(folder.path, "init", "-q");
  git(folder.path, "add", "zz.env");
  const [tracked, more] = await check(folder);
  assert.equal(tracked!.data?.path, token);
  assert.match(more!.found, /too many files here/);
});

test("`checkFiles()` says where it could not find out what git tracks", async () => {
  await using folder = await temporaryFolder({ ".env": `ADC_TOKEN=${TOKEN}` });
  await mkdir(join(folder.path, ".git"));
  const [broken] = await check(folder);
  assert.match(broken!.found, /git exited with 128/);
  assert.equal(broken!.status, "warning");
  const [none] = await check(folder, { env: { PATH: "/nowhere" } });
  assert.match(none!.found, /git is not on PATH/);
});

test("`checkFiles()` says on Windows that it does not know who may read a file", async () => {
  await using folder = await temporaryFolder({ ".env": `ADC_TOKEN=${TOKEN}\n` });
  const [finding, ...others] = await checkFiles(
    { cwd: folder.path, env: { PATH: "", ADC_RUN_CONFIG_DIR: join(folder.path, "c") } },
    "win32",
  );
  assert.deepEqual(others, []);
  assert.match(finding!.found, /^\.env with a token: .*access lists not checked/);
});
