import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { commandSource } from "../../src/token/sources/command_source.ts";
import { fileSource } from "../../src/token/sources/file_source.ts";
import { dotenvSource, envSource, flagSource } from "../../src/token/sources/variables.ts";
import { absence, breakage, connect, find, visible } from "../support/asking.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

function toText(env: Environment): string {
  return Object.entries(env).map(([name, value]) => `${name}='${value}'\n`).join("");
}

test("`flagSource()` takes the value of --token", async () => {
  const connection = await connect("sync -f x --token=a7ee-one");
  const { token, source, detail } = await find([flagSource()], { connection });
  assert.deepEqual([token.reveal(), source, detail], ["a7ee-one", "flag", "--token"]);
});

test("`dotenvSource()` refuses with 78 what not every ADC takes for the token", async () => {
  for (
    const line of [
      "ADC_TOKEN=zqzq$HOME",
      "ADC_TOKEN: zqzq",
      "ADC_TOKEN=`zqzq`",
      "X: 1\nADC_TOKEN=zqzq",
    ]
  ) {
    await using folder = await temporaryFolder({ ".env": line, "ci.env": line });
    const options = { args: ["sync"], env: {}, cwd: folder.path };
    const error = await breakage(dotenvSource(), await resolveConnection(options));
    assert.equal(error.exitCode, 78, line);
    assert.match(error.message, /not every ADC reads the same ADC_TOKEN in \.env$/);
    assert.match(error.suggestion ?? "", /NAME='value'|ADC_TOKEN='value'/);
    assert.ok(!visible(error).includes("zqzq"));
    // What ADC hears of through adc-run alone, every ADC hears alike.
    const connection = await resolveConnection({ ...options, envFile: "ci.env" });
    assert.match((await find([dotenvSource()], { connection })).token.reveal(), /^zqzq/);
  }
});

test("`flagSource()` has nothing without --token, or with a blank one", async () => {
  assert.equal(await absence(flagSource()), "no --token given");
  const value = await connect("sync -f --token");
  assert.equal(await absence(flagSource(), value), "no --token given");
  assert.equal(await absence(flagSource(), await connect("sync --token=")), "--token is empty");
});

test("`flagSource()` refuses a malformed token", async () => {
  const connection = await resolveConnection({
    args: ["sync", "--token", "zqzq\tzqzq"],
    env: {},
    cwd: "/nowhere",
  });
  const error = await breakage(flagSource(), connection);
  assert.equal(error.exitCode, 65);
  assert.ok(!visible(error).includes("zqzq"));
});

/** What both places say of the same variables; `@` stands for the place. */
const VARIABLES: readonly [env: Environment, token: string | undefined, detail: string][] = [
  [{ ADC_TOKEN: "a7ee-one" }, "a7ee-one", "ADC_TOKEN@"],
  [{ ADC_TOKEN: "free-text" }, "free-text", "ADC_TOKEN@"],
  [{ ADC_TOKEN: "a7ee-one", API_KEY: "a7ee-two" }, "a7ee-one", "ADC_TOKEN@"],
  [{ API_KEY: "a7ee-two" }, "a7ee-two", "API_KEY@"],
  [{ API_KEY: " a7ee-two\n" }, "a7ee-two", "API_KEY@"],
  [{ API_KEY: "a7adm-two" }, "a7adm-two", "API_KEY@"],
  [{ ADC_TOKEN: "  ", API_KEY: "a7ee-two" }, "a7ee-two", "API_KEY@"],
  [{ TOKEN: "a7ee-one" }, undefined, "ADC_TOKEN@ is not set"],
  [{ ADC_TOKEN: "" }, undefined, "ADC_TOKEN@ is empty"],
  [{ ADC_TOKEN: " ", API_KEY: "" }, undefined, "ADC_TOKEN@ is empty"],
  [{ API_KEY: " " }, undefined, "ADC_TOKEN@ is not set"],
  ...["sk-other", "xa7ee-one", "A7EE-one", "a7e", "a7ee"].map((
    value,
  ): [Environment, undefined, string] => [
    { API_KEY: value },
    undefined,
    `ADC_TOKEN@ is not set, and API_KEY@ is not an API7 token: it starts with neither "a7ee-" nor "a7adm-"`,
  ]),
];

test("`envSource()` takes ADC_TOKEN, then an API_KEY that is API7's", async () => {
  for (const [env, expected, detail] of VARIABLES) {
    const source = envSource({ env });
    if (expected === undefined) {
      assert.ok((await absence(source)).startsWith(detail.replaceAll("@", "")));
    } else {
      const found = await find([source]);
      assert.equal(found.token.reveal(), expected);
      assert.equal(found.detail, detail.replaceAll("@", ""));
    }
  }
});

test("`envSource()` asks for the secret of an empty ADC_TOKEN", async () => {
  assert.equal(
    await absence(envSource({ env: { ADC_TOKEN: "" } })),
    "ADC_TOKEN is empty (is the secret defined for this job?)",
  );
});

test("`dotenvSource()` takes ADC_TOKEN, then an API_KEY that is API7's, from the file", async () => {
  await using folder = await temporaryFolder();
  for (const [env, expected, detail] of VARIABLES) {
    await folder.write(".env", toText(env));
    const connection = await connect("sync", { cwd: folder.path });
    const words = detail.replaceAll("@", " in .env");
    if (expected === undefined) {
      assert.equal(await absence(dotenvSource(), connection), words);
    } else {
      const found = await find([dotenvSource()], { connection });
      assert.equal(found.token.reveal(), expected);
      assert.equal(found.detail, words);
    }
  }
});

test("`envSource()` and `dotenvSource()` refuse a malformed token without showing it", async () => {
  await using folder = await temporaryFolder();
  for (const name of ["ADC_TOKEN", "API_KEY"]) {
    const env = { [name]: "a7ee-zqzq zqzq" };
    await folder.write(".env", toText(env));
    const connection = await connect("sync", { cwd: folder.path });
    const cases = [[envSource({ env }), name], [dotenvSource(), `${name} in .env`]] as const;
    for (const [source, place] of cases) {
      const error = await breakage(source, connection);
      assert.equal(error.exitCode, 65);
      assert.ok(
        error.message.endsWith(`: the token in ${place} is malformed: it contains a space`),
      );
      assert.ok(!visible(error).includes("zqzq"));
    }
  }
});

test("`dotenvSource()` reads the file that the connection was resolved with", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_TOKEN=a7ee-one",
    "ci.env": "ADC_TOKEN: `a7ee-two`",
  });
  const options = { env: {}, cwd: folder.path };
  const connection: Connection = await resolveConnection({ ...options, envFile: "ci.env" });
  const { token, detail } = await find([dotenvSource()], { connection });
  assert.deepEqual([token.reveal(), detail], ["a7ee-two", "ADC_TOKEN in ci.env"]);
});

test("`dotenvSource()` has nothing without a file", async () => {
  assert.equal(await absence(dotenvSource()), "no .env here");
});

test("`dotenvSource()` is broken where the file cannot be read", async () => {
  await using folder = await temporaryFolder();
  await symlink(".env", join(folder.path, ".env"));
  const error = await breakage(dotenvSource(), await connect("sync", { cwd: folder.path }));
  assert.match(error.message, /: \.env cannot be read: too many symbolic links \(ELOOP\)$/);
  assert.equal(error.exitCode, 74);
});

test("`.env` names neither a token file, nor a helper, nor servers that are allowed", async () => {
  await using folder = await temporaryFolder({
    ".env": "ADC_TOKEN_FILE=token\nADC_TOKEN_COMMAND=echo a7ee-evil\nADC_RUN_TOKEN=a7ee-evil\n",
    "token": "a7ee-evil",
  });
  const env = {};
  const { path: cwd } = folder;
  const connection = await connect("sync", { cwd });
  assert.equal(await absence(dotenvSource(), connection), "ADC_TOKEN in .env is not set");
  assert.equal(await absence(fileSource({ env, cwd }), connection), "ADC_TOKEN_FILE is not set");
  const command = await absence(commandSource({ env, cwd }), connection);
  assert.equal(command, "ADC_TOKEN_COMMAND is not set");
});
