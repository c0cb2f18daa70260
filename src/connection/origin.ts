/** Where a value came from. */
export type Origin =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "env-file"; readonly name: string; readonly file: string }
  | {
    readonly kind: "profile";
    readonly name: string;
    readonly key: string;
    readonly project: boolean;
  }
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

/** Says where a value came from, for a message. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
    case "environment":
      return origin.name;
    case "env-file":
      return `${origin.name} in ${origin.file}`;
    case "profile":
      return `"${origin.key}" of profile "${origin.name}"${
        origin.project ? " in adc-run.json" : ""
      }`;
    case "default":
      return "ADC's default";
  }
}

/**
 * Tells whether a value came along with the project, which may be a cloned repository of somebody else.
 */
export function cameAlong(origin: Origin): boolean {
  return origin.kind === "env-file" || (origin.kind === "profile" && origin.project);
}
