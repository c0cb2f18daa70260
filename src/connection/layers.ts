/**
 * The layers that ADC takes a value from: flag, environment, `.env`, default.
 *
 * @module
 */

import { ConnectionError, EXIT } from "../errors.ts";
import type { EnvFile } from "./env_file.ts";
import { describeOrigin } from "./origin.ts";
import type { Environment, Origin, Setting } from "./origin.ts";

/** Where values are looked up, nearest first. */
export interface Layers {
  /** The process's environment. */
  readonly env: Environment;
  /** `.env` files; the first that has a variable wins. */
  readonly files: readonly EnvFile[];
}

/**
 * Looks a variable up as ADC does: a variable that exists in the environment hides `.env`, even when it
 * is empty.
 *
 * @param layers Where to look.
 * @param name The variable's name.
 * @returns The value and its origin, or `undefined` where no layer has it.
 */
export function lookUp(layers: Layers, name: string): Setting<string> | undefined {
  const value = layers.env[name];
  if (value !== undefined) return { value, origin: { kind: "environment", name } };
  for (const file of layers.files) {
    const value = file.get(name);
    if (value !== undefined) return { value, origin: { kind: "env-file", name, file: file.name } };
  }
  return undefined;
}

/**
 * The value of a flag if it was given, else that of the variable.
 *
 * @param flag The flag's name and value.
 * @param layers Where the variable is looked up.
 * @param variable The variable's name.
 * @returns The value and its origin, or `undefined`.
 */
export function flagOr(
  flag: { readonly name: string; readonly value: string | undefined },
  { layers, variable }: { readonly layers: Layers; readonly variable: string },
): Setting<string> | undefined {
  return flag.value === undefined
    ? lookUp(layers, variable)
    : { value: flag.value, origin: { kind: "flag", name: flag.name } };
}

/**
 * An error about a value, which names where the value came from and has the exit code that fits: 64 for
 * a flag, 78 for anything else.
 *
 * @param origin Where the wrong value came from.
 * @param found What is wrong with it, to follow a colon.
 * @param options What to do about it, and the cause.
 * @returns The error, to be thrown.
 */
export function wrongValue(
  origin: Origin,
  found: string,
  options: { readonly suggestion?: string; readonly cause?: unknown } = {},
): ConnectionError {
  const exitCode = origin.kind === "flag" ? EXIT.usage : EXIT.config;
  return new ConnectionError(`Cannot use ${describeOrigin(origin)}: ${found}`, exitCode, options);
}
