/**
 * Installs ADC in a process of its own, which tests can kill: the folder, the mirror and the sum are in its
 * environment.
 *
 * @module
 */

import process from "node:process";
import { installAdc } from "../../src/adc/install/install_adc.ts";

const { how } = await installAdc({
  env: process.env,
  onStep: (step) => process.stdout.write(`${step}\n`),
});
process.stdout.write(`${how}\n`);
