import type { Buffer } from "node:buffer";
import { Transform, type TransformCallback } from "node:stream";
import { IdleTimer, type Timers } from "./idle_timer.ts";
import type { Replacer } from "./replacer.ts";

/** Node.js 20 would take 16 KiB, less than one read from a pipe. */
const HIGH_WATER_MARK = 64 * 1024;

/** What `MaskStream` needs besides its replacer. */
export interface MaskStreamOptions {
  /** After how many milliseconds without input the held bytes are let go. */
  readonly idleTime: number;
  /** Called with the number of replacements that were just written. */
  readonly onReplaced?: (count: number) => void;
  readonly timers?: Timers;
}

/** A byte stream that comes out with all occurrences replaced. */
export class MaskStream extends Transform {
  readonly #replacer: Replacer;
  readonly #idle: IdleTimer;
  readonly #onReplaced: ((count: number) => void) | undefined;
  #counted = 0;

  /** Makes the stream. */
  constructor(replacer: Replacer, options: MaskStreamOptions) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.#replacer = replacer;
    this.#onReplaced = options.onReplaced;
    this.#idle = new IdleTimer(() => this.#release(), options);
  }

  /** Masks a chunk. */
  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    this.#idle.stop();
    this.#pushAll(this.#replacer.write(chunk));
    if (this.#replacer.held > 0) this.#idle.start();
    callback();
  }

  /** Hands out what is held when the input has ended. */
  override _flush(callback: TransformCallback): void {
    this.#idle.stop();
    this.#pushAll(this.#replacer.release());
    callback();
  }

  /** While the reader was slow, the writer had to wait: its silence begins only now. */
  override _read(size: number): void {
    if (this.#replacer.held > 0 && !this.writableEnded) this.#idle.start();
    super._read(size);
  }

  /** Leaves no timer behind. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#idle.stop();
    super._destroy(error, callback);
  }

  #release(): void {
    // More input is here already and only waits for the reader; it will start the timer again.
    if (this.writableLength > 0) return;
    this.#pushAll(this.#replacer.release());
  }

  #pushAll(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.push(piece);
    const count = this.#replacer.count - this.#counted;
    this.#counted += count;
    if (count > 0) this.#onReplaced?.(count);
  }
}
