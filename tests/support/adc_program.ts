/**
 * ADC's own command line: declared as api7/adc 0.28 declares it, with the same parser.
 *
 * @module
 */

import { Command, CommanderError, Option } from "commander";

/** What ADC would make of its argv. */
export type AdcReading =
  /** A command that runs with these options. */
  | { readonly kind: "run"; readonly command: string; readonly options: Record<string, unknown> }
  /** Help or version, and the end. */
  | { readonly kind: "information" }
  /** A complaint, with commander's code. */
  | { readonly kind: "error"; readonly code: string };

const collect = (value: string, values: readonly string[] = []): string[] => [...values, value];

/** The variables that ADC binds its options to. */
export const VARIABLES = {
  backend: "ADC_BACKEND",
  server: "ADC_SERVER",
  token: "ADC_TOKEN",
  gatewayGroup: "ADC_GATEWAY_GROUP",
  caCertFile: "ADC_CA_CERT_FILE",
  tlsClientCertFile: "ADC_TLS_CLIENT_CERT_FILE",
  tlsClientKeyFile: "ADC_TLS_CLIENT_KEY_FILE",
  tlsSkipVerify: "ADC_TLS_SKIP_VERIFY",
} as const;

/**
 * What commander does for `Option.env()`, which would look at this process' environment: an option that was
 * not given takes the variable's value, even an empty one, and a switch is on whatever the value is.
 */
function readEnvironment(
  command: Command,
  env: Readonly<Record<string, string | undefined>>,
): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const value = env[VARIABLES[name as keyof typeof VARIABLES] ?? ""];
    if (value === undefined || command.getOptionValueSource(name) === "cli") continue;
    command.setOptionValueWithSource(name, option.required ? value : true, "env");
  }
}

/** apps/cli/src/command/helper.ts, without a judgement of values. */
function backendCommand(name: string): Command {
  return new Command(name)
    .addOption(new Option("--verbose <integer>").argParser(parseInt).default(1))
    .addOption(new Option("--backend <backend>"))
    .addOption(new Option("--server <string>"))
    .addOption(new Option("--token <string>"))
    .addOption(new Option("--gateway-group <string>"))
    .addOption(new Option("--label-selector <labelKey=labelValue>"))
    .addOption(new Option("--include-resource-type <string>").argParser(collect))
    .addOption(new Option("--exclude-resource-type <string>").argParser(collect))
    .addOption(new Option("--timeout <duration>"))
    .addOption(new Option("--ca-cert-file <string>"))
    .addOption(new Option("--tls-client-cert-file <string>"))
    .addOption(new Option("--tls-client-key-file <string>"))
    .addOption(new Option("--tls-skip-verify"))
    .addOption(new Option("--no-managed-by-label"));
}

function adcProgram(done: (command: Command) => void): Command {
  const file = () => new Option("-f, --file <file-path>").argParser(collect);
  const output = () => new Option("-o, --output <file-path>").default("adc.yaml");
  const commands = [
    backendCommand("ping"),
    backendCommand("dump").addOption(output()).addOption(new Option("--with-id")),
    backendCommand("diff").addOption(file()).addOption(new Option("--no-lint"))
      .addOption(new Option("--remote-state-file <file-path>")),
    backendCommand("sync").addOption(file()).addOption(new Option("--no-lint"))
      .addOption(new Option("--request-concurrent <integer>").argParser(parseInt))
      .addOption(new Option("--remote-state-file <file-path>")),
    backendCommand("validate").addOption(file()).addOption(new Option("--no-lint")),
    new Command("lint").option("--verbose <integer>").addOption(file()),
  ];
  const program = new Command("adc").passThroughOptions().version("0.28.0", "-v, --version");
  for (const command of commands) {
    program.addCommand(command.action((_, self: Command) => done(self)));
  }
  for (const each of [program, ...commands]) {
    each.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  }
  return program;
}

/**
 * Reads words as ADC does.
 *
 * @param words The words behind `adc`.
 * @param env The environment, with what `.env` adds to it.
 * @returns What ADC would do.
 */
export function readAsAdc(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): AdcReading {
  let run: AdcReading | undefined;
  try {
    adcProgram((command) => {
      readEnvironment(command, env);
      run = { kind: "run", command: command.name(), options: { ...command.opts() } };
    }).parse([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const { code } = error;
    const informs = ["commander.helpDisplayed", "commander.version", "commander.help"];
    return informs.includes(code) ? { kind: "information" } : { kind: "error", code };
  }
  if (run === undefined) throw new Error(`Nothing happened at: ${words.join(" ")}`);
  return run;
}
