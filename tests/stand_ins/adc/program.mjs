/**
 * ADC's command line.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { convert, diff, dump, lint, ping, sync, validate } from "./commands.mjs";
import { paint, say } from "./output.mjs";

/** Builds the program. */
export function createProgram() {
  const program = new Command("adc")
    .description("A stand-in for API Declarative CLI (ADC)")
    .configureHelp({ showGlobalOptions: true })
    .passThroughOptions()
    .version("0.28.0-standin", "-v, --version", "display ADC version");
  const openapi = withFiles(base("openapi", "convert OpenAPI spec to ADC configuration"))
    .option("-o, --output <output-path>", "output file path", "adc.yaml")
    .action((options) => convert(options));
  return program
    .addCommand(backendCommand("ping", "check connectivity with the backend", ping))
    .addCommand(
      backendCommand("dump", "save the configuration of the backend to a file", dump)
        .option("-o, --output <file-path>", "path of the file", "adc.yaml")
        .option("--with-id", "dump remote resources id"),
    )
    .addCommand(
      withFiles(backendCommand("diff", "show differences between local and backend", diff))
        .addOption(noLint()),
    )
    .addCommand(
      withFiles(backendCommand("sync", "sync the local configuration to the backend", sync))
        .addOption(noLint())
        .option("--request-concurrent <integer>", "number of concurrent requests", Number, 10),
    )
    .addCommand(
      base("convert", "convert API definitions in other formats to ADC configuration")
        .addCommand(openapi),
    )
    .addCommand(
      withFiles(base("lint", "lint the local configuration")).action((options) => lint(options)),
    )
    .addCommand(
      withFiles(backendCommand("validate", "validate the configuration", validate))
        .addOption(noLint()),
    );
}

function base(name, summary) {
  return new Command(name).summary(summary).addOption(
    new Option("--verbose <integer>", "set the verbosity level for logs").argParser((value) => {
      const level = Number.parseInt(value);
      return Number.isNaN(level) ? 1 : Math.min(2, Math.max(0, level));
    }).default(1),
  );
}

function withFiles(command) {
  return command.option(
    "-f, --file <file-path>",
    "configuration file",
    (path, before = []) => before.concat(path),
  );
}

function noLint() {
  return new Option("--no-lint", "disable lint check");
}

function backendCommand(name, summary, run) {
  return base(name, summary)
    .addOption(
      new Option("--backend <backend>", "type of backend to connect to").env("ADC_BACKEND")
        .choices(["apisix", "api7ee", "apisix-standalone"]).default("apisix"),
    )
    .addOption(
      new Option("--server <string>", "HTTP address of the backend").env("ADC_SERVER")
        .default("http://localhost:9180"),
    )
    .addOption(new Option("--token <string>", "token for the backend").env("ADC_TOKEN"))
    .addOption(
      new Option("--gateway-group <string>", "gateway group to operate on")
        .env("ADC_GATEWAY_GROUP").default("default"),
    )
    .option("--label-selector <labelKey=labelValue>", "filter resources by labels")
    .option("--include-resource-type <string>", "filter resources")
    .option("--exclude-resource-type <string>", "filter resources")
    .addOption(
      new Option("--timeout <duration>", "timeout (examples: 10s, 1h10m)")
        .default(10_000, "10s").argParser((value) => milliseconds(value) ?? 10_000),
    )
    .addOption(fileOption("--ca-cert-file", "CA certificate").env("ADC_CA_CERT_FILE"))
    .addOption(
      fileOption("--tls-client-cert-file", "mutual TLS client certificate")
        .env("ADC_TLS_CLIENT_CERT_FILE"),
    )
    .addOption(
      fileOption("--tls-client-key-file", "mutual TLS client key")
        .env("ADC_TLS_CLIENT_KEY_FILE"),
    )
    .addOption(
      // A boolean option is turned on by any value of its variable, "false" and "" too.
      new Option("--tls-skip-verify", "disable the verification of the certificate")
        .env("ADC_TLS_SKIP_VERIFY").default(false),
    )
    .option("--no-managed-by-label", "disable injecting the label")
    .action(async (options) => {
      if (("tlsClientCertFile" in options) !== ("tlsClientKeyFile" in options)) {
        say(paint(
          "red",
          "TLS client certificate and key must be provided at the same time",
        ));
        return;
      }
      await run(options);
    });
}

function fileOption(flag, what) {
  return new Option(`${flag} <string>`, `path to the ${what}`).argParser((value) => {
    const path = resolve(value);
    if (!existsSync(path)) {
      throw new InvalidArgumentError(`The specified ${what} file does not exist`);
    }
    return path;
  });
}

/** A duration such as `10s`, `1h10m` or, in milliseconds, `500`; `undefined` for anything else. */
export function milliseconds(text) {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, "": 1 };
  let total;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)/g)) {
    total = (total ?? 0) + Number(amount) * units[unit];
  }
  return total;
}
