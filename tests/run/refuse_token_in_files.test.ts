import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { it } from "node:test";
import { readAdcArguments } from "../../src/adc/arguments.ts";
import { AdcRunError } from "../../src/errors.ts";
import { refuseDevices, refuseTokenInFiles } from "../../src/run/guards.ts";
import { Secret } from "../../src/secret.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = "a7ee-canary-in-files";

interface Guarded {
  readonly files: Readonly<Record<string, string>>;
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly platform?: string;
}

/** What the guard says of a folder: `undefined` where it lets ADC start. */
async function verdict({ files, words = ["sync"], env = {}, ...more }: Guarded) {
  await using folder = await temporaryFolder(files);
  const { secrets = [TOKEN], platform = "linux" } = more;
  try {
    await refuseTokenInFiles({
      args: await readAdcArguments(words),
      cwd: folder.path,
      env: { ADC_TOKEN: TOKEN, ...env },
      secrets: secrets.map((secret) => new Secret(secret)),
      platform,
    });
    return undefined;
  } catch (error) {
    assert.ok(error instanceof AdcRunError, String(error));
    assert.equal(error.exitCode, 65);
    assert.doesNotMatch(`${error.message} ${error.suggestion}`, /canary/);
    return error.message;
  }
}

const yaml = (value: string) => ({ "adc.yaml": `services:\n  - name: ${value}\n` });

it("`refuseTokenInFiles()` names the file, the place and the variable, and no value", async () => {
  assert.equal(
    await verdict({ files: yaml("x-${ADC_TOKEN}-y") }),
    'Cannot pass "adc.yaml" to ADC: services[0].name contains "${ADC_TOKEN}", ' +
      "which ADC would replace with a secret",
  );
});

it("`refuseTokenInFiles()` sees a variable however YAML spells it", async () => {
  const spellings = [
    '"${ADC_TOKEN}"',
    "'${ADC_TOKEN}'",
    '"\\u0024{ADC_TOKEN}"',
    '"\\x24\\x7BADC_TOKEN\\U0000007d"',
    '"${ADC_\\\n      TOKEN}"',
    "|\n      ${ADC_TOKEN}",
    ">-\n      a\n      ${ADC_TOKEN}",
    '!!str "${ADC_TOKEN}"',
    "$\\${ADC_TOKEN}${ADC_TOKEN}",
    "${${ADC_TOKEN}}",
    "\\${ADC_TOKEN} ${ADC_TOKEN}",
    "{ a: [[{ b: '${ADC_TOKEN}' }]] }",
  ];
  for (const spelling of spellings) {
    assert.match(await verdict({ files: yaml(spelling) }) ?? "passed", /ADC_TOKEN/, spelling);
  }
});

it("`refuseTokenInFiles()` lets pass what ADC does not replace", async () => {
  const harmless = [
    "plain",
    "\\${ADC_TOKEN}",
    '"\\\\${ADC_TOKEN}"',
    "$ADC_TOKEN",
    "${ADC_TOKENS} ${adc_token} ${ADC-TOKEN} ${ ADC_TOKEN }",
    "x # ${ADC_TOKEN}",
    '{ "${ADC_TOKEN}": 1 }',
    "'$\n      {ADC_TOKEN}'",
    "${HOME} and $uri",
  ];
  for (const text of harmless) {
    assert.equal(await verdict({ files: yaml(text), env: { HOME: "/root" } }), undefined, text);
  }
});

it("`refuseTokenInFiles()` looks through aliases, merges and a million of them", async () => {
  const bomb = ["a: &a ['${ADC_TOKEN}']"];
  for (let level = 0; level < 60; level++) {
    const [from, to] = [`a${level === 0 ? "" : level - 1}`, `a${level}`];
    bomb.push(`${to}x: &${to} [${Array(9).fill(`*${from}`).join(", ")}]`);
  }
  assert.match(await verdict({ files: { "adc.yaml": bomb.join("\n") } }) ?? "", /ADC_TOKEN/);
  const harmless = bomb.join("\n").replace("ADC_TOKEN", "HOME") + '\nz: "\\x24"\n';
  assert.equal(await verdict({ files: { "adc.yaml": harmless } }), undefined);
});

it("`refuseTokenInFiles()` does not stumble over a file that is deeper than the stack", async () => {
  const deep = `{"a":${"[".repeat(20_000)}"\${ADC_TOKEN}"${"]".repeat(20_000)}}`;
  const message = await verdict({ files: { "adc.json": deep }, words: ["sync", "-f", "adc.json"] });
  assert.match(message ?? "", /ADC_TOKEN/);
  assert.ok(message!.length < 500);
  assert.match(await verdict({ files: { "adc.yaml": deep } }) ?? "", /ADC_TOKEN/);
});

it("`refuseTokenInFiles()` reads JSON as JSON", async () => {
  const words = ["sync", "-f", "adc.JSON"];
  const named = { "adc.JSON": '{"services":[{"name":"\\u0024{ADC_TOKEN}"}]}' };
  assert.match(await verdict({ files: named, words }) ?? "", /services\[0\]\.name/);
  const key = { "adc.JSON": '{"${ADC_TOKEN}":"\\u0024"}' };
  assert.equal(await verdict({ files: key, words }), undefined);
});

it("`refuseTokenInFiles()` takes a file that it cannot parse by its text", async () => {
  const broken = ["a: [\n", "a: 1\n---\n", "a: !!unknown x\n", "a: 1\na: 2\n", "\tb: 1\n"];
  for (const start of broken) {
    assert.match(
      await verdict({ files: { "adc.yaml": `${start}b: \${ADC_TOKEN}` } }) ?? "",
      /it contains/,
    );
    const escaped = `${start}b: "\\x24{ADC_TOKEN}"`;
    assert.match(await verdict({ files: { "adc.yaml": escaped } }) ?? "", /it contains/);
    assert.equal(await verdict({ files: { "adc.yaml": `${start}b: "\\U99999999"` } }), undefined);
  }
});

it("`refuseTokenInFiles()` refuses every variable that holds a secret of the run", async () => {
  const env = {
    API_KEY: TOKEN,
    HEADER: `Bearer ${TOKEN}`,
    BASIC: Buffer.from(`user:${TOKEN}`).toString("base64"),
    ADC_SERVER: "https://user:abcd@gateway.example",
    HTTPS_PROXY: "http://user:abcd@proxy.example",
    STAGE: "abcd-ish",
    OTHER: "a7ee-of-somebody-else",
  };
  const secrets = [TOKEN, "abcd"];
  for (const name of ["ADC_TOKEN", "API_KEY", "HEADER", "BASIC", "ADC_SERVER", "HTTPS_PROXY"]) {
    const message = await verdict({ files: yaml(`\${${name}}`), env, secrets });
    assert.ok(message?.includes(name), name);
  }
  for (const name of ["STAGE", "OTHER", "NOT_THERE"]) {
    assert.equal(await verdict({ files: yaml(`\${${name}}`), env, secrets }), undefined, name);
  }
});

it("`refuseTokenInFiles()` knows the variables that ADC adds from `.env`", async () => {
  const files = { ...yaml("${COPY}"), ".env": `COPY=${TOKEN}\nADC_TOKEN=hidden\n` };
  assert.match(await verdict({ files }) ?? "", /COPY/);
  assert.equal(await verdict({ files, env: { COPY: "the environment's wins" } }), undefined);
});

it("`refuseTokenInFiles()` takes names as the same in capitals where Windows does", async () => {
  const files = yaml("${adc_Token}");
  assert.match(await verdict({ files, platform: "win32" }) ?? "", /adc_Token/);
  assert.equal(await verdict({ files, platform: "linux" }), undefined);
});

it("`refuseTokenInFiles()` reads the files that ADC reads, patterns among them", async () => {
  const files = {
    "adc.yaml": "name: plain",
    "more/a.yaml": "name: plain",
    "more/b.yaml": "name: ${ADC_TOKEN}",
    "a[b].yaml": "name: ${ADC_TOKEN}",
    "{b}.yaml": "name: ${ADC_TOKEN}",
  };
  const refused = [
    ["sync", "-f", "more/b.yaml"],
    ["diff", "--file=more/b.yaml"],
    ["validate", "-fmore/b.yaml"],
    ["sync", "-f", "adc.yaml", "--file", "./more/../more/b.yaml"],
    ["sync", "-f", "more/*.yaml"],
    ["sync", "-f", "**/{b,c}.yaml"],
    ["sync", "-f", "a\\[b\\].yaml"],
    ["newer-command", "-f", "more/b.yaml"],
  ];
  for (const words of refused) {
    assert.match(await verdict({ files, words }) ?? "passed", /ADC_TOKEN/, words.join(" "));
  }
  const passed = [
    ["sync"],
    ["sync", "-f", "more/a.yaml"],
    ["sync", "-f", "nowhere.yaml"],
    ["sync", "-f", "more"],
    ["sync", "--label-selector", "-f", "adc.yaml"],
    ["dump", "-o", "more/b.yaml"],
    ["ping"],
  ];
  for (const words of passed) {
    assert.equal(await verdict({ files, words }), undefined, words.join(" "));
  }
  const fallback = { "adc.yaml": "name: ${ADC_TOKEN}" };
  assert.match(await verdict({ files: fallback, words: ["sync"] }) ?? "", /"adc\.yaml"/);
  assert.equal(await verdict({ files: fallback, words: ["ping"] }), undefined);
});

it("`refuseTokenInFiles()` reads no pipe, which ADC could not read any more", async () => {
  await using folder = await temporaryFolder();
  await symlink("/dev/zero", join(folder.path, "adc.yaml"));
  const options = { cwd: folder.path, env: { ADC_TOKEN: TOKEN }, secrets: [new Secret(TOKEN)] };
  await refuseTokenInFiles({ ...options, args: await readAdcArguments(["sync"]) });
});

it("`refuseTokenInFiles()` looks into no file of more than 16 MiB, and says so once", async () => {
  await using folder = await temporaryFolder({ "a.yaml": "", "b.yaml": "" });
  for (const name of ["a.yaml", "b.yaml"]) await truncate(join(folder.path, name), 5e9);
  const warnings: string[] = [];
  await refuseTokenInFiles({
    args: await readAdcArguments(["sync", "-f", "*.yaml"]),
    cwd: folder.path,
    env: { ADC_TOKEN: TOKEN },
    secrets: [new Secret(TOKEN)],
    onWarning: (warning) => warnings.push(warning),
  });
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? "",
    /^"[ab]\.yaml" is larger than 16 MiB and was not searched for secrets\.$/,
  );
});

const linux = process.platform !== "linux" && "there is no /proc";

it("`refuseDevices()` refuses a file that leads to what the system tells of processes", {
  skip: linux,
}, async () => {
  await using folder = await temporaryFolder({});
  const check = async (...words: string[]) =>
    refuseDevices(await readAdcArguments(words), folder.path);
  await symlink("/proc/self/environ", join(folder.path, "adc.yaml"));
  await symlink("/dev/zero", join(folder.path, "zero.yaml"));
  for (
    const words of [
      ["sync"],
      ["lint", "-f", "adc.yaml"],
      ["diff", "-f", "*.yaml"],
      ["sync", "-f", "./zero.yaml"],
      ["sync", "-f", "/proc/self/environ"],
      ["sync", "-f", "/proc/1/../self/environ"],
    ]
  ) {
    await assert.rejects(
      check(...words),
      (error) => error instanceof AdcRunError && error.exitCode === 65,
      words.join(" "),
    );
  }
  for (const word of ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "missing.yaml"]) {
    await check("sync", "-f", word);
  }
  await check("ping");
});
