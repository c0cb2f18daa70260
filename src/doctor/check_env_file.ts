import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type EnvFile, readEnvFile, UTF_16 } from "../connection/env_file.ts";
import { AdcRunError, EXIT, reasonOf } from "../errors.ts";
import { statOrAbsent } from "../system/files.ts";
import type { DiagnoseOptions } from "./diagnose.ts";
import { failed, type Found, ok, skipped, warning } from "./finding.ts";

const MAX_LINES = 10;

export async function checkEnvFile(
  { envFile: name, cwd }: Pick<DiagnoseOptions, "envFile" | "cwd">,
): Promise<readonly Found[]> {
  if (name !== undefined && isPipe(resolve(cwd, name))) {
    return [skipped(`"${name}" is not a regular file and can be read only once`)];
  }
  let file: EnvFile;
  try {
    file = await readEnvFile(name ?? ".env", cwd);
  } catch (error) {
    if (!(error instanceof AdcRunError)) throw error;
    const { message, suggestion = "", exitCode } = error;
    return [failed(message, suggestion, { exitCode })];
  }
  if (file.unreadable === UTF_16) return [notUtf8(file.name, true)];
  if (file.unreadable !== undefined) {
    return [failed(
      `${file.name} cannot be read: ${reasonOf(file.unreadable)}`,
      "ADC silently ignores it. Make it readable, or delete it.",
      { exitCode: name === undefined ? EXIT.source : EXIT.usage },
    )];
  }
  if (!file.exists && name === undefined) return [ok("no .env here")];
  if (!file.exists) {
    const suggestion = `A relative path starts from "${cwd}".`;
    return [failed(`there is no file "${name}"`, suggestion, { exitCode: EXIT.usage })];
  }
  const text = readFileSync(resolve(cwd, file.name), "utf8");
  if (text.includes("\0") || text.includes("\ufffd")) {
    return [notUtf8(file.name, text.includes("\0"))];
  }
  const { names, ignored, repeated } = reportLines(text);
  const findings: Found[] = [];
  if (ignored.length > 0) {
    const shown = ignored.slice(0, MAX_LINES).join(", ");
    const more = ignored.length > MAX_LINES ? ", …" : "";
    const lines = `line${ignored.length > 1 ? "s" : ""} ${shown}${more}`;
    findings.push(warning(
      `${file.name}: ADC ignores ${lines}: no variable is set there`,
      'Write variables as NAME="value" and comments after #.',
      { lines: ignored },
    ));
  }
  const known = repeated.filter((each) => /^(ADC_|API_KEY$|API7_)/.test(each));
  if (known.length > 0) {
    findings.push(warning(
      `${file.name} sets ${known.join(", ")} more than once, and not every ADC uses the last value`,
      "Delete the others.",
      { names: known },
    ));
  }
  if (findings.length > 0) return findings;
  const { size } = new Set(names);
  return [ok(`${file.name} is well-formed: ${size} variable${size === 1 ? "" : "s"}`)];
}

function notUtf8(name: string, maybeUtf16: boolean): Found {
  return failed(
    `${name} is not UTF-8 text${maybeUtf16 ? "; it may be UTF-16" : ""}`,
    "Save it as UTF-8: ADC does not read what you see.",
    { exitCode: EXIT.data },
  );
}

/** What a shell makes of `<(…)`; a folder is told apart by whoever reads it. */
function isPipe(path: string): boolean {
  try {
    const stats = statOrAbsent(path);
    return stats !== undefined && !stats.isFile() && !stats.isDirectory();
  } catch {
    // Why it cannot be looked at is told where it is read.
    return false;
  }
}

/** What `dotenv` 17 takes for a variable: the pattern of its `parse()`, which it does not export. */
const VARIABLE =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/mg;

interface LineReport {
  readonly names: readonly string[];
  /** The numbers of the lines that set nothing, though they are neither blank nor comments; from 1. */
  readonly ignored: readonly number[];
  readonly repeated: readonly string[];
}

export function reportLines(text: string): LineReport {
  // A long run of blank lines would be gone through again from each of them; their numbers stay.
  const lines = text.replace(/\r\n?/g, "\n").replace(
    /\s{64,}/g,
    (run) => run.replace(/\n[^\S\n]*(?=\n)/g, "\n#"),
  );
  const names: string[] = [];
  const rest = lines.replace(VARIABLE, (match, name: string) => {
    names.push(name);
    return match.replace(/[^\n]/g, "");
  });
  const ignored = rest.split("\n").flatMap((line, index) =>
    // The byte order mark, which dotenv takes for white space, is white space to trim() as well.
    line.trim() === "" || line.trim().startsWith("#") ? [] : [index + 1]
  );
  const repeated = names.filter((name, index) =>
    names.indexOf(name) < index && names.lastIndexOf(name) === index
  );
  return { names, ignored, repeated };
}
