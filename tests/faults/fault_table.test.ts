import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { isVerdict, VERDICTS } from "../../src/check/verdict.ts";
import { isProven, skipUnless } from "./fault.ts";
import { FAULTS, faultTable } from "./fault_table.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const all = FAULTS.flatMap(({ faults }) => faults);

/** What must not be missing, whatever else is there. */
const DEMANDED = [
  "connection refused",
  "reset before",
  "reset within the headers",
  "reset after the headers",
  "no such host",
  "unknown CA",
  "expired",
  "another name",
  "client certificate missing",
  "client certificate of another CA",
  "slow headers",
  "slow body",
  "endless body",
  "gzip bomb",
  "malformed JSON",
  "unexpected JSON",
  "200 with an HTML page",
  "302 to another host",
  ...["401", "403", "404", "409", "429 with `Retry-After", "500", "502", "503", "504"],
  "keychain locked",
  "keychain absent",
  "keychain hanging",
  "disk full",
  "read-only folder",
  "SIGKILL of adc-run",
  "SIGKILL of the child",
  "ignores SIGTERM",
  "floods its output",
  "stdin closed",
  "stdout closed",
  "terminal resized",
  "10 MB `.env`",
  "invalid UTF-8",
];

describe("the fault table", () => {
  it("has every fault that production is known for, each once", () => {
    const names = all.map(({ fault }) => fault);
    for (const demanded of DEMANDED) {
      assert.ok(names.some((name) => name.includes(demanded)), demanded);
    }
    assert.deepEqual(names, [...new Set(names)]);
  });

  it("has the exit codes that the verdicts have", () => {
    for (const { fault, verdict, exit } of all) {
      if (isVerdict(verdict)) assert.equal(exit, VERDICTS[verdict].exit, fault);
    }
  });

  it("points at tests that are there", async () => {
    for (const fault of all) {
      if (isProven(fault)) continue;
      for (const [file, name] of fault.shownBy) {
        const text = await readFile(repository + file, "utf8");
        const there = ['"', "`"].some((quote) => text.includes(`it(${quote}${name}`));
        assert.ok(there, `${file} has no test "${name}"`);
      }
    }
  });

  it("is the one in docs/faults.md", async () => {
    assert.equal(
      await readFile(`${repository}docs/faults.md`, "utf8"),
      faultTable(),
      "run: deno run -A scripts/fault_table.ts > docs/faults.md",
    );
  });

  it("says why something is left out, unless it is required", () => {
    assert.equal(skipUnless("disk", "no root", "keychain"), "no root");
    assert.equal(skipUnless("disk", "no root", undefined), "no root");
    assert.equal(skipUnless("disk", "no root", "keychain, disk"), false);
    assert.equal(skipUnless("disk", undefined, undefined), false);
  });
});
