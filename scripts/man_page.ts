import process from "node:process";
import { ADC_COMMANDS } from "../src/cli/manual/manual.ts";
import { sharedOptions } from "../src/cli/manual/help.ts";
import { COMMANDS, SYNOPSIS, usageOf } from "../src/cli/manual/manual.ts";
import type { CommandSpec, ManualExample, TextBlock } from "../src/cli/manual/manual.ts";
import { EXIT_STATUS, TOPICS } from "../src/cli/manual/topics.ts";
import { CONNECTION_FLAGS, GLOBAL_OPTIONS } from "../src/cli/global_options.ts";
import type { OptionSpec } from "../src/cli/global_options.ts";

/** The man page's path in the npm package. */
export const MAN_PAGE = "man/adc-run.1";

/**
 * The manual as adc-run(1), in the man macros that groff and mandoc have in common.
 *
 * @param options The version and the date that stand at the foot of the page.
 * @returns The page's source.
 */
export function manPage(options: { readonly version: string; readonly date: Date }): string {
  const date = options.date.toISOString().slice(0, 10);
  return [
    `.TH ADC\\-RUN 1 ${date} "adc\\-run ${options.version}" "User Commands"`,
    ".SH NAME",
    "adc\\-run \\- find a token for ADC, check it, run ADC with it, and keep it secret",
    ".SH SYNOPSIS",
    ...literal(SYNOPSIS.map(([usage]) => usage)),
    ".SH DESCRIPTION",
    ...prose(
      "adc-run is the credential layer for ADC, the API Declarative CLI that manages API7 Enterprise and Apache APISIX gateways. Options before the command are adc-run's own; the command and everything after it go to ADC unchanged, except --token, which is moved to the environment. Standard output belongs to ADC; adc-run's own messages go to standard error.",
    ),
    ".SH OPTIONS",
    ...GLOBAL_OPTIONS.flatMap(term),
    ".SH COMMANDS",
    ...COMMANDS.flatMap(describeCommand),
    `.SH "ADC'S COMMANDS"`,
    ...ADC_COMMANDS.flatMap(({ name, summary }) => term({ flags: name, text: summary })),
    ".SH CONNECTION OPTIONS",
    ...prose("These are ADC's options, and adc-run's own commands accept them too."),
    ...CONNECTION_FLAGS.flatMap(term),
    // The options stand above, and the exit codes have a section that every man page has.
    ...TOPICS.filter(({ name }) => name !== "options").flatMap(({ name, text, examples = [] }) => [
      `.SH ${escape(name.toUpperCase())}`,
      // No paragraph begins right behind a heading.
      ...text.filter((each) => each !== EXIT_STATUS && each !== "Exit codes:").flatMap(block)
        .slice(1),
      ...describeExamples(examples),
    ]),
    ".SH EXIT STATUS",
    ...block(EXIT_STATUS),
    ".SH FILES",
    ...FILES.flatMap(([flags, text]) => term({ flags, text })),
    ".SH SEE ALSO",
    "https://github.com/adc\\-run/adc\\-run, https://github.com/api7/adc",
    "",
  ].join("\n");
}

/** A build is repeatable where this variable, which many tools know, names its time. */
export function buildDate(): Date {
  const { SOURCE_DATE_EPOCH: seconds } = process.env;
  return seconds ? new Date(Number(seconds) * 1000) : new Date();
}

const FILES: readonly (readonly [name: string, text: string])[] = [
  ["~/.config/adc-run/config.json", "your own profiles and workflows"],
  ["~/.config/adc-run/tokens.json", "the tokens of --storage file"],
  [
    "~/.config/adc-run/state.json, journal.json",
    "what is known of stored tokens, and what an interrupted run has to clean up",
  ],
  ["adc-run.json", "a project's profiles, in the working directory"],
  [".env", "ADC's settings, in the working directory"],
];

const CONNECTION_NOTES = {
  "to connect": "It accepts the connection options.",
  "with the stored token": "It accepts the connection options, except --token.",
  "to keep": "It accepts the connection options, except --token.",
} as const;

function describeCommand(command: CommandSpec): readonly string[] {
  const options = [...command.options ?? [], ...sharedOptions(command)];
  return [
    `.SS adc\\-run ${escape(command.name)}`,
    ...literal(usageOf(command)),
    ...command.description.flatMap(block),
    ...options.flatMap(term),
    ...(command.connection ? [".PP", ...prose(CONNECTION_NOTES[command.connection])] : []),
    ...describeExamples(command.examples),
  ];
}

function describeExamples(examples: readonly ManualExample[]): readonly string[] {
  return examples.flatMap(([text, line]) => [
    ".PP",
    ...prose(`${text}:`),
    ".RS 4",
    ...literal([line]),
    ".RE",
  ]);
}

function block(text: TextBlock): readonly string[] {
  if (typeof text === "string") return [".PP", ...prose(text)];
  if (!("rows" in text)) return [".PP", ".RS 4", ...literal(text), ".RE"];
  return text.rows.flatMap(([flags, each]) => term({ flags, text: each }));
}

function term({ flags, text, variable }: OptionSpec): readonly string[] {
  return [".TP", `.B ${escape(flags)}`, ...prose(variable ? `${text} [${variable}]` : text)];
}

function literal(lines: readonly string[]): readonly string[] {
  return [".nf", ...lines.map(escape), ".fi"];
}

/** A line that started with a period or a quote would be taken for a macro. */
function prose(text: string): readonly string[] {
  return [escape(text)];
}

/** Plain hyphens, quotes and carets would come out as typographic ones, and could not be copied. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(/^\./, "\\&.");
}
