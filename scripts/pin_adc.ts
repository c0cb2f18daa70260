/**
 * Pins the SHA-256 sums of a release of ADC, so that `adc-run install-adc` takes it without `--sha256`:
 *
 *     deno run -A scripts/pin_adc.ts VERSION [FILE]
 *
 * It downloads the archive of every system, and writes the sums into `src/adc/install/pins.ts`, or FILE.
 * Compare them with those that GitHub shows beside the files before you commit them: what is pinned here is
 * what everybody runs. `ADC_RUN_DOWNLOAD_URL` names a mirror.
 *
 * @module
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { download } from "../src/adc/install/download.ts";
import { PINS } from "../src/adc/install/pins.ts";
import { RELEASED_SYSTEMS, releaseFor } from "../src/adc/install/release.ts";

const MOST_BYTES = 256 * 1024 * 1024;

const [version, file = fileURLToPath(new URL("../src/adc/install/pins.ts", import.meta.url))] =
  process.argv.slice(2);
if (version === undefined) throw new Error("Usage: deno run -A scripts/pin_adc.ts VERSION [FILE]");

const { env } = process;
const sums: Record<string, string> = {};
const scratch = await mkdtemp(join(tmpdir(), "adc-run-pin-"));
try {
  for (const system of RELEASED_SYSTEMS) {
    const { archive, url } = releaseFor({ env, version, system });
    sums[system] = await download(url, join(scratch, archive), { env, maxBytes: MOST_BYTES });
    process.stdout.write(`${sums[system]}  ${archive}\n`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

const pins = { ...PINS, [releaseFor({ env, version }).version]: sums };
const lines = Object.entries(pins).map(([version, sums]) => {
  const inner = Object.entries(sums).map(([system, sum]) => `    ${system}: "${sum}",\n`).join("");
  return `  "${version}": {\n${inner}  },\n`;
});
await writeFile(
  file,
  "// Made by scripts/pin_adc.ts; see CONTRIBUTING.md.\n\n" +
    "/** The SHA-256 sums of ADC's release archives, by version and system. */\n" +
    "export const PINS: Readonly<Record<string, Readonly<Record<string, string>>>> = {\n" +
    `${lines.join("")}};\n`,
);
