/**
 * A value travels with the name of where it came from.
 *
 * @module
 */

/** Where a value came from. */
export type Origin =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "env-file"; readonly name: string; readonly file: string }
  | { readonly kind: "default" };

/** A value and where it came from. */
export interface Setting<T> {
  /** The value. */
  readonly value: T;
  /** Where it came from. */
  readonly origin: Origin;
}

/** The environment as a plain record; `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Says where a value came from, for a message.
 *
 * @param origin Where the value came from.
 * @returns For example `--server`, `ADC_SERVER`, `ADC_SERVER in .env`, or `ADC's default`.
 */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
    case "environment":
      return origin.name;
    case "env-file":
      return `${origin.name} in ${origin.file}`;
    case "default":
      return "ADC's default";
  }
}
