let callback: (() => void) | undefined;

/**
 * Has something done before undici's parser is loaded, which few runs need. It is for the command alone: a
 * library has no business with the settings of a whole process.
 */
export function doBeforeUndici(then: () => void): void {
  callback = then;
}

/** Says that undici's parser is about to be loaded, by the dispatcher that connects. */
export function beforeUndici(): void {
  callback?.();
  callback = undefined;
}
