/** How long a pipe may stay open and silent after its process has ended, in milliseconds. */
const LINGER = 250;

/** Long enough for one more turn of reading, in milliseconds. */
const TURN = 10;

/** Waits for a pipe to fall silent. */
export interface Silence {
  /** Starts to wait, from the beginning if it was waiting already. */
  begin(): void;
  /** Waits no more. */
  stop(): void;
}

/**
 * Makes what tells that a pipe is silent. A process that was busy finds its timers due before it reads what
 * has arrived in the meantime, so that gets its turn first.
 */
export function silence(callback: () => void): Silence {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const begin = () => {
    stop();
    timer = setTimeout(() => {
      const turn = setTimeout(() => {
        setImmediate(() => {
          if (timer === turn) callback();
        });
      }, TURN);
      timer = turn;
    }, LINGER);
  };
  return { begin, stop };
}
