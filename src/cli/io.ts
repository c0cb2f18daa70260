import { Buffer } from "node:buffer";
import type { Readable, Writable } from "node:stream";
import { type Context, type Environment, isPipeline, type Keychain } from "../context.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import type { KnownSecrets } from "./output/out.ts";
import type { Sign } from "./output/sign.ts";
import { abortOnInterrupt, type SignalPort } from "../run/signals.ts";
import { unlessAborted } from "../system/deadline.ts";

export interface Io {
  readonly env: Environment;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Which of the three lead to a terminal; told apart from the streams, which cost time to open. */
  readonly terminals: {
    readonly stdin: boolean;
    readonly stdout: boolean;
    readonly stderr: boolean;
  };
  readonly signals: SignalPort;
  readonly keychain?: Keychain | undefined;
  /** What no text of adc-run's may show. */
  readonly secrets: KnownSecrets;
  readonly warnings: string[];
  readonly sign?: Sign | undefined;
  reportFile?: ((report: object) => void) | undefined;
  reportFailure?: AdcRunError | undefined;
  readonly questions: { last: Promise<unknown> };
  /** Told which signal ended the child, so that this process can end the same way. */
  endedBy?(signal: NodeJS.Signals): void;
}

export function canAsk(io: Io): boolean {
  return couldAsk(io) && !isPipeline(io.env);
}

function couldAsk({ terminals }: Io): boolean {
  return terminals.stdin && terminals.stderr;
}

export function whyNotAsked(io: Io): string {
  return couldAsk(io) ? "CI is set" : "there is no terminal to prompt on";
}

export function hasTerminal({ terminals }: Io): boolean {
  return terminals.stdin || terminals.stdout || terminals.stderr;
}

export function contextOf(
  { env, cwd, keychain }: Io,
  { warn }: { readonly warn: (warning: string) => void },
): Context {
  return { env, cwd, keychain, onWarning: warn };
}

/** Does something that the signals which end a process abort, its helpers and requests with it. */
export async function interruptible<T>(
  { signals }: Io,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, release } = abortOnInterrupt(signals);
  try {
    return await work(signal);
  } finally {
    release();
  }
}

export async function readInput(
  from: AsyncIterable<unknown>,
  { max, tooLong, signal }: {
    readonly max: number;
    readonly tooLong: string;
    readonly signal?: AbortSignal;
  },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const iterator = from[Symbol.asyncIterator]();
  for (;;) {
    const next = iterator.next();
    const { done, value } = await (signal === undefined ? next : unlessAborted(next, signal));
    if (done) return Buffer.concat(chunks);
    const bytes = Buffer.from(value as Uint8Array);
    length += bytes.length;
    if (length > max) {
      await iterator.return?.();
      throw new AdcRunError(tooLong, EXIT.data);
    }
    chunks.push(bytes);
  }
}
