/**
 * A console with adc-run in it, all of whose streams are pipes: says with a file that it is time for Ctrl-C,
 * and with another how adc-run ended. Windows sends Ctrl-C to all processes of a console.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const [mode, folder, command, adc] = process.argv.slice(2);
const [node, ...words] = JSON.parse(command);
const ready = () => writeFileSync(join(folder, "ready"), "");

process.on("SIGINT", () => {});
const helper = `require("fs").writeFileSync(${JSON.stringify(join(folder, "ready"))}, "");` +
  "setInterval(() => {}, 1000)";
const settings = {
  // The child is there, and has a handler of its own.
  child: { ADC_TOKEN: "a7ee-0123456789abcdef" },
  // No child is there yet: the helper does not answer.
  early: { ADC_TOKEN_COMMAND: JSON.stringify([process.execPath, "-e", helper]) },
};
const child = spawn(node, [
  ...words,
  ...mode === "child" ? ["--no-check"] : [],
  "--adc",
  adc,
  "sync",
  "--trap",
  "SIGINT:42",
], {
  cwd: folder,
  env: { ...process.env, ...settings[mode], ADC_SERVER: "http://127.0.0.1:9" },
});
let output = "";
child.stderr.on("data", (text) => output += text);
child.stdout.on("data", (text) => {
  output += text;
  if (output.endsWith("ready\n")) ready();
});
child.on("close", (code) => {
  writeFileSync(join(folder, "ended"), JSON.stringify({ code, output }));
  process.exit();
});
