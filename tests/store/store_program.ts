/**
 * A process that works on adc-run's files, for tests that need many, and for those that kill them.
 *
 *     store_program.ts <task> <folder> [argument]
 *
 * It prints `ready`, and goes on at a line on standard input.
 *
 * @module
 */

import fs from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { openJournal } from "../../src/store/journal.ts";
import { JsonFile } from "../../src/store/json_file.ts";
import { withLock } from "../../src/store/lock.ts";
import { ownIdentity } from "../../src/store/process_identity.ts";
import { openState } from "../../src/store/state.ts";
import { tokenFile } from "../../src/store/token_file.ts";
import { Secret } from "../../src/secret.ts";

const [task = "", folder = "", argument = ""] = process.argv.slice(2);
/** What fifty at once on a slow machine may take. */
const PATIENCE = { timeout: 120_000 };

const TASKS: Readonly<Record<string, () => Promise<void>>> = {
  add: addEverywhere,
  "add up": addUp,
  "write on": writeOn,
  hold,
  identify: async () => say(JSON.stringify(await ownIdentity())),
  "write large": writeLarge,
};

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
say("ready");
await lines.next();
await TASKS[task]!();
process.exit();

async function addEverywhere(): Promise<void> {
  const origin = `https://host-${argument}:7443`;
  await openJournal(folder, PATIENCE)
    .add({ kind: "mint", origin, userId: "1", name: `name ${argument}` });
  await openState(folder, PATIENCE)
    .put({ account: origin, origin, storage: "file", fingerprint: "12345678" });
  await tokenFile(folder, PATIENCE).set(origin, new Secret(`a7ee-${argument}`));
}

/** Counts the runs under the lock in a way that loses some where two run at once, and notices it. */
async function addUp(): Promise<void> {
  const [counter, witness] = [join(folder, "counter"), join(folder, "witness")];
  for (let round = Number(argument); round > 0; round--) {
    await withLock(join(folder, "a.lock"), async () => {
      await fs.writeFile(witness, "", { flag: "wx" });
      const count = Number(await fs.readFile(counter, "utf8"));
      await fs.writeFile(counter, String(count + 1));
      await fs.rm(witness);
    }, PATIENCE);
  }
  say("done");
}

async function writeOn(): Promise<void> {
  const file = new JsonFile<{ readonly count: number; readonly filler: string }>({
    path: join(folder, "numbers.json"),
    read: ({ count }) => typeof count === "number" ? { count, filler: "" } : undefined,
    empty: { count: 0, filler: "" },
    what: "the numbers",
  });
  for (;;) {
    const { count } = await file.update(({ count }) => ({
      count: count + 1,
      filler: "x".repeat(50_000),
    }));
    say(String(count));
  }
}

async function hold(): Promise<void> {
  await withLock(join(folder, argument), async () => {
    say("held");
    await lines.next();
  }, PATIENCE);
}

async function writeLarge(): Promise<void> {
  try {
    await tokenFile(folder).set("https://large:7443", new Secret("a7ee-".padEnd(4096, "x")));
    say("written");
  } catch (error) {
    say(JSON.stringify({ name: (error as Error).name, message: (error as Error).message }));
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
