/**
 * Who runs beside whom.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import { DENO_PERMISSIONS } from "../../tests/e2e/homes.ts";
import { installTarball, nodeRuntime } from "../../tests/package/runtimes.ts";
import { repository } from "../../tests/package/tarball.ts";
import { compileBinary } from "../compile_binary.ts";
import { installPeers } from "./peers.ts";

/** The Node.js that all contestants on Node.js share: the oldest that adc-run supports. */
export const NODE = 20;

/** A way to run a command. */
export interface Contestant {
  /** What it is called in tables and results. */
  readonly name: string;
  /** The words in front of the command. */
  readonly prefix: readonly string[];
}

/** Everything that was found to be measured. */
export interface Field {
  /** Node.js, by its path. */
  readonly node: string;
  /** The folder in which the npm package is installed. */
  readonly installation: string;
  /** adc-run on Node.js. */
  readonly adcRun: Contestant;
  /** `dotenvx run`. */
  readonly dotenvx: Contestant;
  /** `dotenv`, of dotenv-cli. */
  readonly dotenvCli: Contestant;
  /** The same three, and adc-run in its other homes. */
  readonly wrappers: readonly Contestant[];
  /** Who was to be here and is not, and why. */
  readonly leftOut: readonly string[];
}

/**
 * Installs and builds the contestants.
 *
 * @param folder Where the binary is built.
 * @returns Those that could be had.
 * @throws {Error} Something other than the binary could not be built or installed.
 */
export async function gatherContestants(folder: string): Promise<Field> {
  const node = await nodeRuntime(NODE);
  const [installation, peers] = await Promise.all([installTarball(node), installPeers()]);
  const adcRun = { name: `adc-run (Node ${NODE})`, prefix: [node, installation.bin, "exec", "--"] };
  const dotenvCli = {
    name: `dotenv-cli ${peers.dotenvCli.version}`,
    prefix: [node, peers.dotenvCli.bin, "--"],
  };
  const dotenvx = {
    name: `dotenvx run ${peers.dotenvx.version}`,
    prefix: [node, peers.dotenvx.bin, "run", "--"],
  };
  const binary = await binaryOrReason(folder);
  return {
    node,
    installation: installation.folder,
    adcRun,
    dotenvx,
    dotenvCli,
    wrappers: [
      adcRun,
      {
        name: `adc-run (Node ${NODE}), --no-check`,
        prefix: [node, installation.bin, "--no-check", "exec", "--"],
      },
      { name: "adc-run (Deno)", prefix: [...denoCommand(), "exec", "--"] },
      ..."path" in binary
        ? [{ name: "adc-run (binary)", prefix: [binary.path, "exec", "--"] }]
        : [],
      dotenvCli,
      dotenvx,
    ],
    leftOut: "path" in binary ? [] : [binary.reason],
  };
}

function denoCommand(): readonly string[] {
  const run = ["run", "--quiet", "--no-prompt", `--config=${join(repository, "deno.json")}`];
  return [process.execPath, ...run, ...DENO_PERMISSIONS, join(repository, "src/cli/bin.ts")];
}

/** `deno compile` fetches a bare runtime, once for each version of Deno. */
async function binaryOrReason(
  folder: string,
): Promise<{ readonly path: string } | { readonly reason: string }> {
  const path = join(folder, "adc-run");
  try {
    await compileBinary(path);
    return { path };
  } catch (error) {
    const lines = (error as Error).message.split("\n");
    const line = lines.find((each) => /error sending request|denort/.test(each)) ?? lines.at(1);
    return { reason: `adc-run (binary): deno compile fails here: ${line?.trim()}` };
  }
}
