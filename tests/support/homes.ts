/**
 * The homes of adc-run.
 *
 * `ADC_RUN_TEST_HOMES` chooses others than the usual ones, for example `deno,node22`, or `all`. In one home
 * alone, every test runs.
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
  const { installTarball, nodeRuntime } = await import("./runtimes.ts");
  const node = await nodeRuntime(major);
  const { bin } = await installTarball();
  // Through the symlink in node_modules/.bin, as users run it.
  return { name: `node${major}`, command: [node, bin] };
}

async function bunHome(): Promise<Home> {
  const { bunRuntime, installTarball } = await import("./runtimes.ts");
  const { bin } = await installTarball();
  // Bun would load `.env` into the environment by itself, where everything passes for the user's own.
  return { name: "bun", command: [await bunRuntime(), "--no-env-file", bin] };
}

async function binaryHome(): Promise<Home> {
  const { binary } = await import("./binary.ts");
  return { name: "binary", command: [await binary()] };
}

/** On Windows, where `deno task test:windows` has started the tests under Wine. */
async function wineHome(name: string): Promise<Home> {
  const { ADC_RUN_TEST_WINE: command } = process.env;
  if (command === undefined) throw new Error(`The home "${name}" is for "deno task test:windows"`);
  return await Promise.resolve({ name, command: JSON.parse(command) });
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
  "wine": () => wineHome("wine"),
  "wine-binary": () => wineHome("wine-binary"),
} as const;

export type HomeName = keyof typeof HOMES;

/** The npm package and the binary under Wine: homes that only `deno task test:windows` has. */
export const WINE_HOMES: readonly HomeName[] = ["wine", "wine-binary"];

/** Whether all is asked for, what no home differs in too, such as the binaries for other systems. */
export const isEverything: boolean = process.env.ADC_RUN_TEST_HOMES === "all";

/** The homes by what they run on, the one that is preferred first; the binary starts the fastest. */
const ENGINES: readonly (readonly HomeName[])[] = [
  ["binary", "bun"],
  ["node20", "node22", "node24", "node26"],
  ["deno"],
  ["wine"],
  ["wine-binary"],
];

/** Those that the tests run in unless they are told otherwise: each engine once. */
const USUAL_HOMES: readonly HomeName[] = ["node20", "binary", "deno"];

/**
 * In how many homes a test is worth its time:
 *
 * - `every home`: streams, signals, terminals, TLS, proxies, the keychain, files, exit codes
 * - `every engine`: what a version of Node.js does not change, such as a server that breaks off
 * - `one home`: what is decided by adc-run alone, such as a message, a profile or a completion
 */
export type Spread = "every home" | "every engine" | "one home";

/**
 * The homes that were asked for, as far as a test needs them.
 *
 * @param spread In how many of them.
 * @default every one
 * @returns Each with its command.
 * @throws {Error} A home is unknown or cannot be built; it is never left out in silence.
 */
export async function testHomes(
  spread: Spread = "every home",
): Promise<readonly [Home, ...Home[]]> {
  const asked = askedHomes();
  const engines = ENGINES.flatMap((names) => names.find((name) => asked.includes(name)) ?? []);
  const names = { "every home": asked, "every engine": engines, "one home": engines.slice(0, 1) };
  const homes: Home[] = [];
  for (const name of names[spread]) homes.push(await HOMES[name]());
  return homes as [Home, ...Home[]];
}

function askedHomes(): readonly HomeName[] {
  const { ADC_RUN_TEST_HOMES: given } = process.env;
  if (given === undefined) return USUAL_HOMES;
  if (isEverything) {
    return (Object.keys(HOMES) as HomeName[]).filter((name) => !WINE_HOMES.includes(name));
  }
  return given.split(",").map((name) => {
    if (!Object.hasOwn(HOMES, name)) throw new Error(`ADC_RUN_TEST_HOMES: there is no "${name}"`);
    return name as HomeName;
  });
}
