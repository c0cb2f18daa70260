/**
 * How fast the mask is, beside programs that do less or the same.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outputOf } from "../../tests/support/run_command.ts";
import type { Field } from "./contestants.ts";
import { writeLogFile } from "./log_file.ts";
import { wallTime } from "./measure.ts";
import type { Surroundings } from "./measure.ts";
import { canRedact } from "./peers.ts";
import { inRounds, progress, summarize } from "./rounds.ts";
import type { Summary } from "./rounds.ts";

/** The numbers of secrets. */
const SECRETS = [1, 10, 100] as const;

const inNode = fileURLToPath(new URL("mask_in_node.mjs", import.meta.url));

/** One row of the table. */
export interface Throughput {
  /** What was measured. */
  readonly name: string;
  /** How many secrets were looked for. */
  readonly secrets: number | undefined;
  /** Megabytes (10^6 bytes) in a second. */
  readonly rate: Summary;
}

/** What is needed to measure it. */
export interface ThroughputOptions extends Surroundings {
  /** The token of the run. */
  readonly token: string;
  /** About how long the log is, in bytes. */
  readonly size: number;
  /** How often each is measured. */
  readonly rounds: number;
}

/**
 * Measures how fast a log comes through.
 *
 * @param field Who takes part.
 * @param options The log, the token, how often.
 * @returns The rows, and who was left out.
 * @throws {Error} Something fails, or the mask did not replace each occurrence of the token.
 */
export async function measureThroughput(
  field: Field,
  options: ThroughputOptions,
): Promise<{ readonly rows: readonly Throughput[]; readonly leftOut: readonly string[] }> {
  const { token, rounds, cwd, env } = options;
  const log = join(cwd, "adc.log");
  progress("writing the log");
  const { size, occurrences } = await writeLogFile(log, options);
  const rate = (times: readonly number[]) => summarize(times.map((time) => size / 1000 / time));

  const rows: Throughput[] = [];
  const colored = join(cwd, "colored.log");
  const inMemory = [
    { name: "adc-run's mask in memory", path: log, size, occurrences },
    {
      name: "adc-run's mask in memory, colors",
      path: colored,
      ...await writeLogFile(colored, { ...options, colors: true }),
    },
  ];
  for (const secrets of SECRETS) {
    for (const { name, path, size, occurrences } of inMemory) {
      progress(`${name}, ${secrets} secrets`);
      const words = [field.installation, path, JSON.stringify(secretsFor(token, secrets))];
      const output = await outputOf([field.node, inNode, ...words, String(rounds)], { env });
      const { times, replaced } = JSON.parse(output);
      if (replaced !== occurrences) {
        throw new Error(`The mask replaced ${replaced} of ${occurrences} tokens`);
      }
      const rates = (times as readonly number[]).map((time) => size / 1000 / time);
      rows.push({ name, secrets, rate: summarize(rates) });
    }
  }

  const redacts = await canRedact(field.node, field.dotenvx.prefix[1]!);
  const pipes: { readonly name: string; readonly secrets?: number; run(): Promise<number> }[] = [
    {
      name: "cat LOG | cat",
      run: () => wallTime(["sh", "-c", 'cat "$1" | cat', "sh", log], options),
    },
    {
      name: "cat LOG | node, which masks nothing",
      run: () => {
        const pass = "process.stdin.pipe(process.stdout)";
        const script = 'cat "$1" | "$2" -e "$3"';
        return wallTime(["sh", "-c", script, "sh", log, field.node, pass], options);
      },
    },
    ...[field.adcRun, field.binary].map(({ name, prefix }) => ({
      name: `${name} exec -- cat LOG`,
      secrets: 1,
      run: () => wallTime([...prefix, "cat", log], options),
    })),
  ];
  for (const secrets of redacts ? SECRETS : []) {
    const file = join(cwd, `${secrets}.env`);
    const lines = secretsFor(token, secrets).map((secret, index) => `SECRET_${index}=${secret}\n`);
    await writeFile(file, lines.join(""));
    const [node, bin] = field.dotenvx.prefix;
    const command = [node!, bin!, "run", "--redact", "-f", file, "--", "cat", log];
    pipes.push({
      name: `${field.dotenvx.name} --redact -- cat LOG`,
      secrets,
      run: () => wallTime(command, options),
    });
  }
  const label = ({ name, secrets }: { readonly name: string; readonly secrets?: number }) =>
    `${name} ${secrets ?? ""}`;
  const times = await inRounds(new Map(pipes.map((pipe) => [label(pipe), pipe.run])), {
    rounds,
    what: "log through a pipe",
  });
  for (const pipe of pipes) {
    const { name, secrets } = pipe;
    rows.push({ name, secrets, rate: rate(times.get(label(pipe))!) });
  }
  return {
    rows,
    leftOut: redacts ? [] : [`${field.dotenvx.name} --redact: this version has no such option`],
  };
}

/** The token, and others that look like it and are nowhere in the log. */
function secretsFor(token: string, count: number): readonly string[] {
  const others = Array.from(
    { length: count - 1 },
    (_, index) => `a7ee-${createHash("sha256").update(`secret ${index}`).digest("base64url")}`,
  );
  return [token, ...others];
}
