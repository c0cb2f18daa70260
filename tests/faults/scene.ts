/**
 * Where a fault takes place: a server, a folder, a stored token, and adc-run, which has to come to an end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxOptions } from "../sandbox/sandbox_options.ts";
import type { Ending } from "../support/adc_run.ts";
import type { Home } from "../support/homes.ts";
import { LOG_IN, PASSWORD, tokenFixture } from "../support/token_fixture.ts";
import type { TokenFixture } from "../support/token_fixture.ts";

/** The longest that a run may take on a busy machine, in milliseconds; then it is killed, and has failed. */
const LIMIT = 120_000;

/** Where a fault takes place. */
export interface Scene extends TokenFixture {
  /** Where adc-run lives. */
  readonly home: Home;
  /** Keeps the fixture's token in `tokens.json`, for the sandbox and for these servers. */
  readonly store: (...urls: readonly string[]) => Promise<void>;
  /** Fails unless `tokens.json` is what {@linkcode Scene.store} left, if that was called. */
  readonly assertKept: () => Promise<void>;
}

/**
 * Makes a scene.
 *
 * @param home Where adc-run lives.
 * @param options How the sandbox is started. @default over HTTP
 * @returns The scene; `await using` ends it.
 */
export async function openScene(home: Home, options: SandboxOptions = {}): Promise<Scene> {
  const it = await tokenFixture(home, { https: false, ...options });
  const path = join(it.config, "tokens.json");
  let stored: string | undefined;

  const run: TokenFixture["run"] = (words, { input = "", whenStarted, ...rest } = {}) => {
    const late = Promise.withResolvers<never>();
    let limit: ReturnType<typeof setTimeout> | undefined;
    const ended = it.run(words, {
      ...rest,
      whenStarted: (child) => {
        limit = setTimeout(() => {
          child.kill("SIGKILL");
          late.reject(new Error(`"${words.join(" ")}" did not end within ${LIMIT} ms`));
        }, LIMIT);
        if (whenStarted) whenStarted(child);
        else child.stdin!.end(input);
      },
    });
    return Promise.race([ended, late.promise]).finally(() => clearTimeout(limit));
  };

  return {
    ...it,
    home,
    run,
    logIn: async (...words) => {
      const ended = await run([...LOG_IN, ...words], { input: PASSWORD });
      assert.equal(ended.code, 0, ended.stderr);
      return ended;
    },
    store: async (...urls) => {
      const tokens = Object.fromEntries([it.sandbox.url, ...urls].map((url) => [url, it.token]));
      stored = JSON.stringify({ tokens, version: 1 });
      await mkdir(it.config, { recursive: true, mode: 0o700 });
      await writeFile(path, stored, { mode: 0o600 });
    },
    assertKept: async () => {
      if (stored !== undefined) assert.equal(await readFile(path, "utf8"), stored);
    },
  };
}

/**
 * adc-run with something around it.
 *
 * @param home Where adc-run lives.
 * @param script A line for `sh`, in which `"$@"` is adc-run and its arguments.
 * @returns A home to be run instead.
 */
export function around(home: Home, script: string): Home {
  return { name: home.name, command: ["sh", "-c", script, "sh", ...home.command] };
}

/**
 * Reads what `--json` put on standard error.
 *
 * @param ended The run.
 * @returns The report.
 */
export function reportOf({ stderr }: Ending): Record<string, unknown> & {
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly exitCode: number;
    readonly verdict?: string;
  };
} {
  return JSON.parse(stderr);
}
