import { CommanderError } from "commander";
import { UsageError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { AdcArguments, AdcFlags } from "./adc_arguments.ts";
import { adcCommand } from "./adc_command.ts";

/** What ADC takes, before any command, for "say something and end". */
const INFORMATION_OPTIONS: ReadonlySet<string> = new Set(["-v", "--version", "-h", "--help"]);

/**
 * Reads ADC's words.
 *
 * The parser is commander, as in ADC, so that a word which is another option's value (`-f --token`) is
 * not taken for an option, and every spelling that ADC accepts is accepted.
 */
export function parseAdcArguments(words: readonly string[]): AdcArguments {
  const command = words[0]?.startsWith("-") ? undefined : words[0];
  const { options, tokens } = parse(words);
  const { backend, server, gatewayGroup, timeout } = options;
  const { caCertFile, tlsClientCertFile, tlsClientKeyFile, tlsSkipVerify } = options;
  return {
    command,
    flags: compact({
      backend,
      server,
      gatewayGroup,
      timeout,
      caCertFile,
      tlsClientCertFile,
      tlsClientKeyFile,
      tlsSkipVerify,
    }),
    tokens: tokens.map((token) => new Secret(token)),
    words: withoutTokens(words, tokens.length),
    information: options.help === true ||
      (words[0] !== undefined && INFORMATION_OPTIONS.has(words[0])),
  };
}

interface ParsedOptions extends AdcFlags {
  readonly help?: boolean;
}

function parse(words: readonly string[]): { options: ParsedOptions; tokens: string[] } {
  const command = adcCommand();
  const tokens: string[] = [];
  command.on("option:token", (value: string) => tokens.push(value));
  try {
    command.parseOptions([...words]);
  } catch (error) {
    if (error instanceof CommanderError && error.code === "commander.optionMissingArgument") {
      const option = words.at(-1) ?? "";
      throw new UsageError(`ADC's option "${option}" has no value: it is the last word`, {
        suggestion: "Give it a value, or leave it out.",
        cause: error,
      });
    }
    throw error;
  }
  return { options: command.opts<ParsedOptions>(), tokens };
}

/**
 * Takes `--token VALUE` and `--token=VALUE` out of the words.
 *
 * Commander does not tell where in argv an option stood, so each candidate is put to the test: its value
 * is replaced by a word that occurs nowhere else, and if that word comes out as a token, it is one.
 */
function withoutTokens(words: readonly string[], count: number): readonly string[] {
  if (count === 0) return words;
  let probe = "adc-run-probe";
  while (words.some((word) => word.includes(probe))) probe += "-";
  const dropped = new Set<number>();
  words.forEach((word, index) => {
    const inline = word.startsWith("--token=");
    if (!inline && word !== "--token") return;
    const at = inline ? index : index + 1;
    if (at >= words.length) return;
    const probed = words.with(at, inline ? `--token=${probe}` : probe);
    if (hasToken(probed, probe)) dropped.add(index).add(at);
  });
  return words.filter((_, index) => !dropped.has(index));
}

/**
 * Another word in the place of an option may leave the next one without a value; then it is no token's place.
 */
function hasToken(words: readonly string[], token: string): boolean {
  try {
    return parse(words).tokens.includes(token);
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** Leaves out what is `undefined`, which `exactOptionalPropertyTypes` tells from absent. */
function compact(flags: { [K in keyof AdcFlags]: AdcFlags[K] | undefined }): AdcFlags {
  return Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined),
  ) as AdcFlags;
}
