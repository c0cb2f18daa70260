/**
 * One sandbox, one keychain and one configuration folder, for many runs in every home.
 *
 * @module
 */

import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ending } from "../support/adc_run.ts";
import type { Home } from "../support/homes.ts";
import { startKeychainSession } from "../support/keychain_session.ts";
import { fingerprint, takeTurns, tokenFixture } from "../support/token_fixture.ts";
import type { TokenFixture, TokenRunOptions } from "../support/token_fixture.ts";
import { connectionsTo, lastLeft, processesWith } from "./processes.ts";

/**
 * Says whose token it has, tries to print it, and ends with the number that stands in a file's place, or
 * when it is told to.
 */
const ADC = `#!/bin/sh
printf %s "$ADC_TOKEN" | sha256sum
echo "leak: $ADC_TOKEN"
if [ "$3" = wait ]; then exec sleep 600; fi
exit "$3"
`;

/** What adc-run says where the keychain is slow; nothing was started or changed then. */
const SLOW_KEYCHAIN = /keychain\W.*(?:no response within \d+ s|it does not respond)\b/;

/** The binary loads its keychain's binding out of a file, which Bun leaves for the next run of the same user. */
const KEYCHAIN_BINDING = /^\.bun-\d+-[0-9a-f]{16}\.node$/;

/** How often a keychain is asked that is slow. */
const ATTEMPTS = 5;

/** An entry of the keychain, and the token in it. */
export interface Account {
  /** The profile, or `undefined` for the server's own entry. */
  readonly profile: string | undefined;
  /** The entry's account. */
  readonly key: string;
  /** The token's name on the server. */
  readonly name: string;
}

/** What many runs share. */
export interface SoakScene extends TokenFixture {
  /** A program in ADC's place. */
  readonly adc: string;
  /** The variables that lead to the server, the keychain and the folders. */
  readonly surroundings: Readonly<Record<string, string>>;
  /**
   * Runs adc-run in the next home, and counts. A run that a slow keychain ended is repeated when no other is
   * being repeated: where 200 ask a keychain at once that needs 50 ms for each, five seconds are too short,
   * and to say so is no wrong answer.
   */
  readonly run: (words: readonly string[], options?: TokenRunOptions) => Promise<Ending>;
  /** How many runs there were. */
  readonly runs: number;
  /** How many runs were repeated. */
  readonly repeated: number;
  /** What the keychain has for an account. */
  readonly stored: (key: string) => Promise<string | undefined>;
  /** What one's own profile file has. */
  readonly profiles: () => Promise<Readonly<Record<string, Readonly<Record<string, unknown>>>>>;
  /**
   * Fails unless exactly these accounts have a token, on the server, in the keychain and among what
   * adc-run knows of them, and nothing else is left: no entry in the journal, no session, no file, no
   * process, no connection.
   */
  readonly assertNothingLeft: (accounts: readonly Account[]) => Promise<void>;
}

function isSlow({ code, stdout, stderr }: Ending): boolean {
  return code === 74 && SLOW_KEYCHAIN.test(stderr + stdout);
}

/**
 * Makes a scene.
 *
 * @param homes Where adc-run lives; each run takes the next.
 * @returns The scene; `await using` ends it.
 */
export async function openSoakScene(homes: readonly Home[]): Promise<SoakScene> {
  const session = await startKeychainSession();
  let it: TokenFixture;
  try {
    it = await tokenFixture(homes[0]!);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
  const { sandbox, folder, config } = it;
  const adc = await folder.write("adc", ADC);
  await chmod(adc, 0o755);
  const temporary = join(folder.path, "temporary");
  await mkdir(temporary);
  const nextHome = takeTurns(homes);
  const { DBUS_SESSION_BUS_ADDRESS = "" } = session.env;
  const surroundings = { ...it.env, DBUS_SESSION_BUS_ADDRESS, TMPDIR: temporary };
  let [runs, repeated] = [0, 0];
  /** Settles when the last run that had to be repeated has been. */
  let calm: Promise<unknown> = Promise.resolve();

  async function stored(key: string): Promise<string | undefined> {
    const words = ["secret-tool", "lookup", "service", "adc-run", "username", key];
    const { stdout } = await session.run(words);
    return stdout.trimEnd() || undefined;
  }

  /** The accounts of all entries. `secret-tool` shows attributes on one stream or the other. */
  async function storedAccounts(): Promise<readonly string[]> {
    const words = ["secret-tool", "search", "--all", "service", "adc-run"];
    const { stdout, stderr } = await session.run(words);
    return [...`${stdout}\n${stderr}`.matchAll(/^attribute\.username = (.*)$/gm)]
      .map(([, account]) => account!);
  }

  async function assertNothingLeft(accounts: readonly Account[]): Promise<void> {
    await it.assertSettled(accounts.map(({ name }) => name));
    assert.deepEqual([...await storedAccounts()].sort(), accounts.map(({ key }) => key).sort());
    const known = new Map((await it.entries("state.json")).map((each) => [each.account, each]));
    assert.deepEqual([...known.keys()].sort(), accounts.map(({ key }) => key).sort());
    for (const { key, name } of accounts) {
      const token = sandbox.liveTokens.find((each) => each.name === name)!;
      assert.equal(await stored(key), token.value, `${key}: the token that is stored works`);
      const { id, fingerprint: known8, name: knownName } = known.get(key)!;
      assert.deepEqual([id, known8, knownName], [token.id, fingerprint(token.value), name]);
    }
    const files = (await readdir(config)).filter((name) =>
      !["config.json", "state.json", "journal.json"].includes(name)
    );
    assert.deepEqual(files, [], "no lock and no temporary file stays");
    const lying = await readdir(temporary);
    assert.deepEqual(lying.filter((name) => !KEYCHAIN_BINDING.test(name)), []);
    const left = await lastLeft(() => processesWith(`ADC_RUN_CONFIG_DIR=${config}\0`));
    assert.deepEqual(left, [], "no process stays");
    const open = await lastLeft(async () =>
      Array.from({ length: await connectionsTo(sandbox.port) })
    );
    assert.equal(open.length, 0, "no connection stays open");
  }

  async function run(
    words: readonly string[],
    { home = nextHome(), env, ...rest }: TokenRunOptions = {},
  ): Promise<Ending> {
    runs++;
    const once = () => it.run(words, { home, env: { ...surroundings, ...env }, ...rest });
    const ended = await once();
    if (!isSlow(ended)) return ended;
    const again = calm.then(async () => {
      let last = ended;
      for (let attempt = 1; attempt < ATTEMPTS && isSlow(last); attempt++) {
        repeated++;
        last = await once();
      }
      return last;
    });
    calm = again.catch(() => {});
    return await again;
  }

  return {
    ...it,
    adc,
    surroundings,
    run,
    get runs() {
      return runs;
    },
    get repeated() {
      return repeated;
    },
    stored,
    profiles: async () =>
      JSON.parse(await readFile(join(config, "config.json"), "utf8")).profiles ?? {},
    assertNothingLeft,
    [Symbol.asyncDispose]: async () => {
      await it[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
    },
  };
}
