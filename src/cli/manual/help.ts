import { UsageError } from "../../errors.ts";
import { nearest } from "../../system/nearest.ts";
import { CONNECTION_FLAGS, GLOBAL_OPTIONS, namesOf, type OptionSpec } from "../global_options.ts";
import type { Io } from "../io.ts";
import { fixed, writeText } from "../output/out.ts";
import type { AdcCommand } from "./adc_commands.ts";
import {
  type CommandSpec,
  findPage,
  type ManualExample,
  type ManualTopic,
  type Page,
  pageNames,
  subcommandsOf,
  SYNOPSIS,
  type TextBlock,
  usageOf,
} from "./manual.ts";
import { TOPICS } from "./topics.ts";

const COMMAND_NOTE =
  "ADC's commands: ping dump diff sync validate lint convert. Everything after the command goes to ADC.";

const EXAMPLES = `Examples:
  adc-run sync -f adc.yaml
  adc-run -p staging,prod diff -f adc.yaml
  adc-run --ephemeral=10m sync -f adc.yaml
  adc-run auth login --server https://gateway.example.com:7443`;

export function helpText(name = ""): string {
  if (name === "") return mainHelp();
  const page = findPage(name);
  if (page !== undefined) return renderPage(page);
  // A word that strayed here may be a secret, so one is shown only where it is nearly one of ours.
  const meant = findPage(`auth ${name}`) ? `auth ${name}` : nearest(name, pageNames());
  throw new UsageError(
    meant === undefined
      ? "No help for that topic"
      : `No help topic "${name}": did you mean "${meant}"?`,
    {
      suggestion: `There is help for every command, and on ${
        TOPICS.map((topic) => topic.name).join(", ")
      }.`,
    },
  );
}

/** One screen: what has a variable is told by `adc-run help environment`. */
function mainHelp(): string {
  const options = GLOBAL_OPTIONS.map(({ flags, text }) => ({ flags, text }));
  const topics = wrap(
    `More: "adc-run help" with a command or one of ${
      TOPICS.map(({ name }) => name).join(", ")
    }; man adc-run`,
    80,
  );
  const usage = SYNOPSIS.map(([line, text]) => `  ${line.padEnd(47)} ${text}`.trimEnd());
  return [
    ["Usage:", ...usage].join("\n"),
    wrap(COMMAND_NOTE, 80).join("\n"),
    ["Options, before the command:", ...renderOptions(options)].join("\n"),
    EXAMPLES,
    topics.join("\n"),
  ].join("\n\n") + "\n";
}

const WIDTH = 80;

/** Beyond this an option's text starts on a line of its own. */
const MAX_FLAGS_WIDTH = 30;

export function renderPage(page: Page): string {
  switch (page.kind) {
    case "command":
      return renderCommand(page.command);
    case "adc":
      return renderAdcCommand(page.command);
    case "topic":
      return renderTopic(page.topic);
  }
}

function renderOptions(options: readonly OptionSpec[]): readonly string[] {
  const fitting = options.map(({ flags }) => flags.length).filter((each) =>
    each <= MAX_FLAGS_WIDTH
  );
  const width = Math.max(10, ...fitting);
  return options.flatMap(({ flags, text, variable }) => {
    const said = variable === undefined ? text : `${text} [${variable}]`;
    const lines = wrap(said, WIDTH - width - 4);
    const indent = " ".repeat(width + 4);
    const beside = flags.length <= width;
    return [
      ...(beside ? [] : [`  ${flags}`]),
      ...lines.map((line, index) =>
        index === 0 && beside ? `  ${flags.padEnd(width)}  ${line}` : `${indent}${line}`
      ),
    ];
  });
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

function renderCommand(command: CommandSpec): string {
  const [first = "", ...more] = usageOf(command);
  const rows = subcommandsOf(command.name).map(({ name, summary }) => ({
    flags: name,
    text: summary,
  }));
  return sections([
    [`Usage: ${first}`, ...more.map((line) => `       ${line}`)],
    ...renderText(command.description),
    ...(rows.length > 0 ? [renderOptions(rows)] : []),
    ...titled("Options:", renderOptions(command.options ?? [])),
    ...titled("Global options:", renderOptions(sharedOptions(command))),
    ...titled("Connection, as with ADC:", connectionLines(command)),
    ...renderExamples(command.examples),
    ...renderSeeAlso(command.seeAlso),
  ]);
}

function renderAdcCommand({ name, summary, connection }: AdcCommand): string {
  return sections([
    [`Usage: adc-run [options] ${name} [adc options]`],
    wrap(`${name} is a command of ADC: ${summary}.`, WIDTH),
    wrap(
      connection
        ? `adc-run finds a token, checks it, and runs "adc ${name}" with it. Everything after "${name}" goes to ADC.`
        : `It needs no token: adc-run runs "adc ${name}" as it is.`,
      WIDTH,
    ),
    [`ADC's own help: adc-run ${name} --help`],
  ]);
}

function renderTopic(topic: ManualTopic): string {
  const title = topic.summary[0]!.toUpperCase() + topic.summary.slice(1);
  return sections([
    [`${topic.name}: ${title}`],
    ...renderText(topic.text),
    ...renderExamples(topic.examples ?? []),
    ...renderSeeAlso(topic.seeAlso),
  ]);
}

function connectionLines(command: CommandSpec): readonly string[] {
  if (command.connection === undefined) return [];
  const flags = connectionFlags(command).map(({ flags }) => flags.split(" ")[0]!).join(", ");
  const variables = "; or ADC_SERVER and so on, in the environment and in .env";
  return wrap(command.connection === "to keep" ? flags : `${flags}${variables}`, WIDTH - 2)
    .map((line) => `  ${line}`);
}

function renderText(text: readonly TextBlock[]): readonly (readonly string[])[] {
  return text.map((block) => {
    if (typeof block === "string") return wrap(block, WIDTH);
    if (!("rows" in block)) return block.map((line) => `  ${line}`);
    return renderOptions(block.rows.map(([flags, text]) => ({ flags, text })));
  });
}

function renderExamples(examples: readonly ManualExample[]): readonly string[][] {
  const lines = examples.flatMap(([text, line]) => [`  # ${text}`, `  ${line}`]);
  return titled("Examples:", lines);
}

function renderSeeAlso(names: readonly string[] = []): readonly string[][] {
  if (names.length === 0) return [];
  return [wrap(`See also: ${names.map((name) => `adc-run help ${name}`).join(", ")}`, WIDTH)];
}

function titled(title: string, lines: readonly string[]): string[][] {
  return lines.length === 0 ? [] : [[title, ...lines]];
}

function sections(parts: readonly (readonly string[])[]): string {
  return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

export function help(words: readonly string[], io: Io): number {
  writeText(fixed(helpText(words.join(" "))), io, "stdout");
  return 0;
}
