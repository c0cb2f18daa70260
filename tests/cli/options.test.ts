import assert from "node:assert/strict";
import { it } from "node:test";
import { readCommandLine } from "../../src/cli/options.ts";
import { UsageError } from "../../src/errors.ts";

it("`readCommandLine()` takes options before the command, and leaves every word from it on", () => {
  const words = ["sync", "--json", "-q", "--", "--adc", "x", "--source=env"];
  const line = readCommandLine([
    "-q",
    "--source",
    "env, file",
    "--adc=./adc",
    "--no-check",
    ...words,
  ]);
  assert.deepEqual(line.words, words);
  assert.equal(line.verbatim, false);
  assert.deepEqual(line.options, {
    quiet: true,
    source: ["env", "file"],
    adc: "./adc",
    check: false,
    mask: true,
  });
});

it("`readCommandLine()` knows `--` before the words from `--` among them", () => {
  assert.deepEqual(readCommandLine(["--", "exec", "--", "x"]).words, ["exec", "--", "x"]);
  assert.equal(readCommandLine(["--", "exec"]).verbatim, true);
  assert.equal(readCommandLine(["--json", "--", "auth"]).verbatim, true);
  assert.equal(readCommandLine(["exec", "--", "x"]).verbatim, false);
  assert.equal(readCommandLine([]).verbatim, false);
});

it("`readCommandLine()` refuses what it does not know, and never shows a value", () => {
  for (
    const [args, message] of [
      [["--frob", "sync"], /no option "--frob"/],
      [["--token=zqzq", "sync"], /no option "--token"/],
      [["--server", "zqzq", "sync"], /no option "--server"/],
      [["--adc"], /"--adc" has no value/],
      [["--adc", "--", "sync"], /"adc" has no value/],
      [["--no-mask", "--fail-on-leak", "sync"], /--fail-on-leak with --no-mask/],
    ] as const
  ) {
    assert.throws(() => readCommandLine(args), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      assert.ok(!`${error.message}${error.suggestion}`.includes("zqzq"));
      return true;
    });
  }
});

it("`readCommandLine()` says where ADC's options belong", () => {
  assert.throws(() => readCommandLine(["--backend", "api7ee", "sync"]), {
    suggestion: /behind the command.*adc-run sync --backend/,
  });
});
