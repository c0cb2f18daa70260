/**
 * What `deno test --junit-path` writes, as far as the matrix needs it.
 *
 * @module
 */

/** How a test ended. */
export type Outcome = "passed" | "failed" | "skipped";

/** A test, with the file that it stands in. */
export interface TestCase {
  /** The file, below `tests/`. */
  readonly file: string;
  /** The names of the test and of what it is a part of, with ` > ` between them. */
  readonly name: string;
  /** How it ended. */
  readonly outcome: Outcome;
}

/**
 * Reads a report. A test that has parts is left out: its parts stand for it.
 *
 * @param xml The report.
 * @returns Its tests.
 */
export function readJunit(xml: string): readonly TestCase[] {
  const pattern =
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  const cases = [...xml.matchAll(pattern)].map(([, name, file, body]) => ({
    name: unescape(name!),
    file: unescape(file!),
    outcome: outcomeOf(body ?? ""),
  }));
  // Deno names its own module as the file of all but the outermost.
  const files = new Map(
    cases.filter(({ file }) => /\.test\.ts$/.test(file)).map((each) => [
      each.name,
      each.file.replace(/^.*\/tests\//, ""),
    ]),
  );
  const parents = new Set(cases.flatMap(({ name }) => prefixes(name)));
  return cases.filter(({ name }) => !parents.has(name)).flatMap(({ name, outcome }) => {
    const file = files.get([...prefixes(name), name][0]!);
    return file === undefined ? [] : [{ file, name, outcome }];
  });
}

/** The names of what a test is a part of, the outermost first. */
function prefixes(name: string): readonly string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "));
}

function outcomeOf(body: string): Outcome {
  if (/<(failure|error)\b/.test(body)) return "failed";
  return /<skipped\b/.test(body) ? "skipped" : "passed";
}

function unescape(text: string): string {
  const names: Readonly<Record<string, string>> = {
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    amp: "&",
  };
  return text.replaceAll(
    /&(?:(lt|gt|quot|apos|amp)|#(\d+)|#x([0-9a-f]+));/gi,
    (_, name, decimal, hex) =>
      name ? names[name]! : String.fromCodePoint(decimal ? Number(decimal) : parseInt(hex, 16)),
  );
}
