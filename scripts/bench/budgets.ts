import type { Field } from "./contestants.ts";
import type { Echo } from "./echo.ts";
import type { Overhead } from "./overhead.ts";
import type { Throughput } from "./throughput.ts";

/** Something that was promised, and what came of it. */
export interface Budget {
  /** What is measured. */
  readonly name: string;
  /** What was measured. */
  readonly value: number;
  /** What it is to be at most, or at least. */
  readonly limit: number;
  /** Which of the two. */
  readonly bound: "at most" | "at least";
  /** Whether it is. */
  readonly met: boolean;
}

/** Of the time that `dotenvx run` adds. */
const SHARE_OF_DOTENVX = 0.6;

/** Of the time that `dotenv-cli` adds, which checks and masks nothing. */
const SHARE_OF_DOTENV_CLI = 1.6;

/** Milliseconds over what `script` takes. */
const ECHO = 20;

/** Megabytes in a second. */
const MASK_RATE = 600;

/** Where each line has colours. */
const COLOURED_MASK_RATE = 200;

/**
 * Compares what was measured with what it is to be.
 *
 * @param field Who took part.
 * @param results What was measured.
 * @returns The budgets.
 */
export function judgeBudgets(
  field: Field,
  { overhead, throughput, echo }: {
    readonly overhead: readonly Overhead[];
    readonly throughput: readonly Throughput[];
    readonly echo: readonly Echo[];
  },
): readonly Budget[] {
  const adds = (name: string) => overhead.find((row) => row.name === name)!.adds;
  const own = adds(field.adcRun.name);
  return [
    atMost(`adc-run adds / ${field.dotenvx.name} adds`, {
      value: own / adds(field.dotenvx.name),
      limit: SHARE_OF_DOTENVX,
    }),
    atMost(`adc-run adds / ${field.dotenvCli.name} adds`, {
      value: own / adds(field.dotenvCli.name),
      limit: SHARE_OF_DOTENV_CLI,
    }),
    atMost("ms that a key's echo takes longer than in script", {
      value: echo[1]!.time.median - echo[0]!.time.median,
      limit: ECHO,
    }),
    ...throughput.filter(({ name }) => name.includes("in memory")).map(
      ({ name, rate, secrets }): Budget => {
        const isColoured = name.includes("colours");
        const limit = isColoured ? COLOURED_MASK_RATE : MASK_RATE;
        return {
          name: `MB/s through the mask, ${isColoured ? "colours, " : ""}secrets: ${secrets}`,
          value: rate.median,
          limit,
          bound: "at least",
          met: rate.median >= limit,
        };
      },
    ),
  ];
}

function atMost(
  name: string,
  { value, limit }: { readonly value: number; readonly limit: number },
): Budget {
  return { name, value, limit, bound: "at most", met: value <= limit };
}
