import { parseArgs } from "node:util";
import type { Environment } from "../context.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { nearest } from "../system/nearest.ts";
import {
  CONNECTION_FLAGS,
  GLOBAL_OPTIONS,
  type GlobalOption,
  type GlobalOptions,
  namesOf,
  type OptionSpec,
} from "./global_options.ts";

export interface CommandLine {
  readonly options: GlobalOptions;
  readonly words: readonly string[];
  readonly verbatim: boolean;
}

type GivenOptions = Record<string, unknown>;

export function readCommandLine(args: readonly string[], env: Environment = {}): CommandLine {
  const tokens = optionTokens(args, GLOBAL_OPTIONS);
  const first = tokens.find(({ kind }) => kind !== "option");
  const verbatim = first?.kind === "option-terminator";
  const words = first === undefined ? [] : args.slice(first.index + (verbatim ? 1 : 0));
  const before = first === undefined ? tokens : tokens.slice(0, tokens.indexOf(first));
  const given = givenOptions(before, { options: GLOBAL_OPTIONS });
  if (/^\d+$/.test(words[0] ?? "") && !verbatim && before.at(-1)?.name === "verbose") {
    throw new UsageError("Cannot use --verbose with a value here: it takes none", {
      suggestion: `ADC's own --verbose goes after the command: adc-run sync --verbose ${words[0]}`,
    });
  }
  return { options: withVariables(given, env), words, verbatim };
}

export function readOwnOptions(
  args: readonly string[],
  terms: { readonly options: readonly OptionSpec[]; readonly command: string },
): { readonly given: GivenOptions; readonly operands: readonly string[] } {
  const tokens = optionTokens(args, terms.options);
  const operands = tokens.flatMap(({ kind, value = "" }) => kind === "positional" ? [value] : []);
  return { given: givenOptions(tokens, terms), operands };
}

interface Token {
  readonly kind: "option" | "positional" | "option-terminator";
  readonly index: number;
  readonly word: string;
  readonly name?: string;
  readonly rawName?: string;
  readonly value?: string | undefined;
}

/** By the system's parser: commander takes longer to load than the rest of a run of another program. */
function optionTokens(args: readonly string[], options: readonly OptionSpec[]): readonly Token[] {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      options.map(namesOf).map(({ short, long, value }) => [
        long.slice(2),
        {
          type: value === "required" ? "string" : "boolean",
          ...(short !== undefined && { short: short[1]! }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.map((token) => ({ ...token, word: args[token.index]! }));
}

function givenOptions(
  tokens: readonly Token[],
  { options, command }: { readonly options: readonly OptionSpec[]; readonly command?: string },
): GivenOptions {
  const given: GivenOptions = {};
  for (const { kind, name, rawName = "", word, value } of tokens) {
    if (kind !== "option") continue;
    const option = options.find((each) => namesOf(each).long === `--${name}`);
    if (option === undefined) {
      // Of several letters in one word, the one that is meant.
      throw unknownOption(word.startsWith(rawName) ? word : rawName, { command, options });
    }
    noteOption(given, option, { rawName, value });
  }
  for (const option of options) {
    const { long, key } = namesOf(option);
    const value = given[key] as string | undefined;
    if (!option.closed || value === undefined || option.values?.includes(value)) continue;
    const all = (option.values as readonly string[]).join(" or ");
    throw new UsageError(`Cannot use ${long} "${value}": use ${all}`);
  }
  return given;
}

function noteOption(
  given: GivenOptions,
  option: OptionSpec & Partial<Pick<GlobalOption, "kind">>,
  { rawName, value }: { readonly rawName: string; readonly value: string | undefined },
): void {
  const { key, long, negated, value: takes } = namesOf(option);
  if (takes === undefined && value !== undefined) {
    throw new UsageError(`Cannot use ${rawName} with a value: it takes none`);
  }
  if (takes === "required" && (value === undefined || value === "--")) {
    throw new UsageError(`Option "${long}" has no value`);
  }
  const before = given[key];
  if (key === "profile" && before !== undefined && (before === false) !== negated) {
    throw new UsageError("Cannot use --profile with --no-profile");
  }
  const { kind } = option;
  if (value === undefined) given[key] = !negated;
  else if (option.repeats) given[key] = [...(before as string[] | undefined) ?? [], value];
  else if (kind === "list") given[key] = onlyList(long, value, before);
  else if (kind === "count") {
    given[key] = countOf(value);
    if (given[key] === undefined) {
      throw new UsageError(`Cannot use ${long} "${value}": it is not ${COUNT}`);
    }
  } else given[kind === "lifetime" ? `${key}Ttl` : key] = value;
}

function withVariables(given: GivenOptions, env: Environment): GlobalOptions {
  const variables = readVariables(env);
  for (const keys of GLOBAL_OPTIONS.map(keysOf)) {
    if (!keys.some((key) => key in given)) continue;
    for (const key of keys) delete variables[key];
  }
  const fromEnvironment = new Set(Object.keys(variables));
  return { check: true, mask: true, ...given, ...variables, fromEnvironment } as GlobalOptions;
}

export function keysOf(option: Pick<GlobalOption, "flags" | "kind">): readonly string[] {
  const { key } = namesOf(option);
  return option.kind === "lifetime" ? [key, `${key}Ttl`] : [key];
}

export function splitList(value: string): string[] {
  return value.split(",").map((each) => each.trim()).filter((each) => each !== "");
}

/** Takes the one list of an option apart, which a second one would replace without a word. */
function onlyList(name: string, value: string, before: unknown): string[] {
  if (!Array.isArray(before)) return splitList(value);
  throw new UsageError(`Cannot use ${name} twice`, {
    suggestion: "List all names once, separated by commas.",
  });
}

const COUNT = "a whole number from 1 to 1000";

function countOf(text: string): number | undefined {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 1000 ? count : undefined;
}

function readVariables(env: Environment): GivenOptions {
  const options: GivenOptions = {};
  for (const option of GLOBAL_OPTIONS) {
    const { variable, kind, readElsewhere } = option;
    const text = variable === undefined || readElsewhere ? undefined : env[variable];
    if (variable === undefined || !text) continue;
    const { key } = namesOf(option);
    const answer = yesOrNo(text);
    if (kind === "text") options[key] = text;
    else if (kind === "list") options[key] = splitList(text);
    else if (kind === "count") {
      options[key] = countOf(text);
      if (options[key] === undefined) throw wrongVariable(variable, COUNT);
    } else if (kind === "lifetime") {
      options[answer === undefined ? `${key}Ttl` : key] = answer ?? text;
    } else {
      if (answer === undefined) throw wrongVariable(variable, "true or false");
      if (key !== "profile") options[key] = variable.includes("_NO_") ? !answer : answer;
      // A child of a run for several targets has its own target's name, which counts.
      else if (answer && !env.ADC_RUN_PROFILE) options[key] = false;
    }
  }
  return options;
}

function yesOrNo(text: string): boolean | undefined {
  if (/^(1|true|yes|on)$/i.test(text.trim())) return true;
  return /^(0|false|no|off)$/i.test(text.trim()) ? false : undefined;
}

/** Without the value: people put tokens into the wrong variable. */
function wrongVariable(variable: string, wanted: string): ConnectionError {
  return new ConnectionError(`Cannot use ${variable}: its value is not ${wanted}`, EXIT.config);
}

/** Refuses to do something where a variable says that nothing is to be done: that is not to be ignored. */
export function requireNoDryRun(
  { dryRun, fromEnvironment }: Pick<GlobalOptions, "dryRun" | "fromEnvironment">,
  name: string,
): void {
  if (!dryRun || !fromEnvironment.has("dryRun")) return;
  throw new ConnectionError(
    `Cannot use ADC_RUN_DRY_RUN with "adc-run ${name}": it has no dry run`,
    EXIT.config,
    { suggestion: "Unset it for this command." },
  );
}

/** The word may hold a secret after its `=`, so only its name is shown. */
function unknownOption(
  word: string,
  { command, options }: {
    readonly command?: string | undefined;
    readonly options: readonly OptionSpec[];
  },
): UsageError {
  const names = options.map(namesOf).flatMap(({ short, long }) => short ? [short, long] : [long]);
  const [written = ""] = word.split("=");
  // A value can follow a short option without a space, and a long one where the equals sign was left out.
  const name = /^(-[a-zA-Z]|--[a-z]+(-[a-z]+)*)$/.test(written)
    ? written
    : `${written.slice(0, 2)}…`;
  // Own commands take ADC's flags themselves, or have no use for them.
  const adcs = command === undefined ? CONNECTION_FLAGS.map((each) => namesOf(each).long) : [];
  const meant = nearestOption(written, names) ?? nearestOption(written, adcs);
  const found = `Unknown option "${name}"`;
  return new UsageError(guessing(found, meant === name ? undefined : meant), {
    suggestion: meant !== undefined && adcs.includes(meant)
      ? `It is ADC's: put it after the command, as in "adc-run sync ${meant} …".`
      : `See "adc-run ${command === undefined ? "" : `${command} `}--help".`,
  });
}

export function guessing(found: string, meant: string | undefined): string {
  return meant === undefined ? found : `${found}: did you mean "${meant}"?`;
}

/** Any letter is near any other: of a short option only capitals and small letters are confused. */
function nearestOption(word: string, names: readonly string[]): string | undefined {
  if (word.startsWith("--")) {
    const long = names.filter((name) => name.startsWith("--")).map((name) => name.slice(2));
    return nearest(word.slice(2), long)?.replace(/^/, "--");
  }
  return names.find((name) => name.length === 2 && name.toLowerCase() === word.toLowerCase());
}
