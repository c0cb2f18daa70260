import type { Writable } from "node:stream";
import { columnsOf } from "./layout.ts";
import { drawOver, type Line, render, type Text } from "./out.ts";

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/** What takes less time is not worth a line, in milliseconds. */
const PATIENCE = 1_000;

interface SignOptions {
  readonly stderr: Writable;
  readonly clean: Parameters<typeof render>[1];
  /** @default Date.now */
  readonly now?: () => number;
}

/** `⠋ logging in at gw.example.com… 3 s`, until something else is written. */
export class Sign {
  readonly #options: SignOptions;
  #text: Text | undefined;
  #since = 0;
  #drawn = false;
  #timer: NodeJS.Timeout | undefined;
  #disabled = false;

  constructor(options: SignOptions) {
    this.#options = options;
  }

  show(text: Text | Line): void {
    if (this.#disabled) return;
    const { now = Date.now } = this.#options;
    this.#text = text;
    this.#since = now();
    this.#timer ??= setInterval(() => this.draw(), 120);
    this.#timer.unref();
  }

  draw(): void {
    const { stderr, clean, now = Date.now } = this.#options;
    const time = now() - this.#since;
    if (this.#text === undefined || time < PATIENCE) return;
    const frame = FRAMES[Math.floor(time / 120) % FRAMES.length];
    const text = `${frame} ${render(this.#text, clean)}… ${Math.floor(time / 1000)} s`;
    const { columns = 80 } = stderr as { readonly columns?: number };
    // Two lines could not be erased.
    if (columnsOf(text) >= columns) return;
    this.#drawn = true;
    drawOver(text, stderr);
  }

  /** Takes away what is drawn; it comes back while the wait goes on. */
  erase(): void {
    if (!this.#drawn) return;
    this.#drawn = false;
    drawOver("", this.#options.stderr);
  }

  hide(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#text = undefined;
    this.erase();
  }

  disable(): void {
    this.hide();
    this.#disabled = true;
  }
}
