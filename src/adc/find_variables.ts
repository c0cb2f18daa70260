import { extname } from "node:path";
import { load } from "js-yaml";
import type { ConfigurationFile } from "./configuration_files.ts";

/** A place where ADC will put the value of a variable. */
export interface VariableUse {
  readonly name: string;
  /** The place, such as `services[0].name`; `undefined` where the file is not well-formed. */
  readonly place: string | undefined;
}

/**
 * Finds every `${NAME}` that ADC will replace: in the values of the parsed file, not in its keys.
 *
 * ADC does not get as far with a file that is not well-formed. Another version of its parser may find it
 * well-formed, though, so its text is searched instead.
 */
export function* findVariables({ name, text }: ConfigurationFile): Generator<VariableUse> {
  let content: unknown;
  try {
    content = extname(name).toLowerCase() === ".json" ? JSON.parse(text) : load(text);
  } catch {
    for (const variable of variablesIn(unescaped(text))) yield { name: variable, place: undefined };
    return;
  }
  // A stack of its own, and every node once: a file may be deep, and its aliases many.
  const seen = new Set<object>();
  const open: Node[] = [{ value: content, key: "", parent: undefined }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { value } = node;
    if (typeof value === "string") {
      for (const variable of variablesIn(value)) yield { name: variable, place: placeOf(node) };
    } else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      for (const [key, child] of Object.entries(value)) {
        open.push({ value: child, key: Array.isArray(value) ? Number(key) : key, parent: node });
      }
    }
  }
}

interface Node {
  readonly value: unknown;
  readonly key: string | number;
  readonly parent: Node | undefined;
}

const PLACEHOLDER = "__ESCAPED_ENV_VAR_PLACEHOLDER__";

/**
 * The variables in one value, by the expressions of ADC's `recursiveReplaceEnvVars()`
 * (apps/cli/src/command/utils.ts): `\${NAME}` stays as `${NAME}`.
 */
function variablesIn(value: string): readonly string[] {
  const escaped = value.replace(
    /\\\$\{(\w+)\}/g,
    (_, name: string) => `${PLACEHOLDER}${name}${PLACEHOLDER}`,
  );
  return [...escaped.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
}

/** The escapes of YAML's and JSON's strings that can make up a `${NAME}`. */
function unescaped(text: string): string {
  return text
    .replace(/\\\r?\n[ \t]*/g, "")
    .replace(
      /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8}))/gi,
      (all, ...digits: (string | undefined)[]) => {
        const code = parseInt(digits.find((each) => each !== undefined) ?? "", 16);
        return code <= 0x10ffff ? String.fromCodePoint(code) : all;
      },
    );
}

const LONGEST_PLACE = 200;

function placeOf(node: Node): string {
  const steps: string[] = [];
  for (let at: Node | undefined = node; at?.parent !== undefined; at = at.parent) {
    const { key } = at;
    if (typeof key === "number") steps.push(`[${key}]`);
    else steps.push(/^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
  }
  const place = steps.reverse().join("").replace(/^\./, "");
  return place.length <= LONGEST_PLACE ? place : `${place.slice(0, LONGEST_PLACE)}…`;
}
