/**
 * The homes of adc-run: the same suite runs against each.
 *
 * `ADC_RUN_TEST_HOMES` narrows the choice, for example to `deno,node20`.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";

/** The smallest permissions that work; the README states the same. */
export const DENO_PERMISSIONS = [
  "--allow-env",
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-run",
  "--allow-ffi",
  "--allow-sys=hostname,uid,homedir",
] as const;

/** A home, and the words that start adc-run there. */
export interface Home {
  /** For test names. */
  readonly name: string;
  /** Program and first arguments. */
  readonly command: readonly string[];
}

const repository = fileURLToPath(new URL("../..", import.meta.url));

async function denoHome(): Promise<Home> {
  const deno = "deno" in process.versions ? process.execPath : process.env.DENO ?? "deno";
  const run = [deno, "run", "--quiet", "--no-prompt", `--config=${repository}deno.json`];
  return await Promise.resolve({
    name: "deno",
    command: [...run, ...DENO_PERMISSIONS, `${repository}src/cli/bin.ts`],
  });
}

async function nodeHome(major: number): Promise<Home> {
  const { installTarball, nodeRuntime } = await import("../package/runtimes.ts");
  const node = await nodeRuntime(major);
  const { bin } = await installTarball();
  // Through the symlink in node_modules/.bin, as users run it.
  return { name: `node${major}`, command: [node, bin] };
}

async function bunHome(): Promise<Home> {
  const { bunRuntime, installTarball } = await import("../package/runtimes.ts");
  const { bin } = await installTarball();
  // Bun would load `.env` into the environment by itself, where everything passes for the user's own.
  return { name: "bun", command: [await bunRuntime(), "--no-env-file", bin] };
}

async function binaryHome(): Promise<Home> {
  const { binary } = await import("../package/binary.ts");
  return { name: "binary", command: [await binary()] };
}

/** Every home that there is. */
export const HOMES = {
  deno: denoHome,
  node20: () => nodeHome(20),
  node22: () => nodeHome(22),
  node24: () => nodeHome(24),
  node26: () => nodeHome(26),
  bun: bunHome,
  binary: binaryHome,
} as const;

/** Those that the tests run in unless they are told otherwise: each kind once, and the oldest. */
export const USUAL_HOMES: readonly string[] = ["deno", "node20", "node24"];

/**
 * The homes that were asked for.
 *
 * @returns Each with its command.
 * @throws {Error} A home is unknown or cannot be built; it is never left out in silence.
 */
export async function testHomes(): Promise<readonly Home[]> {
  const names = process.env.ADC_RUN_TEST_HOMES?.split(",") ?? USUAL_HOMES;
  const homes: Home[] = [];
  for (const name of names) {
    if (!Object.hasOwn(HOMES, name)) throw new Error(`ADC_RUN_TEST_HOMES: there is no "${name}"`);
    homes.push(await HOMES[name as keyof typeof HOMES]());
  }
  return homes;
}
