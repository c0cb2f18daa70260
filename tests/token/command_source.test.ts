import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Profile } from "../../src/connection/origin.ts";
import type { Spawner } from "../../src/system/spawn.ts";
import { commandSource } from "../../src/token/sources/command_source.ts";
import type { CommandSourceOptions } from "../../src/token/sources/command_source.ts";
import { absence, breakage, connect, find, visible } from "../support/asking.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** A helper that does what its first argument says. */
const HELPER = `
import { Buffer } from "node:buffer";
import process from "node:process";

const [what, ...rest] = process.argv.slice(2);
const acts = {
  print: () => process.stdout.write(rest[0].replaceAll("<nl>", "\\n")),
  args: () => process.stdout.write(Buffer.from(JSON.stringify(rest)).toString("base64url")),
  folder: () => process.stdout.write(Buffer.from(process.cwd()).toString("base64url")),
  variable: () => process.stdout.write(process.env[rest[0]] ?? "unset"),
  input: () => process.stdin.on("end", () => process.stdout.write("a7ee-end")).resume(),
  complain: () => {
    process.stderr.write("zqzq");
    process.stdout.write("a7ee-example");
  },
  fail: () => {
    process.stdout.write("a7ee-zqzq");
    process.exitCode = Number(rest[0]);
  },
  die: () => process.kill(process.pid, "SIGTERM"),
  much: () => process.stdout.write("z".repeat(100 * 1024)),
  hang: () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
    setInterval(() => {}, 60_000);
    process.stdout.write("a7ee-zqzq");
  },
};
acts[what]();
`;

const runtime = [
  process.execPath,
  ...("deno" in process.versions ? ["run", "--allow-all", "--quiet", "--no-lock"] : []),
];

/** The source with the helper above, and its words. */
async function helper(words: readonly string[], options: Partial<CommandSourceOptions> = {}) {
  const folder = await temporaryFolder({ "helper.mjs": HELPER });
  const command = JSON.stringify([...runtime, join(folder.path, "helper.mjs"), ...words]);
  const { PATH = "", HOME = "" } = process.env;
  const source = commandSource({
    cwd: folder.path,
    ...options,
    env: { PATH, HOME, ADC_TOKEN_COMMAND: command, ...options.env },
  });
  return { source, path: folder.path, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

test("`commandSource()` takes what the helper prints, without one line break at its end", async () => {
  for (const text of ["a7ee-example", "a7ee-example<nl>"]) {
    await using asked = await helper(["print", text]);
    const { token, detail } = await find([asked.source]);
    assert.equal(token.reveal(), "a7ee-example");
    assert.match(detail, /^the output of "(deno|node)[\w.-]*" \(ADC_TOKEN_COMMAND\)$/);
  }
});

test("`commandSource()` has nothing without the variable, or with a blank one", async () => {
  const open = (env: Record<string, string>) => commandSource({ env, cwd: "." });
  assert.equal(await absence(open({})), "ADC_TOKEN_COMMAND is not set");
  for (const blank of ["", "  ", "[]"]) {
    assert.equal(await absence(open({ ADC_TOKEN_COMMAND: blank })), "ADC_TOKEN_COMMAND is empty");
  }
});

test("`commandSource()` has nothing where the helper prints nothing", async () => {
  for (const text of ["", "<nl>", "  <nl>"]) {
    await using asked = await helper(["print", text]);
    assert.match(
      await absence(asked.source),
      /^the output of ".*" \(ADC_TOKEN_COMMAND\) is empty$/,
    );
  }
});

test("`commandSource()` refuses a helper that prints more than the bare token", async () => {
  for (const text of ["zqzq<nl>zqzq<nl>", "a7ee-zqzq zqzq", "ADC_TOKEN=zqzq", '"a7ee-zqzq"']) {
    await using asked = await helper(["print", text]);
    const error = await breakage(asked.source);
    assert.equal(error.exitCode, 65);
    assert.ok(!visible(error).includes("zqzq"), visible(error));
  }
});

test("`commandSource()` is broken where the helper fails, whatever it printed", async () => {
  for (const code of ["1", "77"]) {
    await using asked = await helper(["fail", code]);
    const error = await breakage(asked.source);
    assert.match(error.message, new RegExp(`: the helper ".*" exited with ${code}$`));
    assert.equal(error.exitCode, 74);
    assert.match(error.suggestion ?? "", /^Run the command in ADC_TOKEN_COMMAND yourself/);
    assert.ok(!visible(error).includes("zqzq"));
  }
});

test("`commandSource()` is broken where a signal ends the helper", async () => {
  await using asked = await helper(["die"]);
  const error = await breakage(asked.source);
  assert.match(error.message, /: the helper ".*" was ended by SIGTERM$/);
});

test("`commandSource()` is broken where the helper prints far more than a token", async () => {
  await using asked = await helper(["much"]);
  const error = await breakage(asked.source);
  assert.match(error.message, /: the helper ".*" printed more than 65536 bytes$/);
  assert.ok(!visible(error).includes("zzz"));
});

test("`commandSource()` is broken where there is no such helper, or it cannot be run", async () => {
  await using folder = await temporaryFolder({ "plain": "echo a7ee-zqzq" });
  const open = (command: string) =>
    commandSource({ env: { ADC_TOKEN_COMMAND: command }, cwd: folder.path });
  const cases = {
    "no-such-helper read zqzq": /: the helper "no-such-helper" was not found$/,
    "/no/such/helper read zqzq": /: the helper "helper" was not found$/,
    "./plain zqzq": /: the helper "plain" cannot be run: permission denied \(EACCES\)$/,
  };
  for (const [command, message] of Object.entries(cases)) {
    const error = await breakage(open(command));
    assert.match(error.message, message);
    assert.equal(error.exitCode, 74);
    assert.ok(!visible(error).includes("zqzq"), visible(error));
  }
});

test("`commandSource()` is broken where the command cannot be read", async () => {
  for (const command of ["op 'zqzq", '["zqzq"', "[1]"]) {
    const error = await breakage(commandSource({ env: { ADC_TOKEN_COMMAND: command }, cwd: "." }));
    assert.match(error.message, /: ADC_TOKEN_COMMAND cannot be read: /);
    assert.equal(error.exitCode, 74);
    assert.ok(!visible(error).includes("zqzq"));
  }
});

test("`commandSource()` says nothing of the helper's arguments when it cannot be started", async () => {
  for (const words of [["op", "zqzq\u0000"], ["", "zqzq"]]) {
    const env = { ADC_TOKEN_COMMAND: JSON.stringify(words) };
    const error = await breakage(commandSource({ env, cwd: "." }));
    assert.equal(error.exitCode, 74);
    assert.ok(!visible(error).includes("zqzq"), visible(error));
  }
});

test("`commandSource()` hands every argument over as it is, without a shell", async () => {
  const words = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "$HOME",
    "*",
    "a b",
    "",
    "%PATH%",
  ];
  await using asked = await helper(["args", ...words]);
  const { token } = await find([asked.source]);
  assert.deepEqual(JSON.parse(Buffer.from(token.reveal(), "base64url").toString()), words);
  assert.ok(!existsSync(join(asked.path, "pwned")));
});

test("`commandSource()` runs the helper in the working directory, with the environment", async () => {
  await using inFolder = await helper(["folder"]);
  const { token } = await find([inFolder.source]);
  assert.equal(Buffer.from(token.reveal(), "base64url").toString(), inFolder.path);
  await using asked = await helper(["variable", "OP_SESSION"], { env: { OP_SESSION: "a7ee-op" } });
  assert.equal((await find([asked.source])).token.reveal(), "a7ee-op");
});

test("`commandSource()` gives the helper no token, and none of the ways to one", async () => {
  const env = {
    ADC_TOKEN: "a7ee-zqzq",
    API_KEY: "a7ee-zqzq",
    ADC_TOKEN_FILE: "zqzq",
    API7_USERNAME: "zqzq",
    API7_PASSWORD: "zqzq",
  };
  for (const name of [...Object.keys(env), "ADC_TOKEN_COMMAND"]) {
    await using asked = await helper(["variable", name], { env });
    assert.equal((await find([asked.source])).token.reveal(), "unset", name);
  }
});

test("`commandSource()` gives the helper nothing to read", async () => {
  await using asked = await helper(["input"]);
  assert.equal((await find([asked.source])).token.reveal(), "a7ee-end");
});

test("`commandSource()` keeps the helper's complaints out of the token", async () => {
  const stdio: unknown[] = [];
  const spy: Spawner = (program, args, options) => {
    stdio.push(options.stdio);
    return spawn(program, [...args], { ...options, stdio: ["ignore", "pipe", "ignore"] });
  };
  await using asked = await helper(["complain"], { spawn: spy });
  assert.equal((await find([asked.source])).token.reveal(), "a7ee-example");
  await using shown = await helper(["complain"], { spawn: spy, stderr: "inherit" });
  await find([shown.source]);
  assert.deepEqual(stdio, [["ignore", "pipe", "ignore"], ["ignore", "pipe", "inherit"]]);
});

/** Starts helpers as usual and keeps hold of them. */
function watchful(): { readonly spawn: Spawner; readonly children: ChildProcess[] } {
  const children: ChildProcess[] = [];
  return {
    children,
    spawn: (program, args, options) => {
      const child = spawn(program, [...args], options);
      children.push(child);
      return child;
    },
  };
}

async function ending(child: ChildProcess | undefined): Promise<string | null> {
  assert.ok(child);
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode;
}

test("`commandSource()` kills a helper that takes too long, deaf as it may be", async () => {
  const { spawn, children } = watchful();
  await using asked = await helper(["hang"], { spawn, timeout: 50 });
  const error = await breakage(asked.source);
  assert.match(error.message, /: no response within 0\.05 s$/);
  assert.equal(error.exitCode, 74);
  assert.equal(await ending(children[0]), "SIGKILL");
  assert.ok(!visible(error).includes("zqzq"));
});

test("`commandSource()` kills the helper when the search is given up", async () => {
  const { spawn, children } = watchful();
  const controller = new AbortController();
  const reason = new Error("enough");
  const spy: Spawner = (...words) => {
    const child = spawn(...words);
    child.stdout?.once("data", () => controller.abort(reason));
    return child;
  };
  await using asked = await helper(["hang"], { spawn: spy });
  await assert.rejects(find([asked.source], { signal: controller.signal }), reason);
  assert.equal(await ending(children[0]), "SIGKILL");
});

test("`commandSource()` starts no helper once the search was given up", async () => {
  const { spawn, children } = watchful();
  await using asked = await helper(["hang"], { spawn });
  const connection = await connect("sync");
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(asked.source.find({ connection, signal }), { message: "enough" });
  assert.deepEqual(children, []);
});

test("`commandSource()` gives a helper 30 s", () => {
  assert.equal(commandSource({ env: {}, cwd: "." }).timeoutMs, 30_000);
});

/** The connection with a profile in force. */
async function withProfile(more: Partial<Profile>, line = "sync"): Promise<Connection> {
  const profile: Profile = {
    name: "prod",
    file: "/nowhere/config.json",
    project: false,
    explicit: true,
    server: "http://localhost:1",
    ...more,
  };
  return await resolveConnection({ args: line.split(" "), env: {}, cwd: "/nowhere", profile });
}

test("`commandSource()` asks the profile's own helper before the variable's, beside the profile", async () => {
  await using asked = await helper(["print", "a7ee-variable"]);
  const tokenCommand = [...runtime, "./helper.mjs", "folder"];
  const file = join(asked.path, "config.json");
  const connection = await withProfile({ tokenCommand, file });
  const { token, detail } = await find([asked.source], { connection });
  assert.equal(Buffer.from(token.reveal(), "base64url").toString(), await realpath(asked.path));
  assert.match(detail, /\("tokenCommand" of profile "prod"\)$/);
});

test("`commandSource()` runs no helper that a project's profile names, but the variable's", async () => {
  await using asked = await helper(["print", "a7ee-variable"]);
  const tokenCommand = `touch ${join(asked.path, "proof")}`;
  const connection = await withProfile({ tokenCommand, project: true });
  const { token } = await find([asked.source], { connection });
  assert.equal(token.reveal(), "a7ee-variable");
  assert.ok(!existsSync(join(asked.path, "proof")));
});

test("`commandSource()` runs no profile's helper for a server that a flag or `.env` names", async () => {
  await using folder = await temporaryFolder({ ".env": "ADC_SERVER=http://evil.example.com\n" });
  const proof = join(folder.path, "proof");
  const tokenCommand = `touch ${proof}`;
  const source = commandSource({ env: { PATH: process.env.PATH }, cwd: folder.path });
  const moved = await withProfile({ tokenCommand }, "sync --server http://other.example.com");
  assert.equal(await absence(source, moved), "ADC_TOKEN_COMMAND is not set");
  const { server: _, ...profile } = (await withProfile({ tokenCommand })).profile!;
  const alone = await resolveConnection({ args: ["sync"], env: {}, cwd: folder.path, profile });
  const { message, exitCode } = await breakage(source, alone);
  assert.match(message, /has no server, so its token would go to http:\/\/evil\.example\.com/);
  assert.equal(exitCode, 78);
  assert.ok(!existsSync(proof));
});

test("`commandSource()` takes the token of a helper that leaves something running", async () => {
  await using folder = await temporaryFolder();
  const { PATH = "" } = process.env;
  const command = `sh -c "echo a7ee-example; sleep 60 &"`;
  const source = commandSource({
    env: { PATH, ADC_TOKEN_COMMAND: command },
    cwd: folder.path,
    timeout: 30_000,
  });
  const { token } = await find([source]);
  assert.equal(token.reveal(), "a7ee-example");
});

test("`commandSource()` is done with its pipe when the time is over", async () => {
  await using folder = await temporaryFolder();
  const { PATH = "" } = process.env;
  const started: ChildProcess[] = [];
  const source = commandSource({
    env: { PATH, ADC_TOKEN_COMMAND: 'sh -c "sleep 60; echo a7ee-example"' },
    cwd: folder.path,
    timeout: 100,
    spawn: (program, args, options) => {
      const child = spawn(program, [...args], options);
      started.push(child);
      return child;
    },
  });
  const { message } = await breakage(source);
  assert.match(message, /no response within/);
  const [child] = started;
  assert.ok(child!.stdout!.destroyed, "a pipe that is open keeps the process alive");
});

test("`commandSource()` shows no token that stands in the place of a helper", async () => {
  for (const token of ["edd1c9f034335f136f87ad84b625c8f1", "/x/zqzq1zqzq", "zqzq+zqzq/zqzq="]) {
    const env = { PATH: process.env.PATH, ADC_TOKEN_COMMAND: token };
    const error = await breakage(commandSource({ env, cwd: "/nowhere" }));
    assert.match(error.message, /the helper was not found$/);
    assert.match(error.suggestion!, /the command in ADC_TOKEN_COMMAND/);
    assert.ok(!visible(error).includes(token), error.message);
  }
  const env = { PATH: process.env.PATH, ADC_TOKEN_COMMAND: "get-no-token" };
  const { message } = await breakage(commandSource({ env, cwd: "/nowhere" }));
  assert.match(message, /the helper "get-no-token" was not found$/);
});
