import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";

const skip = process.platform !== "win32" && "it needs Windows";
const homes = skip ? [] : await testHomes("one home");

/** Like those that npm makes: all arguments go on as they came. */
const SHIM = `@"${process.execPath}" "${standIn("report.mjs")}" %*\r\n`;

/** What a hand-written one does, which takes quotes away, puts some around, and asks for more. */
const CARELESS =
  `@echo off\r\nsetlocal EnableDelayedExpansion\r\nif "%4"=="" echo none\r\necho %~4 !1\r\n`;

const INJECTIONS = [
  'team=x"&echo INJECTED>injected %ADC_TOKEN:~0,5%&"',
  "team=x&echo INJECTED>injected",
  "team=x|echo INJECTED>injected",
  "a\r\necho INJECTED>injected",
  "%CMDCMDLINE:~-1%&echo INJECTED>injected",
  "%ADC_TOKEN%",
  "!ADC_TOKEN!",
  "x^",
  "x>injected",
];

for (const home of homes) {
  describe(`a batch file on ${home.name}`, { skip }, () => {
    it("gets the arguments as they are, and its exit code is passed on", async () => {
      await using it = await fixture();
      const { folder, token } = it;
      const adc = await folder.write("my adc (1)/adc.cmd", SHIM);
      const env = { ...it.env, ADC_TOKEN: token };
      const words = [
        "--label-selector",
        "team=a,b;c",
        "-f",
        "my files\\",
        "C:\\x\\",
        "",
        "ä'[*]?{}~#$@+",
      ];
      const ended = await adcRun(home, ["--adc", adc, "sync", ...words, "--exit", "42"], {
        env,
        cwd: folder.path,
      });
      assert.equal(ended.code, 42, ended.stderr);
      assert.deepEqual(JSON.parse(ended.stdout).argv, ["sync", ...words, "--exit", "42"]);
    });

    it("gets nothing that cmd.exe could act on, however it is reached", async () => {
      await using it = await fixture();
      const { folder, token } = it;
      const cwd = folder.path;
      await folder.write("bin/adc.cmd", SHIM);
      await folder.write("bat/adc.bat", CARELESS);
      await folder.write("node_modules/.bin/adc.cmd", SHIM);
      const ways = [
        ["--adc", join(cwd, "bin", "adc.cmd"), "diff"],
        ["--adc", "bat\\ADC", "diff"],
        ["diff"],
        ["exec", "--", ".\\bin\\adc", "diff"],
        ["exec", "--", "adc", "diff"],
      ];
      const calls = [
        ...ways.map((way) => [way, "bat", INJECTIONS[0]!] as const),
        // Nothing on PATH: the one in node_modules.
        ...INJECTIONS.map((injection) => [["diff"], "none", injection] as const),
      ];
      for (const [way, bin, injection] of calls) {
        const ended = await adcRun(home, [...way, "--label-selector", injection], {
          env: { ...it.env, ADC_TOKEN: token, PATH: join(cwd, bin) },
          cwd,
        });
        const told = `${way.join(" ")} ${injection}: ${ended.stderr}`;
        assert.equal(ended.code, 64, told);
        assert.match(ended.stderr, /it is a batch file, and .* in argument 3/, told);
        assert.equal(ended.stdout, "", told);
        assert.ok(!existsSync(join(cwd, "injected")), told);
      }
      assert.deepEqual(it.sandbox.requests, [], "nothing was asked before");
    });

    it("is a helper by the same rules, and by a path with backslashes", async () => {
      await using it = await fixture();
      const { folder, token } = it;
      const cwd = folder.path;
      await mkdir(join(cwd, "x"));
      await folder.write("x/get.cmd", `@echo ${token}\r\n`);
      const run = (command: string) =>
        adcRun(home, ["--adc", standIn("report.mjs"), "sync"], {
          env: { ...it.env, ADC_TOKEN_COMMAND: command },
          cwd,
        });
      for (const command of [join(cwd, "x", "get.cmd"), `"${join(cwd, "x", "get")}" "a b"`]) {
        const ended = await run(command);
        assert.equal(ended.code, 0, ended.stderr);
        assert.match(ended.stderr, /\(token command\)/);
      }
      const refused = await run(`${join(cwd, "x", "get.cmd")} "a&echo INJECTED>injected"`);
      assert.equal(refused.code, 64, refused.stderr);
      assert.ok(!existsSync(join(cwd, "injected")));
    });
  });
}
