/**
 * A real terminal with a program in it, for a test that types and reads.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { inTerminal, shellWords } from "./in_terminal.ts";
import { outputOf } from "./run_command.ts";

/** A program that does not say what a test waits for would keep it waiting for ever; in milliseconds. */
const LIMIT = 30_000;

/** A program in a terminal of 80 columns and 24 rows. */
export interface Screen {
  /** All that was shown so far. */
  readonly shown: string;
  /** Settles with the text so far, once a pattern is in what was shown since the last `until()`. */
  until(pattern: RegExp): Promise<string>;
  /** Types. */
  type(keys: string): void;
  /** Changes the terminal's size. */
  resize(columns: number, rows: number): Promise<void>;
  /** What the program ended with, once all is read. */
  end(): Promise<number | null>;
  /** Takes the terminal away. */
  close(): void;
  /** Stops and goes on with reading, as a slow terminal does. */
  pause(): void;
  resume(): void;
}

/**
 * Starts a program in a terminal.
 *
 * @param command The program and its arguments.
 * @param options Its environment and working directory.
 * @returns What a person has of it.
 */
export async function openScreen(
  command: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Promise<Screen> {
  const first = `stty cols 80 rows 24; tty; exec ${shellWords(command)}`;
  const [file, ...args] = inTerminal(["sh", "-c", first]);
  const terminal = spawn(file!, args, { env, cwd, stdio: ["pipe", "pipe", "inherit"] });
  let shown = "";
  let seen = 0;
  let over = false;
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const each of waiting) each();
  };
  terminal.stdout.on("data", (data) => {
    shown += data.toString("latin1");
    tell();
  });
  terminal.once("close", () => {
    over = true;
    tell();
  });
  /** Waits until something is so; `false` where the program ended before. */
  const wait = (isSo: () => boolean, what: string) =>
    new Promise<boolean>((resolve, reject) => {
      const look = () => {
        const met = isSo();
        if (!met && !over) return;
        clearTimeout(limit);
        waiting.delete(look);
        resolve(met);
      };
      const limit = setTimeout(() => {
        waiting.delete(look);
        // What the program started loses its terminal with it.
        terminal.kill("SIGKILL");
        reject(new Error(`Waited in vain for ${what} behind ${JSON.stringify(shown.slice(seen))}`));
      }, LIMIT);
      waiting.add(look);
      look();
    });
  await wait(() => shown.includes("\n"), "the terminal's name");
  const [device] = shown.split("\r\n") as [string];
  const start = device.length + 2;
  seen = start;
  return {
    get shown() {
      return shown.slice(start);
    },
    until: async (pattern) => {
      let found: RegExpExecArray | null = null;
      const isSo = () => (found = pattern.exec(shown.slice(seen))) !== null;
      if (!await wait(isSo, String(pattern))) {
        throw new Error(`The program ended, and ${pattern} is not in ${JSON.stringify(shown)}`);
      }
      seen += found!.index + found![0].length;
      return shown;
    },
    end: async () => {
      await wait(() => over, "the end");
      return terminal.exitCode;
    },
    type: (keys) => void terminal.stdin.write(keys),
    resize: async (columns, rows) => {
      await outputOf(["stty", "-F", device, "cols", `${columns}`, "rows", `${rows}`]);
    },
    close: () => void terminal.kill("SIGKILL"),
    pause: () => void terminal.stdout.pause(),
    resume: () => void terminal.stdout.resume(),
  };
}
