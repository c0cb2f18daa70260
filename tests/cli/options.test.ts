import assert from "node:assert/strict";
import { it } from "node:test";
import { GLOBAL_OPTIONS } from "../../src/cli/global_options.ts";
import { readCommandLine } from "../../src/cli/options.ts";
import { ConnectionError, UsageError } from "../../src/errors.ts";

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
    fromEnvironment: new Set(),
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
      [["--frob", "sync"], /Unknown option "--frob"/],
      [["--token=zqzq", "sync"], /Unknown option "--token"/],
      [["--server", "zqzq", "sync"], /Unknown option "--server"/],
      [["--adc"], /^Option "--adc" has no value$/],
      [["-p"], /^Option "--profile" has no value$/],
      [["-p", "--", "sync"], /^Option "--profile" has no value$/],
      [["--adc", "--", "sync"], /^Option "--adc" has no value$/],
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

it("`readCommandLine()` takes letters together, values beside them, and the last of two", () => {
  for (
    const [args, expected] of [
      [["-qp", "a", "x"], { quiet: true, profile: ["a"] }],
      [["-pa,b", "x"], { profile: ["a", "b"] }],
      [["--profile=a", "x"], { profile: ["a"] }],
      [["--adc", "--json", "x"], { adc: "--json" }],
      [["--adc=a", "--adc", "b", "x"], { adc: "b" }],
      [["--ephemeral", "10m"], { ephemeral: true }],
      [["--ephemeral=10m", "x"], { ephemeralTtl: "10m" }],
      [["--ephemeral=", "x"], { ephemeralTtl: "" }],
    ] as const
  ) {
    const { fromEnvironment: _, check, mask, ...said } = readCommandLine(args).options;
    assert.deepEqual([said, check, mask], [expected, true, true], args.join(" "));
  }
  for (
    const [args, name] of [
      [["-qx", "x"], "-x"],
      [["-1", "x"], "-1…"],
      [["--ephemeral-ttl", "10m", "x"], "--ephemeral-ttl"],
      [["--__proto__", "x"], "--…"],
      [["--constructor", "x"], "--constructor"],
    ] as const
  ) {
    assert.throws(() => readCommandLine(args), (error: UsageError) => {
      assert.ok(error.message.startsWith(`Unknown option "${name}"`), error.message);
      return true;
    });
  }
  assert.throws(() => readCommandLine(["--json=1", "x"]), {
    message: "Cannot use --json with a value: it takes none",
  });
  // What follows the first word is ADC's, and may be anything.
  assert.deepEqual(readCommandLine(["-", "-p"]).words, ["-", "-p"]);
});

it("`readCommandLine()` says where ADC's options belong", () => {
  assert.throws(() => readCommandLine(["--backend", "api7ee", "sync"]), {
    suggestion: /after the command.*adc-run sync --backend/,
  });
});

it("`readCommandLine()` takes no value for --verbose, and leaves ADC's own alone", () => {
  for (const flag of ["-v", "--verbose"]) {
    assert.equal(readCommandLine([flag, "sync"]).options.verbose, true);
    assert.throws(() => readCommandLine([flag, "2", "sync"]), (error: UsageError) => {
      assert.equal(error.exitCode, 64);
      assert.match(error.suggestion!, /adc-run sync --verbose 2$/);
      return true;
    });
  }
  assert.throws(() => readCommandLine(["--verbose=2", "sync"]), { exitCode: 64 });
  const { options, words } = readCommandLine(["sync", "--verbose", "2"]);
  assert.deepEqual([options.verbose, words], [undefined, ["sync", "--verbose", "2"]]);
  assert.equal(readCommandLine(["sync"], { ADC_RUN_VERBOSE: "true" }).options.verbose, true);
});

it("`readCommandLine()` names the nearest option, and shows no more than a name", () => {
  for (
    const [word, message, suggestion] of [
      [
        "--dryrun",
        'Unknown option "--dryrun": did you mean "--dry-run"?',
        "adc-run --help",
      ],
      ["--profle=zqzq", 'Unknown option "--profle": did you mean "--profile"?', "--help"],
      ["--quie1", 'Unknown option "--…": did you mean "--quiet"?', "adc-run --help"],
      ["-Q", 'Unknown option "-Q": did you mean "-q"?', "adc-run --help"],
      ["-x", 'Unknown option "-x"', "adc-run --help"],
      ["-xzqzq", 'Unknown option "-x…"', "adc-run --help"],
      [
        "--ephemeral-tt",
        'Unknown option "--ephemeral-tt": did you mean "--ephemeral"?',
        "adc-run --help",
      ],
      ["--servr", 'Unknown option "--servr": did you mean "--server"?', "sync --server …"],
    ] as const
  ) {
    assert.throws(() => readCommandLine([word, "zqzq"]), (error: UsageError) => {
      assert.equal(error.message, message);
      assert.ok(error.suggestion!.includes(suggestion), error.suggestion);
      assert.ok(!`${error.message}${error.suggestion}`.includes("zqzq"));
      return true;
    });
  }
});

it("`readCommandLine()` reads profiles as a list, and `--no-profile`", () => {
  const { options } = readCommandLine(["-p", "a, b", "--parallel", "4", "--keep-going", "diff"]);
  assert.deepEqual([options.profile, options.parallel, options.keepGoing], [["a", "b"], 4, true]);
  assert.equal(readCommandLine(["--no-profile", "diff"]).options.profile, false);
  assert.equal(readCommandLine(["diff"]).options.profile, undefined);
  for (const count of ["0", "1001", "-1", "two", "1.5", ""]) {
    assert.throws(() => readCommandLine(["--parallel", count, "diff"]), UsageError);
  }
});

const OPTION_VARIABLES = GLOBAL_OPTIONS.filter(({ readElsewhere }) => !readElsewhere)
  .flatMap(({ variable }) => variable ?? []);

const VARIABLES = {
  ADC_RUN_SOURCE: "env, file",
  ADC_RUN_ENV_FILE: "ci.env",
  ADC_RUN_EPHEMERAL: "10m",
  ADC_RUN_CHECK: "false",
  ADC_RUN_MASK: "1",
  ADC_RUN_FAIL_ON_LEAK: "YES",
  ADC_RUN_FAIL_ON_DRIFT: "no",
  ADC_RUN_DRY_RUN: "on",
  ADC_RUN_JSON: "true",
  ADC_RUN_QUIET: "no",
  ADC_RUN_VERBOSE: "yes",
  ADC_RUN_REPORT: "run.json",
  ADC_RUN_PARALLEL: "8",
  ADC_RUN_KEEP_GOING: "true",
  ADC_RUN_NO_PROFILE: "true",
  ADC_RUN_NO_TOKEN: "yes",
  ADC_RUN_TTY: "false",
};

it("`readCommandLine()` takes from variables what the command line does not say", () => {
  assert.deepEqual(Object.keys(VARIABLES).sort(), [...OPTION_VARIABLES].sort());
  const { fromEnvironment, ...options } = readCommandLine(["sync"], VARIABLES).options;
  assert.deepEqual(options, {
    source: ["env", "file"],
    envFile: "ci.env",
    ephemeralTtl: "10m",
    check: false,
    mask: true,
    failOnLeak: true,
    failOnDrift: false,
    dryRun: true,
    json: true,
    quiet: false,
    verbose: true,
    report: "run.json",
    parallel: 8,
    keepGoing: true,
    profile: false,
    token: false,
    tty: false,
  });
  assert.deepEqual([...fromEnvironment].sort(), Object.keys(options).sort());
});

it("`readCommandLine()` prefers the command line to variables", () => {
  const words = ["--source", "flag", "--ephemeral", "--parallel", "2", "--env-file", "x", "sync"];
  const { options } = readCommandLine(words, VARIABLES);
  assert.deepEqual(options.source, ["flag"]);
  assert.equal(options.ephemeral, true);
  assert.equal(options.ephemeralTtl, undefined);
  assert.equal(options.parallel, 2);
  assert.equal(options.envFile, "x");
  assert.ok(!options.fromEnvironment.has("source"));
});

it("`readCommandLine()` lets a named profile go before ADC_RUN_NO_PROFILE", () => {
  const profileOf = (args: readonly string[], env: Record<string, string> = {}) =>
    readCommandLine([...args, "sync"], { ADC_RUN_NO_PROFILE: "1", ...env }).options.profile;
  assert.equal(profileOf([]), false);
  assert.deepEqual(profileOf(["-p", "prod"]), ["prod"]);
  // Whoever reads that variable takes the profile from it.
  assert.equal(profileOf([], { ADC_RUN_PROFILE: "prod" }), undefined);
});

it("`readCommandLine()` refuses a second list, which would replace the first in silence", () => {
  for (const option of ["-p", "--source"]) {
    assert.throws(
      () => readCommandLine([option, "flag", option, "env", "sync"], VARIABLES),
      (error: unknown) => error instanceof UsageError && / twice$/.test(error.message),
    );
  }
  for (const words of [["-p", "a", "--no-profile"], ["--no-profile", "-p", "a"]]) {
    assert.throws(
      () => readCommandLine([...words, "sync"]),
      /Cannot use --profile with --no-profile/,
    );
  }
});

it("`readCommandLine()` takes an empty variable for none, and refuses what is no answer", () => {
  const empty = Object.fromEntries(OPTION_VARIABLES.map((name) => [name, ""]));
  assert.equal(readCommandLine(["sync"], empty).options.fromEnvironment.size, 0);
  for (const name of ["ADC_RUN_CHECK", "ADC_RUN_MASK", "ADC_RUN_JSON", "ADC_RUN_PARALLEL"]) {
    assert.throws(() => readCommandLine(["sync"], { [name]: "zqzq" }), (error: unknown) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.exitCode, 78);
      assert.ok(error.message.includes(name) && !error.message.includes("zqzq"), error.message);
      return true;
    });
  }
});
