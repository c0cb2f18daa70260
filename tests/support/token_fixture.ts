/**
 * A server to log in to, a configuration folder, and everything that came out, for one test.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { requestMisfits } from "../sandbox/fits.ts";
import type { SandboxToken } from "../sandbox/sandbox.ts";
import type { SandboxOptions } from "../sandbox/sandbox_options.ts";
import { adcRun } from "./adc_run.ts";
import type { Ending, StartOptions } from "./adc_run.ts";
import { filesWith, fixture, traces } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";
import type { Home } from "./homes.ts";

/** Hard to write down and easy to find: everything that has to be escaped somewhere. */
export const PASSWORD = 'canary "pässwörd" \\ + $HOME % €';

/** Who logs in. */
export const USER = "robot";

/** The words of a login that answers everything. */
export const LOG_IN = ["auth", "login", "--username", USER, "--password-stdin"] as const;

/** How adc-run is run here. */
export interface TokenRunOptions extends Partial<Omit<StartOptions, "cwd">> {
  /** @default the fixture's */
  readonly home?: Home;
  /** Where it is allowed to print a token. @default nowhere */
  readonly prints?: "to stdout" | "to stderr";
}

/** What a test of tokens works with. */
export interface TokenFixture extends Fixture {
  /** The folder that `ADC_RUN_CONFIG_DIR` names; not there at first. */
  readonly config: string;
  /** Runs adc-run to its end; its output is searched by {@linkcode TokenFixture.assertDiscreet}. */
  readonly run: (words: readonly string[], options?: TokenRunOptions) => Promise<Ending>;
  /** Logs in with a name and a password, and expects success. */
  readonly logIn: (...words: readonly string[]) => Promise<Ending>;
  /** The names of the user's live tokens, sorted. */
  readonly liveNames: () => readonly string[];
  /** The user's one live token beside those that a test made itself; there must be exactly one. */
  readonly onlyToken: () => SandboxToken;
  /** The token in `tokens.json` for the server. */
  readonly storedInFile: () => Promise<string | undefined>;
  /** The entries of a file below the configuration folder; none where it is not there. */
  readonly entries: (
    file: "journal.json" | "state.json",
  ) => Promise<readonly Record<string, unknown>[]>;
  /** What is in the journal, and alive on the server, is what it should be after a run that ended. */
  readonly assertSettled: (live: readonly string[]) => Promise<void>;
  /**
   * No password, session or token is in anything that came out or lies around, the password went to
   * logins alone, and every request is one that the API knows.
   */
  readonly assertDiscreet: () => Promise<void>;
}

/**
 * Makes a fixture.
 *
 * @param home Where adc-run lives.
 * @param options How the sandbox is started. @default over HTTPS
 * @returns The fixture; `await using` ends it.
 */
export async function tokenFixture(
  home: Home,
  options: SandboxOptions = {},
): Promise<TokenFixture> {
  const it = await fixture({ https: true, ...options });
  const { sandbox, folder } = it;
  sandbox.addUser({ username: USER, password: PASSWORD });
  // The fixture's own user and token are of no use here, and must stay as they are.
  const own = new Set([it.token]);
  const config = join(folder.path, "config", "adc-run");
  const env = { ...it.env, ADC_RUN_CONFIG_DIR: config };
  const outputs: string[] = [];

  async function run(
    words: readonly string[],
    { home: other = home, prints, env: more, ...rest }: TokenRunOptions = {},
  ): Promise<Ending> {
    const ended = await adcRun(other, words, {
      cwd: folder.path,
      env: { ...env, ...more },
      ...rest,
    });
    if (prints !== "to stdout") outputs.push(ended.stdout);
    if (prints !== "to stderr") outputs.push(ended.stderr);
    return ended;
  }
  const live = (): SandboxToken[] => sandbox.liveTokens.filter(({ value }) => !own.has(value));
  const liveNames = (): string[] => live().map(({ name }) => name).sort();

  async function entries(file: string): Promise<readonly Record<string, unknown>[]> {
    const path = join(config, file);
    if (!existsSync(path)) return [];
    const content = JSON.parse(await readFile(path, "utf8"));
    return content.entries ?? content.tokens;
  }

  async function assertDiscreet(): Promise<void> {
    const password = [...traces(PASSWORD), JSON.stringify(PASSWORD).slice(1, -1)];
    const secrets = sandbox.secrets.flatMap(traces);
    for (const output of outputs) {
      for (const secret of [...password, ...secrets]) {
        assert.ok(!output.includes(secret), `a secret came out:\n${output}`);
      }
    }
    assert.deepEqual(await filesWith(folder.path, password.map(bytesOf)), []);
    assert.deepEqual(
      await filesWith(folder.path, secrets.map(bytesOf)),
      existsSync(join(config, "tokens.json")) && await storedInFile() !== undefined
        ? [join(config, "tokens.json")]
        : [],
    );
    for (const request of sandbox.requests) {
      assert.deepEqual(requestMisfits(request), []);
      const logsIn = request.method === "POST" && request.path.endsWith("/login");
      const sent = `${request.path} ${JSON.stringify(request.query)} ${
        JSON.stringify(request.headers)
      } ${logsIn ? "" : request.text}`;
      assert.ok(!password.some((text) => sent.includes(text)), `${request.path}: the password`);
    }
  }

  async function storedInFile(): Promise<string | undefined> {
    const path = join(config, "tokens.json");
    if (!existsSync(path)) return undefined;
    return JSON.parse(await readFile(path, "utf8")).tokens[sandbox.url];
  }

  return {
    ...it,
    env,
    config,
    run,
    logIn: async (...words) => {
      const ended = await run([...LOG_IN, ...words], { input: `${PASSWORD}\n` });
      assert.equal(ended.code, 0, ended.stderr);
      return ended;
    },
    liveNames,
    onlyToken: () => {
      const tokens = live();
      assert.equal(tokens.length, 1, `live: ${liveNames().join(", ")}`);
      return tokens[0]!;
    },
    storedInFile,
    entries,
    assertSettled: async (names) => {
      assert.deepEqual(liveNames(), [...names].sort());
      const begun = await entries("journal.json");
      assert.deepEqual(begun.map(({ name }) => name), [], "the journal is empty");
      assert.equal(sandbox.openSessions, 0, "nobody is logged in any more");
    },
    assertDiscreet,
  };
}

/** A text the way it is found in a file that is read byte by byte. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** The first 8 hexadecimal digits of a token's SHA-256, as adc-run shows them. */
export function fingerprint(token: string): string {
  return createHash("sha256").update(token).digest("hex").slice(0, 8);
}

/**
 * A home where some variables are not set, not even to nothing.
 *
 * @param home The home.
 * @param names The variables.
 * @returns The home.
 */
export function without(home: Home, ...names: readonly string[]): Home {
  return {
    name: home.name,
    command: ["env", ...names.flatMap((name) => ["-u", name]), ...home.command],
  };
}

/**
 * Gives rare cases one home each, in turn.
 *
 * @param homes The homes.
 * @returns A function that gives the next.
 */
export function takeTurns(homes: readonly Home[]): () => Home {
  let turn = 0;
  return () => homes[turn++ % homes.length]!;
}
