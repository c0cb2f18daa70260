import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/errors.ts";
import { windowsCommand } from "../../src/system/windows_command.ts";

const ENV = { systemroot: "D:\\Win" };

test("`windowsCommand()` starts a program as it is, with any arguments", () => {
  const args = ["a b", '"&calc', "%PATH%", "\n"];
  for (const file of ["C:\\x\\adc.exe", "C:\\x\\ADC.COM", "/x/a%b&c.exe"]) {
    assert.deepEqual(windowsCommand(file, args, ENV), { program: file, args, options: {} });
  }
});

test("`windowsCommand()` has cmd.exe run a batch file, by its own path and rules", () => {
  const args = [
    "sync",
    "-f",
    "C:\\My Files (x86)\\",
    "",
    "a=b,c;d",
    "--x=[*]?{~}#$'",
    "C:\\y\\",
    "ä €",
  ];
  const { program, args: [...words], options } = windowsCommand("C:\\a b\\adc.CMD", args, ENV);
  assert.equal(program, "D:\\Win\\System32\\cmd.exe");
  assert.deepEqual(options, { windowsVerbatimArguments: true });
  const line = `"C:\\a b\\adc.CMD" sync -f "C:\\My Files (x86)\\\\" "" "a=b,c;d" ` +
    `"--x=[*]?{~}#$'" C:\\y\\ "ä €"`;
  assert.deepEqual(words, ["/d", "/v:off", "/s", "/c", `"${line}"`]);
});

test("`windowsCommand()` gives a batch file nothing that cmd.exe could act on, and shows nothing of it", () => {
  const unsafe = ['"', "%", "!", "^", "&", "|", "<", ">", "\r", "\n", "\0", "\t", "\u2028", "\x1b"];
  for (const file of ["C:\\x\\adc.cmd", "C:\\x\\ADC.BAT"]) {
    for (
      const each of [...unsafe, 'x"&echo INJECTED %ADC_TOKEN:~0,5%&"', "%CMDCMDLINE:~-1%&calc"]
    ) {
      assert.throws(() => windowsCommand(file, ["diff", `zqzq${each}zqzq`], ENV), (error) => {
        assert.ok(error instanceof UsageError, JSON.stringify(each));
        assert.match(error.message, /is a batch file, and .* in argument 2$/);
        assert.doesNotMatch(`${error.message}${error.suggestion}`, /zqzq|\p{Cc}/u);
        return true;
      });
    }
    assert.throws(() => windowsCommand(file, ["x".repeat(8_200)], ENV), /no more than 8191/);
  }
  for (const file of ["C:\\50%\\adc.cmd", "C:\\a&b\\adc.bat"]) {
    assert.throws(() => windowsCommand(file, [], ENV), /its path has a character/);
  }
});
