/** The names of fields, and what they hold. */
export type Fields = Readonly<Record<string, FieldType>>;

/**
 * What a field holds; a list stands for one of these strings; `?` for a field that may be missing.
 */
export type FieldType =
  | "string"
  | "string?"
  | "number"
  | "number?"
  | "boolean"
  | "boolean?"
  | readonly [presence: "one of" | "one of?", ...values: readonly string[]];

/** Makes sure that a value is a record with certain fields. It may have others. */
export function hasFields(
  value: unknown,
  fields: Fields,
): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return Object.entries(fields).every(([name, type]) => fits(record[name], type));
}

/**
 * Copies the fields that are known: whatever else a caller's object may have, a secret perhaps, does not
 * reach the disk.
 */
export function keepFields(record: object, fields: Fields): Record<string, unknown> {
  const entries = Object.entries(record).filter(([name, value]) =>
    Object.hasOwn(fields, name) && value !== undefined
  );
  return Object.fromEntries(entries);
}

function fits(value: unknown, type: FieldType): boolean {
  const [kind, ...values] = typeof type === "string" ? [type] : type;
  if (kind.endsWith("?") && value === undefined) return true;
  if (kind.startsWith("one of")) return typeof value === "string" && values.includes(value);
  const found: string = typeof value;
  return found === kind.replace("?", "");
}
