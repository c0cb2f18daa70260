import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import process from "node:process";
import { Readable } from "node:stream";
import { it } from "node:test";
import { canAsk, hasTerminal } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { isNode } from "../../src/system/programs.ts";
import { fakeIo } from "../support/fake_io.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

it("`main()` shows help and version on standard output", async () => {
  for (
    const [args, start] of [
      [["--help"], "Run ADC with a token that works and stays secret.\n\n  adc-run sync"],
      [["help"], "Run ADC with a token"],
      [["help", "auth", "login"], "Usage: adc-run auth login"],
      [["auth", "login", "--help"], "Usage: adc-run auth login"],
      [["auth", "--help"], "Usage: adc-run auth login|status"],
      [["exec", "--help"], "Usage: adc-run [options] exec"],
      [[], "Run ADC with a token"],
      [["auth"], "Usage: adc-run auth login|status"],
      [["profile"], "Usage: adc-run profile list|show"],
      [["--version"], "adc-run "],
    ] as const
  ) {
    const io = fakeIo();
    assert.equal(await main(args, io), 0);
    assert.ok(io.out.join("").startsWith(start), io.out.join(""));
    assert.deepEqual(io.err, []);
  }
});

it("`main()` ends with 64 on a command line that is wrong, and says what to do", async () => {
  for (
    const [args, message] of [
      [["-p", "prod"], /no command given/],
      [["bogus"], /error: unknown command "bogus"[\s\S]*adc-run -- bogus/],
      [["config"], /unknown command "config"/],
      [["auth", "frob"], /unknown command "auth frob"/],
      [["auth", "login", "--server", "http://h"], /no user name[\s\S]*--username/],
      [
        ["auth", "login", "--server", "http://h", "--username", "zqzq"],
        /no password[\s\S]*--password-stdin/,
      ],
      [["auth", "login", "--backend", "apisix"], /backend "apisix" has no user accounts/],
      [["auth", "login", "--username", "u", "--with-token"], /cannot use --username with/],
      [
        ["auth", "login", "--username=x", "--with-token"],
        /cannot use --username with --with-token/,
      ],
      [["auth", "login", "--username", ""], /"--username" is empty/],
      [["auth", "login", "--username="], /"--username" is empty/],
      [["auth", "login", "--login-option", ""], /"--login-option" is empty/],
      [["auth", "login", "--name", ""], /"--name" is empty/],
      [["auth", "login", "--expires-in", ""], /"--expires-in" is empty/],
      [["auth", "login", "--name", "x".repeat(41)], /41 characters/],
      [["auth", "login", "--expires-in", "1M"], /"1M": it is not a duration/],
      [["auth", "login", "--expires-in", "2020-01-01"], /"2020-01-01": it is not a duration/],
      [["auth", "login", "--expires-in", "-1d"], /would have expired already/],
      [["auth", "login", "--storage", "cloud"], /use keychain or file/],
      [["auth", "login", "--with-token", "zqzq"], /takes only options/],
      [["auth", "login", "--with-token", "--token", "zqzq"], /can see it/],
      [["auth", "revoke"], /no token given/],
      [["--ephemeral=never", "sync"], /must expire/],
      [["--ephemeral=soon", "sync"], /it is not a duration/],
      [["--ephemeral", "auth", "list"], /--ephemeral has no effect with "adc-run auth list"/],
      [
        ["--adc", process.execPath, "--ephemeral", "sync"],
        /cannot use --ephemeral with backend "apisix"/,
      ],
      [["auth", "status", "--frob=zqzq"], /unknown option "--frob"/],
      [["exec"], /no command to run/],
      [["exec", "--frob"], /no command to run/],
    ] as const
  ) {
    const io = fakeIo();
    assert.equal(await main(args, io), 64, args.join(" "));
    assert.match(io.err.join(""), message);
    assert.ok(!io.err.join("").includes("zqzq"));
    assert.deepEqual(io.out, []);
  }
});

it("`main()` ends with 78 where a variable asks for what cannot be, and with 64 where a flag does", async () => {
  const adc = ["--adc", process.execPath];
  const api7ee = { ADC_BACKEND: "api7ee", ADC_TOKEN: "a7ee-zqzq" };
  for (
    const [args, env, code, message] of [
      [
        [...adc, "ping"],
        { ...api7ee, ADC_RUN_NO_TOKEN: "true" },
        78,
        /ADC_RUN_NO_TOKEN with backend/,
      ],
      [[...adc, "--no-token", "ping"], api7ee, 64, /--no-token with backend/],
      [[...adc, "ping"], { ADC_RUN_EPHEMERAL: "true" }, 78, /ADC_RUN_EPHEMERAL with backend/],
      [[...adc, "ping"], { ADC_RUN_EPHEMERAL: "5m" }, 78, /ADC_RUN_EPHEMERAL with backend/],
      [["auth", "login"], { ADC_BACKEND: "apisix" }, 78, /has no user accounts/],
      [
        ["auth", "login", "--username", "u", "--password-stdin"],
        {},
        78,
        /no server is set\n {2}fix .*--server URL, or set ADC_SERVER.*set NAME --backend api7ee --server/,
      ],
      [["auth", "rotate"], { ADC_BACKEND: "apisix" }, 78, /has no user accounts/],
      [["auth", "list"], { ADC_BACKEND: "apisix" }, 78, /has no user accounts/],
      [["auth", "list", "--backend", "apisix"], {}, 64, /has no user accounts/],
    ] as const
  ) {
    const io = fakeIo({ env });
    assert.equal(await main(args, io), code, args.join(" ") + io.err.join(""));
    assert.match(io.err.join(""), message);
    assert.ok(!io.err.join("").includes("zqzq"));
  }
});

it("`main()` refuses shared options that mean nothing to an own command", async () => {
  const source = ["--source", "env"];
  const token = ["--token", "zqzqzqzq"];
  const check = ["--no-check"];
  for (
    const [command, options] of [
      ["auth rotate", [source, token]],
      ["auth logout", [source, token, check]],
      ["auth list", [check]],
      ["auth revoke", [check]],
      ["auth token", [check]],
    ] as const
  ) {
    for (const option of options) {
      const words = command.split(" ");
      const lines = [[...words, ...option]];
      // ADC's own options stand behind the command.
      if (option !== token) lines.push([...option, ...words]);
      for (const line of lines) {
        const io = fakeIo();
        assert.equal(await main(line, io), 64, line.join(" "));
        const message = `${option[0]} has no effect with "adc-run ${command}"`;
        assert.ok(io.err.join("").includes(message), io.err.join(""));
        assert.ok(!io.err.join("").includes("zqzq"));
        assert.deepEqual(io.out, []);
      }
    }
  }
});

it("`main()` takes shared options where an own command has a use for them", async () => {
  for (
    const line of [
      ["auth", "rotate", "--no-check"],
      ["auth", "list", "--source", "env"],
      ["auth", "list", "--token", "zqzqzqzq", "--source", "env"],
      ["auth", "revoke", "x", "--yes", "--source", "env"],
      ["auth", "token", "--source", "env"],
      ["auth", "status", "--no-check", "--source", "env"],
    ]
  ) {
    await using folder = await temporaryFolder();
    const io = fakeIo({ env: { ADC_RUN_CONFIG_DIR: folder.path } });
    assert.notEqual(await main(line, io), 64, line.join(" "));
    assert.ok(!io.err.join("").includes("has no effect"), io.err.join(""));
  }
});

it("`main()` ends with 70 on a defect of its own, without a stack trace", async () => {
  const broken = new Readable({
    read() {
      this.destroy(new RangeError("boom"));
    },
  });
  const io = fakeIo({ stdin: broken });
  assert.equal(await main(["auth", "login", "--with-token"], io), 70);
  assert.match(io.err.join(""), /internal error: RangeError: boom[\s\S]*report/);
});

it("`main()` prints the bare token for `auth token`, and the winner's source as JSON", async () => {
  const io = fakeIo({ keychain: fakeKeychain({ "http://localhost:9180": "kept-token" }) });
  assert.equal(await main(["auth", "token"], io), 0);
  assert.deepEqual([io.out.join(""), io.err.join("")], ["kept-token\n", ""]);
  const json = fakeIo({ env: { ADC_TOKEN: "env-token" } });
  assert.equal(await main(["--json", "auth", "token"], json), 0);
  assert.equal(JSON.parse(json.out.join("")).source, "env");
});

it("`canAsk()` wants terminals at both ends, and no CI; a message names the one that is missing", async () => {
  const both = { stdin: true, stdout: false, stderr: true };
  assert.equal(canAsk(fakeIo({ terminals: both })), true);
  for (const CI of ["true", "1", "TRUE", " yes "]) {
    assert.equal(canAsk(fakeIo({ terminals: both, env: { CI } })), false, CI);
  }
  for (const CI of ["", "0", "false", "False", " 0 "]) {
    assert.equal(canAsk(fakeIo({ terminals: both, env: { CI } })), true, CI);
  }
  assert.equal(canAsk(fakeIo({ terminals: { ...both, stdin: false } })), false);
  const env = { ADC_SERVER: "http://localhost:1", ADC_BACKEND: "api7ee" };
  const none = { ...both, stdin: false };
  for (const [terminals, said] of [[both, "CI is set"], [none, "there is no terminal"]] as const) {
    const io = fakeIo({ env: { ...env, CI: "true" }, terminals });
    assert.equal(await main(["auth", "login"], io), 64);
    assert.ok(io.err.join("").includes(`, and ${said}`), io.err.join(""));
  }
  assert.equal(hasTerminal(fakeIo()), false);
  assert.equal(hasTerminal(fakeIo({ terminals: { ...both, stdin: false } })), true);
});

it("`main()` keeps the warnings in the report of a failure", async () => {
  await using folder = await temporaryFolder();
  const env = {
    ADC_RUN_CONFIG_DIR: `${folder.path}/c`,
    ADC_SERVER: "http://gateway.example.com:9180",
    ADC_BACKEND: "api7ee",
  };
  for (const args of [["--json", "exec", "--", "true"], ["auth", "token", "--json"]]) {
    const io = fakeIo({ env, cwd: folder.path });
    assert.equal(await main(args, io), 77);
    const { error, warnings } = JSON.parse(io.err.join(""));
    assert.equal(error.name, "NoTokenError");
    assert.match(warnings.join(), /unencrypted/, args.join(" "));
  }
});

it("`main()` reports a failure as JSON where adc-run was asked for that, and not another program", async () => {
  for (
    const [args, isJson] of [
      [["exec", "--", "echo", "--json"], false],
      [["sync", "--json"], false],
      [["--", "auth", "--json"], false],
      [["--json", "sync"], true],
      [["auth", "token", "--json"], true],
      [["--frob", "--json"], true],
    ] as const
  ) {
    const io = fakeIo({ env: { ADC_RUN_CONFIG_DIR: "/nowhere" } });
    assert.notEqual(await main(args, io), 0);
    assert.equal(io.err.join("").startsWith("{"), isJson, args.join(" "));
  }
});

it("`main()` minds --fail-on-leak without a mask where something runs, and says who asked for what", async () => {
  const all = { ADC_RUN_FAIL_ON_LEAK: "1", ADC_RUN_MASK: "0", ADC_RUN_CONFIG_DIR: "/nowhere" };
  for (
    const [args, env, exitCode, message] of [
      [["--help"], all, 0, /^$/],
      [["exec", "--", "true"], all, 78, /cannot use ADC_RUN_FAIL_ON_LEAK with ADC_RUN_MASK=false/],
      [["--no-mask", "--fail-on-leak", "sync"], {}, 64, /cannot use --fail-on-leak with --no-mask/],
      [["--fail-on-leak", "sync"], { ADC_RUN_MASK: "0" }, 64, /--fail-on-leak with ADC_RUN_MASK/],
      [["--no-mask", "sync"], { ADC_RUN_FAIL_ON_LEAK: "1" }, 64, /FAIL_ON_LEAK with --no-mask/],
    ] as const
  ) {
    const io = fakeIo({ env });
    assert.equal(await main(args, io), exitCode, args.join(" "));
    assert.match(io.err.join(""), message);
  }
});

it("`main()` blames what comes from a variable on the variable", async () => {
  for (
    const [args, env, exitCode, message] of [
      [["sync"], { ADC_RUN_ENV_FILE: "nope" }, 78, /cannot use ADC_RUN_ENV_FILE: .*"nope"/],
      [["auth", "token"], { ADC_RUN_ENV_FILE: "nope" }, 78, /cannot use ADC_RUN_ENV_FILE/],
      [["auth", "token", "--env-file", "x"], { ADC_RUN_ENV_FILE: "y" }, 64, /--env-file: .*"x"/],
      [["--env-file", "nope", "sync"], {}, 64, /cannot use --env-file: .*"nope"/],
      [["sync"], { ADC_RUN_EPHEMERAL: "nope" }, 78, /cannot use ADC_RUN_EPHEMERAL "nope"/],
      [["sync"], { ADC_RUN_SOURCE: "nope" }, 78, /cannot use ADC_RUN_SOURCE: .*"nope"/],
      [["sync"], { ADC_RUN_EPHEMERAL: "never" }, 78, /cannot use ADC_RUN_EPHEMERAL "never"/],
    ] as const
  ) {
    const ADC_RUN_ADC = process.execPath;
    const io = fakeIo({ env: { ADC_RUN_CONFIG_DIR: "/nowhere", ADC_RUN_ADC, ...env } });
    assert.equal(await main(args, io), exitCode, args.join(" "));
    assert.match(io.err.join(""), message);
  }
});

it("`main()` reads an environment file once, which may be a pipe", async () => {
  await using folder = await temporaryFolder();
  const pipe = `${folder.path}/pipe`;
  execFileSync("mkfifo", [pipe]);
  const text = "ADC_TOKEN=a7ee-from-a-pipe\\nADC_SERVER=http://127.0.0.1:1\\n";
  const writer = spawn("sh", ["-c", `printf '${text}' > "${pipe}"`]);
  const io = fakeIo({
    env: { ADC_RUN_CONFIG_DIR: `${folder.path}/c`, ADC_RUN_ENV_FILE: pipe },
    cwd: folder.path,
  });
  try {
    // It looks at the connection twice: the second time with the backend that the command is for.
    assert.equal(await main(["auth", "token"], io), 0, io.err.join(""));
    assert.equal(io.out.join(""), "a7ee-from-a-pipe\n");
  } finally {
    writer.kill();
  }
});

it("`main()` refuses a pipe behind --env-file on Node.js, which has read it before, and nowhere else", async () => {
  await using folder = await temporaryFolder();
  const pipe = `${folder.path}/pipe`;
  execFileSync("mkfifo", [pipe]);
  const writer = isNode() ? undefined : spawn("sh", ["-c", `echo ADC_TOKEN=a7ee-x > "${pipe}"`]);
  const io = fakeIo({ env: { ADC_RUN_CONFIG_DIR: `${folder.path}/c` }, cwd: folder.path });
  const exitCode = await main(["auth", "token", "--env-file", pipe], io);
  if (writer === undefined) {
    assert.equal(exitCode, 64);
    assert.match(io.err.join(""), /is a pipe that Node\.js reads.*\n.*ADC_RUN_ENV_FILE/);
  } else {
    writer.kill();
    assert.equal(exitCode, 0);
    assert.equal(io.out.join(""), "a7ee-x\n");
  }
});

it("`main()` does nothing that is asked for where ADC_RUN_DRY_RUN says that nothing is to be done", async () => {
  for (
    const args of [
      ["api", "POST", "/api/gateway_groups", "-d", "{}"],
      ["profile", "set", "prod", "--server", "https://a"],
      ["auth", "logout"],
      ["auth", "revoke", "x", "--yes"],
    ]
  ) {
    const io = fakeIo({ env: { ADC_RUN_DRY_RUN: "true", ADC_RUN_CONFIG_DIR: "/nowhere" } });
    assert.equal(await main(args, io), 78, args.join(" "));
    assert.match(io.err.join(""), /cannot use ADC_RUN_DRY_RUN with "adc-run /);
  }
  const io = fakeIo({ env: { ADC_RUN_DRY_RUN: "true", ADC_RUN_CONFIG_DIR: "/nowhere" } });
  assert.equal(await main(["profile", "list"], io), 0);
});

it("`main()` says where a word belongs that stands in the wrong place", async () => {
  for (
    const [args, message] of [
      [["--ephemeral", "5m", "ping"], /--ephemeral=5m/],
      [["exec", "--json", "--", "true"], /options before exec/],
      [["-p", "a", "--no-profile", "sync"], /--profile with --no-profile/],
    ] as const
  ) {
    const io = fakeIo({ env: { ADC_RUN_CONFIG_DIR: "/nowhere" } });
    assert.equal(await main(args, io), 64);
    assert.match(io.err.join(""), message);
  }
});
