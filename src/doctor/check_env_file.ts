import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { readEnvFile } from "../connection/env_file.ts";
import { EXIT } from "../errors.ts";
import type { Found } from "./finding.ts";

/** The numbers of so many lines are named. */
const MAX_LINES = 10;

/** Looks at `.env`, or at the file that stands in for it. */
export async function checkEnvFile(
  name: string | undefined,
  cwd: string,
): Promise<readonly Found[]> {
  if (name !== undefined && isPipe(resolve(cwd, name))) {
    return [{
      status: "skipped",
      found: `"${name}" is no regular file, and can be read only once`,
    }];
  }
  const file = await readEnvFile(name ?? ".env", cwd);
  if (file.unreadable !== undefined) {
    return [{
      status: "failed",
      found: `${file.name} cannot be read: ${file.unreadable}`,
      suggestion:
        "ADC passes over it without a word. Give yourself the right to read it, or delete it.",
      exitCode: name === undefined ? EXIT.source : EXIT.usage,
    }];
  }
  if (!file.exists) {
    return [
      name === undefined ? { status: "ok", found: "there is no .env here" } : {
        status: "failed",
        found: `there is no file "${name}"`,
        suggestion: `A relative path starts from "${cwd}".`,
        exitCode: EXIT.usage,
      },
    ];
  }
  const text = readFileSync(resolve(cwd, file.name), "utf8");
  if (text.includes("\0") || text.includes("\ufffd")) {
    return [{
      status: "failed",
      found: `${file.name} is no UTF-8 text${text.includes("\0") ? "; it may be UTF-16" : ""}`,
      suggestion: "Save it as UTF-8: ADC reads something else in it than you see.",
      exitCode: EXIT.data,
    }];
  }
  const { names, passedOver, repeated } = reportLines(text);
  const findings: Found[] = [];
  if (passedOver.length > 0) {
    const shown = passedOver.slice(0, MAX_LINES).join(", ");
    const more = passedOver.length > MAX_LINES ? ", …" : "";
    findings.push({
      status: "warning",
      found: `${file.name}: ADC passes over line${
        passedOver.length > 1 ? "s" : ""
      } ${shown}${more}: no variable is set there`,
      suggestion: 'Write a variable as NAME="value", a comment behind #.',
      data: { lines: passedOver },
    });
  }
  const known = repeated.filter((each) => /^(ADC_|API_KEY$|API7_)/.test(each));
  if (known.length > 0) {
    findings.push({
      status: "warning",
      found: `${file.name} sets ${known.join(", ")} more than once: the last one counts`,
      suggestion: "Delete the others.",
      data: { names: known },
    });
  }
  const count = new Set(names).size;
  const variables = `${count} variable${count === 1 ? "" : "s"}`;
  if (findings.length > 0) return findings;
  return [{ status: "ok", found: `${file.name} is well-formed: ${variables}` }];
}

/** What a shell makes of `<(…)`; a folder is told apart by whoever reads it. */
function isPipe(path: string): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats !== undefined && !stats.isFile() && !stats.isDirectory();
  } catch {
    // Why it cannot be looked at is told where it is read.
    return false;
  }
}

/**
 * What `dotenv` 17 takes for a variable: the pattern of its `parse()`, which it does not export.
 */
const VARIABLE =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/mg;

/** What is remarkable about the lines of an environment file. */
interface LineReport {
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
