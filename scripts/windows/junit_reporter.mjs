/**
 * A reporter for Node.js' tests that writes what `deno test --junit-path` writes, as far as the matrix reads it.
 *
 * @module
 */

const escape = (text) => text.replace(/[<>&"']/g, (each) => `&#${each.codePointAt(0)};`);

/** A test is told after its parts, so its own name is known only from its start. */
export default async function* report(source) {
  const names = new Map();
  yield "<testsuites>\n";
  for await (const { type, data } of source) {
    const path = names.get(data.file) ?? names.set(data.file, []).get(data.file);
    if (type === "test:start") path.splice(data.nesting, Infinity, data.name);
    if (type !== "test:pass" && type !== "test:fail") continue;
    const name = escape([...path.slice(0, data.nesting), data.name].join(" > "));
    const file = escape(data.file?.replaceAll("\\", "/") ?? "");
    const outcome = data.skip !== undefined
      ? "<skipped/>"
      : type === "test:fail"
      ? "<failure/>"
      : "";
    yield `<testcase name="${name}" classname="${file}">${outcome}</testcase>\n`;
  }
  yield "</testsuites>\n";
}
