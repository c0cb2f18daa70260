/**
 * Calls the system's keychain as its arguments say, one after another, and prints what came of each.
 *
 *     get https://h  set https://h VALUE  delete https://h
 *
 * @module
 */

import process from "node:process";
import { Secret } from "../../src/secret.ts";
import { KeychainError, systemKeychain } from "../../src/token/keychain.ts";

async function answer(words: string[]): Promise<unknown> {
  const keychain = systemKeychain();
  const [what, account = ""] = words.splice(0, 2);
  try {
    if (what === "get") return (await keychain.get(account))?.reveal() ?? "no entry";
    if (what === "delete") return await keychain.delete(account);
    await keychain.set(account, new Secret(words.shift() ?? ""));
    return "set";
  } catch (error) {
    if (!(error instanceof KeychainError)) throw error;
    const { failure, message, suggestion } = error;
    return { failure, message, suggestion };
  }
}

const words = process.argv.slice(2);
const answers: unknown[] = [];
while (words.length > 0) answers.push(await answer(words));
process.stdout.write(JSON.stringify(answers), () => process.exit());
