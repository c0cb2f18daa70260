import { readFileSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { adcCommand } from "../connection/adc_command.ts";
import { throwIfNotCapable } from "../errors.ts";

/** A configuration file, as ADC will find it. */
export interface ConfigurationFile {
  /** The path for messages, from the working directory. */
  readonly name: string;
  readonly text: string;
}

/** Commands of ADC that talk to a backend and read no configuration. */
const WITHOUT_FILES: ReadonlySet<string> = new Set(["ping", "dump"]);

/**
 * What may be more than a plain path to `glob`; a path too many here costs a moment, and no more.
 */
const MAGIC = /[*?[\]{}()!+@\\]/;

/**
 * Reads the files that ADC will read: those of `-f`, patterns among them, or else `adc.yaml`.
 *
 * A file that is not there or cannot be read is left out, for ADC to complain about. So is a pipe, such
 * as `/dev/stdin`, which could be read only once.
 */
export async function* readConfigurationFiles(
  words: readonly string[],
  cwd: string,
): AsyncGenerator<ConfigurationFile> {
  if (WITHOUT_FILES.has(words[0] ?? "")) return;
  const seen = new Set<string>();
  for (const pattern of filesIn(words)) {
    for (const path of await pathsOf(pattern, cwd)) {
      if (seen.has(path)) continue;
      seen.add(path);
      const text = readText(path);
      if (text !== undefined) yield { name: relative(cwd, path), text };
    }
  }
}

/** The values of `-f`, by ADC's own parser. */
function filesIn(words: readonly string[]): readonly string[] {
  const files: string[] = [];
  const command = adcCommand();
  command.on("option:file", (file: string) => files.push(file));
  command.parseOptions([...words]);
  return files.length === 0 ? ["adc.yaml"] : files;
}

/** ADC hands every value to `glob`. */
async function pathsOf(pattern: string, cwd: string): Promise<readonly string[]> {
  if (!MAGIC.test(pattern)) return [resolve(cwd, pattern)];
  const { globSync } = await import("glob");
  return globSync(pattern, { cwd, nodir: true, absolute: true });
}

function readText(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? readFileSync(path, "utf8") : undefined;
  } catch (error) {
    throwIfNotCapable(error);
    return undefined;
  }
}
