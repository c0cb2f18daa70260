import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../tests/support/run_command.ts";
import { cachedFolder } from "../../tests/support/test_cache.ts";

/** Fixed, so that two runs of the bench compare the same things. */
const PACKAGES = { "dotenv-cli": "11.0.0", "@dotenvx/dotenvx": "2.38.2" };

/** A command that was installed from npm. */
export interface Peer {
  /** The command, a symlink in `node_modules/.bin`. */
  readonly bin: string;
  /** The version of its package. */
  readonly version: string;
}

/** What adc-run is measured against. */
export interface Peers {
  /** `dotenv`. */
  readonly dotenvCli: Peer;
  /** `dotenvx`. */
  readonly dotenvx: Peer;
}

/**
 * Installs the peers from npm into the tests' cache, unless they are there already.
 *
 * @returns Their commands.
 * @throws {Error} npm fails.
 */
export async function installPeers(): Promise<Peers> {
  const versions = Object.values(PACKAGES);
  const folder = await cachedFolder(`peers-${versions.join("-")}`, async (folder) => {
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
    await outputOf(
      ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", ...packages],
      { cwd: folder },
    );
  });
  const peer = async (name: string, command: string): Promise<Peer> => ({
    bin: join(folder, "node_modules", ".bin", command),
    version: JSON.parse(
      await readFile(join(folder, "node_modules", name, "package.json"), "utf8"),
    ).version,
  });
  return {
    dotenvCli: await peer("dotenv-cli", "dotenv"),
    dotenvx: await peer("@dotenvx/dotenvx", "dotenvx"),
  };
}

/**
 * Whether this dotenvx masks output.
 *
 * @param node The Node.js that it runs with.
 * @param dotenvx The command.
 * @returns Whether `dotenvx run` has an option `--redact`.
 */
export async function canRedact(node: string, dotenvx: string): Promise<boolean> {
  return (await outputOf([node, dotenvx, "run", "--help"])).includes("--redact");
}
