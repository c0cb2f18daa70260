/**
 * A sandbox, a folder and a canary token for one test.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { SandboxOptions } from "../sandbox/sandbox_options.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** What a test works with. */
export interface Fixture extends AsyncDisposable {
  /** The server. */
  readonly sandbox: Sandbox;
  /** The working directory, with an `adc.yaml` in it. */
  readonly folder: TemporaryFolder;
  /** A token that the server takes: a canary, to be searched for in all that comes out. */
  readonly token: string;
  /** The variables that lead to the server. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Makes a fixture.
 *
 * @param options How the sandbox is started.
 * @returns The fixture; `await using` ends it.
 */
export async function fixture(options: SandboxOptions = {}): Promise<Fixture> {
  const sandbox = await startSandbox(options);
  const folder = await temporaryFolder({ "adc.yaml": "services: []\n" });
  const { backend = "api7ee" } = options;
  if (backend === "api7ee") sandbox.addUser({ username: "ci-bot", password: "pass-word" });
  const token = sandbox.addToken(backend === "api7ee" ? { user: "ci-bot" } : {}).value;
  return {
    sandbox,
    folder,
    token,
    env: {
      ADC_SERVER: sandbox.url,
      ADC_BACKEND: backend,
      ...(sandbox.url.startsWith("https") && { ADC_CA_CERT_FILE: sandbox.ca }),
    },
    [Symbol.asyncDispose]: async () => {
      await sandbox.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Every way in which a canary could show. */
export function traces(token: string): readonly string[] {
  const bytes = Buffer.from(token);
  return [
    token,
    bytes.toString("base64").slice(0, -4),
    bytes.toString("base64url").slice(0, -4),
    bytes.toString("hex"),
    encodeURIComponent(token),
  ];
}

/**
 * Finds the files below a folder that hold a text.
 *
 * @param folder Where to look.
 * @param texts What to look for.
 * @returns The paths.
 */
export async function filesWith(folder: string, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path, "latin1");
    if (texts.some((text) => content.includes(text))) found.push(path);
  }
  return found;
}
