import assert from "node:assert/strict";
import { test } from "node:test";
import type { OptionSpec } from "../../src/cli/global_options.ts";
import type { CommandSpec } from "../../src/cli/manual/manual.ts";
import { readCommandLine } from "../../src/cli/options.ts";
import { readCommand } from "../../src/cli/read_command.ts";
import { UsageError } from "../../src/errors.ts";
import { fakeIo } from "../support/fake_io.ts";

const FORCE: OptionSpec = { flags: "--force", text: "" };
const TO: OptionSpec = { flags: "--to PLACE", text: "" };

function read<T = object>(
  args: readonly string[],
  { env = {}, ...spec }: Partial<CommandSpec> & { env?: Record<string, string> } = {},
) {
  const { options, words } = readCommandLine(args, env);
  const frob = { name: "frob", summary: "", description: [], examples: [], ...spec };
  return readCommand<T>(frob, { options, words: words.slice(1) }, fakeIo())!;
}

/** The options that say something. */
function given(...args: Parameters<typeof read>): Record<string, unknown> {
  const { fromEnvironment: _, check, mask, ...options } = read(...args).options;
  return { ...options, ...(!check && { check }), ...(!mask && { mask }) };
}

test("`readCommand()` takes --json and --quiet before and behind the name", () => {
  for (
    const args of [["--json", "-q", "frob"], ["frob", "--json", "-q"], ["-q", "frob", "--json"]]
  ) {
    const { options } = read(args);
    assert.deepEqual([options.json, options.quiet], [true, true], args.join(" "));
  }
  assert.deepEqual(given(["frob"]), {});
});

test("`readCommand()` takes the command's own options and operands", () => {
  const operands = { least: 1, most: 2, what: "one name or two" };
  const read2 = (...words: string[]) =>
    read<{ force?: boolean; to?: string }>(["frob", ...words], {
      options: [FORCE, TO],
      operands,
    });
  const command = read2("a", "--to", "x", "b");
  assert.deepEqual([command.operands, command.options.to], [["a", "b"], "x"]);
  assert.throws(() => read2(), /"adc-run frob" needs one name or two/);
  assert.throws(() => read2("a", "b", "zqzq"), (error: Error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /takes one name or two/);
    assert.ok(!error.message.includes("zqzq"));
    return true;
  });
  assert.throws(() => read2("a", "--frob"), /Unknown option "--frob"/);
  assert.throws(() => read(["frob", "zqzq"]), /takes only options/);
});

test("`readCommand()` names the nearest of the command's options, and where its help is", () => {
  assert.throws(() => read(["frob", "--forse"], { options: [FORCE] }), {
    message: 'Unknown option "--forse": did you mean "--force"?',
    suggestion: 'See "adc-run frob --help".',
  });
  // It connects to nothing.
  assert.throws(() => read(["frob", "--server", "x"]), {
    message: 'Unknown option "--server"',
    suggestion: 'See "adc-run frob --help".',
  });
  assert.throws(() => read(["frob", "--to", "--"], { options: [TO] }), {
    message: 'Option "--to" has no value',
  });
});

test("`readCommand()` refuses options that mean nothing there", () => {
  for (
    const option of [
      ["-p", "prod"],
      ["--no-profile"],
      ["--source", "env"],
      ["--env-file", "x"],
      ["--no-check"],
      ["--adc", "x"],
      ["--no-mask"],
      ["--fail-on-leak"],
      ["--dry-run"],
      ["--ephemeral"],
      ["--ephemeral=5m"],
      ["--parallel", "2"],
      ["--keep-going"],
    ]
  ) {
    assert.throws(() => read([...option, "frob"]), /--.* has no effect/, option[0]);
  }
});

test("`readCommand()` takes those that a command has a use for", () => {
  const options: readonly OptionSpec[] = [{ flags: "--dry-run", text: "" }];
  assert.deepEqual(given(["--dry-run", "frob"], { options }), { dryRun: true });
  const env = { ADC_RUN_DRY_RUN: "1" };
  assert.deepEqual(given(["frob"], { options, env }), { dryRun: true });
  assert.deepEqual(given(["--adc", "x", "frob"], { shared: ["--adc"] }), { adc: "x" });
});

test("`readCommand()` ignores variables that mean nothing there", () => {
  const env = {
    ADC_RUN_CHECK: "false",
    ADC_RUN_MASK: "0",
    ADC_RUN_SOURCE: "env",
    ADC_RUN_EPHEMERAL: "true",
    ADC_RUN_PARALLEL: "3",
    ADC_RUN_ENV_FILE: "x",
    ADC_RUN_JSON: "true",
  };
  assert.equal(read(["frob"], { env }).options.json, true);
  assert.throws(() => read(["frob"], { env: { ADC_RUN_DRY_RUN: "1" } }), { exitCode: 78 });
  assert.ok(read(["frob"], { env: { ADC_RUN_DRY_RUN: "1" }, readOnly: true }));
});

test("`readCommand()` takes several values where an option may be repeated, and those of a closed list alone", () => {
  const options: readonly OptionSpec[] = [
    { flags: "-H, --header HEADER", text: "", repeats: true },
    { flags: "--where PLACE", text: "", values: ["here", "there"], closed: true },
  ];
  const words = ["frob", "-H", "a", "--header=--json", "--where", "there"];
  assert.deepEqual(given(words, { options }), { header: ["a", "--json"], where: "there" });
  assert.throws(() => read(["frob", "--where", "x"], { options }), {
    message: 'Cannot use --where "x": use here or there',
  });
});

test("`readCommand()` keeps a value that looks like a connection flag out of the connection", () => {
  const spec = {
    connection: "to connect",
    options: [TO],
    shared: ["--profile", "--no-profile"],
  } as const;
  const { connectionWords } = read(
    [
      ...[
        "frob",
        "--to",
        "--server=http://evil.example",
        "--gateway-group",
        "--server=http://evil",
      ],
      ...["--tls-skip-verify", "--backend=api7ee", "-p", "prod"],
    ],
    spec,
  );
  assert.deepEqual(connectionWords, [
    "--backend=api7ee",
    "--gateway-group=--server=http://evil",
    "--tls-skip-verify",
  ]);
});

test("`readCommand()` refuses --token where the stored one is meant", () => {
  const connection = "with the stored token";
  assert.throws(() => read(["frob", "--token=zqzq"], { connection }), {
    message: '--token has no effect with "adc-run frob"',
  });
});

test("`readCommand()` gives nothing where help is asked for, and not where a value looks like it", () => {
  assert.equal(read(["frob", "--help"]), undefined);
  assert.equal(given(["frob", "--to", "--help"], { options: [TO] }).to, "--help");
});
