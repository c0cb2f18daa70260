/**
 * Faults that the check runs into: one verdict, one exit code, and ADC does not start.
 *
 * @module
 */

import assert from "node:assert/strict";
import { standIn } from "../support/adc_run.ts";
import type { Loopback } from "../support/loopback.ts";
import type { ProvenFault } from "./fault.ts";
import { reportOf } from "./scene.ts";
import type { Scene } from "./scene.ts";

/** How often adc-run is run: once for people, once with `--json`. */
export const RUNS = 2;

/** What the fault is made of. */
export interface Arrangement {
  /** A server that is asked instead of the sandbox, and closed before `afterwards`. @default the sandbox */
  readonly server?: Loopback;
  /** The server's address. @default that of the server */
  readonly url?: string;
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** ADC's words. */
  readonly words?: readonly string[];
  /** Looks at the server after the runs. */
  readonly afterwards?: () => void | Promise<void>;
}

/** A fault that the check runs into. */
export interface FailedCheck extends Omit<ProvenFault, "prove" | "exit"> {
  readonly exit: number;
  /** What the message has to say, beside the origin of the token. */
  readonly message: RegExp;
  /** Makes the server go wrong. */
  readonly arrange: (scene: Scene) => Arrangement | Promise<Arrangement>;
}

/**
 * Makes a row of a fault that the check runs into.
 *
 * @param row The row.
 * @returns The row with its proof.
 */
export function failedCheck({ message, arrange, ...row }: FailedCheck): ProvenFault {
  return { ...row, prove: (scene) => prove(scene, { message, arrange, ...row }) };
}

async function prove(
  scene: Scene,
  { verdict, exit, message, arrange }: FailedCheck,
): Promise<void> {
  const { server, env = {}, words = [], afterwards, ...more } = await arrange(scene);
  const url = more.url ?? (server ?? scene.sandbox).url;
  try {
    await failsAt(scene, { verdict, exit, message, url, env, words });
  } finally {
    await server?.[Symbol.asyncDispose]();
  }
  await afterwards?.();
}

async function failsAt(
  scene: Scene,
  { verdict, exit, message, url, env, words }:
    & Pick<FailedCheck, "verdict" | "exit" | "message">
    & Required<Pick<Arrangement, "url" | "env" | "words">>,
): Promise<void> {
  // The token comes out of the store, so that it shows whether the store bears the fault.
  await scene.store(url);
  const ping = ["--adc", standIn("report.mjs"), "ping", ...words];
  const options = { env: { ADC_SERVER: url, ...env } };
  const [plain, json] = await Promise.all([
    scene.run(ping, options),
    scene.run(["--json", ...ping], options),
  ]);
  assert.equal(plain.code, exit, plain.stderr);
  assert.match(plain.stderr, message);
  assert.match(plain.stderr, /\n {2}token {3}[0-9a-f]{8} from the file store\n/);
  assert.equal(json.code, exit, json.stderr);
  const { error } = reportOf(json);
  assert.deepEqual([error?.verdict, error?.exitCode], [verdict, exit]);
  assert.match(error?.message ?? "", message);
  assert.deepEqual([plain.stdout, json.stdout], ["", ""], "ADC was not started");
}
