import process from "node:process";
import type { Budget } from "./budgets.ts";
import type { Echo } from "./echo.ts";
import type { Overhead } from "./overhead.ts";
import type { Summary } from "./rounds.ts";
import { table } from "./table.ts";
import type { Targets } from "./targets.ts";
import type { Throughput } from "./throughput.ts";

/** All that one run of the bench found. */
export interface Results {
  /** What it ran on. */
  readonly machine: {
    /** The processor's name. */
    readonly processor: string;
    /** How many can be used. */
    readonly cores: number;
    /** How many processes wanted to run in the last minute. */
    readonly load: number;
  };
  /** What the wrappers ran. */
  readonly child: readonly string[];
  /** Time and memory. */
  readonly overhead: readonly Overhead[];
  /** Throughput. */
  readonly throughput: readonly Throughput[];
  /** How long a key takes to appear. */
  readonly echo: readonly Echo[];
  /** Runs for several targets. */
  readonly targets: readonly Targets[];
  /** What was promised. */
  readonly budgets: readonly Budget[];
  /** What was not measured, and why. */
  readonly leftOut: readonly string[];
}

/**
 * Prints the results.
 *
 * @param results The results.
 */
export function printResults(results: Results): void {
  const { machine, child, overhead, throughput, echo, targets, budgets, leftOut } = results;
  const { processor, cores, load } = machine;
  const parts = [
    `${processor}, ${cores} cores, load ${load.toFixed(1)}; median (quartiles)`,
    table(
      [
        { title: `around "${child.join(" ")}"`, align: "left" },
        { title: "ms" },
        { title: "" },
        { title: "adds ms" },
        { title: "peak MB, child not counted" },
      ],
      overhead.map(({ name, time, adds, memory }) => [
        name,
        ...median(time, 1),
        adds.toFixed(1),
        memory === undefined ? "-" : (memory / 1_000_000).toFixed(0),
      ]),
    ),
    table(
      [
        { title: "log with tokens", align: "left" },
        { title: "secrets" },
        { title: "MB/s" },
        { title: "" },
      ],
      throughput.map(({ name, secrets, rate }) => [
        name,
        String(secrets ?? "-"),
        ...median(rate, 0),
      ]),
    ),
    table(
      [{ title: "a key's echo", align: "left" }, { title: "ms" }, { title: "" }],
      echo.map(({ name, time }) => [name, ...median(time, 1)]),
    ),
    table(
      [
        { title: "targets, 8 at a time" },
        { title: "bare ms" },
        { title: "adc-run ms" },
        { title: "" },
        { title: "peak MB" },
      ],
      targets.map(({ count, bare, time, memory }) => [
        String(count),
        bare.median.toFixed(0),
        ...median(time, 0),
        memory === undefined ? "-" : (memory / 1_000_000).toFixed(0),
      ]),
    ),
    table(
      [{ title: "budget", align: "left" }, { title: "limit" }, { title: "measured" }, {
        title: "",
        align: "left",
      }],
      budgets.map(({ name, value, limit, bound, met }) => [
        name,
        `${bound} ${limit}`,
        value.toFixed(limit < 10 ? 2 : 0),
        met ? "met" : "MISSED",
      ]),
    ),
    ...leftOut.map((reason) => `LEFT OUT: ${reason}`),
  ];
  process.stdout.write(`${parts.map((part) => part.trimEnd()).join("\n\n")}\n`);
}

function median({ median, lower, upper }: Summary, digits: number): readonly [string, string] {
  return [median.toFixed(digits), `(${lower.toFixed(digits)}–${upper.toFixed(digits)})`];
}
