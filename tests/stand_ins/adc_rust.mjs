#!/usr/bin/env node
/**
 * The stand-in's second personality: the ADC that is written in Rust, released beside the other one. It reads
 * its words by clap's rules, `.env` by dotenvy's, and says other things on other streams.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { ClapExit, readWords } from "./adc/clap.mjs";
import { loadDotenvy } from "./adc/dotenvy.mjs";
import { runRust } from "./adc/rust.mjs";

try {
  loadDotenvy(readFileSync(".env"), process.env);
} catch {
  // No file, or none that can be read: ADC goes on without a word.
}
try {
  await runRust(readWords(process.argv.slice(2), process.env));
} catch (error) {
  const isExit = error instanceof ClapExit;
  process.exitCode = isExit ? error.code : 1;
  const text = isExit ? `${error.message}\n` : `Error: ${error.message}\n`;
  (process.exitCode === 0 ? process.stdout : process.stderr).write(text);
}
