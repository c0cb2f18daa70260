import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommandLine } from "../../src/cli/options.ts";
import { readPlainCommand } from "../../src/cli/own_command.ts";
import type { PlainCommandSyntax } from "../../src/cli/own_command.ts";
import { UsageError } from "../../src/errors.ts";
import { fakeIo } from "./fake_io.ts";

function read<T extends object>(
  args: readonly string[],
  { env = {}, ...syntax }: Partial<PlainCommandSyntax> & { env?: Record<string, string> } = {},
) {
  const { options, words } = readCommandLine(args, env);
  return readPlainCommand<T>({ options, words: words.slice(1) }, fakeIo(), {
    name: "frob",
    options: [],
    ...syntax,
  });
}

test("`readPlainCommand()` takes --json and --quiet before and behind the name", () => {
  for (
    const args of [["--json", "-q", "frob"], ["frob", "--json", "-q"], ["-q", "frob", "--json"]]
  ) {
    const { options } = read(args);
    assert.deepEqual([options.json, options.quiet], [true, true], args.join(" "));
  }
  assert.deepEqual(read(["frob"]).options, {});
});

test("`readPlainCommand()` takes the command's own options and operands", () => {
  const operands = { least: 1, most: 2, what: "one name or two" };
  const read2 = (...words: string[]) =>
    read<{ force?: boolean; to?: string }>(["frob", ...words], {
      options: ["--force", "--to <place>"],
      operands,
    });
  const command = read2("a", "--to", "x", "b");
  assert.deepEqual([command.operands, command.options], [["a", "b"], { to: "x" }]);
  assert.throws(() => read2(), /"adc-run frob" needs one name or two: found none/);
  assert.throws(() => read2("a", "b", "zqzq"), (error: Error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /takes one name or two only/);
    assert.ok(!error.message.includes("zqzq"));
    return true;
  });
  assert.throws(() => read2("a", "--frob"), /no option "--frob"/);
  assert.throws(() => read(["frob", "zqzq"]), /takes options only/);
});

test("`readPlainCommand()` names the nearest of the command's options, and where its help is", () => {
  assert.throws(() => read(["frob", "--forse"], { options: ["--force"] }), {
    message: 'There is no option "--forse" here: did you mean "--force"?',
    suggestion: 'See "adc-run frob --help".',
  });
  // It connects to nothing.
  assert.throws(() => read(["frob", "--server", "x"]), {
    message: 'There is no option "--server" here',
    suggestion: 'See "adc-run frob --help".',
  });
  assert.throws(() => read(["frob", "--to", "--"], { options: ["--to <place>"] }), {
    message: 'Option "--to" has no value',
  });
});

test("`readPlainCommand()` refuses options that mean nothing there", () => {
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
    assert.throws(() => read([...option, "frob"]), /Cannot use --.* means nothing/, option[0]);
  }
});

test("`readPlainCommand()` takes those that a command has a use for", () => {
  assert.equal(
    read<{ dryRun?: boolean }>(["--dry-run", "frob"], { takes: ["dryRun"] }).options.dryRun,
    true,
  );
});

test("`readPlainCommand()` passes over variables that mean nothing there", () => {
  const env = {
    ADC_RUN_CHECK: "false",
    ADC_RUN_MASK: "0",
    ADC_RUN_SOURCE: "env",
    ADC_RUN_EPHEMERAL: "true",
    ADC_RUN_PARALLEL: "3",
    ADC_RUN_ENV_FILE: "x",
    ADC_RUN_JSON: "true",
  };
  assert.deepEqual(read(["frob"], { env }).options, { json: true });
});
