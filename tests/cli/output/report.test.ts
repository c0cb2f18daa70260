import assert from "node:assert/strict";
import { createWriteStream, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { main } from "../../../src/cli/main.ts";
import { fixed } from "../../../src/cli/output/out.ts";
import { createReporter } from "../../../src/cli/output/report.ts";
import { resolveConnection } from "../../../src/connection/connection.ts";
import { AdcRunError, EXIT } from "../../../src/errors.ts";
import { NoTokenError } from "../../../src/token/resolve.ts";
import { startSandbox } from "../../sandbox/sandbox.ts";
import { fakeIo } from "../../support/fake_io.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** Color, a title, a bell, a line of its own to the left, C1's CSI, and delete. */
const HOSTILE = "\x1b[31mred\x1b]0;title\x07\rleft\x9b2Jall\x7f\tend";

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

function assertPlain(text: string): void {
  assert.doesNotMatch(text, CONTROLS);
  for (const word of ["red", "title", "left", "all", "end"]) assert.ok(text.includes(word), text);
}

it("`createReporter()` lets no name draw on the terminal, whatever it says", async () => {
  const failure = new AdcRunError(HOSTILE, EXIT.usage, { suggestion: HOSTILE });
  const trail = [{ source: "env", status: "absent", detail: HOSTILE }] as const;
  const connection = await resolveConnection({ env: {}, cwd: "/nowhere" });
  const told: readonly ((reporter: ReturnType<typeof createReporter>) => unknown)[] = [
    (reporter) => reporter.info(HOSTILE),
    (reporter) => reporter.warn(HOSTILE),
    (reporter) => reporter.print(HOSTILE),
    (reporter) => reporter.fail(failure),
    (reporter) => reporter.fail(new NoTokenError(connection, trail)),
  ];
  for (const [index, tell] of told.entries()) {
    const io = fakeIo();
    tell(createReporter(io, { verbose: true }));
    assert.ok(io.out.length + io.err.length > 0, `case ${index}`);
    for (const line of [...io.out, ...io.err]) assert.doesNotMatch(line, CONTROLS, `case ${index}`);
    assertPlain([...io.out, ...io.err].join(""));
  }
});

it("`createReporter()` keeps its own lines and colors", () => {
  const io = fakeIo({ terminals: { stdin: true, stdout: true, stderr: true } });
  const reporter = createReporter(io, {});
  reporter.print(fixed("one\ntwo"));
  reporter.warn("careful");
  assert.deepEqual(io.out, ["one\ntwo\n"]);
  assert.deepEqual(io.err, ["adc-run: \x1b[33mwarning\x1b[39m: careful\n"]);
});

it("`createReporter()` lets no message make up a line of its own", () => {
  const io = fakeIo();
  const reporter = createReporter(io, {});
  const forged = "x\nadc-run: token checked\u2028y\r\n::stop-commands::z ##[add-path]w";
  reporter.info(forged);
  reporter.warn(forged);
  reporter.fail(new AdcRunError(forged, EXIT.usage, { suggestion: forged }));
  assert.equal(io.err.length, 4);
  for (const line of io.err) {
    assert.match(
      line,
      /^(adc-run: (warning: |error: )?| {2}fix {5})x adc-run: token checked y ::stop.* ## \[add-path\]w\n$/,
    );
  }
});

it("`createReporter()` makes annotations in GitHub Actions, and says nothing twice", async () => {
  const env = { GITHUB_ACTIONS: "true", ADC_TOKEN: "canary%token" };
  const io = fakeIo({ env });
  const reporter = createReporter(io, {});
  reporter.info("plain");
  reporter.warn("50% of\n::error::it, a:b");
  const failure = new AdcRunError("bad canary%token\r\nthing", EXIT.usage, {
    suggestion: "Mend it",
  });
  assert.equal(reporter.fail(failure), EXIT.usage);
  const connection = await resolveConnection({ env: {}, cwd: "/nowhere" });
  const trail = [{ source: "env", status: "absent", detail: "a##[b]" }] as const;
  reporter.fail(new NoTokenError(connection, trail));
  reporter.complain("late");
  assert.deepEqual(io.err.slice(0, 3), [
    "adc-run: plain\n",
    "::warning title=adc-run::50%25 of ::error::it, a:b\n",
    "::error title=adc-run::bad *** thing%0AMend it\n",
  ]);
  assert.match(io.err[3]!, /^::error title=adc-run::No token for .*%0A.*%0Asource env {2}absent/);
  assert.deepEqual(io.err.slice(4), ["::error title=adc-run::late\n"]);
  createReporter(io, { verbose: true }).fail(new NoTokenError(connection, trail));
  assert.match(io.err[5]!, /%0Asource env {2}absent {5}a## \[b\]\n$/);
});

it("`createReporter()` makes no annotations with --json, into a file, or elsewhere", async () => {
  await using folder = await temporaryFolder();
  const failure = new AdcRunError("bad", EXIT.usage);
  const github = { GITHUB_ACTIONS: "true" };
  const json = fakeIo({ env: github });
  createReporter(json, { json: true }).warn("careful");
  createReporter(json, { json: true }).fail(failure);
  assert.doesNotMatch(json.err.join(""), /::/);
  const elsewhere = fakeIo({ env: { GITHUB_ACTIONS: "" } });
  createReporter(elsewhere, {}).fail(failure);
  assert.deepEqual(elsewhere.err, ["adc-run: error: bad\n"]);
  const file = createWriteStream(join(folder.path, "log"), {
    fd: openSync(join(folder.path, "log"), "w"),
  });
  createReporter(fakeIo({ env: github, stderr: file }), {}).fail(failure);
  await new Promise((resolve) => file.end(resolve));
  assert.equal(readFileSync(join(folder.path, "log"), "utf8"), "adc-run: error: bad\n");
  const quiet = fakeIo({ env: github });
  createReporter(quiet, { quiet: true }).warn("careful");
  createReporter(quiet, { quiet: true }).fail(failure);
  assert.deepEqual(quiet.err, ["::error title=adc-run::bad\n"]);
});

it("`createReporter()` tells a CI system's lines as they are", () => {
  const io = fakeIo({ env: { ADC_TOKEN: "canary-token" } });
  const reporter = createReporter(io, { quiet: true });
  reporter.tellRunner("::add-mask::canary-token");
  reporter.complain("canary-token");
  assert.deepEqual(io.err, ["::add-mask::canary-token\n", "adc-run: error: ***\n"]);
});

it("`main()` shows a token's name without its control characters, on one line", async () => {
  await using sandbox = await startSandbox();
  await using folder = await temporaryFolder();
  const user = sandbox.addUser({ username: "ann", password: "ann-password" });
  sandbox.addToken({ user, name: `${HOSTILE}\nnext` });
  const { value } = sandbox.addToken({ user, name: "own" });
  const env = { ADC_RUN_CONFIG_DIR: folder.path, ADC_SERVER: sandbox.url, ADC_TOKEN: value };
  const io = fakeIo({ env, cwd: folder.path });
  assert.equal(await main(["auth", "list"], io), 0, io.err.join(""));
  assertPlain(io.out.join(""));
  const lines = io.out.join("").trimEnd().split("\n");
  assert.equal(lines.filter((line) => line.includes("next")).length, 1);
  assert.ok(lines.some((line) => line.includes("red") && line.includes("next")));
  const json = fakeIo({ env, cwd: folder.path });
  assert.equal(await main(["--json", "auth", "list"], json), 0);
  assert.doesNotMatch(json.out.join(""), CONTROLS);
});
