import { UsageError } from "../../errors.ts";
import { nearest } from "../../system/nearest.ts";
import { CONNECTION_FLAGS, GLOBAL_OPTIONS, namesOf, type OptionSpec } from "../global_options.ts";
import type { Io } from "../io.ts";
import { guessing } from "../options.ts";
import { widthOf, wrap } from "../output/layout.ts";
import { fixed, writeText } from "../output/out.ts";
import {
  ADC_COMMANDS,
  type AdcCommand,
  type CommandSpec,
  findPage,
  type ManualExample,
  type ManualTopic,
  type Page,
  pageNames,
  shownWord,
  subcommandsOf,
  type TextBlock,
  usageOf,
} from "./manual.ts";
import { TOPICS } from "./topics.ts";

const MAX_WIDTH = 80;

export function helpText(name = "", width = MAX_WIDTH): string {
  if (name === "") return wrap(mainHelp(), Math.min(width, MAX_WIDTH));
  const page = findPage(name);
  if (page !== undefined) return renderPage(page, width);
  const meant = findPage(`auth ${name}`) ? `auth ${name}` : nearest(name, pageNames());
  const before = pageNames().findLast((each) => name.startsWith(`${each} `));
  if (meant === undefined && before !== undefined && subcommandsOf(before).length === 0) {
    throw new UsageError('Too many words: "adc-run help" takes one command or topic', {
      suggestion: `adc-run help ${before}`,
    });
  }
  const found = `No help topic "${meant === undefined ? shownWord(name) : name}"`;
  const topics = TOPICS.map((topic) => topic.name).join(", ");
  throw new UsageError(guessing(found, meant), {
    suggestion: `There is help for every command, and on ${topics}.`,
  });
}

function mainHelp(): string {
  const names = (command: string) =>
    `${command} ${subcommandsOf(command).map(({ name }) => name).join(", ")}`;
  return sections([
    ["Run ADC with a token that works and stays secret."],
    [
      `  adc-run sync -f adc.yaml  any ADC command: ${
        ADC_COMMANDS.map(({ name }) => name).join(", ")
      }`,
      "  adc-run exec -- CMD       any other program",
      "  adc-run -p dev,eu diff    several targets",
    ],
    [
      `Tokens    ${names("auth")}`,
      `Targets   ${names("profile")}`,
      "Trouble   doctor, --dry-run",
      "More      api, completion; help options, help COMMAND, help TOPIC",
      `Topics    ${TOPICS.map(({ name }) => name).join(", ")}`,
    ],
  ]);
}

/** Beyond this an option's text starts on a line of its own. */
const MAX_FLAGS_WIDTH = 30;

export function renderPage(page: Page, width = MAX_WIDTH): string {
  const parts = page.kind === "command"
    ? commandParts(page.command)
    : page.kind === "adc"
    ? adcParts(page.command)
    : topicParts(page.topic);
  const most = Math.min(width, MAX_WIDTH);
  return sections(
    parts.map((lines) =>
      "copied" in lines ? lines.copied : lines.map((each) => wrap(each, most, 0))
    ),
  );
}

/** Lines that are wrapped, or lines to copy, which must stay as they are. */
type Parts = readonly (readonly string[] | { readonly copied: readonly string[] })[];

function renderOptions(options: readonly OptionSpec[]): readonly string[] {
  const fitting = options.map(({ flags }) => flags.length).filter((each) =>
    each <= MAX_FLAGS_WIDTH
  );
  const width = Math.max(10, ...fitting);
  return options.flatMap(({ flags, text, variable }) => {
    const said = variable === undefined ? text : `${text} [${variable}]`;
    // A label of its own for the second line's indent.
    if (flags.length > width) return [`  ${flags}`, wrapAt(said, width + 4)].flat();
    return [`  ${flags.padEnd(width)}  ${said}`];
  });
}

function wrapAt(text: string, column: number): readonly string[] {
  const indent = " ".repeat(column);
  return wrap(text, MAX_WIDTH - column, 0).split("\n").map((each) => indent + each);
}

export function sharedOptions({ shared = [] }: CommandSpec): readonly OptionSpec[] {
  return GLOBAL_OPTIONS.filter((option) => shared.includes(namesOf(option).long));
}

/** ADC's connection flags that a command takes. What is kept is never a token. */
export function connectionFlags({ connection }: CommandSpec): readonly OptionSpec[] {
  if (connection === undefined) return [];
  if (connection === "to connect") return CONNECTION_FLAGS;
  return CONNECTION_FLAGS.filter(({ flags }) => !flags.startsWith("--token "));
}

function commandParts(command: CommandSpec): Parts {
  const [first = "", ...more] = usageOf(command);
  const rows = subcommandsOf(command.name).map(({ name, summary }) => ({
    flags: name,
    text: summary,
  }));
  const globals = sharedOptions(command).map((each) => namesOf(each).long);
  return [
    [`Usage: ${first}`, ...more.map((line) => `       ${line}`)],
    ...textParts(command.description),
    ...(rows.length > 0 ? [renderOptions(rows)] : []),
    ...titled("Options:", renderOptions(command.options ?? [])),
    ...(globals.length === 0
      ? []
      : [[`Global options (adc-run help options): ${globals.join(", ")}`]]),
    ...titled("Connection, as with ADC:", connectionLines(command)),
    ...exampleParts(command.examples),
    ...seeAlsoParts(command.seeAlso),
  ];
}

function adcParts({ name, summary, connection }: AdcCommand): Parts {
  return [
    [`Usage: adc-run [options] ${name} [adc options]`],
    [`${name} is a command of ADC: ${summary}.`],
    [
      connection
        ? `adc-run finds a token, checks it, and runs "adc ${name}" with it. Everything after "${name}" goes to ADC.`
        : `It needs no token: adc-run runs "adc ${name}" directly.`,
    ],
    [`ADC's own help: adc-run ${name} --help`],
  ];
}

function topicParts(topic: ManualTopic): Parts {
  const title = topic.summary[0]!.toUpperCase() + topic.summary.slice(1);
  return [
    [`${topic.name}: ${title}`],
    ...textParts(topic.text),
    ...exampleParts(topic.examples ?? []),
    ...seeAlsoParts(topic.seeAlso),
  ];
}

function connectionLines(command: CommandSpec): readonly string[] {
  if (command.connection === undefined) return [];
  const flags = connectionFlags(command).map(({ flags }) => flags.split(" ")[0]!).join(", ");
  const variables = "; or ADC_SERVER and so on, in the environment and in .env";
  return [`  ${command.connection === "to keep" ? flags : `${flags}${variables}`}`];
}

function textParts(text: readonly TextBlock[]): Parts {
  return text.map((block) => {
    if (typeof block === "string") return [block];
    if (!("rows" in block)) return { copied: block.map((line) => `  ${line}`) };
    return renderOptions(block.rows.map(([flags, text]) => ({ flags, text })));
  });
}

function exampleParts(examples: readonly ManualExample[]): Parts {
  const lines = examples.flatMap(([text, line]) => [`  # ${text}`, `  ${line}`]);
  return lines.length === 0 ? [] : [{ copied: ["Examples:", ...lines] }];
}

function seeAlsoParts(names: readonly string[] = []): Parts {
  if (names.length === 0) return [];
  return [[`See also: ${names.map((name) => `adc-run help ${name}`).join(", ")}`]];
}

function titled(title: string, lines: readonly string[]): Parts {
  return lines.length === 0 ? [] : [[title, ...lines]];
}

function sections(parts: readonly (readonly string[])[]): string {
  return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

export function help(words: readonly string[], io: Io): number {
  writeText(fixed(helpText(words.join(" "), widthOf(io, "stdout"))), io, "stdout");
  return 0;
}
