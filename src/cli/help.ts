import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { GLOBAL_OPTIONS } from "./manual/global_options.ts";
import { findPage, pageNames, SYNOPSIS } from "./manual/manual.ts";
import { renderOptions, renderPage, wrap } from "./manual/render.ts";
import { TOPICS } from "./manual/topics.ts";

const COMMAND_NOTE =
  "ADC's commands: ping dump diff sync validate lint convert. From the command on, every word is ADC's.";

const EXAMPLES = `Examples:
  adc-run sync -f adc.yaml
  adc-run -p staging,prod diff -f adc.yaml
  adc-run --ephemeral=10m sync -f adc.yaml
  adc-run auth login --server https://gateway.example.com:7443`;

/** The help on a command or a topic. */
export function helpText(name = ""): string {
  if (name === "") return mainHelp();
  const page = findPage(name);
  if (page !== undefined) return renderPage(page);
  // A word that strayed here may be a secret, so one is shown only where it is nearly one of ours.
  const meant = findPage(`auth ${name}`) ? `auth ${name}` : nearest(name, pageNames());
  throw new UsageError(
    meant === undefined
      ? "There is no help on that"
      : `There is no help on "${name}": did you mean "${meant}"?`,
    {
      suggestion: `There are pages on every command and on ${
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
