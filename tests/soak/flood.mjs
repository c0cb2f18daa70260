/**
 * A child that prints much with its token in it: `node flood.mjs MEBIBYTES`.
 *
 * @module
 */

import process from "node:process";
import { blocksIn, period, repeat } from "./periodic.mjs";

const { block } = repeat(period(process.env.ADC_TOKEN ?? "").text);
for (let left = blocksIn(Number(process.argv[2]), block); left > 0; left--) {
  await new Promise((resolve, reject) =>
    process.stdout.write(block, (error) => error ? reject(error) : resolve())
  );
}
