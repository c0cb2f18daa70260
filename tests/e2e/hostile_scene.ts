/**
 * A user with a gateway, a token and a profile of their own, who stands in a thief's repository.
 *
 * @module
 */

import assert from "node:assert/strict";
import { chmod, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { filesWith, traces } from "../support/fixture.ts";
import type { Home } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { PASSWORD, startThief, USER, writeHostile } from "./hostile_repository.ts";
import type { HostilePart, Thief } from "./hostile_repository.ts";

/** What the user holds. */
export interface Holdings {
  /** A token of the gateway. */
  readonly token: string;
  /** A file that holds it. */
  readonly tokenFile: string;
}

/** The user's own side. */
export interface SceneOptions {
  /** Settings of the user's profiles `prod` and `second`, beside server and CA. @default none */
  readonly profile?: (own: Holdings) => Readonly<Record<string, unknown>>;
  /** The environment of every command, beside `HOME` and `PATH`. @default nothing */
  readonly env?: (own: Holdings) => Readonly<Record<string, string>>;
}

/** How one command is run. */
export interface StepOptions {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
  /** Whether standard output is where the token belongs. @default false */
  readonly prints?: boolean;
}

/** What a test works with. */
export interface Scene extends AsyncDisposable {
  readonly thief: Thief;
  /** The user's own gateway. */
  readonly sandbox: Sandbox;
  /** The user's token. */
  readonly token: string;
  /** The variables that lead to the gateway without a profile. */
  readonly direct: Readonly<Record<string, string>>;
  /** Writes a repository, and gives its folder. */
  readonly clone: (parts: readonly HostilePart[]) => Promise<string>;
  /**
   * Runs adc-run in a repository, and makes sure that no program of the repository ran, that no secret came
   * out, and that the user's own file is as it was.
   */
  readonly run: (
    cwd: string,
    words: readonly string[],
    options?: StepOptions,
  ) => Promise<Ending>;
  /** The thief heard no token and no password, whoever called; and nothing lies in a repository. */
  readonly assertNothingTaken: () => Promise<void>;
}

const VICTIM = "the user's own file\n";

/**
 * Makes a scene.
 *
 * @param home Where adc-run lives.
 * @param options The user's own side.
 * @returns The scene; `await using` ends it.
 */
export async function hostileScene(home: Home, options: SceneOptions = {}): Promise<Scene> {
  const thief = await startThief();
  const sandbox = await startSandbox({ https: true });
  sandbox.addUser({ username: USER, password: PASSWORD });
  const token = sandbox.addToken({ user: USER }).value;
  const root = await temporaryFolder({ "victim": VICTIM, "home/token": token });
  const house = join(root.path, "home");
  const own = { token, tokenFile: join(house, "token") };
  await mkdir(join(root.path, "bin"));
  await symlink(standIn("adc.mjs"), join(root.path, "bin", "adc"));
  const { url: server, ca } = sandbox;
  const gateway = { backend: "api7ee", server, caCertFile: ca, ...options.profile?.(own) };
  const settings = { version: 1, profiles: { prod: gateway, second: gateway } };
  const file = await root.write("home/.config/adc-run/config.json", JSON.stringify(settings));
  for (const path of [file, join(file, "..")]) await chmod(path, 0o700);
  const clones: string[] = [];
  const env = {
    HOME: house,
    PATH: `${root.path}/bin:${process.env.PATH ?? ""}`,
    ...options.env?.(own),
  };

  function secrets(): readonly string[] {
    return [...sandbox.secrets, PASSWORD].flatMap(traces);
  }

  async function run(
    cwd: string,
    words: readonly string[],
    { prints = false, ...step }: StepOptions = {},
  ): Promise<Ending> {
    const ended = await adcRun(home, words, { cwd, ...step, env: { ...env, ...step.env } });
    const what = `${words.join(" ")}\n${ended.stderr}`;
    assert.equal(await thief.ran(), "", what);
    assert.equal(await readFile(join(root.path, "victim"), "utf8"), VICTIM, what);
    const shown = ended.stderr + (prints ? "" : ended.stdout);
    assert.ok(!secrets().some((secret) => shown.includes(secret)), `a secret came out: ${words}`);
    return ended;
  }

  return {
    thief,
    sandbox,
    token,
    direct: { ADC_SERVER: server, ADC_BACKEND: "api7ee", ADC_CA_CERT_FILE: ca },
    clone: async (parts) => {
      const folder = join(root.path, `clone-${clones.length}`);
      await writeHostile(folder, thief, parts);
      clones.push(folder);
      return folder;
    },
    run,
    assertNothingTaken: async () => {
      const heard = thief.heard();
      assert.ok(!secrets().some((secret) => heard.includes(secret)), heard);
      for (const clone of clones) assert.deepEqual(await filesWith(clone, secrets()), []);
    },
    [Symbol.asyncDispose]: async () => {
      await thief[Symbol.asyncDispose]();
      await sandbox.close();
      await root[Symbol.asyncDispose]();
    },
  };
}
