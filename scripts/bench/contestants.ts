/**
 * Who runs beside whom.
 *
 * @module
 */

import { join } from "node:path";
import process from "node:process";
import { DENO_PERMISSIONS } from "../../tests/support/homes.ts";
import { installTarball, nodeRuntime } from "../../tests/support/runtimes.ts";
import { repository } from "../../tests/support/tarball.ts";
import { BINARY_NAME, compileBinary } from "../compile_binary.ts";
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

/** Everything that is measured. */
export interface Field {
  /** Node.js, by its path. */
  readonly node: string;
  /** The folder in which the npm package is installed. */
  readonly installation: string;
  /** adc-run on Node.js. */
  readonly adcRun: Contestant;
  /** adc-run in one file. */
  readonly binary: Contestant;
  /** `dotenvx run`. */
  readonly dotenvx: Contestant;
  /** `dotenv`, of dotenv-cli. */
  readonly dotenvCli: Contestant;
  /** The same three, and adc-run in its other homes. */
  readonly wrappers: readonly Contestant[];
}

/**
 * Installs and builds the contestants.
 *
 * @param folder Where the binary is built.
 * @returns All of them.
 * @throws {Error} Something could not be built or installed.
 */
export async function gatherContestants(folder: string): Promise<Field> {
  const node = await nodeRuntime(NODE);
  const [installation, peers] = await Promise.all([installTarball(), installPeers()]);
  const adcRun = { name: `adc-run (Node ${NODE})`, prefix: [node, installation.bin, "exec", "--"] };
  const dotenvCli = {
    name: `dotenv-cli ${peers.dotenvCli.version}`,
    prefix: [node, peers.dotenvCli.bin, "--"],
  };
  const dotenvx = {
    name: `dotenvx run ${peers.dotenvx.version}`,
    prefix: [node, peers.dotenvx.bin, "run", "--"],
  };
  const file = join(folder, BINARY_NAME);
  await compileBinary(file);
  const binary = { name: "adc-run (binary)", prefix: [file, "exec", "--"] };
  return {
    node,
    installation: installation.folder,
    adcRun,
    binary,
    dotenvx,
    dotenvCli,
    wrappers: [
      adcRun,
      {
        name: `adc-run (Node ${NODE}), --no-check`,
        prefix: [node, installation.bin, "--no-check", "exec", "--"],
      },
      { name: "adc-run (Deno)", prefix: [...denoCommand(), "exec", "--"] },
      binary,
      dotenvCli,
      dotenvx,
    ],
  };
}

function denoCommand(): readonly string[] {
  const run = ["run", "--quiet", "--no-prompt", `--config=${join(repository, "deno.json")}`];
  return [process.execPath, ...run, ...DENO_PERMISSIONS, join(repository, "src/cli/bin.ts")];
}
