import type { Environment } from "../connection/origin.ts";

/**
 * Tells whether colours are wanted: `NO_COLOR`, then `FORCE_COLOR`, then whether a
 * terminal shows them.
 */
export function isColourful(env: Environment, terminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return terminal && env.TERM !== "dumb";
}
