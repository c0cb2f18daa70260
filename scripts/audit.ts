/**
 * Asks the registry what is known to be vulnerable among what is locked for development, and among what npm
 * installs with the package: `deno task audit`.
 *
 * A vulnerability is a failure. A registry that cannot be asked is said aloud, and is a failure only where
 * `ADC_RUN_TEST_REQUIRE` has the word `audit` in it: not every machine that runs the tests may ask.
 *
 * @module
 */

import process from "node:process";
import { isRequired } from "../tests/support/required.ts";
import { runCommand } from "../tests/support/run_command.ts";
import type { CommandResult } from "../tests/support/run_command.ts";
import { installTarball } from "../tests/support/runtimes.ts";
import { repository } from "../tests/support/tarball.ts";

/** What the programs say where the registry's list was not to be had. */
const NOT_ASKED = /\/-\/npm\/v1\/security\/|error sending request|response from the npm registry/;

/** Whether something is known, or `undefined` where nobody could be asked. */
type Outcome = boolean | undefined;

async function audit(
  what: string,
  command: readonly [string, ...string[]],
  { cwd, judge }: {
    readonly cwd: string;
    /** What an exit code other than 0 means. */
    readonly judge: (result: CommandResult) => Outcome;
  },
): Promise<Outcome> {
  const result = await runCommand(command, { cwd });
  const vulnerable = result.code === 0 ? false : judge(result);
  if (vulnerable === undefined) {
    const output = `${result.stdout}${result.stderr}`;
    const reason = output.split("\n").find((line) => NOT_ASKED.test(line));
    if (reason === undefined) {
      throw new Error(`"${command.join(" ")}" exited with ${result.code}:\n${output}`);
    }
    sayNotAsked(what, reason.trim());
  } else {
    process.stdout.write(
      vulnerable
        ? `VULNERABLE, among ${what}:\n${result.stdout}\n`
        : `Nothing is known to be vulnerable among ${what}\n`,
    );
  }
  return vulnerable;
}

function sayNotAsked(what: string, reason: string): void {
  process.stderr.write(`SKIPPED: ${what} were not audited: ${reason}\n`);
}

const INSTALLED = "the packages that npm installs with adc-run";
const LOCKED = "the packages in deno.lock";

const installed = await audit(INSTALLED, ["npm", "audit", "--json", "--fetch-retries=0"], {
  // A folder with a package-lock.json; the tests name one.
  cwd: process.argv[2] ?? (await installTarball()).folder,
  judge: ({ stdout }) => {
    const { metadata } = JSON.parse(stdout);
    return metadata === undefined ? undefined : metadata.vulnerabilities.total > 0;
  },
});

let locked: Outcome;
if (installed === undefined) {
  // Deno does not look at an answer's status, and would take an empty refusal for an empty list.
  sayNotAsked(LOCKED, "npm could not ask the registry");
} else {
  locked = await audit(LOCKED, [process.execPath, "audit"], {
    cwd: repository,
    judge: ({ stdout }) => /^Found \d+ vulnerabilit/m.test(stdout) || undefined,
  });
}

const required = isRequired("audit");
const failed = [locked, installed].some((each) => each === true || required && each === undefined);
process.exitCode = failed ? 1 : 0;
