import { readFileSync } from "node:fs";
import process from "node:process";

for (const file of process.argv.slice(2)) process.stdout.write(readFileSync(file));
