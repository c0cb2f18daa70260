/**
 * Real shells at a real terminal, with lines typed into them as a person does.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, readFile } from "node:fs/promises";
import process from "node:process";
import { collect } from "../support/adc_run.ts";
import type { Home } from "../support/homes.ts";
import { isRequired } from "../support/required.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

/** A shell whose completion is tested. */
export type TestedShell = "bash" | "zsh" | "fish";

const PROMPT = "ready%% ";

/** How each is started without anybody's settings, and what it is told first. */
const SHELLS: Readonly<Record<TestedShell, { readonly command: string; readonly first: string }>> =
  {
    bash: {
      command: "exec bash --noprofile --norc -i",
      first: `PS1='ready%''% '; eval "$(adc-run completion bash)"`,
    },
    zsh: {
      command: "exec zsh -f -i",
      first:
        `autoload -Uz compinit; compinit -u -D; eval "$(adc-run completion zsh)"; PROMPT='ready%%'%'% '`,
    },
    fish: {
      command: "exec fish --no-config -i",
      first: `adc-run completion fish | source; function fish_prompt; printf '%s%s ' ready% %; end`,
    },
  };

/** Where Debian has the completions of all other programs for bash. */
export const BASH_COMPLETION = "/usr/share/bash-completion/bash_completion";

/**
 * Why a shell is not tested here; said aloud, and not accepted where it is required.
 *
 * @param shell The shell.
 * @param file A file that the test needs besides.
 * @returns The reason, or `false` where it can be tested or, by ADC_RUN_TEST_REQUIRE=shells, must be.
 */
export function shellSkip(shell: TestedShell, file?: string): string | false {
  const required = isRequired("shells");
  const found = process.platform === "linux" && !spawnSync("script", ["--version"]).error &&
    !spawnSync(shell, ["--version"]).error && (file === undefined || existsSync(file));
  if (found || required) return false;
  const needed = [shell, "script(1)", ...file === undefined ? [] : [file]].join(", ");
  const reason = `completion in ${shell} is not tested: one is missing of ${needed}`;
  process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}

/** What was typed, and what it led to. */
export interface Typed {
  /** The arguments of each call of adc-run that was not about completion. */
  readonly calls: readonly (readonly string[])[];
  /** Everything that was shown. */
  readonly screen: string;
}

/**
 * Types lines into a shell, each once the one before is done.
 *
 * @param shell The shell.
 * @param lines The lines, with `\t` where TAB is hit, and `\x15` (Ctrl-U) at the end where the line is given up.
 * @param place Where adc-run lives, the folder to work in, and a line for the shell's settings.
 * @returns The calls of adc-run, which here does nothing but complete.
 */
export async function typeInto(
  shell: TestedShell,
  lines: readonly string[],
  place: { readonly home: Home; readonly folder: TemporaryFolder; readonly settings?: string },
): Promise<Typed> {
  const { home, folder, settings } = place;
  const words = home.command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const program = await folder.write(
    "bin/adc-run",
    `#!/bin/sh
case $1 in complete | completion) exec ${words} "$@" ;; esac
printf '%s\\0' "$@" >>"$CALLS"
printf '\\n' >>"$CALLS"
`,
  );
  await chmod(program, 0o755);
  const calls = await folder.write("calls", "");
  const { command, first } = SHELLS[shell];
  const keys = [...settings === undefined ? [] : [settings], ...lines, "exit"];
  let sent = 0;
  const env = {
    PATH: `${folder.path}/bin:${process.env.PATH}`,
    CALLS: calls,
    TERM: "xterm",
    ADC_RUN_CONFIG_DIR: `${folder.path}/configuration`,
    SHELL: "/bin/sh",
  };
  const ended = await collect(
    ["script", "--quiet", "--return", "--command", command, "/dev/null"],
    {
      cwd: folder.path,
      env,
      whenStarted: (child) => {
        // A shell that never shows its prompt would keep the tests waiting for ever.
        const limit = setTimeout(() => child.kill("SIGKILL"), 120_000);
        child.on("close", () => clearTimeout(limit));
        child.stdin?.write(`${first}\r`);
      },
      onStdout: (screen, child) => {
        while (sent < keys.length && screen.split(PROMPT).length - 1 > sent) {
          child.stdin?.write(`${keys[sent++]}\r`);
        }
      },
    },
  );
  const written = await readFile(calls, "utf8");
  return {
    calls: written.split("\n").slice(0, -1).map((call) => call.split("\0").slice(0, -1)),
    screen: ended.stdout,
  };
}
