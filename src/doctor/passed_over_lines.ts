/**
 * What `dotenv` 17 takes for a variable: the pattern of its `parse()`, which it does not export.
 */
const VARIABLE =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/mg;

/** What is remarkable about the lines of an environment file. */
export interface LineReport {
  /** The names that are set, in their order, one for each time. */
  readonly names: readonly string[];
  /**
   * The numbers of the lines that set nothing, though they are neither blank nor comments; from 1.
   */
  readonly passedOver: readonly number[];
  /** The names that are set more than once; the last one counts. */
  readonly repeated: readonly string[];
}

/** Looks at the lines of an environment file. */
export function reportLines(text: string): LineReport {
  const lines = text.replace(/\r\n?/g, "\n");
  const names: string[] = [];
  const rest = lines.replace(VARIABLE, (match, name: string) => {
    names.push(name);
    return match.replace(/[^\n]/g, "");
  });
  const passedOver = rest.split("\n").flatMap((line, index) =>
    // The byte order mark, which dotenv takes for white space, is white space to trim() as well.
    line.trim() === "" || line.trim().startsWith("#") ? [] : [index + 1]
  );
  const repeated = names.filter((name, index) =>
    names.indexOf(name) < index && names.lastIndexOf(name) === index
  );
  return { names, passedOver, repeated };
}
