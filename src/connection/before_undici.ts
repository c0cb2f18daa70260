/**
 * What is to be done before undici is loaded.
 *
 * @module
 */

let callback: (() => void) | undefined;

/**
 * Has something done before undici is loaded, which few runs need. It is for the command alone: a library
 * has no business with the settings of a whole process.
 *
 * @param then What to do; it is called once.
 */
export function doBeforeUndici(then: () => void): void {
  callback = then;
}

/** Says that undici is about to be loaded. */
export function beforeUndici(): void {
  callback?.();
  callback = undefined;
}
