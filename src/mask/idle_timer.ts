import { clearImmediate, clearTimeout, setImmediate, setTimeout } from "node:timers";

/** What `IdleTimer` needs of `node:timers`; tests bring their own. */
export interface Timers {
  /** Calls back once after some milliseconds. */
  setTimeout(callback: () => void, delay: number): TimerHandle;
  /** Calls back once after pending input has been read. */
  setImmediate(callback: () => void): TimerHandle;
  /** Undoes `setTimeout`. */
  clearTimeout(handle: TimerHandle): void;
  /** Undoes `setImmediate`. */
  clearImmediate(handle: TimerHandle): void;
}

/** What a timer function returns. */
export interface TimerHandle {
  /** Lets the process end while the timer is running. */
  unref(): unknown;
}

const NODE_TIMERS: Timers = {
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  setImmediate: (callback) => setImmediate(callback),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  clearImmediate: (handle) => clearImmediate(handle as NodeJS.Immediate),
};

/**
 * Calls back once when it has not been restarted for some time. It never keeps the process alive.
 */
export class IdleTimer {
  readonly #callback: () => void;
  readonly #idleTime: number;
  readonly #timers: Timers;
  #timeout: TimerHandle | undefined;
  #immediate: TimerHandle | undefined;

  /** Makes the timer. */
  constructor(
    callback: () => void,
    options: { readonly idleTime: number; readonly timers?: Timers | undefined },
  ) {
    this.#callback = callback;
    this.#idleTime = options.idleTime;
    this.#timers = options.timers ?? NODE_TIMERS;
  }

  /** Starts to wait, from the beginning if it was waiting already. */
  start(): void {
    this.stop();
    this.#timeout = this.#timers.setTimeout(() => this.#elapsed(), this.#idleTime);
    this.#timeout.unref();
  }

  /** Waits no more. */
  stop(): void {
    if (this.#timeout !== undefined) this.#timers.clearTimeout(this.#timeout);
    if (this.#immediate !== undefined) this.#timers.clearImmediate(this.#immediate);
    this.#timeout = this.#immediate = undefined;
  }

  /**
   * A process that was busy or suspended finds its timers due before it reads what has arrived in
   * the meantime. That input gets its turn first; it stops or restarts this timer.
   */
  #elapsed(): void {
    this.#timeout = undefined;
    this.#immediate = this.#timers.setImmediate(() => {
      this.#immediate = undefined;
      this.#callback();
    });
    this.#immediate.unref();
  }
}
