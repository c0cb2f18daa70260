/**
 * What ADC prints, all of it on standard output, and how.
 *
 * @module
 */

import process from "node:process";

const CODES = { gray: 90, red: 31, green: 32, yellow: 33, blue: 34 };
const LABELS = {
  start: ["▶", "green"],
  success: ["✔", "green"],
  error: ["✖", "red"],
  fatal: ["✖", "red"],
  star: ["★", "yellow"],
  debug: ["⬤", "red"],
};

/** Whether to color: FORCE_COLOR decides, then NO_COLOR, then whether there is a terminal. */
export function colored() {
  const { FORCE_COLOR: forced, NO_COLOR: none } = process.env;
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (none !== undefined && none !== "") return false;
  return process.stdout.isTTY === true;
}

/** Colors a text, if there are colors. */
export function paint(color, text) {
  return colored() ? `\u001b[${CODES[color]}m${text}\u001b[39m` : text;
}

/** Prints a line. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** A log in the shape of Signale's, quiet at verbosity 0 but for what is fatal. */
export function createLog(verbose) {
  function line(label, text, scope = "ADC") {
    if (verbose <= 0 && label !== "fatal") return;
    const [symbol, color] = LABELS[label];
    const time = new Date().toLocaleTimeString("en-US");
    const name = colored() ? `\u001b[4m${label}\u001b[24m` : label;
    const padding = " ".repeat(10 - label.length);
    say(
      `${paint("gray", `[${time}]`)} ${paint("gray", `[${scope}]`)} ${paint("gray", "›")} ` +
        `${paint(color, `${symbol} `)} ${paint(color, name + padding)}${text}`,
    );
  }
  return {
    line,
    debug: (text, scope) => {
      if (verbose === 2) line("debug", text, scope);
    },
    /** Runs a task between its start and its end. */
    task: async (title, run) => {
      line("start", title);
      try {
        const result = await run();
        line("success", title);
        return result;
      } catch (error) {
        line("error", title);
        throw error;
      }
    },
  };
}
