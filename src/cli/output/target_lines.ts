import { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import type { Profile } from "../../connection/origin.ts";
import { noteFailure } from "../../run/output.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { isColorful } from "./layout.ts";
import { createReporter, type Reporter } from "./report.ts";

/** The longest piece of a line, in bytes: a program that never ends its line must not fill the memory. */
export const MAX_PIECE_LENGTH = 64 * 1024;

const [LINE_FEED, RETURN] = [10, 13];

interface Line {
  readonly bytes: Uint8Array;
  /** Whether it goes on with a line that was too long. */
  readonly continued: boolean;
}

/**
 * Cuts what arrives in chunks into lines.
 *
 * A line ends with `\n`, `\r\n` or a lone `\r`: a progress bar would draw over what stands at the start of
 * the line, so each of its steps is a line, and it draws no empty ones. A line of more than 64 KiB comes in
 * pieces, which are never cut inside of a character of UTF-8.
 */
export class LineCutter {
  #held: Uint8Array[] = [];
  #length = 0;
  #continued = false;
  /** A `\r` has just ended a line, and a `\n` would belong to it. */
  #returned = false;

  write(chunk: Uint8Array): readonly Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte !== LINE_FEED && byte !== RETURN) continue;
      this.#hold(chunk.subarray(start, at), lines);
      if (at > start) this.#returned = false;
      start = at + 1;
      const empty = this.#length === 0 && !this.#continued;
      if (byte === LINE_FEED) {
        if (!(empty && this.#returned)) lines.push(this.#take());
        this.#returned = false;
      } else if (!empty) {
        lines.push(this.#take());
        this.#returned = true;
      }
    }
    if (start < chunk.length) {
      this.#returned = false;
      this.#hold(chunk.subarray(start), lines);
    }
    return lines;
  }

  end(): readonly Line[] {
    return this.#length > 0 || this.#continued ? [this.#take()] : [];
  }

  #hold(bytes: Uint8Array, lines: Line[]): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#length += bytes.length;
    while (this.#length > MAX_PIECE_LENGTH) {
      const all = Buffer.concat(this.#held);
      let cut = MAX_PIECE_LENGTH;
      // A byte 10xxxxxx goes on with a character; no character has more than three of them.
      while (cut > MAX_PIECE_LENGTH - 4 && (all[cut]! & 0xc0) === 0x80) cut--;
      this.#held = [all.subarray(0, cut)];
      lines.push(this.#take());
      this.#continued = true;
      this.#held = [all.subarray(cut)];
      this.#length = all.length - cut;
    }
  }

  #take(): Line {
    const [only] = this.#held;
    const bytes = this.#held.length === 1 ? only! : Buffer.concat(this.#held);
    const line = { bytes, continued: this.#continued };
    this.#held = [];
    this.#length = 0;
    this.#continued = false;
    return line;
  }
}

/** Cyan, yellow, green, magenta, blue, and their bright kin; red is for errors. */
const COLORS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

const ESCAPE = 27;
const LINE_END = Buffer.from("\n");

/** The start of a line for GitHub's runner that people get to see. */
const SHOWN_COMMAND = /^(::(?:error|warning|notice)(?: [^:]*)?::)/;

interface TargetLinesOptions {
  readonly names: readonly string[];
  readonly colorful: boolean;
}

interface TargetStream extends Writable {
  readonly isTTY: boolean;
  finish(): void;
}

interface Prefix {
  readonly first: Uint8Array;
  /** At a piece of a line that was too long. */
  readonly continued: Uint8Array;
  /** Nothing, or the end of colors that a line left on: they would run into another target's. */
  readonly end: Uint8Array;
}

/**
 * Writes whole lines of many writers to one stream: `staging | …`, with the names padded to the longest.
 *
 * A line is written at once when its end has come, so that no two targets share one. The pieces of a line
 * of more than 64 KiB are lines of their own, `staging + …` from the second on. A slow reader slows the
 * writers down; once the stream takes no more, none of them can write.
 */
export class TargetLines {
  readonly #to: Writable;
  readonly #prefixes: ReadonlyMap<string, Prefix>;
  readonly #width: number;
  readonly #waiting = new Set<(error?: Error) => void>();
  readonly #streams = new Set<Writable>();
  readonly #unlisten: () => void;
  #failure: Error | undefined;

  constructor(to: Writable, { names, colorful }: TargetLinesOptions) {
    this.#to = to;
    const width = Math.max(0, ...names.map((name) => name.length));
    this.#width = width + " | ".length;
    this.#prefixes = new Map(names.map((name, index) => {
      const mark = (sign: string) => {
        const text = `${name.padEnd(width)} ${sign}`;
        const color = COLORS[index % COLORS.length];
        return Buffer.from(colorful ? `\x1b[${color}m${text}\x1b[39m ` : `${text} `);
      };
      const end = Buffer.from(colorful ? "\x1b[0m" : "");
      return [name, { first: mark("|"), continued: mark("+"), end }];
    }));
    const drained = () => this.#wake();
    const failed = (error: Error) => this.#fail(error);
    const closed = () => this.#fail(Object.assign(new Error("Closed"), { code: "EPIPE" }));
    // Once for all targets: a hundred listeners would look like a leak.
    to.on("drain", drained).on("error", failed).on("close", closed);
    this.#unlisten = () => {
      to.off("drain", drained).off("error", failed).off("close", closed);
    };
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  stream(name: string): TargetStream {
    const cutter = new LineCutter();
    const stream = new Writable({
      highWaterMark: 64 * 1024,
      write: (chunk: Buffer, _encoding, done) => {
        this.#write(this.#format(name, cutter.write(chunk)), done);
      },
    });
    // Whoever pipes into it learns of a failure; before and after nobody does.
    stream.on("error", () => {}).on("close", () => this.#streams.delete(stream));
    this.#streams.add(stream);
    const { isTTY, getColorDepth } = this.#to as Partial<NodeJS.WriteStream>;
    return Object.assign(stream, {
      isTTY: isTTY === true,
      ...(getColorDepth && { getColorDepth: () => getColorDepth.call(this.#to) }),
      finish: () => {
        this.#write(this.#format(name, cutter.end()), () => {});
        stream.destroy();
      },
    });
  }

  /**
   * A stream for what adc-run itself says of one target. Lines for a CI system have no name before them,
   * for it reads them only at the start of a line; those that it shows have the name in their text.
   */
  report(name: string): Writable {
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const lines = chunk.toString().replace(/\n$/, "").split("\n").map((line) =>
          line.startsWith("::")
            ? Buffer.from(`${line.replace(SHOWN_COMMAND, `$1${name}: `)}\n`)
            : this.#format(name, [{ bytes: Buffer.from(line), continued: false }])
        );
        // What adc-run says must not change what it does.
        this.#write(Buffer.concat(lines), () => done());
      },
    });
    // Whoever keeps lines for the runner out of files has to know where these go.
    const { fd, columns } = this.#to as { readonly fd?: number; readonly columns?: number };
    return Object.assign(stream, { fd, columns: (columns || 80) - this.#width });
  }

  /** Waits until all that was written has left, or cannot any more. */
  async settled(): Promise<void> {
    if (this.#failure !== undefined) return;
    await new Promise<void>((resolve) => {
      // Deno leaves the call-back out once a write has failed.
      this.#waiting.add(() => resolve());
      try {
        this.#to.write("", () => resolve());
      } catch (error) {
        this.#fail(error as Error);
      }
    });
  }

  close(): void {
    this.#unlisten();
    for (const stream of this.#streams) stream.destroy();
  }

  #format(name: string, lines: readonly Line[]): Uint8Array {
    const { first, continued, end } = this.#prefixes.get(name)!;
    const parts: Uint8Array[] = [];
    for (const line of lines) {
      parts.push(line.continued ? continued : first, line.bytes);
      if (end.length > 0 && line.bytes.includes(ESCAPE)) parts.push(end);
      parts.push(LINE_END);
    }
    return Buffer.concat(parts);
  }

  #write(bytes: Uint8Array, done: (error?: Error) => void): void {
    if (this.#failure !== undefined) return done(this.#failure);
    if (bytes.length === 0) return done();
    try {
      if (this.#to.write(bytes)) done();
      else this.#waiting.add(done);
    } catch (error) {
      // Deno throws where Node emits `error`.
      noteFailure(this.#to);
      this.#fail(error as Error);
      done(error as Error);
    }
  }

  #wake(error?: Error): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const done of waiting) done(error);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#wake(error);
    for (const stream of [...this.#streams]) stream.destroy(error);
  }
}

export type TargetStreams = ReturnType<typeof openTargetStreams>;

export function openTargetStreams(
  profiles: readonly Profile[],
  { io, options }: { readonly io: Io; readonly options: GlobalOptions },
) {
  const { env, terminals } = io;
  const names = profiles.map(({ name }) => name);
  const lines = (to: "stdout" | "stderr") =>
    new TargetLines(io[to], { names, colorful: isColorful(env, terminals[to]) });
  const [out, err] = [lines("stdout"), lines("stderr")];
  const open = new Map<string, TargetStream[]>();
  const streamOf = (from: TargetLines) => (name: string) => {
    const stream = from.stream(name);
    open.set(name, [...(open.get(name) ?? []), stream]);
    return stream;
  };
  const reporters = new Map(names.map((name) => {
    // Not a copy, which would open standard input.
    const own: Io = Object.create(io, {
      stdout: { value: out.report(name) },
      stderr: { value: err.report(name) },
      warnings: { value: [] },
      reportFile: { value: undefined },
    });
    return [name, createReporter(own, options)];
  }));
  return {
    stdout: streamOf(out),
    stderr: streamOf(err),
    reporter: (name: string): Reporter => reporters.get(name)!,
    finish: (name: string): void => {
      for (const stream of open.get(name) ?? []) stream.finish();
      open.delete(name);
    },
    settled: () => Promise.all([out.settled(), err.settled()]),
    close: (): void => [out, err].forEach((each) => each.close()),
    get failure(): Error | undefined {
      return out.failure;
    },
  };
}
