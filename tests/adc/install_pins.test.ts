import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { it } from "node:test";
import { pathToFileURL } from "node:url";
import { RELEASED_SYSTEMS, releaseFor } from "../../src/adc/install/release.ts";
import { runtimeCommand, standIn } from "../stand_ins/run_stand_in.ts";
import { temporaryFolder } from "../temporary_folder.ts";
import { fileServer, sumOf } from "./install_fixture.ts";

it("`pin_adc.ts` writes the sum of every system's archive", async () => {
  await using folder = await temporaryFolder();
  await using server = await fileServer((request, response) => response.end(request.url));
  const file = join(folder.path, "pins.ts");
  const mirror = { ADC_RUN_DOWNLOAD_URL: server.url };
  const [command, ...args] = runtimeCommand(standIn("../../scripts/pin_adc.ts"));
  const child = spawn(command, [...args, "v9.8.7", file], { env: { ...process.env, ...mirror } });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  const { PINS } = await import(pathToFileURL(file).href);
  const sums = RELEASED_SYSTEMS.map((system) => {
    const { url } = releaseFor({ env: mirror, version: "9.8.7", system });
    return [system, sumOf(Buffer.from(url.pathname))] as const;
  });
  assert.deepEqual(PINS["9.8.7"], Object.fromEntries(sums));
  for (const [system, sum] of sums) assert.match(text, new RegExp(`${sum}  adc_9.8.7_${system}`));
});
