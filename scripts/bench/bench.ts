/**
 * Time, memory and throughput of adc-run beside its peers: `deno task bench`.
 *
 *     --rounds N         how often each wrapper is started (default 15)
 *     --mask-rounds N    how often the log goes through (default 5)
 *     --log-size MB      how long the log is (default 256)
 *     --child COMMAND    what the wrappers run, split at spaces (default "true")
 *     --json FILE        writes the results there as well
 *
 * All wrappers find the same `.env` and run the same child; adc-run checks the token with a sandbox on
 * loopback meanwhile. What counts are the ratios: they hold on a machine that others use, too. A budget that
 * is missed is said loudly and is no failure.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bareEnvironment } from "../../tests/support/adc_run.ts";
import { runCommand } from "../../tests/support/run_command.ts";
import { temporaryFolder } from "../../tests/support/temporary_folder.ts";
import { judgeBudgets } from "./budgets.ts";
import { gatherContestants } from "./contestants.ts";
import { measureEcho } from "./echo.ts";
import { measureOverhead } from "./overhead.ts";
import { printResults } from "./results.ts";
import type { Results } from "./results.ts";
import { progress } from "./rounds.ts";
import { measureTargets } from "./targets.ts";
import { measureThroughput } from "./throughput.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "15" },
    "mask-rounds": { type: "string", default: "5" },
    "log-size": { type: "string", default: "256" },
    "child": { type: "string", default: "true" },
    "json": { type: "string" },
  },
});

function positive(name: "rounds" | "mask-rounds" | "log-size"): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a whole number from 1, not "${values[name]}"`);
}

const KEYS = 50;

/** In a process of its own: what this one does meanwhile would count as the server's time. */
async function startServer() {
  const program = fileURLToPath(new URL("../../tests/sandbox/serve.ts", import.meta.url));
  const child = spawn(process.execPath, ["run", "-A", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  const { url, tokenFile } = JSON.parse(String(line));
  return {
    url: url as string,
    token: (await readFile(tokenFile, "utf8")).trim(),
    close: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}

async function bench(): Promise<Results> {
  const rounds = positive("rounds");
  const maskRounds = positive("mask-rounds");
  const size = positive("log-size") * 1_000_000;
  await using folder = await temporaryFolder();
  const { url, token, close } = await startServer();
  try {
    await folder.write(".env", `ADC_TOKEN=${token}\nADC_SERVER=${url}\nADC_BACKEND=api7ee\n`);
    progress("installing and building");
    const field = await gatherContestants(folder.path);
    const surroundings = { cwd: folder.path, env: bareEnvironment(folder.path) };
    const child = values.child.split(" ");
    const refused = await runCommand(field.adcRun.prefix.concat("true") as [string], {
      ...surroundings,
      env: { ...surroundings.env, ADC_TOKEN: `${token}x` },
    });
    if (refused.code !== 77) throw new Error("adc-run did not check the token");
    const overhead = await measureOverhead(field, { ...surroundings, child, rounds });
    const { rows, leftOut } = await measureThroughput(field, {
      ...surroundings,
      token,
      size,
      rounds: maskRounds,
    });
    progress("typing");
    const echo = await measureEcho(field, { ...surroundings, keys: KEYS });
    const targets = await measureTargets(field, { ...surroundings, rounds: maskRounds });
    return {
      machine: {
        processor: cpus()[0]?.model ?? "unknown",
        cores: availableParallelism(),
        load: loadavg()[0]!,
      },
      child,
      overhead,
      throughput: rows,
      echo,
      targets,
      budgets: judgeBudgets(field, { overhead, throughput: rows, echo, targets }),
      leftOut,
    };
  } finally {
    await close();
  }
}

const results = await bench();
printResults(results);
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
}
