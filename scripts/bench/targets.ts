import { chmod } from "node:fs/promises";
import { startSandbox } from "../../tests/sandbox/sandbox.ts";
import { temporaryFolder } from "../../tests/support/temporary_folder.ts";
import type { Field } from "./contestants.ts";
import { peakMemory, wallTime } from "./measure.ts";
import type { Surroundings } from "./measure.ts";
import { inRounds, summarize } from "./rounds.ts";
import type { Summary } from "./rounds.ts";

/** How many targets there are. */
const COUNTS = [1, 10, 100] as const;

/** How many run at a time. */
const PARALLEL = 8;

/** A run for several targets. */
export interface Targets {
  /** How many. */
  readonly count: number;
  /** Milliseconds of as many bare ADCs, as many at a time. */
  readonly bare: Summary;
  /** Milliseconds of adc-run. */
  readonly time: Summary;
  /** Bytes of adc-run at the peak. */
  readonly memory: number | undefined;
}

/**
 * Measures runs for several targets, each a gateway group of one server, beside bare ADCs that take as long.
 *
 * @param field Who takes part.
 * @param options The surroundings, and how often.
 * @returns A row for each number of targets.
 */
export async function measureTargets(
  { node, adcRun }: Field,
  { env, rounds }: Surroundings & { readonly rounds: number },
): Promise<readonly Targets[]> {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox();
  const all = groupNames(Math.max(...COUNTS));
  for (const name of all) sandbox.addGatewayGroup(name);
  try {
    const adc = await folder.write("adc", "#!/bin/sh\nexec sleep 0.3\n");
    await chmod(adc, 0o755);
    const target = { backend: "api7ee", server: sandbox.url };
    const profiles = Object.fromEntries(
      all.map((name) => [name, { ...target, gatewayGroup: name }]),
    );
    await folder.write("adc-run.json", JSON.stringify({ version: 1, profiles }));
    const options = { cwd: folder.path, env: { ...env, ADC_TOKEN: sandbox.addToken().value } };
    const rows: Targets[] = [];
    for (const count of COUNTS) {
      const names = groupNames(count);
      const words = ["-q", "--adc", adc, "-p", names.join(","), "--parallel", String(PARALLEL)];
      const own = [node, adcRun.prefix[1]!, ...words, "ping"];
      const list = await folder.write("names", names.join("\n"));
      const bare = ["xargs", "-a", list, "-P", String(PARALLEL), "-n", "1", adc];
      const times = await inRounds(
        new Map([
          ["bare", () => wallTime(bare, options)],
          ["own", () => wallTime(own, options)],
        ]),
        { rounds, what: `${count} targets` },
      );
      rows.push({
        count,
        bare: summarize(times.get("bare")!),
        time: summarize(times.get("own")!),
        memory: await peakMemory(own, options),
      });
    }
    return rows;
  } finally {
    await sandbox.close();
  }
}

function groupNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `group-${index}`);
}
