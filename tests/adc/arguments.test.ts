import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { type AdcArguments, needsBackend, readAdcArguments } from "../../src/adc/arguments.ts";
import { UsageError } from "../../src/errors.ts";
import { readAsAdc } from "../support/adc_program.ts";

function tokensOf({ tokens }: AdcArguments): string[] {
  return tokens.map((token) => token.reveal());
}

/** A command line each: the words as they are typed, none with a space in it. */
const TRICKY = [
  "ping",
  "sync",
  "sync -f adc.yaml",
  "sync -f a.yaml -f b.yaml --token t",
  "sync --token t -f a.yaml",
  "sync --token=t",
  "sync --token=",
  "sync --token==t=",
  "sync --token=--token",
  "sync --token --token",
  "sync --token -f --token u",
  "sync --token --server --server s",
  "sync --token -- --token u",
  "sync --token -t",
  "sync --token -",
  "sync --token one --token=two --token three",
  "sync --token one -f --token --token two",
  "sync -f --token",
  "sync -f --token=x",
  "sync -f --token --token t",
  "sync -f --token=x --token=t",
  "sync -f--token",
  "sync -f--token=x --token t",
  "sync -f=--token --token t",
  "sync --file --token --token t",
  "sync --file=--token --token=t",
  "sync --file -- --token t",
  "sync -f -h",
  "sync -f --help",
  "sync -fh",
  "sync -f-h",
  "sync --file=--help",
  "sync --help",
  "sync -h",
  "sync --token t --help",
  "sync --token --help",
  "sync --token=--help",
  "sync -f a.yaml -h --token t",
  "sync --server s --server=s2",
  "sync --server --backend --backend api7ee",
  "sync --server -f -f a.yaml",
  "sync --gateway-group --tls-skip-verify",
  "sync --tls-skip-verify",
  "sync --tls-skip-verify --token t",
  "sync --timeout 1s --timeout=2s",
  "sync --timeout=-1s",
  "sync --timeout -1s",
  "sync --verbose 2 --token t",
  "sync --verbose --token --token t",
  "sync --token t --verbose --token --label-selector --token",
  "sync --verbose=2 --token=t",
  "sync --label-selector --token --token t",
  "sync --label-selector=app=x --token t",
  "sync --include-resource-type --token --token t",
  "sync --exclude-resource-type --token --token t",
  "sync --no-managed-by-label --token t",
  "sync --no-lint --token t",
  "sync --request-concurrent --token --token t",
  "sync --request-concurrent 3 --token t",
  "sync --remote-state-file --token --token t",
  "sync --ca-cert-file ca.pem --tls-client-cert-file=c.pem --tls-client-key-file k.pem",
  "sync --ca-cert-file --token --token t",
  "sync --tls-client-cert-file --token --tls-client-key-file --token --token t",
  "diff --backend apisix --backend=api7ee --server=http://h --gateway-group g --token t",
  "dump -o --token",
  "dump -o --token --token t",
  "dump -o--token --token t",
  "dump --output=--token=x --token t",
  "dump --output --token=x",
  "dump --with-id --token t",
  "dump --with-id -o adc.yaml --token=t",
  "validate -f adc.yaml --no-lint --token t",
  "lint -f adc.yaml",
  "lint -f --help",
  "lint --help",
  "--help",
  "-h",
  "--version",
  "-v",
  "help",
  "help sync",
  "-v sync",
  "--version --token t",
  "-h sync",
] as const;

test("`readAdcArguments()` reads a command line as ADC's own parser does", async () => {
  let runs = 0;
  for (const line of TRICKY) {
    const words = line.split(" ");
    const adc = readAsAdc(words);
    const args = await readAdcArguments(words);
    const information = adc.kind === "information";
    assert.equal(args.information || args.command === "help", information, line);
    if (adc.kind === "error") assert.fail(`${line}: ADC complains with ${adc.code}`);
    if (adc.kind !== "run") continue;
    runs += 1;
    const { options } = adc;
    assert.equal(args.command, adc.command, line);
    assert.equal(tokensOf(args).at(-1), options.token, line);
    for (
      const name of [
        "backend",
        "server",
        "gatewayGroup",
        "timeout",
        "caCertFile",
        "tlsClientCertFile",
        "tlsClientKeyFile",
        "tlsSkipVerify",
      ] as const
    ) {
      assert.equal(args.flags[name], options[name], `${name} in: ${line}`);
    }
  }
  assert.ok(runs > 50);
});

test("`readAdcArguments()` leaves words that mean the same to ADC, but for the token", async () => {
  for (const line of TRICKY) {
    const words = line.split(" ");
    const before = readAsAdc(words);
    if (before.kind !== "run") continue;
    const rest = (await readAdcArguments(words)).argv;
    const after = readAsAdc(rest);
    const { token: _, ...options } = before.options;
    assert.deepEqual(after, { ...before, options }, line);
  }
});

const VALUED = {
  "--backend": "backend",
  "--server": "server",
  "--gateway-group": "gatewayGroup",
  "--timeout": "timeout",
  "--ca-cert-file": "caCertFile",
  "--tls-client-cert-file": "tlsClientCertFile",
  "--tls-client-key-file": "tlsClientKeyFile",
} as const;

test("`readAdcArguments()` takes every connection option in both spellings, the last one winning", async () => {
  for (const [flag, name] of Object.entries(VALUED)) {
    for (const value of ["v", "", "-v", "--token", "--token=x", "a=b", "--"]) {
      for (const words of [["sync", flag, value], ["sync", `${flag}=${value}`]]) {
        const args = await readAdcArguments(words);
        assert.deepEqual(args.flags, { [name]: value }, words.join(" "));
        assert.deepEqual(args.argv, words);
        assert.deepEqual(args.tokens, []);
      }
    }
    const repeated = ["sync", flag, "1", `${flag}=2`, flag, "3"];
    assert.deepEqual((await readAdcArguments(repeated)).flags, { [name]: "3" });
    assert.deepEqual((await readAdcArguments(repeated)).argv, repeated);
  }
});

test("`readAdcArguments()` says which connection option not every ADC reads alike", async () => {
  const cases: readonly [line: string, flag: string | undefined, found?: RegExp][] = [
    ...[...Object.keys(VALUED), "--token"].flatMap((
      flag,
    ): [string, string | undefined, RegExp?][] => [
      [`sync ${flag} 1`, undefined],
      [`sync ${flag}= -f a -f b`, undefined],
      [`sync ${flag} -`, undefined],
      [`sync ${flag}=-1`, undefined],
      [`sync ${flag} -1`, flag, /starts with "-"/],
      [`sync ${flag} --token`, flag, /starts with "-"/],
      [`sync ${flag} 1 ${flag}=1`, flag, /given twice/],
      [`sync ${flag}=1 -f a ${flag} 2`, flag, /given twice/],
      [`sync -f ${flag} ${flag} 2`, undefined],
      [`sync -- ${flag} 1 ${flag} 2`, undefined],
    ]),
    ["sync --tls-skip-verify", undefined],
    ["sync --tls-skip-verify --tls-skip-verify", "--tls-skip-verify", /given twice/],
    ["sync --tls-skip-verify=true", "--tls-skip-verify", /takes no value/],
    ["sync --tls-skip-verify=", "--tls-skip-verify", /takes no value/],
    ["sync -f --tls-skip-verify=true", undefined],
  ];
  for (const [line, flag, found = /^$/] of cases) {
    const { ambiguous } = await readAdcArguments(line.split(" "));
    assert.equal(ambiguous?.flag, flag, line);
    assert.match(ambiguous?.found ?? "", found, line);
  }
  const secret = (await readAdcArguments(["sync", "--token", "-cAnArY"])).ambiguous;
  assert.ok(!JSON.stringify(secret).includes("cAnArY"));
});

test("`readAdcArguments()` names no flag that was not given", async () => {
  assert.deepEqual(Object.keys((await readAdcArguments(["sync", "-f", "a.yaml"])).flags), []);
  assert.deepEqual(await readAdcArguments([]), {
    command: undefined,
    flags: {},
    files: [],
    output: undefined,
    tokens: [],
    argv: [],
    maskedArgv: [],
    information: false,
  });
});

test("`readAdcArguments()` lifts every token and keeps the other words in their order", async () => {
  const cases: readonly [words: string[], rest: string[], tokens: string[]][] = [
    [["sync", "--token", "a", "-f", "x", "--token=b"], ["sync", "-f", "x"], ["a", "b"]],
    [["sync", "--token=", "-f", "x"], ["sync", "-f", "x"], [""]],
    [["sync", "--token", ""], ["sync"], [""]],
    [["sync", "--token", "-x", "-f", "y"], ["sync", "-f", "y"], ["-x"]],
    [["sync", "--token", "--token", "y"], ["sync", "y"], ["--token"]],
    [["sync", "-f", "--token", "--token", "b"], ["sync", "-f", "--token"], ["b"]],
    [["dump", "--output=--token=x", "--token=t"], ["dump", "--output=--token=x"], ["t"]],
    [["sync", "--", "--token", "a"], ["sync", "--", "--token", "a"], []],
    [["sync", "--token", "a", "--", "--token", "b"], ["sync", "--", "--token", "b"], ["a"]],
    [["sync", "--token", "--", "--token", "b"], ["sync"], ["--", "b"]],
    [["sync", "--tokens", "a", "--Token", "b"], ["sync", "--tokens", "a", "--Token", "b"], []],
    [["sync", "-token", "a"], ["sync", "-token", "a"], []],
    [["--token", "a", "sync"], ["sync"], ["a"]],
    [["sync", "two words", "--token", "a", "b c"], ["sync", "two words", "b c"], ["a"]],
  ];
  for (const [words, rest, tokens] of cases) {
    const args = await readAdcArguments(words);
    assert.deepEqual(args.argv, rest, words.join(" "));
    assert.deepEqual(tokensOf(args), tokens, words.join(" "));
  }
});

test("`readAdcArguments()` lifts a token whatever its value is", async () => {
  for (const value of ["adc-run-probe", "sync", "-f", "--token", "--token=x", "=", "\n"]) {
    const words = ["sync", "--token", value, "-f", "--token", "--server", "s", `--token=${value}`];
    const args = await readAdcArguments(words);
    assert.deepEqual(args.argv, ["sync", "-f", "--token", "--server", "s"], value);
    assert.deepEqual(tokensOf(args), [value, value]);
  }
});

test("`readAdcArguments()` shows no token when it is printed", async () => {
  const args = await readAdcArguments(["sync", "--token", "a7ee-canary1", "--token=a7ee-canary2"]);
  for (const text of [inspect(args, { depth: 9, showHidden: true }), JSON.stringify(args)]) {
    assert.ok(!/canary/.test(text), text);
  }
});

test("`readAdcArguments()` refuses an option whose value is missing", async () => {
  const options = [
    "--token",
    "--verbose",
    "-f",
    "--file",
    "-o",
    "--output",
    ...Object.keys(VALUED),
  ];
  for (const option of options) {
    await assert.rejects(
      () => readAdcArguments(["sync", "--token", "a7ee-secret", option]),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.exitCode, 64);
        assert.equal(error.message, `ADC's option "${option}" has no value: nothing follows it`);
        assert.ok(!inspect(error).includes("a7ee-secret"));
        return true;
      },
    );
    const adc = readAsAdc([option.includes("o") && option !== "--token" ? "dump" : "sync", option]);
    assert.equal(adc.kind, "error");
  }
});

test("`readAdcArguments()` lets unknown options and commands pass", async () => {
  const words = [
    "newer",
    "--brand-new",
    "x",
    "-z",
    "--token",
    "t",
    "--brand-new=y",
    "--server",
    "s",
  ];
  const args = await readAdcArguments(words);
  assert.equal(args.command, "newer");
  assert.deepEqual(args.flags, { server: "s" });
  assert.deepEqual(tokensOf(args), ["t"]);
  assert.deepEqual(args.argv, [
    "newer",
    "--brand-new",
    "x",
    "-z",
    "--brand-new=y",
    "--server",
    "s",
  ]);
});

test("`needsBackend()` says no for what ADC does without a server", async () => {
  const offline = [
    "lint",
    "lint -f adc.yaml",
    "convert",
    "convert openapi -f open.yaml",
    "help",
    "help sync",
    "sync --help",
    "sync -h",
    "sync -f a.yaml --help",
    "sync --token t --help",
    "--help",
    "-h",
    "--version",
    "-v",
    "-v sync",
    "-V",
    "server",
    "server --listen http://127.0.0.1:3000",
    "ingress-server",
    "newer --help",
  ];
  for (const line of offline) {
    assert.equal(needsBackend(await readAdcArguments(line.split(" "))), false, line);
  }
  assert.equal(needsBackend(await readAdcArguments([])), false);
});

test("`needsBackend()` says yes for all other commands, known or not", async () => {
  const online = [
    "ping",
    "dump",
    "diff",
    "sync",
    "validate",
    "dev",
    "newer",
    "ingress-sync",
    "sync -f --help",
    "sync -f -h",
    "sync --file=--help",
    "sync --token --help",
    "sync -- --help",
    "sync -v",
    "sync help",
    "sync lint",
  ];
  for (const line of online) {
    assert.equal(needsBackend(await readAdcArguments(line.split(" "))), true, line);
  }
});

test("`readAdcArguments()` keeps --token for a command that has none, but not its value", async () => {
  const words = ["lint", "--token", "a7ee-one", "-f", "--token", "--token=a7ee-two", "x"];
  assert.deepEqual((await readAdcArguments(words)).maskedArgv, [
    "lint",
    "--token",
    "***",
    "-f",
    "--token",
    "--token=***",
    "x",
  ]);
});

test("`readAdcArguments()` refuses --verbose in front of the command, which one ADC takes", async () => {
  for (const words of [["--verbose", "2", "sync"], ["--verbose=2", "sync"]]) {
    await assert.rejects(
      () => readAdcArguments(words),
      (error) => error instanceof UsageError && /after the command/.test(error.suggestion ?? ""),
    );
  }
});

test("`readAdcArguments()` collects what ADC reads and writes", async () => {
  const words = [
    "dump",
    "-o",
    "a.yaml",
    "-f",
    "b.yaml",
    "--file=*.yaml",
    "-f",
    "-o",
    "--output",
    "c",
  ];
  const { files, output } = await readAdcArguments(words);
  assert.deepEqual([files, output], [["b.yaml", "*.yaml", "-o"], "c"]);
});
