/**
 * Compiles the command for this system: `deno task binary [FILE]`, `binaries/adc-run` by default.
 *
 * @module
 */

import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { BINARY_NAME, compileBinary } from "./compile_binary.ts";

const path = resolve(process.argv[2] ?? `binaries/${BINARY_NAME}`);
await mkdir(dirname(path), { recursive: true });
await compileBinary(path);
