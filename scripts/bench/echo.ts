import { openScreen } from "../../tests/support/screen.ts";
import type { Field } from "./contestants.ts";
import type { Surroundings } from "./measure.ts";
import { summarize, type Summary } from "./rounds.ts";

/** How long a key takes to appear. */
export interface Echo {
  /** What stands between the keyboard and `cat`. */
  readonly name: string;
  /** Milliseconds. */
  readonly time: Summary;
}

/**
 * Measures how long a key takes to appear in a terminal in a terminal: adc-run's, which holds back what may
 * be the start of a secret, as the key typed here does, and that of `script`, which passes on all.
 *
 * @param field Who takes part.
 * @param options The surroundings, and how many keys.
 * @returns A row each.
 */
export async function measureEcho(
  { adcRun }: Field,
  { cwd, env, keys }: Surroundings & { readonly keys: number },
): Promise<readonly Echo[]> {
  const contestants = {
    "script -c cat": ["script", "--quiet", "--return", "--command", "cat", "/dev/null"],
    [`${adcRun.name} exec -- cat`]: [...adcRun.prefix, "cat"],
  };
  const rows: Echo[] = [];
  for (const [name, command] of Object.entries(contestants)) {
    const screen = await openScreen(command, { cwd, env: { ...env, TERM: "xterm" } });
    screen.type("ready\r");
    await screen.until(/ready\r\nready/);
    const times: number[] = [];
    for (let key = 0; key < keys; key++) {
      const typed = performance.now();
      screen.type("a");
      await screen.until(/a/);
      times.push(performance.now() - typed);
    }
    screen.type("\r\x04");
    await screen.end();
    rows.push({ name, time: summarize(times) });
  }
  return rows;
}
