import type { Field } from "./contestants.ts";
import type { Echo } from "./echo.ts";
import { NODE_ALONE, type Overhead } from "./overhead.ts";
import type { Targets } from "./targets.ts";
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
const SHARE_OF_DOTENV_CLI = 1.5;

/** Of the same, for the binary. */
const BINARY_SHARE_OF_DOTENV_CLI = 0.65;

/** Of the time that Node.js takes to start and to do nothing, for the binary. */
const BINARY_SHARE_OF_NODE = 1.15;

/** Of what `cat LOG | cat` passes on. */
const SHARE_OF_CAT = 0.7;

/** Of the time that as many bare ADCs take. */
const SHARE_OF_BARE_TARGETS = 1.1;

/** Megabytes, with 100 targets. */
const TARGETS_MEMORY = 72;

/** Milliseconds over what `script` takes. */
const ECHO = 20;

/** Megabytes in a second. */
const MASK_RATE = 600;

/** Where each line has colors. */
const COLORED_MASK_RATE = 200;

/**
 * Compares what was measured with what it is to be.
 *
 * @param field Who took part.
 * @param results What was measured.
 * @returns The budgets.
 */
export function judgeBudgets(
  field: Field,
  { overhead, throughput, echo, targets }: {
    readonly overhead: readonly Overhead[];
    readonly throughput: readonly Throughput[];
    readonly echo: readonly Echo[];
    readonly targets: readonly Targets[];
  },
): readonly Budget[] {
  const adds = (name: string) => overhead.find((row) => row.name === name)!.adds;
  const time = (name: string) => overhead.find((row) => row.name === name)!.time.median;
  const rate = (name: string) => throughput.find((row) => row.name === name)!.rate.median;
  const most = targets.at(-1)!;
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
    atMost(`adc-run's binary adds / ${field.dotenvCli.name} adds`, {
      value: adds(field.binary.name) / adds(field.dotenvCli.name),
      limit: BINARY_SHARE_OF_DOTENV_CLI,
    }),
    atMost("adc-run's binary / node -e 0", {
      value: time(field.binary.name) / time(NODE_ALONE),
      limit: BINARY_SHARE_OF_NODE,
    }),
    atLeast("exec -- cat LOG / cat LOG | cat, MB/s", {
      value: rate(`${field.adcRun.name} exec -- cat LOG`) / rate("cat LOG | cat"),
      limit: SHARE_OF_CAT,
    }),
    atMost(`${most.count} targets / as many bare ADCs`, {
      value: most.time.median / most.bare.median,
      limit: SHARE_OF_BARE_TARGETS,
    }),
    atMost(`MB at the peak, ${most.count} targets`, {
      value: (most.memory ?? 0) / 1_000_000,
      limit: TARGETS_MEMORY,
    }),
    atMost("ms that a key's echo takes longer than in script", {
      value: echo[1]!.time.median - echo[0]!.time.median,
      limit: ECHO,
    }),
    ...throughput.filter(({ name }) => name.includes("in memory")).map(
      ({ name, rate, secrets }): Budget => {
        const isColored = name.includes("colors");
        const limit = isColored ? COLORED_MASK_RATE : MASK_RATE;
        return atLeast(
          `MB/s through the mask, ${isColored ? "colors, " : ""}secrets: ${secrets}`,
          {
            value: rate.median,
            limit,
          },
        );
      },
    ),
  ];
}

function atLeast(
  name: string,
  { value, limit }: { readonly value: number; readonly limit: number },
): Budget {
  return { name, value, limit, bound: "at least", met: value >= limit };
}

function atMost(
  name: string,
  { value, limit }: { readonly value: number; readonly limit: number },
): Budget {
  return { name, value, limit, bound: "at most", met: value <= limit };
}
