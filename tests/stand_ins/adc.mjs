#!/usr/bin/env node
/**
 * A stand-in for ADC, for tests on machines without it: the same flags, variables, first requests,
 * output and exit codes as ADC 0.28.0, leaks included, and next to nothing behind them.
 *
 * Needs `commander` and `dotenv`, as ADC does, from the repository's node_modules.
 *
 * @module
 */

import process from "node:process";
import dotenv from "dotenv";
import { createProgram } from "./adc/program.mjs";

dotenv.config({ quiet: true });
await createProgram().parseAsync(process.argv);
